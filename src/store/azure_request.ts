// One request to a container of Azure Blob Storage, and its answer.
import type { AzureCredentials } from "./azure_credentials.ts";
import { azureError } from "./azure_error.ts";
import type { Fetch } from "./fetch.ts";
import {
  type BucketQuestion,
  encodedKey,
  errorBodyBytesMax,
  exchange,
  type ServiceResponse,
  setQuery,
} from "./service_request.ts";

/** Of the API: the first ones since 2021 say which names XML could not write; later ones have nothing that is used here. */
const apiVersion = "2021-12-02";

export class AzureRequests {
  readonly #container: string;
  readonly #credentials: AzureCredentials;
  readonly #fetch: Fetch;
  readonly #now: () => number;

  /** @param container its URL, with a "/" at its end */
  constructor(container: string, credentials: AzureCredentials, fetch: Fetch, now: () => number = Date.now) {
    this.#container = container;
    this.#credentials = credentials;
    this.#fetch = fetch;
    this.#now = now;
  }

  /**
   * @param expected statuses beside 2xx that are an answer
   * @throws ServiceError
   */
  async ask(
    { method, key = "", query = {}, headers: given = {}, body, what }: BucketQuestion,
    signal: AbortSignal,
    expected: readonly number[] = [],
  ): Promise<ServiceResponse> {
    const url = new URL(key === "" ? this.#container.slice(0, -1) : this.#container + encodedKey(key));
    setQuery(url, query);
    const headers = new Headers(given);
    headers.set("x-ms-date", new Date(this.#now()).toUTCString());
    headers.set("x-ms-version", apiVersion);
    const forget = await this.#credentials.authorize({ method, url, headers, bodyBytes: body?.length ?? 0 });
    headers.set("accept-encoding", "identity");
    const response = await exchange(this.#fetch, { method, url, headers, body, what }, signal);
    const { status } = response;
    if ((status >= 200 && status < 300) || expected.includes(status)) return response;
    if (status === 401) forget();
    const text = new TextDecoder().decode(response.body.subarray(0, errorBodyBytesMax));
    throw azureError(what, { status, code: response.headers.get("x-ms-error-code") ?? "", body: text });
  }
}
