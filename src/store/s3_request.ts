// One signed request to a bucket, and its answer.
import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import type { AwsCredentialsSource } from "./aws_credentials.ts";
import type { Fetch } from "./fetch.ts";
import type { S3Address } from "./s3_address.ts";
import { isExpired, s3Error } from "./s3_error.ts";
import {
  type BucketQuestion,
  checkHeaderText,
  encodedKey,
  errorBodyBytesMax,
  exchange,
  type ServiceResponse,
  setQuery,
} from "./service_request.ts";

const emptySha256 = createHash("sha256").digest("hex");

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
    question: BucketQuestion,
    signal: AbortSignal,
    expected: readonly number[] = [],
  ): Promise<ServiceResponse> {
    const { what, body } = question;
    const { url, headers: signed, credentials } = await this.#sign(question);
    const response = await exchange(
      this.#fetch,
      { method: question.method, url, headers: signed, body, what },
      signal,
    );
    const { status, headers } = response;
    if ((status >= 200 && status < 300) || expected.includes(status)) return response;
    const text = new TextDecoder().decode(response.body.subarray(0, errorBodyBytesMax));
    const bucketRegion = headers.get("x-amz-bucket-region");
    const isElsewhere = bucketRegion !== this.#address.region && status !== 404;
    const error = s3Error(what, { status, body: text, bucketRegion: isElsewhere ? bucketRegion : null });
    if (isExpired(error)) this.#credentials.forget(credentials);
    throw error;
  }

  async #sign({ method, key = "", query = {}, headers = {}, body }: BucketQuestion) {
    const credentials = await this.#credentials.get();
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    for (const [name, value] of Object.entries(headers)) checkHeaderText(`the header ${name}`, value);
    checkHeaderText("the access key", accessKeyId);
    checkHeaderText("the session token", sessionToken);
    const url = new URL(this.#address.url + encodedKey(key));
    setQuery(url, query);
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
    return { ...signed, credentials };
  }
}
