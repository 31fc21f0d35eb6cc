// S3, as AWS and many others speak it.
import { createHash } from "node:crypto";
import type {
  FoundObject,
  ListPage,
  ListRequest,
  ObjectFacts,
  ObjectService,
  Upload,
  UploadedPart,
  WriteCondition,
} from "./object_service.ts";
import { s3Error } from "./s3_error.ts";
import { keyHeaders, objectHeaders, type S3ObjectSettings } from "./s3_headers.ts";
import type { S3Requests } from "./s3_request.ts";
import {
  foundObject,
  noSuchRange,
  objectFacts,
  ofObject,
  rangeHeaders,
  tagOf,
  unclear,
} from "./service_answer.ts";
import { isReason } from "./service_error.ts";
import { elements, elementText, escapeXml } from "./service_xml.ts";
import type { StoreRange } from "./store.ts";
import { StoreNotFound } from "./store_error.ts";

const utf8 = new TextEncoder();
const noSuchObject = "NoSuchKey";
/** What XML has no way to write. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const notInXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

export class S3Service implements ObjectService {
  readonly #requests: S3Requests;
  readonly #objectHeaders: Record<string, string>;
  readonly #keyHeaders: Record<string, string>;

  constructor(requests: S3Requests, settings: S3ObjectSettings) {
    this.#requests = requests;
    this.#objectHeaders = objectHeaders(settings);
    this.#keyHeaders = keyHeaders(settings.sse);
  }

  async list({ prefix, grouped, after, next }: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const query: Record<string, string> = { "list-type": "2", prefix, "encoding-type": "url" };
    if (grouped) query.delimiter = "/";
    if (after !== undefined) query["start-after"] = after;
    if (next !== undefined) query["continuation-token"] = next;
    const what = `list ${prefix}`;
    const { body } = await this.#requests.ask({ method: "GET", query, what }, signal);
    const xml = new TextDecoder().decode(body);
    // Anything else, or a part of it, would look like a bucket that has less in it.
    if (!xml.trimEnd().endsWith("</ListBucketResult>")) throw unclear(what, "no whole listing");
    const isEncoded = elementText(xml, "EncodingType") === "url";
    const nameIn = (element: string, name: string) => {
      const text = elementText(element, name);
      return isEncoded ? decodeURIComponent(text.replaceAll("+", "%20")) : text;
    };
    const isTruncated = elementText(xml, "IsTruncated") === "true";
    const token = elementText(xml, "NextContinuationToken");
    // An older version of the API goes on in another way; with an empty token the first page would come for ever.
    if (isTruncated && token === "") throw unclear(what, "a page without the token of the next");
    return {
      keys: elements(xml, "Contents").map((element) => nameIn(element, "Key")),
      prefixes: elements(xml, "CommonPrefixes").map((element) => nameIn(element, "Prefix")),
      next: isTruncated ? token : null,
    };
  }

  async get(key: string, range: StoreRange | null, signal: AbortSignal): Promise<FoundObject> {
    const what = `read ${key}`;
    const headers = { ...this.#keyHeaders, ...rangeHeaders(range) };
    const response = await ofObject(
      key,
      noSuchObject,
      this.#requests.ask({ method: "GET", key, headers, what }, signal, range ? [noSuchRange] : []),
    );
    return foundObject(response, range, what);
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectFacts> {
    const what = `look at ${key}`;
    const headers = this.#keyHeaders;
    const response = await ofObject(
      key,
      noSuchObject,
      this.#requests.ask({ method: "HEAD", key, headers, what }, signal, [404]),
    );
    // An answer without a body has no code that would tell a missing object from a missing bucket.
    if (response.status === 404) throw new StoreNotFound(key);
    return objectFacts(response, what);
  }

  async put(
    key: string,
    bytes: Uint8Array,
    condition: WriteCondition,
    signal: AbortSignal,
  ): Promise<string | null> {
    const what = `write ${key}`;
    const headers = { ...this.#objectHeaders };
    if (condition === "absent") headers["if-none-match"] = "*";
    else if (condition !== "none") headers["if-match"] = condition.tag;
    const question = { method: "PUT", key, headers, body: bytes, what } as const;
    try {
      const response = await this.#requests.ask(question, signal, condition === "none" ? [] : [412]);
      return response.status === 412 ? null : tagOf(response, what);
    } catch (error) {
      // There is no object that could have the tag.
      if (typeof condition === "object" && isReason(error, noSuchObject)) return null;
      throw error;
    }
  }

  async delete(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const together = keys.filter((key) => !notInXml.test(key));
    const single = together.length === 1 ? keys : keys.filter((key) => notInXml.test(key));
    for (const key of single) {
      await this.#requests.ask({ method: "DELETE", key, what: `delete ${key}` }, signal, [404]);
    }
    if (together.length > 1) await this.#deleteTogether(together, signal);
  }

  async #deleteTogether(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join("");
    const body = utf8.encode(`<Delete>${objects}<Quiet>true</Quiet></Delete>`);
    const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
    const what = `delete ${keys[0]} and ${keys.length - 1} more`;
    const question = { method: "POST", query: { delete: "" }, headers, body, what } as const;
    const answer = new TextDecoder().decode((await this.#requests.ask(question, signal)).body);
    if (!/<(?:DeleteResult|Error)\b/.test(answer)) throw unclear(what, "no result");
    const [failed] = elements(answer, "Error").filter((error) => elementText(error, "Code") !== noSuchObject);
    if (failed === undefined) return;
    const status = elementText(failed, "Code") === "InternalError" ? 500 : 200;
    throw s3Error(`delete ${elementText(failed, "Key")}`, { status, body: failed, bucketRegion: null });
  }

  async startUpload(key: string, signal: AbortSignal): Promise<Upload> {
    const what = `begin to write ${key}`;
    const headers = this.#objectHeaders;
    const question = { method: "POST", key, query: { uploads: "" }, headers, what } as const;
    const { body } = await this.#requests.ask(question, signal);
    const id = elementText(new TextDecoder().decode(body), "UploadId");
    if (id === "") throw unclear(what, "no upload id");
    return { key, id };
  }

  async uploadPart(
    { key, id }: Upload,
    number: number,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    const what = `write part ${number} of ${key}`;
    const query = { partNumber: `${number}`, uploadId: id };
    const headers = this.#keyHeaders;
    const question = { method: "PUT", key, query, headers, body: bytes, what } as const;
    return tagOf(await this.#requests.ask(question, signal), what);
  }

  async completeUpload(
    { key, id }: Upload,
    parts: readonly UploadedPart[],
    signal: AbortSignal,
  ): Promise<void> {
    const what = `end writing ${key}`;
    const list = parts.map(
      ({ number, tag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`,
    );
    const body = utf8.encode(`<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`);
    const question = {
      method: "POST",
      key,
      query: { uploadId: id },
      headers: this.#keyHeaders,
      body,
      what,
    } as const;
    const answer = new TextDecoder().decode((await this.#requests.ask(question, signal)).body);
    // Status 200 is sent before the parts are put together; what comes of it stands in the body.
    if (answer.includes("<Error>")) throw s3Error(what, { status: 500, body: answer, bucketRegion: null });
    if (!answer.includes("<CompleteMultipartUploadResult")) throw unclear(what, "an answer cut short");
  }

  async abortUpload({ key, id }: Upload, signal: AbortSignal): Promise<void> {
    const question = { method: "DELETE", key, query: { uploadId: id }, what: `give up ${key}` } as const;
    await this.#requests.ask(question, signal, [404]);
  }
}
