// Which bytes of a row group a read of some rows takes: planned as data, fetched by the caller.
import type { RowGroup } from "./footer_reader.ts";
import { ParquetError } from "./parquet_error.ts";
import type { ReadLeaf } from "./read_columns.ts";
import { type PageIndex, pageOfRow } from "./read_index.ts";

/** Ranges that are nearer to each other than this are read as one. */
const gapBytes = 8 << 10;
/** A chunk's dictionary page and its data pages; files are at most this long. */
const offsetMax = 2 ** 48;

export interface ByteRange {
  offset: number;
  length: number;
}

/** Rows from `start` up to, not including, `end`. */
export interface RowRange {
  start: number;
  end: number;
}

/** Indexes of a column chunk, as far as it has them. */
export interface ChunkIndex {
  pages: PageIndex | null;
  nullPages: Uint8Array | null;
}

/** What to read of one leaf. */
export interface LeafPlan {
  read: ReadLeaf;
  /** No wanted row has a value. */
  empty: boolean;
  /** The whole chunk, where pages cannot be told apart; else null. */
  chunk: ByteRange | null;
  pages: (ByteRange & { firstRow: number })[];
  dictionary: ByteRange | null;
}

/** The whole of a column chunk, its dictionary included. */
export function chunkRange(group: RowGroup, leaf: number): ByteRange {
  const { dataPage, dictionaryPage, bytes } = group.chunks;
  const dictionary = dictionaryPage[leaf]!;
  const offset = dictionary > 0 && dictionary < dataPage[leaf]! ? dictionary : dataPage[leaf]!;
  if (offset > offsetMax || bytes[leaf]! > offsetMax)
    throw new ParquetError("parquet footer: chunk out of file");
  return { offset, length: bytes[leaf]! };
}

/** The dictionary page of a column chunk, if the footer says where it is. */
export function dictionaryRange(group: RowGroup, leaf: number): ByteRange | null {
  const offset = group.chunks.dictionaryPage[leaf]!;
  const length = group.chunks.dataPage[leaf]! - offset;
  const whole = chunkRange(group, leaf);
  if (offset === 0 || length <= 0 || length > whole.length) return null;
  return { offset, length };
}

/** Tells whether the statistics of a chunk say that it has no value, or none that a read would miss. */
export function isEmptyChunk(group: RowGroup, read: ReadLeaf, zeroIsDefault: ReadonlySet<number>): boolean {
  const { index, maxDefinition } = read.leaf;
  if (group.chunks.zero[index] === 1 && zeroIsDefault.has(index)) return true;
  return maxDefinition > 0 && group.chunks.nulls[index] === group.chunks.slots[index];
}

/**
 * Plans the read of rows of one leaf.
 *
 * @param index null: nothing but the chunk's place is known
 * @param rows ascending
 * @param structure that the leaf's levels are needed even where it has no values
 */
export function planLeaf(
  group: RowGroup,
  read: ReadLeaf,
  index: ChunkIndex | null,
  rows: readonly RowRange[],
  structure: boolean,
  zeroIsDefault: ReadonlySet<number>,
): LeafPlan {
  const plan: LeafPlan = { read, empty: false, chunk: null, pages: [], dictionary: null };
  const leaf = read.leaf.index;
  if (!structure && isEmptyChunk(group, read, zeroIsDefault)) return { ...plan, empty: true };
  const whole = chunkRange(group, leaf);
  if (!index?.pages || index.pages.offsets.length === 0) return { ...plan, chunk: whole };
  const { offsets, sizes, firstRows } = index.pages;
  let last = -1;
  let empty = true;
  for (const { start, end } of rows) {
    for (let page = pageOfRow(index.pages, start); page < offsets.length && firstRows[page]! < end; page++) {
      if (page <= last) continue;
      last = page;
      if (!index.nullPages?.[page]) empty = false;
      plan.pages.push({ offset: offsets[page]!, length: sizes[page]!, firstRow: firstRows[page]! });
    }
  }
  if (empty && !structure) return { ...plan, empty: true, pages: [] };
  // Some writers do not say where the dictionary is; then it precedes the first data page.
  if (offsets[0]! > whole.offset)
    plan.dictionary = { offset: whole.offset, length: offsets[0]! - whole.offset };
  return plan;
}

/** Joins ranges that touch or nearly do. */
export function coalesce(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = [...ranges].sort((a, b) => a.offset - b.offset);
  const joined: ByteRange[] = [];
  for (const { offset, length } of sorted) {
    const before = joined.at(-1);
    if (before && offset <= before.offset + before.length + gapBytes) {
      before.length = Math.max(before.length, offset + length - before.offset);
    } else {
      joined.push({ offset, length });
    }
  }
  return joined;
}
