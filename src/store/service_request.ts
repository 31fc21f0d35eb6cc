// One request over HTTP to an object service, and its answer; what goes wrong on the way, in the terms of ServiceError.
import type { Fetch } from "./fetch.ts";
import { ServiceError } from "./service_error.ts";
import { StoreError } from "./store_error.ts";

/** So much of an error's body is looked at. */
export const errorBodyBytesMax = 64 << 10;
const causesMax = 5;
/** Others are no text of a header, or not the one that was signed. */
const printableAscii = /^[ -~]*$/;
/** The runtimes' words for a connection that was never made. */
const neverSent = /refused|ENOTFOUND|EAI_AGAIN|FailedToOpenSocket|unreachable|dns/i;
/** And for a certificate that does not become good by trying again. */
const badCertificate = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|UnknownIssuer/i;

export type ServiceMethod = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

export interface ServiceRequest {
  method: ServiceMethod;
  url: URL;
  headers: Headers;
  body?: Uint8Array;
  /** What it is for, for errors: "read x". */
  what: string;
}

/** The same before it has an address and says who asks. */
export interface BucketQuestion {
  method: ServiceMethod;
  /** "" is the bucket itself. */
  key?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  what: string;
}

export interface ServiceResponse {
  status: number;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
}

/**
 * Sends a request and reads the whole answer, whatever its status.
 *
 * @throws ServiceError if there is no whole answer; StoreError if the signal gave it up
 */
export async function exchange(
  fetch: Fetch,
  { method, url, headers, body, what }: ServiceRequest,
  signal: AbortSignal,
): Promise<ServiceResponse> {
  try {
    const response = await fetch(url.href, { method, headers, body, redirect: "manual", signal });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, body: bytes };
  } catch (error) {
    throw connectionError(what, url, error, signal);
  }
}

/**
 * Not left to the runtime, whose errors show what is wrong: it may be a secret.
 *
 * @throws StoreError
 */
export function checkHeaderText(name: string, value: string): void {
  if (!printableAscii.test(value)) {
    throw new StoreError(`store: ${name} has characters that a request can't have`);
  }
}

/**
 * A key as it stands in a URL: what RFC 3986 leaves unreserved, and the slashes, as they are.
 *
 * @throws StoreError for one that URLs would take for another
 */
export function encodedKey(key: string): string {
  if (key.split("/").some((part) => part === "." || part === "..")) {
    throw new StoreError(`store: no request can name ${JSON.stringify(key)}`);
  }
  return encodeURIComponent(key).replace(/%2F|[!'()*]/g, (found) =>
    found === "%2F" ? "/" : `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Not as forms do it: signatures and services want a space as "%20". */
export function setQuery(url: URL, query: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  url.search = url.search.replaceAll("+", "%20");
}

function connectionError(what: string, url: URL, error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) {
    const { message = "given up" } = (signal.reason ?? {}) as Partial<Error>;
    return new StoreError(`store: cannot ${what}: ${message.replace(/^store: /, "")}`, { cause: error });
  }
  const { code = "" } = error as NodeJS.ErrnoException;
  // Without the query: whoever has the address of an upload may write to it.
  const message = messagesOf(error).replaceAll(url.href, url.origin + url.pathname);
  // Without names of ours, in which any word may stand.
  const words = `${code} ${message}`.replaceAll(url.origin + url.pathname, "").replaceAll(url.hostname, "");
  return new ServiceError(`cannot ${what}: ${message}`, {
    reason: code,
    mayRetry: !badCertificate.test(words),
    mayBeDone: !neverSent.test(words),
    cause: error,
  });
}

/** What an error and its causes say: Deno's fetch() itself says no more than that it failed. */
function messagesOf(error: unknown): string {
  const messages: string[] = [];
  for (let at = error; at instanceof Error && messages.length < causesMax; at = at.cause) {
    messages.push(at.message);
  }
  return messages.join(": ") || String(error);
}
