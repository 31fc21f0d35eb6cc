// AWS credentials as they are handed out in a container or on an instance.
import type { AwsCredentials } from "./aws_credentials.ts";
import type { MetadataAnswer } from "./metadata_request.ts";
import { ServiceError } from "./service_error.ts";
import { StoreError } from "./store_error.ts";

/** Credentials as containers and instances hand them out. @throws StoreError if it is none */
export function parseCredentials(url: string, { status, text }: MetadataAnswer): AwsCredentials {
  if (status !== 200) {
    const mayRetry = status >= 500 || status === 429;
    throw new ServiceError(`no credentials from ${url}: status ${status}`, { mayRetry, mayBeDone: false });
  }
  try {
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = JSON.parse(text);
    if (!AccessKeyId || !SecretAccessKey) throw new Error("no access key in it");
    return credentials(AccessKeyId, SecretAccessKey, Token, Expiration);
  } catch (cause) {
    throw new StoreError(`store: no credentials from ${url}: ${(cause as Error).message}`, { cause });
  }
}

/** @param expiration RFC 3339 */
export function credentials(
  accessKeyId: string,
  secretAccessKey: string,
  sessionToken: string | undefined,
  expiration: string | undefined,
): AwsCredentials {
  const expiresMs = Date.parse(expiration ?? "");
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: sessionToken ?? "",
    ...(Number.isNaN(expiresMs) ? {} : { expiresMs }),
  };
}
