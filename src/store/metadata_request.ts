// Questions to what hands out credentials: a machine's or container's metadata service, or one that takes other tokens for them.
import type { Fetch } from "./fetch.ts";
import { ServiceError } from "./service_error.ts";

/** Some of those addresses lead nowhere outside of their cloud. */
const answerMsMax = 5000;

export interface MetadataAnswer {
  status: number;
  text: string;
}

/** @throws ServiceError without an answer, which may pass */
export async function askMetadata(
  fetch: Fetch,
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
