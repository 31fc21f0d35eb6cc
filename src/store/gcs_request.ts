// One request to Google Cloud Storage, with a token if there is one, and its answer.
import type { Fetch } from "./fetch.ts";
import { type GcsAnswer, gcsError } from "./gcs_error.ts";
import type { GcsToken } from "./gcs_token.ts";
import type { Renewed } from "./renewed.ts";
import {
  checkHeaderText,
  errorBodyBytesMax,
  exchange,
  type ServiceMethod,
  type ServiceResponse,
  setQuery,
} from "./service_request.ts";

export interface GcsQuestion {
  method: ServiceMethod;
  url: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** What it is for, for errors: "read gs://traces/x". */
  what: string;
}

export class GcsRequests {
  readonly #token: Renewed<GcsToken> | null;
  readonly #fetch: Fetch;

  /** @param token null to ask as nobody */
  constructor(token: Renewed<GcsToken> | null, fetch: Fetch) {
    this.#token = token;
    this.#fetch = fetch;
  }

  /**
   * @param expected statuses beside 2xx that are an answer
   * @throws ServiceError; StoreError if there are no credentials
   */
  async ask(
    { method, url: address, query = {}, headers: given = {}, body, what }: GcsQuestion,
    signal: AbortSignal,
    expected: readonly number[] = [],
  ): Promise<ServiceResponse> {
    const url = new URL(address);
    setQuery(url, query);
    // Bytes as they are stored.
    const headers = new Headers({ ...given, "accept-encoding": "identity" });
    const token = await this.#token?.get();
    for (const [name, value] of Object.entries(token?.headers ?? {})) {
      checkHeaderText(`the header ${name}`, value);
      headers.set(name, value);
    }
    const response = await exchange(this.#fetch, { method, url, headers, body, what }, signal);
    const { status } = response;
    if ((status >= 200 && status < 300) || expected.includes(status)) return response;
    const text = new TextDecoder().decode(response.body.subarray(0, errorBodyBytesMax));
    if (status === 401 && token) this.#token?.forget(token);
    const answer: GcsAnswer = { status, body: text, canRenew: this.#token !== null };
    throw gcsError(what, answer);
  }
}
