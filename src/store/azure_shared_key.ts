// Signs requests to Azure Storage with an account's key: the scheme SharedKey, as
// https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key has it for versions from 2015-02-21 on.
import { createHmac } from "node:crypto";
import type { AzureCredentials, UnsignedRequest } from "./azure_credentials.ts";

/** Headers that are signed by their place, an empty line for each that is not sent. */
const placedHeaders = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
];

export class AzureSharedKey implements AzureCredentials {
  readonly #account: string;
  readonly #key: Buffer;

  /** @param key in base64, as Azure shows it */
  constructor(account: string, key: string) {
    this.#account = account;
    this.#key = Buffer.from(key, "base64");
  }

  async authorize(request: UnsignedRequest): Promise<() => void> {
    const text = stringToSign(this.#account, request);
    const signature = createHmac("sha256", this.#key).update(text, "utf8").digest("base64");
    request.headers.set("authorization", `SharedKey ${this.#account}:${signature}`);
    return () => {}; // a key does not end
  }
}

export function stringToSign(account: string, { method, url, headers, bodyBytes }: UnsignedRequest): string {
  const placed = placedHeaders.map((name) => {
    if (name === "content-length") return bodyBytes === 0 ? "" : `${bodyBytes}`;
    return headers.get(name) ?? "";
  });
  const own = [...headers].filter(([name]) => name.startsWith("x-ms-")).sort(byName);
  const query = [...url.searchParams].sort(byName);
  return [
    method,
    ...placed,
    ...own.map(([name, value]) => `${name}:${value}`),
    `/${account}${url.pathname}`,
    ...query.map(([name, value]) => `${name}:${value}`),
  ].join("\n");
}

function byName([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
