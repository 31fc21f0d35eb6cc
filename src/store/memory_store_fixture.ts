// For tests: a store in memory.
import type { ObjectWriter, Store, StoreRange } from "./store.ts";
import { StoreError, StoreNotFound } from "./store_error.ts";

export class MemoryStore implements Store {
  readonly objects = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();

  async list(prefix: string): Promise<string[]> {
    const start = prefix === "" ? "" : `${prefix}/`;
    const names = [...this.objects.keys()]
      .filter((path) => path.startsWith(start) && path.slice(start.length).includes("/"))
      .map((path) => path.slice(start.length).split("/")[0]!);
    return [...new Set(names)];
  }

  async read(path: string): Promise<Uint8Array> {
    const object = this.objects.get(path);
    if (!object) throw new StoreNotFound(path);
    return object.bytes;
  }

  async readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
    const bytes = await this.read(path);
    if (offset + length > bytes.length) throw new StoreError(`store: ${path} ends before ${offset + length}`);
    return bytes.subarray(offset, offset + length);
  }

  async readRanges(path: string, ranges: readonly StoreRange[]): Promise<Uint8Array[]> {
    return Promise.all(ranges.map(({ offset, length }) => this.readRange(path, offset, length)));
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.objects.set(path, { bytes: bytes.slice(), modifiedMs: Date.now() });
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
    for (const path of this.objects.keys()) if (path.startsWith(`${prefix}/`)) this.objects.delete(path);
  }

  async modified(path: string): Promise<number> {
    await this.read(path);
    return this.objects.get(path)!.modifiedMs;
  }

  async size(path: string): Promise<number> {
    return (await this.read(path)).length;
  }
}
