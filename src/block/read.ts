// A stored block, read: one trace by its id, or row groups into a span batch, whole or what a query wants of them. What a read learns
// about a block (footer, indexes, blooms, dictionaries) is kept for the next one, within limits.

import type { SpanBatch } from "../batch/span_batch.ts";
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { AttributeOwner, Necessary, Projection, TimeWindow } from "../search/projection.ts";
import type { Store } from "../store/store.ts";
import { type FoundRow, RowFinder } from "./find_row.ts";
import { type BlockMeta, isBlockVersion } from "./meta.ts";
import { ParquetError } from "./parquet_error.ts";
import { BlockBlooms } from "./read_blooms.ts";
import { cachesOf, type ReadCaches } from "./read_caches.ts";
import type { OwnerLeaves } from "./read_columns.ts";
import type { Dictionary } from "./read_dictionary.ts";
import { BlockFile, type OpenFile } from "./read_file.ts";
import { countRows, readAll, readRows } from "./read_group.ts";
import { keyNames } from "./read_keys.ts";
import { isEmptyChunk, type RowRange } from "./read_plan.ts";
import { namedTables, projectedRecords } from "./read_projection.ts";
import { RowPruner } from "./read_prune.ts";

export { type ReadCacheLimits, ReadCaches } from "./read_caches.ts";

/** What to read of a row group; everything if nothing is said. */
export interface ReadOptions {
  /** Only these rows, ascending. */
  rows?: readonly RowRange[];
  /**
   * Only what is wanted: everything else of the batch stays 0 or empty. The batch must be empty before, and looks afterwards as if it had
   * been ordered.
   */
  projection?: Projection;
}

/** Formats that Tempo opens and finds nothing in. */
function isUnsupportedPreview(format: string): boolean {
  return format.includes("preview");
}

export class BlockReader {
  readonly meta: BlockMeta;
  readonly #caches: ReadCaches;
  readonly #file: BlockFile;
  readonly #blooms: BlockBlooms;
  readonly #finder: RowFinder;

  private constructor(store: Store, meta: BlockMeta, caches: ReadCaches) {
    this.meta = meta;
    this.#caches = caches;
    this.#file = new BlockFile(store, meta, caches);
    this.#blooms = new BlockBlooms(store, meta, caches);
    this.#finder = new RowFinder(this.#file, this.#blooms, caches);
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
    return this.#file.bytesRead + this.#blooms.bytesRead;
  }

  /** Begins to fetch what most reads begin with, where requests go over a network. What goes wrong shows when it is read. */
  prefetch(): void {
    if (isBlockVersion(this.meta.format)) this.#file.readAhead().catch(() => {});
  }

  /**
   * Finds a trace.
   *
   * @param id 16 bytes
   * @param among rows of the block between which it is if it is there; null: it is not known whether it may be
   * @returns OTLP TracesData, or null if the block does not have it
   * @throws ParquetError, StoreError
   */
  async findTrace(
    id: Uint8Array,
    among: RowRange | null = null,
    signal?: AbortSignal,
  ): Promise<Uint8Array | null> {
    if (id.length !== traceIdBytes) throw new RangeError(`trace id: ${id.length} bytes`);
    if (!isBlockVersion(this.meta.format)) return null;
    return this.#withBatch(async (batch) => {
      const place = await this.#finder.find(batch, id, among, signal);
      if (!place) return null;
      signal?.throwIfAborted();
      const open = await this.#file.open();
      const rows = [{ start: place.row, end: place.row + 1 }];
      batch.reset();
      await readRows(this.#file, batch, open, place.group, rows, open.whole, { ids: id });
      // As stored, repeats of a span included, which is also what Tempo answers from one block.
      const length = batch.core.assembleTrace!(0);
      return length > 0 ? batch.output(length) : null;
    });
  }

  /**
   * Finds the rows of many traces.
   *
   * @param ids 16 bytes each, ascending
   * @returns a row for each that the block has, with its place among the ids
   * @throws ParquetError, StoreError
   */
  async findRows(ids: Uint8Array): Promise<FoundRow[]> {
    if (!isBlockVersion(this.meta.format)) return [];
    return this.#withBatch((batch) => this.#finder.findAll(batch, ids));
  }

  /**
   * Ids of all traces of a row group, 16 bytes each, by row: ascending.
   *
   * @throws ParquetError, StoreError
   */
  async traceIds(group: number): Promise<Uint8Array> {
    const open = await this.#openGroup(group);
    return this.#withBatch((batch) => this.#finder.ids(batch, open, group));
  }

  /** Over a network, fetches at once what reading all trace ids takes. To be done first. */
  async readIdsAhead(): Promise<void> {
    await this.#file.readIdsAhead();
  }

  /** Number of row groups, from the footer. */
  async rowGroups(): Promise<number> {
    return (await this.#file.open()).file.rowGroups.length;
  }

  /** Rows and spans of a row group, from the footer. */
  async groupSize(group: number): Promise<{ rows: number; spans: number }> {
    const { file, leaves } = await this.#openGroup(group);
    const { rows, chunks } = file.rowGroups[group]!;
    return { rows, spans: chunks.slots[leaves.spanId.leaf.index]! };
  }

  /**
   * Appends a row group to a batch, in the order of the file.
   *
   * @throws ParquetError, StoreError; the batch's counts are then as they were
   */
  async readRowGroup(batch: SpanBatch, group: number, options: ReadOptions = {}): Promise<void> {
    const open = await this.#openGroup(group);
    const rowGroup = open.file.rowGroups[group]!;
    const { rows, projection } = options;
    if (projection && batch.spans + batch.traces > 0) throw new RangeError("batch is not empty");
    const records = projection
      ? projectedRecords(open.leaves, projection, rowGroup, await this.#genericNames(open, group, projection))
      : open.whole;
    const count = rows ? countRows(rows, rowGroup.rows) : rowGroup.rows;
    if (rows && count < rowGroup.rows) {
      await readRows(this.#file, batch, open, group, rows, records, { count });
    } else await readAll(this.#file, batch, open, group, records, count);
  }

  /**
   * Rows of a row group that may matter to a query, ascending; none if nothing there can.
   *
   * @throws ParquetError, StoreError
   */
  async candidateRows(group: number, necessary: Necessary, window: TimeWindow | null): Promise<RowRange[]> {
    const open = await this.#openGroup(group);
    return new RowPruner(this.#file, this.#caches, open, group).rows(necessary, window);
  }

  /**
   * Names of the attributes that an owner has in a row group, each once.
   *
   * @throws ParquetError, StoreError
   */
  async keyNames(group: number, owner: AttributeOwner): Promise<string[]> {
    const open = await this.#openGroup(group);
    return this.#withBatch((batch) => keyNames(this.#file, batch, open, group, owner));
  }

  /**
   * The distinct values of a column chunk of strings.
   *
   * @param path of the leaf, without the names that three-level lists add: `rs.ss.Spans.Name`
   * @returns null if the file has no such leaf, or not all of its values are in a dictionary
   * @throws ParquetError, StoreError
   */
  async columnDictionary(group: number, path: string): Promise<Dictionary | null> {
    const open = await this.#openGroup(group);
    const leaf = open.file.byPath.get(path);
    if (!leaf || !(await this.#file.isIndexed(open, group, leaf))) return null;
    return this.#file.dictionary(open, group, leaf);
  }

  async #openGroup(group: number): Promise<OpenFile> {
    const open = await this.#file.open();
    if (!open.file.rowGroups[group]) {
      throw new RangeError(`block ${this.meta.blockID} has no row group ${group}`);
    }
    return open;
  }

  async #withBatch<Result>(work: (batch: SpanBatch) => Promise<Result>): Promise<Result> {
    const batch = this.#caches.takeBatch();
    try {
      return await work(batch);
    } finally {
      this.#caches.giveBatch(batch);
    }
  }

  /** Of the attributes that a projection wants by name, those that the lists of generic attributes may have. */
  async #genericNames(
    open: OpenFile,
    group: number,
    projection: Projection,
  ): Promise<Map<OwnerLeaves, readonly string[]>> {
    const found = new Map<OwnerLeaves, readonly string[]>();
    const rowGroup = open.file.rowGroups[group]!;
    for (const { table, names } of namedTables(open.leaves, projection)) {
      const { key } = table;
      if (!key || isEmptyChunk(rowGroup, key, open.leaves.zeroIsDefault)) continue;
      const isIndexed = await this.#file.isIndexed(open, group, key.leaf);
      const dictionary = isIndexed ? await this.#file.dictionary(open, group, key.leaf) : null;
      found.set(
        table,
        dictionary ? names.filter((name) => dictionary.indexOf(encoder.encode(name)) >= 0) : names,
      );
    }
    return found;
  }
}

const encoder = new TextEncoder();
