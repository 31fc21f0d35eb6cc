// Where traces lie in a block: by bloom filter and page bounds for a few ids, against all ids of a row group for many.

import { Keep } from "../../wasm/parquet_decode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { placeOfTraceId, traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import type { RowGroup } from "./footer_reader.ts";
import type { BlockBlooms } from "./read_blooms.ts";
import type { ReadCaches } from "./read_caches.ts";
import type { BlockFile, OpenFile } from "./read_file.ts";
import { chunkPages, holdRows, memoryOf, planRanges } from "./read_group.ts";
import type { PageBounds } from "./read_index.ts";
import { decodeLeaf } from "./read_leaf.ts";
import { type LeafPlan, planLeaf, type RowRange } from "./read_plan.ts";

/** With so many ids, reading all ids of a block costs less than asking its filters for each. */
const manyIds = 64;
/** The pages of rows between which a trace must be are fetched before it is known which one it is; more rows than this are not. */
const rowsAheadMax = 1 << 10;
/** What a list of ids takes beside them. */
const entryBytes = 200;

/** A trace that was found. */
export interface FoundRow {
  /** Its place among the ids that were looked for. */
  id: number;
  group: number;
  row: number;
}

export class RowFinder {
  readonly #file: BlockFile;
  readonly #blooms: BlockBlooms;
  readonly #caches: ReadCaches;

  constructor(file: BlockFile, blooms: BlockBlooms, caches: ReadCaches) {
    this.#file = file;
    this.#blooms = blooms;
    this.#caches = caches;
  }

  /**
   * Row of the trace; null if the block does not have it.
   *
   * @param among rows of the block between which it is if it is there; null: ask the bloom filters first
   */
  async find(
    batch: SpanBatch,
    id: Uint8Array,
    among: RowRange | null,
    signal?: AbortSignal,
  ): Promise<{ group: number; row: number } | null> {
    if (among === null && !(await this.#blooms.mayHold(batch, id))) return null;
    signal?.throwIfAborted();
    await this.#file.readAhead();
    const open = await this.#file.open();
    for (const group of candidateGroups(open.file.rowGroups, id, id)) {
      signal?.throwIfAborted();
      if (among) await this.#holdRows(open, group, among);
      const row = await this.#findRow(batch, open, group, id);
      if (row >= 0) return { group, row };
    }
    return null;
  }

  /**
   * Rows of many traces.
   *
   * @param ids 16 bytes each, ascending
   */
  async findAll(batch: SpanBatch, ids: Uint8Array): Promise<FoundRow[]> {
    const count = ids.length / traceIdBytes;
    const found: FoundRow[] = [];
    if (count === 0) return found;
    if (count < manyIds) {
      for (let id = 0; id < count; id++) {
        const place = await this.find(batch, traceIdAt(ids, id), null);
        if (place) found.push({ id, ...place });
      }
      return found;
    }
    const open = await this.#file.open();
    for (const group of candidateGroups(open.file.rowGroups, traceIdAt(ids, 0), traceIdAt(ids, count - 1))) {
      const stored = await this.ids(batch, open, group);
      const rows = stored.length / traceIdBytes;
      for (let id = 0, row = 0; id < count && row < rows; ) {
        const order = compareIds(ids, id, stored, row);
        if (order === 0) found.push({ id: id++, group, row });
        else if (order < 0) id++;
        else row++;
      }
    }
    return found;
  }

  /** Ids of all traces of a row group, as the file has them: ascending. */
  async ids(batch: SpanBatch, open: OpenFile, group: number): Promise<Uint8Array> {
    const key = this.#key(group);
    const known = this.#caches.traceIds.get(key);
    if (known) return known;
    const { traceId, zeroIsDefault } = open.leaves;
    const plan = planLeaf(open.file.rowGroups[group]!, traceId, null, [], true, zeroIsDefault);
    const ids = await this.#decode(batch, open, group, plan);
    this.#caches.traceIds.set(key, ids, ids.length + entryBytes);
    return ids;
  }

  async #holdRows(open: OpenFile, group: number, { start, end }: RowRange): Promise<void> {
    const groups = open.file.rowGroups;
    const first = groups.slice(0, group).reduce((sum, { rows }) => sum + rows, 0);
    const own = { start: Math.max(0, start - first), end: Math.min(groups[group]!.rows, end - first) };
    if (own.start >= own.end || own.end - own.start > rowsAheadMax) return;
    await holdRows(this.#file, open, group, own, open.whole);
  }

  /** Row of the row group that holds the trace, or -1. */
  async #findRow(batch: SpanBatch, open: OpenFile, group: number, id: Uint8Array): Promise<number> {
    const known = this.#caches.traceIds.get(this.#key(group));
    if (known) return placeOfTraceId(known, id);
    const { traceId, zeroIsDefault } = open.leaves;
    const rowGroup = open.file.rowGroups[group]!;
    const indexes = await this.#file.indexes(open, group, [traceId.leaf], new Set([traceId.leaf]));
    const { pages = null, bounds = null } = indexes[traceId.leaf.index] ?? {};
    const page = pages && bounds?.lowest.length === pages.offsets.length ? pageOfId(bounds, id) : -1;
    if (page === -2) return -1;
    if (!pages || page < 0) {
      const plan = planLeaf(rowGroup, traceId, null, [], true, zeroIsDefault);
      return placeOfTraceId(await this.#decode(batch, open, group, plan), id);
    }
    const start = pages.firstRows[page]!;
    const end = pages.firstRows[page + 1] ?? rowGroup.rows;
    const index = { pages, nullPages: null };
    const plan = planLeaf(rowGroup, traceId, index, [{ start, end }], true, zeroIsDefault);
    const row = placeOfTraceId(await this.#decode(batch, open, group, plan), id);
    return row < 0 ? -1 : start + row;
  }

  #key(group: number): string {
    return `${this.#file.prefix}/${group}`;
  }

  async #decode(batch: SpanBatch, open: OpenFile, group: number, plan: LeafPlan): Promise<Uint8Array> {
    const { traceId } = open.leaves;
    const known = this.#file.knownPages(plan.pages);
    const unknown = plan.pages.filter(({ offset }) => !known.has(offset));
    const fetched = await this.#file.fetch(planRanges({ ...plan, pages: unknown }));
    batch.reset();
    batch.core.beginLeaves!();
    const pages = chunkPages(
      this.#file,
      open,
      group,
      plan,
      fetched,
      null,
      this.#file.isRemote ? memoryOf(this.#file, known) : null,
    );
    decodeLeaf(batch, { ...traceId, keep: Keep.Values }, pages, "all");
    const count = batch.core.decodedValueCount!(traceId.leaf.index);
    const address = batch.core.decodedValues!(traceId.leaf.index) >>> 0;
    return new Uint8Array(batch.core.memory.buffer, address, count * traceIdBytes).slice();
  }
}

function compareIds(a: Uint8Array, i: number, b: Uint8Array, k: number): number {
  const x = i * traceIdBytes;
  const y = k * traceIdBytes;
  for (let n = 0; n < traceIdBytes; n++) {
    const difference = a[x + n]! - b[y + n]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Row groups that may hold ids from `first` to `last`. Without bounds in the footer any may. */
function candidateGroups(groups: readonly RowGroup[], first: Uint8Array, last: Uint8Array): number[] {
  const found: number[] = [];
  for (const [i, { lowest, highest }] of groups.entries()) {
    if (lowest && compare(last, lowest) < 0) continue;
    if (highest && compare(first, highest) > 0) continue;
    found.push(i);
  }
  return found;
}

/** Page whose bounds hold the id; -1 if it cannot be told, -2 if none does. */
function pageOfId({ lowest, highest }: PageBounds, id: Uint8Array): number {
  for (let page = 0; page < lowest.length; page++) {
    if (lowest[page]!.length !== traceIdBytes || highest[page]!.length !== traceIdBytes) return -1;
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

function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}
