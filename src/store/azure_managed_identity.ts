// Tokens of a managed identity: of a virtual machine or a node of AKS, from the metadata service of the instance; of App Service, Functions and
// Container Apps, from the endpoint that the environment names.
import type { AzureSurroundings } from "./azure_credentials.ts";
import { type AzureToken, parseToken, storageResource } from "./azure_token.ts";
import { askMetadata } from "./metadata_request.ts";
import { StoreError } from "./store_error.ts";

const instanceUrl = "http://169.254.169.254/metadata/identity/oauth2/token";
const instanceVersion = "2018-02-01";
const appVersion = "2019-08-01";
/** Of the instance's service while it is being updated. */
const updating = [404, 410];

/** @param clientId of an identity that a user assigned; "" for the system's */
export async function managedIdentityToken(
  { env, fetch, now }: AzureSurroundings,
  clientId: string,
): Promise<AzureToken> {
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: secret } = env;
  if (endpoint && !secret) {
    throw new StoreError(
      "store: IDENTITY_ENDPOINT is set without IDENTITY_HEADER: identities of Azure Arc are not supported",
    );
  }
  if (endpoint && !URL.canParse(endpoint)) {
    throw new StoreError(`store: IDENTITY_ENDPOINT: no URL: ${endpoint}`);
  }
  const url = new URL(endpoint || instanceUrl);
  url.searchParams.set("api-version", endpoint ? appVersion : instanceVersion);
  url.searchParams.set("resource", storageResource);
  if (clientId !== "") url.searchParams.set("client_id", clientId);
  const headers: Record<string, string> =
    secret && endpoint ? { "x-identity-header": secret } : { metadata: "true" };
  const answer = await askMetadata(fetch, url.href, { headers });
  return parseToken(url.origin + url.pathname, answer, now(), endpoint ? [] : updating);
}
