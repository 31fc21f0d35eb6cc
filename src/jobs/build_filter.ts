// Making the filter of a block's trace ids, of nothing but its footer and its first column.
import { traceIdBytes } from "../batch/trace_ids.ts";
import { type BlockMeta, isBlockVersion } from "../block/meta.ts";
import { ParquetError } from "../block/parquet_error.ts";
import { BlockReader } from "../block/read.ts";
import { ReadCaches } from "../block/read_caches.ts";
import type { BuiltFilter } from "../filter/block_filters.ts";
import { FilterError } from "../filter/filter_error.ts";
import { TraceFilterBuilder } from "../filter/trace_filter.ts";
import { BlockGone } from "../store/block_list_gone.ts";
import { type Store, StoreNotFound } from "../store/store.ts";
import { garbage } from "../threads/garbage.ts";

/** What is left behind for each byte that was read: it, its decompressed form, and what a footer is parsed into. */
const garbagePerByte = 8;
/** Row groups whose ids are asked for at once over a network. */
const remoteGroupsAtOnce = 8;
/** Of the block that is being read; nothing of what queries have read is pushed out for it. */
const footerBytesMax = 4 << 20;

/**
 * @throws StoreError if the block can't be read now, BlockGone if it is no more
 */
export class FilterMaker {
  readonly #store: Store;
  readonly #caches = new ReadCaches({
    footerBytes: footerBytesMax,
    bloomBytes: 0,
    dictionaryBytes: 0,
    traceIdBytes: 0,
    pageBytes: 0,
    fileBytes: 0,
  });

  constructor(store: Store) {
    this.#store = store;
  }

  async make(meta: BlockMeta, signal: AbortSignal): Promise<BuiltFilter> {
    try {
      return { bytes: await this.#make(meta, signal) };
    } catch (error) {
      if (error instanceof StoreNotFound) throw new BlockGone(meta, { cause: error });
      if (!(error instanceof ParquetError) && !(error instanceof FilterError)) throw error;
      return { damage: error.message };
    }
  }

  async #make(meta: BlockMeta, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (!isBlockVersion(meta.format)) throw new FilterError(`blocks of ${meta.format} are not read`);
    const reader = await BlockReader.open(this.#store, meta, this.#caches);
    try {
      return await this.#makeOf(reader, signal);
    } finally {
      garbage.add(reader.bytesRead * garbagePerByte);
    }
  }

  async #makeOf(reader: BlockReader, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { meta } = reader;
    await reader.readIdsAhead();
    const groups = await reader.rowGroups();
    const sizes: number[] = [];
    for (let group = 0; group < groups; group++) sizes.push((await reader.groupSize(group)).rows);
    const rows = sizes.reduce((sum, size) => sum + size, 0);
    if (rows !== meta.totalObjects) {
      throw new FilterError(`${rows} rows in the footer, ${meta.totalObjects} traces in the meta`);
    }
    const builder = new TraceFilterBuilder(rows);
    const atOnce = this.#store.remote ? remoteGroupsAtOnce : 1;
    for (let from = 0; from < groups; from += atOnce) {
      // Local reads never leave the microtask queue, so that queries would wait for all of the block.
      await breathe();
      signal.throwIfAborted();
      const some = sizes.slice(from, from + atOnce);
      const lists = await Promise.all(some.map((_, i) => reader.traceIds(from + i)));
      for (const [i, ids] of lists.entries()) {
        if (ids.length !== some[i]! * traceIdBytes) {
          throw new FilterError(
            `${ids.length / traceIdBytes} ids in row group ${from + i} of ${some[i]} rows`,
          );
        }
        await builder.add(ids, breathe);
      }
    }
    return builder.finish().bytes;
  }
}

function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
