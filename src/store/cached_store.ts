// A store of the network with a cache on the local disk before it, of what never changes in blocks: ranges of data.parquet, and bloom
// filters. Everything else, metas, tenant indexes and leases, is asked of the store itself.
import type { CachedObject, ChunkCache } from "./chunk_cache.ts";
import type { ObjectWriter, Store, StoreRange, TaggedObject } from "./store.ts";
import { checkRange } from "./store_range.ts";

const cachedPath = /^(.+)\/(?:data\.parquet|bloom-(\d{1,6}))$/;

/** Chunks that follow each other. */
interface Run {
  first: number;
  /** Not included. */
  end: number;
}

export class CachedStore implements Store {
  readonly remote: boolean;
  readonly #store: Store;
  readonly #cache: ChunkCache;

  constructor(store: Store, cache: ChunkCache) {
    this.remote = store.remote;
    this.#store = store;
    this.#cache = cache;
  }

  async read(path: string, content = 0): Promise<Uint8Array> {
    const object = cachedObject(path, content);
    if (object === null) return this.#store.read(path);
    const known = this.#readKnown(object);
    if (known) return known;
    const bytes = await this.#store.read(path);
    this.#keep(object, 0, bytes.length, bytes);
    return bytes;
  }

  /** All of an object, if all of it is in the cache. */
  #readKnown(object: CachedObject): Uint8Array | null {
    const first = this.#cache.get(object, 0, null);
    if (first === null) return null;
    if (first.objectBytes === first.bytes.length) return first.bytes;
    const whole = new Uint8Array(first.objectBytes);
    whole.set(first.bytes);
    for (let chunk = 1; chunk * this.#cache.chunkBytes < whole.length; chunk++) {
      const next = this.#cache.get(object, chunk, whole.length);
      if (next === null) return null;
      whole.set(next.bytes, chunk * this.#cache.chunkBytes);
    }
    return whole;
  }

  async readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
    const [bytes] = await this.readRanges(path, [{ offset, length }]);
    return bytes!;
  }

  async readRanges(
    path: string,
    ranges: readonly StoreRange[],
    size?: number,
    content = 0,
  ): Promise<Uint8Array[]> {
    const object = cachedObject(path, content);
    // What lies around a range can only be asked for where it is known whether it is there.
    if (
      object === null ||
      size === undefined ||
      ranges.some(({ offset, length }) => offset + length > size)
    ) {
      return this.#store.readRanges(path, ranges, size);
    }
    for (const range of ranges) checkRange(path, range);
    const { chunkBytes } = this.#cache;
    const chunks = new Map<number, Uint8Array | null>();
    for (const { offset, length } of ranges) {
      for (let chunk = Math.floor(offset / chunkBytes); chunk * chunkBytes < offset + length; chunk++) {
        if (!chunks.has(chunk)) chunks.set(chunk, this.#cache.get(object, chunk, size)?.bytes ?? null);
      }
    }
    const runs = runsOf([...chunks].filter(([, bytes]) => bytes === null).map(([chunk]) => chunk));
    const missing = runs.map(({ first, end }) => {
      const offset = first * chunkBytes;
      return { offset, length: Math.min(end * chunkBytes, size) - offset };
    });
    const fetched = runs.length === 0 ? [] : await this.#store.readRanges(path, missing, size);
    for (const [i, { first, end }] of runs.entries()) {
      this.#keep(object, first, size, fetched[i]!);
      for (let chunk = first; chunk < end; chunk++) {
        const at = (chunk - first) * chunkBytes;
        chunks.set(chunk, fetched[i]!.subarray(at, at + chunkBytes));
      }
    }
    return ranges.map((range) => joined(range, chunks, chunkBytes));
  }

  #keep(object: CachedObject, first: number, objectBytes: number, bytes: Uint8Array): void {
    const { chunkBytes } = this.#cache;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      this.#cache.put(object, first + at / chunkBytes, objectBytes, bytes.subarray(at, at + chunkBytes));
    }
  }

  list(prefix: string): Promise<string[]> {
    return this.#store.list(prefix);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#store.write(path, bytes);
    this.#forget(path);
  }

  async create(path: string): Promise<ObjectWriter> {
    const writer = await this.#store.create(path);
    return {
      write: (bytes) => writer.write(bytes),
      close: async () => {
        await writer.close();
        this.#forget(path);
      },
      abort: () => writer.abort(),
    };
  }

  async delete(path: string): Promise<void> {
    await this.#store.delete(path);
    this.#forget(path);
  }

  async deleteAll(prefix: string): Promise<void> {
    await this.#store.deleteAll(prefix);
    // What is deleted is the folder of a block.
    this.#cache.forget(prefix);
  }

  removeLeftovers(beforeMs: number): Promise<void> {
    return this.#store.removeLeftovers(beforeMs);
  }

  #forget(path: string): void {
    const object = cachedObject(path, 0);
    if (object) this.#cache.forget(object.block);
  }

  modified(path: string): Promise<number> {
    return this.#store.modified(path);
  }

  size(path: string): Promise<number> {
    return this.#store.size(path);
  }

  readTagged(path: string): Promise<TaggedObject | null> {
    return this.#store.readTagged(path);
  }

  writeIf(path: string, bytes: Uint8Array, tag: string | null): Promise<string | null> {
    return this.#store.writeIf(path, bytes, tag);
  }
}

/** Null if it may change. */
function cachedObject(path: string, content: number): CachedObject | null {
  const match = cachedPath.exec(path);
  return match && { block: match[1]!, number: match[2] === undefined ? 0 : 1 + Number(match[2]), content };
}

function runsOf(chunks: number[]): Run[] {
  const runs: Run[] = [];
  for (const chunk of chunks.sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.end === chunk) last.end++;
    else runs.push({ first: chunk, end: chunk + 1 });
  }
  return runs;
}

/** A view where the range lies in one chunk, else a copy. */
function joined(
  { offset, length }: StoreRange,
  chunks: ReadonlyMap<number, Uint8Array | null>,
  chunkBytes: number,
): Uint8Array {
  const first = Math.floor(offset / chunkBytes);
  const start = offset - first * chunkBytes;
  if (length === 0) return new Uint8Array(0);
  if (start + length <= chunkBytes) return chunks.get(first)!.subarray(start, start + length);
  const bytes = new Uint8Array(length);
  for (let chunk = first, done = 0; done < length; chunk++) {
    const part = chunks.get(chunk)!.subarray(chunk === first ? start : 0);
    bytes.set(part.subarray(0, length - done), done);
    done += part.length;
  }
  return bytes;
}
