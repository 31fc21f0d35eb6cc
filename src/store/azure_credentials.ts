// What shows Azure who asks: the key of the account, or a token of an identity. As in Tempo, an identity that is configured goes before a key.
import type { AzureConfig } from "../config/config.ts";
import { federatedToken } from "./azure_federated_token.ts";
import { managedIdentityToken } from "./azure_managed_identity.ts";
import { AzureSharedKey } from "./azure_shared_key.ts";
import { AzureTokens } from "./azure_token.ts";
import type { Fetch } from "./fetch.ts";
import type { ServiceMethod } from "./service_request.ts";
import { StoreError } from "./store_error.ts";

/** A request that is complete but for this. */
export interface UnsignedRequest {
  method: ServiceMethod;
  url: URL;
  headers: Headers;
  bodyBytes: number;
}

export interface AzureCredentials {
  /**
   * Adds the header.
   *
   * @returns what has new ones looked for next time: to be called if the service takes these for expired
   * @throws StoreError if there are no credentials
   */
  authorize(request: UnsignedRequest): Promise<() => void>;
}

export interface AzureSurroundings {
  env: Readonly<Record<string, string | undefined>>;
  fetch: Fetch;
  now: () => number;
}

const under = "storage.trace.azure";
const base64 = /^[\w+/-]+={0,2}$/;

/** @throws StoreError naming what is missing */
export function azureCredentials(config: AzureConfig, surroundings: AzureSurroundings): AzureCredentials {
  const { use_federated_token, use_managed_identity, user_assigned_id: clientId } = config;
  if (use_federated_token) return new AzureTokens(() => federatedToken(surroundings), surroundings.now);
  if (use_managed_identity || clientId !== "") {
    return new AzureTokens(() => managedIdentityToken(surroundings, clientId), surroundings.now);
  }
  const key = config.storage_account_key || surroundings.env.AZURE_STORAGE_KEY;
  if (!key) {
    throw new StoreError(
      `store: no credentials for Azure: neither ${under}.storage_account_key nor AZURE_STORAGE_KEY is set, ` +
        "and neither use_managed_identity, user_assigned_id nor use_federated_token",
    );
  }
  if (!base64.test(key)) throw new StoreError("store: the key of the storage account is no base64");
  return new AzureSharedKey(azureAccount(config, surroundings.env), key);
}

/** @throws StoreError if there is none, or it can't be one */
export function azureAccount({ storage_account_name }: AzureConfig, env: AzureSurroundings["env"]): string {
  const account = storage_account_name || env.AZURE_STORAGE_ACCOUNT;
  if (!account) {
    throw new StoreError(`store: neither ${under}.storage_account_name nor AZURE_STORAGE_ACCOUNT is set`);
  }
  if (!/^[\w-]+$/.test(account)) {
    throw new StoreError(`store: expected the name of a storage account, found ${JSON.stringify(account)}`);
  }
  return account;
}
