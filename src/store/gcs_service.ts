// Google Cloud Storage, by its JSON API. Tags are generations: the number that an object gets with each write.
import { randomBytes } from "node:crypto";
import type { IHasher } from "hash-wasm";
import { createCrc32c } from "../compress/crc32c.ts";
import type { GcsAddress } from "./gcs_address.ts";
import { isConditionNotMet } from "./gcs_error.ts";
import {
  base64Of,
  type GcsObject,
  type GcsObjectSettings,
  jsonIn,
  newObject,
  objectIn,
} from "./gcs_object.ts";
import type { GcsQuestion, GcsRequests } from "./gcs_request.ts";
import { GcsUploads } from "./gcs_uploads.ts";
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
import { foundBytes, noSuchRange, rangeHeaders, unclear } from "./service_answer.ts";
import { ServiceError } from "./service_error.ts";
import type { ServiceResponse } from "./service_request.ts";
import { sideBySide } from "./side_by_side.ts";
import type { StoreRange } from "./store.ts";
import { StoreNotFound } from "./store_error.ts";

/** Names in a page; the service gives no more. */
const pageNamesMax = 1000;
/** Deletions on their way at a time: there is no request for many that is not one for each inside. */
const deletionsMax = 16;
/** A generation that no object has: they are times in microseconds. */
const noGeneration = "1";
/** How a 404 begins, as plain text or in JSON, that is not the object's. */
const noBucket = /(?:^|"message": ?")The specified bucket does not exist/;

interface Listing {
  items?: GcsObject[];
  prefixes?: string[];
  nextPageToken?: string;
}

export class GcsService implements ObjectService {
  readonly #bucket: string;
  readonly #address: GcsAddress;
  readonly #requests: GcsRequests;
  readonly #settings: GcsObjectSettings;
  readonly #uploads: GcsUploads;
  #crc: Promise<IHasher> | null = null;

  constructor(bucket: string, address: GcsAddress, requests: GcsRequests, settings: GcsObjectSettings) {
    this.#bucket = bucket;
    this.#address = address;
    this.#requests = requests;
    this.#settings = settings;
    this.#uploads = new GcsUploads(requests);
  }

  async list({ prefix, grouped, after, next }: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const query: Record<string, string> = {
      prefix,
      maxResults: `${pageNamesMax}`,
      fields: "kind,items/name,prefixes,nextPageToken",
    };
    if (grouped) query.delimiter = "/";
    if (after !== undefined) query.startOffset = after;
    if (next !== undefined) query.pageToken = next;
    const what = `list ${this.#name(prefix)}`;
    const answer = await this.#requests.ask(
      { method: "GET", url: this.#address.objects, query, what },
      signal,
    );
    const { items = [], prefixes = [], nextPageToken } = jsonIn<Listing>(answer, "storage#objects", what);
    // It starts with the name itself.
    const behind = (names: unknown) => {
      const isList = Array.isArray(names) && names.every((name) => typeof name === "string");
      if (!isList) throw unclear(what, "a listing of something else than names");
      return names.filter((name) => name !== after);
    };
    const keys = Array.isArray(items) ? items.map((item) => item?.name) : items;
    return { keys: behind(keys), prefixes: behind(prefixes), next: nextPageToken || null };
  }

  async get(key: string, range: StoreRange | null, signal: AbortSignal): Promise<FoundObject> {
    const what = `read ${this.#name(key)}`;
    const headers = rangeHeaders(range);
    const question = { method: "GET", query: { alt: "media" }, headers, what } as const;
    const response = await this.#ofObject(key, question, signal, range ? [noSuchRange] : []);
    const bytes = foundBytes(response, range, what);
    const tag = response.headers.get("x-goog-generation");
    if (tag === null && response.status !== noSuchRange) throw unclear(what, "no generation");
    if (range === null) await this.#checkSum(response, what);
    return { bytes, tag: tag ?? "" };
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectFacts> {
    const what = `look at ${this.#name(key)}`;
    const query = { fields: "kind,size,generation,updated" };
    const response = await this.#ofObject(key, { method: "GET", query, what }, signal);
    const { size, generation, updated } = objectIn(response, what);
    const bytes = Number.parseInt(size ?? "", 10);
    const modifiedMs = Date.parse(updated ?? "");
    if (Number.isNaN(bytes) || Number.isNaN(modifiedMs) || generation === undefined) {
      throw unclear(what, "not all facts of the object");
    }
    return { bytes, tag: generation, modifiedMs };
  }

  async put(
    key: string,
    bytes: Uint8Array,
    condition: WriteCondition,
    signal: AbortSignal,
  ): Promise<string | null> {
    const what = `write ${this.#name(key)}`;
    const query: Record<string, string> = { uploadType: "multipart", fields: "kind,generation" };
    if (condition !== "none") query.ifGenerationMatch = generationOf(condition);
    const boundary = `rubato-${randomBytes(16).toString("hex")}`;
    const object = newObject(key, this.#settings, await this.#sumOf(bytes));
    const json = `--${boundary}\r\ncontent-type: application/json\r\n\r\n${object}\r\n`;
    const content = `--${boundary}\r\ncontent-type: application/octet-stream\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(json + content), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const headers = { "content-type": `multipart/related; boundary=${boundary}` };
    const question = { method: "POST", url: this.#address.uploads, query, headers, body, what } as const;
    try {
      const { generation } = objectIn(await this.#requests.ask(question, signal), what);
      if (generation === undefined) throw unclear(what, "no generation");
      return generation;
    } catch (error) {
      if (condition !== "none" && isConditionNotMet(error)) return null;
      throw error;
    }
  }

  async delete(keys: readonly string[], signal: AbortSignal): Promise<void> {
    await sideBySide(keys, deletionsMax, async (key) => {
      const what = `delete ${this.#name(key)}`;
      await this.#requests.ask({ method: "DELETE", url: this.#url(key), what }, signal, [404]);
    });
  }

  startUpload(key: string, signal: AbortSignal): Promise<Upload> {
    const question: GcsQuestion = {
      method: "POST",
      url: this.#address.uploads,
      query: { uploadType: "resumable" },
      headers: { "content-type": "application/json" },
      body: Buffer.from(newObject(key, this.#settings, null)),
      what: `begin to write ${this.#name(key)}`,
    };
    return this.#uploads.start(key, question, signal);
  }

  uploadPart(upload: Upload, number: number, bytes: Uint8Array, signal: AbortSignal): Promise<string> {
    return this.#uploads.part(
      upload,
      number,
      bytes,
      `write part ${number} of ${this.#name(upload.key)}`,
      signal,
    );
  }

  completeUpload(upload: Upload, _parts: readonly UploadedPart[], signal: AbortSignal): Promise<void> {
    return this.#uploads.complete(upload, `end writing ${this.#name(upload.key)}`, signal);
  }

  abortUpload(upload: Upload, signal: AbortSignal): Promise<void> {
    return this.#uploads.abort(upload, `give up ${this.#name(upload.key)}`, signal);
  }

  /** A request for an object, which may not be there. */
  async #ofObject(
    key: string,
    question: Omit<GcsQuestion, "url">,
    signal: AbortSignal,
    expected: readonly number[] = [],
  ): Promise<ServiceResponse> {
    const response = await this.#requests.ask({ ...question, url: this.#url(key) }, signal, [
      ...expected,
      404,
    ]);
    if (response.status !== 404) return response;
    if (!noBucket.test(new TextDecoder().decode(response.body))) throw new StoreNotFound(key);
    throw new ServiceError(`cannot ${question.what}: status 404, there is no such bucket`, {
      mayRetry: false,
      mayBeDone: false,
    });
  }

  /** Holds the bytes of a whole object against the checksum that came with them. */
  async #checkSum({ headers, body }: ServiceResponse, what: string): Promise<void> {
    const sum = /(?:^|[,\s])crc32c=([\w+/]+=*)/.exec(headers.get("x-goog-hash") ?? "")?.[1];
    // It is of the bytes that are stored, which others may have compressed.
    const isStored = (headers.get("x-goog-stored-content-encoding") ?? "identity") === "identity";
    if (sum === undefined || !isStored || sum === (await this.#sumOf(body))) return;
    throw new ServiceError(`cannot ${what}: what came has not the object's checksum`, {
      mayRetry: true,
      mayBeDone: false,
    });
  }

  async #sumOf(bytes: Uint8Array): Promise<string> {
    this.#crc ??= createCrc32c();
    const crc = await this.#crc;
    return base64Of(crc.init().update(bytes));
  }

  #url(key: string): string {
    return `${this.#address.objects}/${encodeURIComponent(key)}`;
  }

  /** As people write it. */
  #name(key: string): string {
    return `gs://${this.#bucket}/${key}`;
  }
}

function generationOf(condition: Exclude<WriteCondition, "none">): string {
  if (condition === "absent") return "0";
  return /^[1-9]\d{0,18}$/.test(condition.tag) ? condition.tag : noGeneration;
}
