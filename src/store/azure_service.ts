// Azure Blob Storage: objects are block blobs of one container.
import { randomBytes } from "node:crypto";
import type { AzureRequests } from "./azure_request.ts";
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
import {
  foundObject,
  noSuchRange,
  objectFacts,
  ofObject,
  rangeHeaders,
  tagOf,
  unclear,
} from "./service_answer.ts";
import { isReason, noSuchUpload, ServiceError } from "./service_error.ts";
import { elements, elementText } from "./service_xml.ts";
import { sideBySide } from "./side_by_side.ts";
import type { StoreRange } from "./store.ts";

const utf8 = new TextEncoder();
/** Objects that are deleted side by side: Azure's batches take 256, each with a signature of its own, and save only the round trips. */
const deletesMax = 16;
const partDigits = 6;
const noSuchObject = "BlobNotFound";

export class AzureService implements ObjectService {
  readonly #requests: AzureRequests;

  constructor(requests: AzureRequests) {
    this.#requests = requests;
  }

  async list({ prefix, grouped, after = "", next }: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const query: Record<string, string> = { restype: "container", comp: "list", prefix };
    if (grouped) query.delimiter = "/";
    if (next !== undefined) query.marker = next;
    const what = `list ${prefix}`;
    const { body } = await this.#requests.ask({ method: "GET", query, what }, signal);
    const xml = new TextDecoder().decode(body);
    // Anything else, or a part of it, would look like a container that has less in it.
    if (!xml.trimEnd().endsWith("</EnumerationResults>")) throw unclear(what, "no whole listing");
    const isBehind = (name: string) => name > after;
    return {
      keys: elements(xml, "Blob").filter(isFile).map(nameOf).filter(isBehind),
      prefixes: elements(xml, "BlobPrefix").map(nameOf).filter(isBehind),
      next: elementText(xml, "NextMarker") || null,
    };
  }

  async get(key: string, range: StoreRange | null, signal: AbortSignal): Promise<FoundObject> {
    const what = `read ${key}`;
    const headers = rangeHeaders(range);
    const response = await ofObject(
      key,
      noSuchObject,
      this.#requests.ask({ method: "GET", key, headers, what }, signal, range ? [noSuchRange] : []),
    );
    return foundObject(response, range, what);
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectFacts> {
    const what = `look at ${key}`;
    const response = await ofObject(
      key,
      noSuchObject,
      this.#requests.ask({ method: "HEAD", key, what }, signal),
    );
    return objectFacts(response, what);
  }

  async put(
    key: string,
    bytes: Uint8Array,
    condition: WriteCondition,
    signal: AbortSignal,
  ): Promise<string | null> {
    const what = `write ${key}`;
    const headers: Record<string, string> = { "x-ms-blob-type": "BlockBlob" };
    if (condition === "absent") headers["if-none-match"] = "*";
    else if (condition !== "none") headers["if-match"] = condition.tag;
    try {
      return tagOf(
        await this.#requests.ask({ method: "PUT", key, headers, body: bytes, what }, signal),
        what,
      );
    } catch (error) {
      if (condition !== "none" && isUnmet(error, condition)) return null;
      throw error;
    }
  }

  async delete(keys: readonly string[], signal: AbortSignal): Promise<void> {
    await sideBySide(keys, deletesMax, (key) => this.#delete(key, signal));
  }

  async #delete(key: string, signal: AbortSignal): Promise<void> {
    const headers = { "x-ms-delete-snapshots": "include" };
    try {
      await this.#requests.ask({ method: "DELETE", key, headers, what: `delete ${key}` }, signal);
    } catch (error) {
      if (!isReason(error, noSuchObject)) throw error;
    }
  }

  /** Nothing has to be asked for. The id keeps the blocks of two that write the same object apart. */
  async startUpload(key: string): Promise<Upload> {
    return { key, id: randomBytes(12).toString("hex") };
  }

  /** A part is a block, its tag the block's id. */
  async uploadPart(
    { key, id }: Upload,
    number: number,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    const what = `write part ${number} of ${key}`;
    // All ids of a blob are of one length, or Azure refuses the block: those that an upload before left behind count too.
    const blockId = Buffer.from(`${id}-${`${number}`.padStart(partDigits, "0")}`).toString("base64");
    const query = { comp: "block", blockid: blockId };
    await this.#requests.ask({ method: "PUT", key, query, body: bytes, what }, signal);
    return blockId;
  }

  async completeUpload({ key }: Upload, parts: readonly UploadedPart[], signal: AbortSignal): Promise<void> {
    // "Latest", so that it can be asked once more where the answer was lost: then the blocks are those of the blob.
    const list = parts.map(({ tag }) => `<Latest>${tag}</Latest>`).join("");
    const body = utf8.encode(`<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`);
    const what = `end writing ${key}`;
    const question = { method: "PUT", key, query: { comp: "blocklist" }, body, what } as const;
    try {
      await this.#requests.ask(question, signal);
    } catch (error) {
      if (!isReason(error, "InvalidBlockList")) throw error;
      throw new ServiceError(error.message.replace(/^store: /, ""), {
        reason: noSuchUpload,
        mayRetry: false,
        mayBeDone: false,
        cause: error,
      });
    }
  }

  /** Blocks that no list names are nothing to be seen, cost nothing after a week, and can't be deleted by themselves. */
  async abortUpload(): Promise<void> {}
}

/** An object without a tag has none that could be the same. */
function isUnmet(error: unknown, condition: WriteCondition): boolean {
  const there = condition === "absent" ? "BlobAlreadyExists" : noSuchObject;
  return isReason(error, there) || isReason(error, "ConditionNotMet");
}

/** What XML can't write stands there as in URLs, and says so. */
function nameOf(element: string): string {
  const encoded = /<Name Encoded="true">([^<]*)</.exec(element);
  return encoded ? decodeURIComponent(encoded[1]!) : elementText(element, "Name");
}

/** Accounts with folders of their own list those too. */
function isFile(element: string): boolean {
  return elementText(element, "ResourceType") !== "directory";
}
