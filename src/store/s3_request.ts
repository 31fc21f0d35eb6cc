// One signed request to a bucket, and its answer.
import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import type { AwsCredentialsSource } from "./aws_credentials.ts";
import type { Fetch } from "./fetch.ts";
import type { S3Address } from "./s3_address.ts";
import { isExpired, s3Error } from "./s3_error.ts";
import { ServiceError } from "./service_error.ts";
import { StoreError } from "./store_error.ts";

const errorBodyBytesMax = 64 << 10;
const causesMax = 5;
/** Others are no text of a header, or not the one that was signed. */
const printableAscii = /^[ -~]*$/;
const emptySha256 = createHash("sha256").digest("hex");
/** The runtimes' words for a connection that was never made. */
const neverSent = /refused|ENOTFOUND|EAI_AGAIN|FailedToOpenSocket|unreachable|dns/i;
/** And for a certificate that does not become good by trying again. */
const badCertificate = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|UnknownIssuer/i;

export interface S3Question {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** "" is the bucket itself. */
  key?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** What it is for, for errors: "read x". */
  what: string;
}

export interface S3Response {
  status: number;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
}

export class S3Requests {
  readonly #address: S3Address;
  readonly #credentials: AwsCredentialsSource;
  readonly #fetch: Fetch;
  /** Keys that signing derives from the credentials, for a day each. */
  readonly #derivedKeys = new Map<string, ArrayBuffer>();

  constructor(address: S3Address, credentials: AwsCredentialsSource, fetch: Fetch) {
    this.#address = address;
    this.#credentials = credentials;
    this.#fetch = fetch;
  }

  /**
   * @param expected statuses beside 2xx that are an answer
   * @throws ServiceError
   */
  async ask(
    question: S3Question,
    signal: AbortSignal,
    expected: readonly number[] = [],
  ): Promise<S3Response> {
    const { what, body } = question;
    const signed = await this.#sign(question);
    let response: Response;
    let bytes: ArrayBuffer;
    try {
      response = await this.#fetch(signed.url.href, {
        method: question.method,
        headers: signed.headers,
        body,
        redirect: "manual",
        signal,
      });
      bytes = await response.arrayBuffer();
    } catch (error) {
      throw connectionError(what, signed.url, error, signal);
    }
    const { status, headers } = response;
    if ((status >= 200 && status < 300) || expected.includes(status)) {
      return { status, headers, body: new Uint8Array(bytes) };
    }
    const text = new TextDecoder().decode(bytes.slice(0, errorBodyBytesMax));
    const bucketRegion = headers.get("x-amz-bucket-region");
    const isElsewhere = bucketRegion !== this.#address.region && status !== 404;
    const error = s3Error(what, { status, body: text, bucketRegion: isElsewhere ? bucketRegion : null });
    if (isExpired(error)) this.#credentials.forget();
    throw error;
  }

  async #sign({ method, key = "", query = {}, headers = {}, body }: S3Question) {
    const { accessKeyId, secretAccessKey, sessionToken } = await this.#credentials.get();
    for (const [name, value] of Object.entries(headers)) checkHeader(`the header ${name}`, value);
    checkHeader("the access key", accessKeyId);
    checkHeader("the session token", sessionToken);
    const url = new URL(this.#address.url + key.split("/").map(encodeName).join("/"));
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    // As the signature has it: forms write a space as "+".
    url.search = url.search.replaceAll("+", "%20");
    if (this.#derivedKeys.size > 8) this.#derivedKeys.clear();
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: {
        ...headers,
        "x-amz-content-sha256": body ? createHash("sha256").update(body).digest("hex") : emptySha256,
      },
      accessKeyId,
      secretAccessKey,
      sessionToken: sessionToken || undefined,
      service: "s3",
      region: this.#address.region,
      cache: this.#derivedKeys,
    });
    const signed = await signer.sign();
    // Behind the signature, since some proxies change it.
    signed.headers.set("accept-encoding", "identity");
    return signed;
  }
}

function encodeName(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function connectionError(what: string, url: URL, error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) {
    const { message = "given up" } = (signal.reason ?? {}) as Partial<Error>;
    return new StoreError(`store: cannot ${what}: ${message.replace(/^store: /, "")}`, { cause: error });
  }
  const { code = "" } = error as NodeJS.ErrnoException;
  const message = messagesOf(error);
  // Without names of ours, in which any word may stand.
  const words = `${code} ${message}`.replaceAll(url.href, "").replaceAll(url.hostname, "");
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

/** Not left to the runtime, whose errors show what is wrong: it may be a secret. */
function checkHeader(name: string, value: string): void {
  if (!printableAscii.test(value)) {
    throw new StoreError(`store: ${name} has characters that a request to S3 can't have`);
  }
}
