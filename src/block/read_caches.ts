// What a thread remembers about the blocks of a store, within limits: footers and indexes, bloom filters, dictionaries, trace ids, pages,
// and batches to read into.
import { SpanBatch } from "../batch/span_batch.ts";
import type { Store } from "../store/store.ts";
import { garbage } from "../threads/garbage.ts";
import { ByteCache } from "./read_cache.ts";
import type { Dictionary } from "./read_dictionary.ts";
import type { OpenFile } from "./read_file.ts";
import type { PlainPage } from "./read_leaf.ts";

/** Batches that wait for the next read, and their memory in all: one that grew beyond that is not used again. */
const batchesKept = 2;
const batchBytesKept = 64 << 20;

/** Bytes of what is remembered about blocks, all blocks of a store together. */
export interface ReadCacheLimits {
  /** Footers and page indexes. */
  footerBytes: number;
  bloomBytes: number;
  dictionaryBytes: number;
  traceIdBytes: number;
  /** Decompressed pages of rows that were shown. */
  pageBytes: number;
  /** What was read ahead of files. */
  fileBytes: number;
}

const defaultLimits: ReadCacheLimits = {
  footerBytes: 16 << 20,
  bloomBytes: 16 << 20,
  dictionaryBytes: 16 << 20,
  traceIdBytes: 16 << 20,
  pageBytes: 16 << 20,
  fileBytes: 16 << 20,
};

export class ReadCaches {
  readonly footers: ByteCache<OpenFile>;
  readonly blooms: ByteCache<Uint8Array>;
  readonly dictionaries: ByteCache<Dictionary>;
  /** Of whole row groups. */
  readonly traceIds: ByteCache<Uint8Array>;
  /** By block and place in the file. The newest blocks are shown again and again. */
  readonly pages: ByteCache<PlainPage>;
  /** Small files, and the ends of others. */
  readonly files: ByteCache<Uint8Array>;
  readonly #batches: SpanBatch[] = [];

  constructor(limits: ReadCacheLimits = defaultLimits) {
    this.footers = new ByteCache(limits.footerBytes);
    this.blooms = new ByteCache(limits.bloomBytes);
    this.dictionaries = new ByteCache(limits.dictionaryBytes);
    this.traceIds = new ByteCache(limits.traceIdBytes);
    this.pages = new ByteCache(limits.pageBytes);
    this.files = new ByteCache(limits.fileBytes);
  }

  takeBatch(): SpanBatch {
    const batch = this.#batches.pop() ?? SpanBatch.create();
    batch.reset();
    return batch;
  }

  giveBatch(batch: SpanBatch): void {
    const kept = this.#batches.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    if (kept + batch.memoryBytes > batchBytesKept || this.#batches.length === batchesKept) {
      garbage.add(batch.memoryBytes);
    } else this.#batches.push(batch);
  }
}

/** One memory per store, since two stores may hold blocks of the same name. */
const threadCaches = new WeakMap<Store, ReadCaches>();

export function cachesOf(store: Store): ReadCaches {
  let caches = threadCaches.get(store);
  if (!caches) {
    caches = new ReadCaches();
    threadCaches.set(store, caches);
  }
  return caches;
}
