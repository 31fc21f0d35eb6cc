// Questions to what hands out AWS credentials in a container or on an instance.
import type { AwsCredentials, AwsSurroundings } from "./aws_credentials.ts";
import { ServiceError } from "./service_error.ts";
import { StoreError } from "./store_error.ts";

/** Some of those addresses lead nowhere outside of AWS. */
const answerMsMax = 5000;

export interface MetadataAnswer {
  status: number;
  text: string;
}

/** @throws ServiceError without an answer, which may pass */
export async function askMetadata(
  { fetch }: AwsSurroundings,
  url: string,
  init: RequestInit = {},
  msMax: number = answerMsMax,
): Promise<MetadataAnswer> {
  try {
    const response = await fetch(url, { redirect: "error", ...init, signal: AbortSignal.timeout(msMax) });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    const message = `no credentials from ${url}: ${(cause as Error).message}`;
    throw new ServiceError(message, { mayRetry: true, mayBeDone: false, cause });
  }
}

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
