// Tokens for a token of somebody else's, which Microsoft Entra ID takes: service accounts of Kubernetes with Azure Workload Identity.
import { readFileSync } from "node:fs";
import type { AzureSurroundings } from "./azure_credentials.ts";
import { type AzureToken, parseToken, storageResource } from "./azure_token.ts";
import { askMetadata } from "./metadata_request.ts";
import { StoreError } from "./store_error.ts";

const authorityDefault = "https://login.microsoftonline.com/";

export async function federatedToken({ env, fetch, now }: AzureSurroundings): Promise<AzureToken> {
  const tenant = given(env, "AZURE_TENANT_ID");
  const clientId = given(env, "AZURE_CLIENT_ID");
  const assertion = readToken(given(env, "AZURE_FEDERATED_TOKEN_FILE"));
  const authority = (env.AZURE_AUTHORITY_HOST || authorityDefault).replace(/\/$/, "");
  if (!URL.canParse(authority)) throw new StoreError(`store: AZURE_AUTHORITY_HOST: no URL: ${authority}`);
  const url = `${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`;
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    scope: `${storageResource}.default`,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
  });
  const answer = await askMetadata(fetch, url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: body.toString(),
  });
  return parseToken(url, answer, now());
}

function given(env: AzureSurroundings["env"], name: string): string {
  const value = env[name];
  if (value) return value;
  throw new StoreError(`store: storage.trace.azure.use_federated_token: ${name} is not set`);
}

/** Read each time, since it is replaced. */
function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new StoreError(`store: AZURE_FEDERATED_TOKEN_FILE: ${(cause as Error).message}`, { cause });
  }
}
