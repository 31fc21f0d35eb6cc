// A stored block, read: one trace by its id, or whole row groups, into a span batch. What a lookup learns about a block (footer,
// indexes, blooms, dictionaries) is kept for the next one, within limits.
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import type { Store } from "../store/store.ts";
import { StoreNotFound } from "../store/store_error.ts";
import { bloomBitsOf, bloomHeaderBytes, bloomMayHold, bloomShard } from "./find_bloom.ts";
import { footerMemoryBytes, type ParquetFile, parseFooter, type RowGroup } from "./footer_reader.ts";
import { type BlockMeta, isBlockVersion } from "./meta.ts";
import { ParquetError } from "./parquet_error.ts";
import { ByteCache } from "./read_cache.ts";
import { type ReadLeaf, type TraceLeaves, traceLeaves } from "./read_columns.ts";
import type { Dictionary } from "./read_dictionary.ts";
import { type PageBounds, type PageIndex, parseColumnIndex, parseOffsetIndex } from "./read_index.ts";
import { type ChunkPages, decodeLeaf, parseDictionary } from "./read_leaf.ts";
import {
  type ByteRange,
  type ChunkIndex,
  chunkRange,
  coalesce,
  isEmptyChunk,
  type LeafPlan,
  planLeaf,
  type RowRange,
} from "./read_plan.ts";
import { type LeafRequest, readRecords } from "./read_records.ts";

const trailerBytes = 8;
const magic = "PAR1";
const footerBytesMax = 256 << 20;
const idBytes = 16;
/** A batch that grew beyond this for one trace is not used again. */
const batchBytesKept = 64 << 20;
/** Batches that wait for the next lookup. */
const batchesKept = 2;

/** Bytes of what is remembered about blocks, all blocks of a store together. */
export interface ReadCacheLimits {
  /** Footers and page indexes. */
  footerBytes: number;
  bloomBytes: number;
  dictionaryBytes: number;
}

const defaultLimits: ReadCacheLimits = {
  footerBytes: 16 << 20,
  bloomBytes: 16 << 20,
  dictionaryBytes: 16 << 20,
};

/** A bloom object of the default size, 100 KiB and its header, with some room. */
const bloomBytesUsual = 128 << 10;

/** What is remembered about the blocks of a store. */
export class ReadCaches {
  readonly footers: ByteCache<OpenFile>;
  readonly blooms: ByteCache<Uint8Array>;
  readonly dictionaries: ByteCache<Dictionary>;
  readonly #batches: SpanBatch[] = [];

  constructor(limits: ReadCacheLimits = defaultLimits) {
    this.footers = new ByteCache(limits.footerBytes);
    this.blooms = new ByteCache(limits.bloomBytes);
    this.dictionaries = new ByteCache(limits.dictionaryBytes);
  }

  takeBatch(): SpanBatch {
    const batch = this.#batches.pop() ?? SpanBatch.create();
    batch.reset();
    return batch;
  }

  giveBatch(batch: SpanBatch): void {
    if (batch.memoryBytes <= batchBytesKept && this.#batches.length < batchesKept) this.#batches.push(batch);
  }
}

interface OpenFile {
  file: ParquetFile;
  leaves: TraceLeaves;
  /** Length of the file. */
  size: number;
  /** Per row group, once a lookup has needed them: indexes by leaf. */
  indexes: (GroupIndexes | undefined)[];
  memoryBytes: number;
}

interface GroupIndexes {
  chunks: ChunkIndex[];
  traceIds: PageBounds | null;
}

/** One memory per store, since two stores may hold blocks of the same name. */
const threadCaches = new WeakMap<Store, ReadCaches>();

function cachesOf(store: Store): ReadCaches {
  let caches = threadCaches.get(store);
  if (!caches) {
    caches = new ReadCaches();
    threadCaches.set(store, caches);
  }
  return caches;
}

/** Formats that Tempo opens and finds nothing in. */
export function isUnsupportedPreview(format: string): boolean {
  return format.includes("preview");
}

export class BlockReader {
  readonly meta: BlockMeta;
  readonly #store: Store;
  readonly #caches: ReadCaches;
  readonly #prefix: string;
  readonly #path: string;
  #size = 0;
  #bytesRead = 0;

  private constructor(store: Store, meta: BlockMeta, caches: ReadCaches) {
    this.#store = store;
    this.meta = meta;
    this.#caches = caches;
    this.#prefix = `${meta.tenantID}/${meta.blockID}`;
    this.#path = `${this.#prefix}/data.parquet`;
    this.#size = meta.size;
  }

  /**
   * Opens a block; nothing is read yet.
   *
   * @throws ParquetError if the block's format is unknown; blocks of preview formats are open, and empty
   */
  static async open(
    store: Store,
    meta: BlockMeta,
    caches: ReadCaches = cachesOf(store),
  ): Promise<BlockReader> {
    if (!isBlockVersion(meta.format) && !isUnsupportedPreview(meta.format)) {
      throw new ParquetError(`${meta.format} is not a valid block version`);
    }
    return new BlockReader(store, meta, caches);
  }

  /** Bytes fetched from the store so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /**
   * Finds a trace.
   *
   * @param id 16 bytes
   * @returns OTLP TracesData, or null if the block does not have it
   * @throws ParquetError, StoreError
   */
  async findTrace(id: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | null> {
    if (id.length !== idBytes) throw new RangeError(`trace id: ${id.length} bytes`);
    if (!isBlockVersion(this.meta.format)) return null;
    const batch = this.#caches.takeBatch();
    try {
      if (!(await this.#mayHold(batch, id))) return null;
      signal?.throwIfAborted();
      const open = await this.#open();
      const groups = open.file.rowGroups;
      const candidates = candidateGroups(groups, id);
      for (const group of candidates) {
        signal?.throwIfAborted();
        const row = await this.#findRow(batch, open, group, id);
        if (row < 0) continue;
        batch.reset();
        await this.#readRows(batch, open, group, [{ start: row, end: row + 1 }], id);
        // As stored, repeats of a span included, which is also what Tempo answers from one block.
        const length = batch.core.assembleTrace!(0);
        return length > 0 ? batch.output(length) : null;
      }
      return null;
    } finally {
      this.#caches.giveBatch(batch);
    }
  }

  /** Number of row groups, from the footer. */
  async rowGroups(): Promise<number> {
    return (await this.#open()).file.rowGroups.length;
  }

  /**
   * Appends a row group to a batch, in the order of the file.
   *
   * @param rows only these, ascending; all of them if absent
   * @throws ParquetError, StoreError; the batch's counts are then as they were
   */
  async readRowGroup(batch: SpanBatch, group: number, rows?: readonly RowRange[]): Promise<void> {
    const open = await this.#open();
    if (!open.file.rowGroups[group])
      throw new RangeError(`block ${this.meta.blockID} has no row group ${group}`);
    if (rows) await this.#readRows(batch, open, group, rows);
    else await this.#readAll(batch, open, group);
  }

  async #mayHold(batch: SpanBatch, id: Uint8Array): Promise<boolean> {
    const shard = bloomShard(batch, id, this.meta.bloomShards);
    const key = `${this.#prefix}/bloom-${shard}`;
    const known = this.#caches.blooms.get(key);
    if (known) return bloomMayHold(batch, known, id);
    try {
      // Where filters push each other out of the cache, reading them whole for a few bits each time costs more than those bits.
      if (this.#caches.blooms.room < bloomBytesUsual) return await this.#probeBloom(batch, key, id);
      const filter = await this.#store.read(key);
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

  async #open(): Promise<OpenFile> {
    const known = this.#caches.footers.get(this.#prefix);
    if (known) {
      this.#size = known.size;
      return known;
    }
    // Old metas may lack either.
    this.#size = this.meta.size || (await this.#store.size(this.#path));
    const size = this.#size;
    let { footerSize } = this.meta;
    if (size < trailerBytes + 4) throw new ParquetError(`parquet file: ${size} bytes`);
    if (footerSize === 0) {
      const trailer = await this.#fetchOne({ offset: size - trailerBytes, length: trailerBytes });
      if (String.fromCharCode(...trailer.subarray(4)) !== magic)
        throw new ParquetError("parquet file: no magic at its end");
      footerSize = new DataView(trailer.buffer, trailer.byteOffset, trailer.length).getUint32(0, true);
    }
    if (footerSize > footerBytesMax || footerSize > size - trailerBytes - 4) {
      throw new ParquetError(`parquet footer: ${footerSize} bytes in a file of ${size}`);
    }
    const bytes = await this.#fetchOne({ offset: size - trailerBytes - footerSize, length: footerSize });
    const file = parseFooter(bytes);
    const leaves = traceLeaves(file, this.meta.dedicatedColumns);
    const open: OpenFile = { file, leaves, size, indexes: [], memoryBytes: footerMemoryBytes(file) };
    this.#remember(open);
    return open;
  }

  #remember(open: OpenFile): void {
    this.#caches.footers.set(this.#prefix, open, open.memoryBytes);
  }

  /** Reads the page indexes of a row group. */
  async #indexes(open: OpenFile, group: number): Promise<GroupIndexes> {
    const known = open.indexes[group];
    if (known) return known;
    const { chunks } = open.file.rowGroups[group]!;
    const wanted: (ByteRange & { leaf: number; column: boolean })[] = [];
    for (const { leaf } of open.leaves.all) {
      const { index } = leaf;
      // A column index without an offset index helps nobody.
      if (chunks.offsetIndexBytes[index] === 0) continue;
      wanted.push({
        offset: chunks.offsetIndex[index]!,
        length: chunks.offsetIndexBytes[index]!,
        leaf: index,
        column: false,
      });
      if (chunks.columnIndexBytes[index] === 0) continue;
      wanted.push({
        offset: chunks.columnIndex[index]!,
        length: chunks.columnIndexBytes[index]!,
        leaf: index,
        column: true,
      });
    }
    const bytes = await this.#fetch(wanted);
    const found: GroupIndexes = { chunks: [], traceIds: null };
    const traceIdLeaf = open.leaves.traceId.leaf.index;
    let memoryBytes = 0;
    for (const range of wanted) {
      const part = bytes(range);
      if (!range.column) {
        const pages: PageIndex = parseOffsetIndex(part);
        found.chunks[range.leaf] = { pages, nullPages: null };
        memoryBytes += 200 + pages.offsets.length * 17;
        continue;
      }
      const chunk = found.chunks[range.leaf]!;
      const bounds = parseColumnIndex(part, chunk.pages!.offsets.length, range.leaf === traceIdLeaf);
      chunk.nullPages = bounds.nullPages;
      if (range.leaf === traceIdLeaf) {
        found.traceIds = bounds;
        memoryBytes += bounds.lowest.length * 200;
      }
    }
    open.indexes[group] = found;
    open.memoryBytes += memoryBytes;
    this.#remember(open);
    return found;
  }

  /** Row of the row group that holds the trace, or -1. */
  async #findRow(batch: SpanBatch, open: OpenFile, group: number, id: Uint8Array): Promise<number> {
    const { traceId } = open.leaves;
    const rowGroup = open.file.rowGroups[group]!;
    const { chunks, traceIds } = await this.#indexes(open, group);
    const pages = chunks[traceId.leaf.index]?.pages ?? null;
    const page = pages && traceIds?.lowest.length === pages.offsets.length ? pageOfId(traceIds, id) : -1;
    if (page === -2) return -1;
    let plan: LeafPlan;
    let firstRow = 0;
    if (pages && page >= 0) {
      firstRow = pages.firstRows[page]!;
      const end = page + 1 < pages.firstRows.length ? pages.firstRows[page + 1]! : rowGroup.rows;
      plan = planLeaf(
        rowGroup,
        traceId,
        { pages, nullPages: null },
        [{ start: firstRow, end }],
        true,
        open.leaves.zeroIsDefault,
      );
    } else {
      plan = planLeaf(rowGroup, traceId, null, [], true, open.leaves.zeroIsDefault);
    }
    const fetched = await this.#fetch(planRanges(plan));
    batch.reset();
    batch.core.beginLeaves!();
    const chunkPages = this.#chunkPages(open, group, plan, fetched, null);
    decodeLeaf(batch, { ...traceId, keepLevels: false }, chunkPages, false);
    const count = batch.core.decodedValueCount!(traceId.leaf.index);
    const address = batch.core.decodedValues!(traceId.leaf.index) >>> 0;
    const row = searchIds(new Uint8Array(batch.core.memory.buffer, address, count * idBytes), id);
    return row < 0 ? -1 : firstRow + row;
  }

  /** Reads a few rows: everything is planned, then fetched at once, then decoded. */
  async #readRows(
    batch: SpanBatch,
    open: OpenFile,
    group: number,
    rows: readonly RowRange[],
    traceId?: Uint8Array,
  ): Promise<void> {
    const rowGroup = open.file.rowGroups[group]!;
    const { chunks } = await this.#indexes(open, group);
    const plans: (LeafPlan | undefined)[] = [];
    const ranges: ByteRange[] = [];
    const dictionaries = new Map<number, Dictionary>();
    for (const read of open.leaves.all) {
      if (traceId && read === open.leaves.traceId) continue;
      const structure = read === open.leaves.spanId || read === open.leaves.traceId;
      const plan = planLeaf(
        rowGroup,
        read,
        chunks[read.leaf.index] ?? null,
        rows,
        structure,
        open.leaves.zeroIsDefault,
      );
      // Held here, since what is remembered may be forgotten while this very read adds to it.
      const known = plan.dictionary ? this.#caches.dictionaries.get(this.#chunkKey(group, read)) : undefined;
      if (known) {
        dictionaries.set(read.leaf.index, known);
        plan.dictionary = null;
      }
      plans[read.leaf.index] = plan;
      if (!plan.empty) ranges.push(...planRanges(plan));
    }
    const fetched = await this.#fetch(ranges);
    const { core } = batch;
    core.beginLeaves!();
    const pairs = batch.reserveColumn(Column.Decode4, rows.length * 8);
    const edges = rows.flatMap(({ start, end }) => [start, end]);
    new Uint32Array(core.memory.buffer, pairs, edges.length).set(edges);
    core.wantRows!(rows.length);
    const isEmpty = (read: ReadLeaf) => plans[read.leaf.index]!.empty;
    for (const request of readRecords(batch, open.leaves, isEmpty, traceId)) {
      const plan = plans[request.leaf.index]!;
      const known = dictionaries.get(request.leaf.index) ?? null;
      decodeLeaf(batch, request, this.#chunkPages(open, group, plan, fetched, known), true);
    }
  }

  /** Reads a whole row group, one column chunk after the other. */
  async #readAll(batch: SpanBatch, open: OpenFile, group: number): Promise<void> {
    const rowGroup = open.file.rowGroups[group]!;
    batch.core.beginLeaves!();
    const isEmpty = (read: ReadLeaf) => isEmptyChunk(rowGroup, read, open.leaves.zeroIsDefault);
    for (const request of readRecords(batch, open.leaves, isEmpty)) {
      const chunk = await this.#fetchChunk(rowGroup, request);
      decodeLeaf(batch, request, chunk, false);
    }
  }

  async #fetchChunk(group: RowGroup, { leaf }: LeafRequest): Promise<ChunkPages> {
    const sequence = await this.#fetchOne(chunkRange(group, leaf.index));
    const { codec, slots } = group.chunks;
    return { codec: codec[leaf.index]!, slots: slots[leaf.index]!, sequence, pages: [], dictionary: null };
  }

  #chunkKey(group: number, { leaf }: ReadLeaf): string {
    return `${this.#prefix}/${group}/${leaf.index}`;
  }

  /** The bytes of a plan. A dictionary that was not known is remembered. */
  #chunkPages(
    open: OpenFile,
    group: number,
    plan: LeafPlan,
    fetched: Fetched,
    known: Dictionary | null,
  ): ChunkPages {
    const { index } = plan.read.leaf;
    const { chunks } = open.file.rowGroups[group]!;
    const codec = chunks.codec[index]!;
    const slots = chunks.slots[index]!;
    if (plan.chunk) return { codec, slots, sequence: fetched(plan.chunk), pages: [], dictionary: null };
    let dictionary = known;
    if (plan.dictionary) {
      dictionary = parseDictionary(fetched(plan.dictionary), codec, plan.read.leaf.path);
      this.#caches.dictionaries.set(this.#chunkKey(group, plan.read), dictionary, dictionary.memoryBytes);
    }
    const pages = plan.pages.map((page) => ({ bytes: fetched(page), firstRow: page.firstRow }));
    return { codec, slots, sequence: null, pages, dictionary };
  }

  async #fetchOne(range: ByteRange): Promise<Uint8Array> {
    return (await this.#fetch([range]))(range);
  }

  /** Fetches ranges, near ones together. */
  async #fetch(ranges: readonly ByteRange[]): Promise<Fetched> {
    const joined = coalesce(ranges);
    for (const { offset, length } of joined) {
      if (offset + length > this.#size) throw new ParquetError("parquet file: a range lies outside of it");
    }
    const parts = await this.#store.readRanges(this.#path, joined);
    for (const part of parts) this.#bytesRead += part.length;
    return ({ offset, length }) => {
      let low = 0;
      let high = joined.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if (joined[middle]!.offset <= offset) low = middle;
        else high = middle - 1;
      }
      const start = offset - joined[low]!.offset;
      return parts[low]!.subarray(start, start + length);
    };
  }
}

/** The bytes of a range that was fetched. */
type Fetched = (range: ByteRange) => Uint8Array;

function planRanges(plan: LeafPlan): ByteRange[] {
  const ranges: ByteRange[] = [...plan.pages];
  if (plan.chunk) ranges.push(plan.chunk);
  if (plan.dictionary) ranges.push(plan.dictionary);
  return ranges;
}

/** Row groups that may hold the id. Without bounds in the footer any may. */
function candidateGroups(groups: readonly RowGroup[], id: Uint8Array): number[] {
  const found: number[] = [];
  for (const [i, { lowest, highest }] of groups.entries()) {
    if (lowest && compare(id, lowest) < 0) continue;
    if (highest && compare(id, highest) > 0) continue;
    found.push(i);
  }
  return found;
}

/** Page whose bounds hold the id; -1 if it cannot be told, -2 if none does. */
function pageOfId({ lowest, highest }: PageBounds, id: Uint8Array): number {
  for (let page = 0; page < lowest.length; page++) {
    if (lowest[page]!.length !== idBytes || highest[page]!.length !== idBytes) return -1;
  }
  let low = 0;
  let high = lowest.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(highest[middle]!, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low < lowest.length && compare(lowest[low]!, id) <= 0 && compare(id, highest[low]!) <= 0 ? low : -2;
}

/** Position of the id among ids that ascend, or -1. */
function searchIds(ids: Uint8Array, id: Uint8Array): number {
  let low = 0;
  let high = ids.length / idBytes - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compare(ids.subarray(middle * idBytes, (middle + 1) * idBytes), id);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}
