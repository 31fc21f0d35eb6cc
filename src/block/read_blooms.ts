// The bloom filters of a block: fetched when they are first needed, and remembered.
import type { SpanBatch } from "../batch/span_batch.ts";
import type { Store } from "../store/store.ts";
import { StoreNotFound } from "../store/store_error.ts";
import { bloomBitsOf, bloomHeaderBytes, bloomMayHold, bloomShard } from "./find_bloom.ts";
import { type BlockMeta, contentOf } from "./meta.ts";
import type { ReadCaches } from "./read_caches.ts";

/** A bloom object of the default size, 100 KiB and its header, with some room. */
const bloomBytesUsual = 128 << 10;

export class BlockBlooms {
  readonly #store: Store;
  readonly #meta: BlockMeta;
  readonly #caches: ReadCaches;
  #bytesRead = 0;

  constructor(store: Store, meta: BlockMeta, caches: ReadCaches) {
    this.#store = store;
    this.#meta = meta;
    this.#caches = caches;
  }

  /** Bytes fetched so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Whether the block may hold a trace. */
  async mayHold(batch: SpanBatch, id: Uint8Array): Promise<boolean> {
    const shard = bloomShard(batch, id, this.#meta.bloomShards);
    const key = `${this.#meta.tenantID}/${this.#meta.blockID}/bloom-${shard}`;
    const known = this.#caches.blooms.get(key);
    if (known) return bloomMayHold(batch, known, id);
    try {
      // Where filters push each other out of the cache, reading them whole for a few bits each time costs more than those bits.
      // But over a network two requests in turn, first for its header, take twice as long.
      if (!this.#store.remote && this.#caches.blooms.room < bloomBytesUsual)
        return await this.#probeBloom(batch, key, id);
      const filter = await this.#store.read(key, contentOf(this.#meta));
      this.#bytesRead += filter.length;
      this.#caches.blooms.set(key, filter, filter.length);
      return bloomMayHold(batch, filter, id);
    } catch (error) {
      // A block without blooms can still be read.
      if (error instanceof StoreNotFound) return true;
      throw error;
    }
  }

  /** Reads just the bits of a filter that say whether it may hold the id. */
  async #probeBloom(batch: SpanBatch, key: string, id: Uint8Array): Promise<boolean> {
    const header = await this.#store.readRange(key, 0, bloomHeaderBytes);
    const bits = bloomBitsOf(batch, header, id);
    const ranges = bits.map(({ offset }) => ({ offset, length: 1 }));
    const bytes = await this.#store.readRanges(key, ranges);
    this.#bytesRead += bloomHeaderBytes + bytes.length;
    return bits.every(({ mask }, i) => bytes[i]![0]! & mask);
  }
}
