// For tests: a store in memory.
import { checkPath } from "./object_path.ts";
import type { ObjectWriter, Store, StoreRange, TaggedObject } from "./store.ts";
import { StoreError, StoreNotFound } from "./store_error.ts";
import { checkRange, endsBefore } from "./store_range.ts";

export class MemoryStore implements Store {
  readonly remote: boolean = false;
  readonly objects = new Map<string, { bytes: Uint8Array; modifiedMs: number; tag: string }>();
  #writes = 0;
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async list(prefix: string): Promise<string[]> {
    const start = prefix === "" ? "" : `${prefix}/`;
    const names = [...this.objects.keys()]
      .filter((path) => path.startsWith(start) && path.slice(start.length).includes("/"))
      .map((path) => path.slice(start.length).split("/")[0]!);
    return [...new Set(names)];
  }

  async read(path: string): Promise<Uint8Array> {
    checkPath(path);
    const object = this.objects.get(path);
    if (!object) throw new StoreNotFound(path);
    return object.bytes;
  }

  async readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
    checkRange(path, { offset, length });
    const bytes = await this.read(path);
    if (offset + length > bytes.length) throw endsBefore(path, { offset, length });
    return bytes.subarray(offset, offset + length);
  }

  async readRanges(path: string, ranges: readonly StoreRange[]): Promise<Uint8Array[]> {
    return Promise.all(ranges.map(({ offset, length }) => this.readRange(path, offset, length)));
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    checkPath(path);
    this.objects.set(path, { bytes: bytes.slice(), modifiedMs: this.#now(), tag: `${++this.#writes}` });
  }

  async create(path: string): Promise<ObjectWriter> {
    const parts: Uint8Array[] = [];
    return {
      write: (bytes) => {
        parts.push(bytes.slice());
      },
      close: () => this.write(path, Buffer.concat(parts)),
      abort: async () => {},
    };
  }

  async delete(path: string): Promise<void> {
    this.objects.delete(path);
  }

  async deleteAll(prefix: string): Promise<void> {
    checkPath(prefix);
    if (prefix === "") throw new StoreError("store: will not delete everything");
    for (const path of this.objects.keys()) if (path.startsWith(`${prefix}/`)) this.objects.delete(path);
  }

  async removeLeftovers(): Promise<void> {}

  async modified(path: string): Promise<number> {
    await this.read(path);
    return this.objects.get(path)!.modifiedMs;
  }

  async size(path: string): Promise<number> {
    const object = this.objects.get(path);
    if (!object) throw new StoreNotFound(path);
    return object.bytes.length;
  }

  async readTagged(path: string): Promise<TaggedObject | null> {
    const object = this.objects.get(path);
    return object ? { bytes: object.bytes, tag: object.tag } : null;
  }

  async writeIf(path: string, bytes: Uint8Array, tag: string | null): Promise<string | null> {
    if ((this.objects.get(path)?.tag ?? null) !== tag) return null;
    await this.write(path, bytes);
    return this.objects.get(path)!.tag;
  }
}
