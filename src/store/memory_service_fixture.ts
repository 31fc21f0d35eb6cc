// For tests: an object service in memory, with pages and parts like the real ones.
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
import { noSuchUpload, ServiceError } from "./service_error.ts";
import type { StoreRange } from "./store.ts";
import { StoreNotFound } from "./store_error.ts";

interface StoredObject {
  bytes: Uint8Array;
  tag: string;
  modifiedMs: number;
}

export class MemoryService implements ObjectService {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Map<number, Uint8Array>>();
  #started = 0;
  readonly #pageKeys: number;

  /** @param pageKeys names in a page of a listing */
  constructor(pageKeys = 1000) {
    this.#pageKeys = pageKeys;
  }

  async list({ prefix, grouped, after, next }: ListRequest): Promise<ListPage> {
    const names = new Set<string>();
    for (const key of this.objects.keys()) {
      if (!key.startsWith(prefix)) continue;
      const end = grouped ? key.indexOf("/", prefix.length) : -1;
      const name = end < 0 ? key : key.slice(0, end + 1);
      if (name > (next ?? after ?? "")) names.add(name);
    }
    const sorted = [...names].sort();
    const page = sorted.slice(0, this.#pageKeys);
    return {
      keys: page.filter((name) => !grouped || !name.endsWith("/")),
      prefixes: page.filter((name) => grouped && name.endsWith("/")),
      next: page.length < sorted.length ? page.at(-1)! : null,
    };
  }

  async get(key: string, range: StoreRange | null): Promise<FoundObject> {
    const { bytes, tag } = this.#object(key);
    return { tag, bytes: range ? bytes.slice(range.offset, range.offset + range.length) : bytes.slice() };
  }

  async head(key: string): Promise<ObjectFacts> {
    const { bytes, tag, modifiedMs } = this.#object(key);
    return { bytes: bytes.length, tag, modifiedMs };
  }

  async put(key: string, bytes: Uint8Array, condition: WriteCondition): Promise<string | null> {
    const present = this.objects.get(key);
    if (condition === "absent" && present) return null;
    if (typeof condition === "object" && present?.tag !== condition.tag) return null;
    const tag = createHash("md5").update(bytes).digest("hex");
    this.objects.set(key, { bytes: bytes.slice(), tag, modifiedMs: Date.now() });
    return tag;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.objects.delete(key);
  }

  async startUpload(key: string): Promise<Upload> {
    const id = `${++this.#started}`;
    this.uploads.set(id, new Map());
    return { key, id };
  }

  async uploadPart({ id }: Upload, number: number, bytes: Uint8Array): Promise<string> {
    this.#upload(id).set(number, bytes.slice());
    return createHash("md5").update(bytes).digest("hex");
  }

  async completeUpload({ key, id }: Upload, parts: readonly UploadedPart[]): Promise<void> {
    const uploaded = this.#upload(id);
    await this.put(key, Buffer.concat(parts.map(({ number }) => uploaded.get(number)!)), "none");
    this.uploads.delete(id);
  }

  async abortUpload({ id }: Upload): Promise<void> {
    this.uploads.delete(id);
  }

  #object(key: string): StoredObject {
    const object = this.objects.get(key);
    if (!object) throw new StoreNotFound(key);
    return object;
  }

  #upload(id: string): Map<number, Uint8Array> {
    const upload = this.uploads.get(id);
    if (upload) return upload;
    throw new ServiceError("no such upload", { reason: noSuchUpload, mayRetry: false, mayBeDone: false });
  }
}
