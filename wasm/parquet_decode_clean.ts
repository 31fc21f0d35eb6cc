// Columns by span, resource and scope that a read leaves at 0. Clearing all of them costs more than reading one, so what is known to be 0
// from the read before is remembered for as long as nobody else writes rows.

import { rowWrites } from "./batch";
import { Column } from "./column_ids";
import { at } from "./memory";

const FIRST: i32 = Column.ResourceAttrStart;
const COUNT: i32 = Column.NestedParent - FIRST + 1;
/** By column: its address when it was cleared, and how many bytes of it are 0. OrderedSpan is counted up instead: 0, 1, 2 and so on. */
const CLEARED: usize = memory.data(COUNT * 8);

/** rowWrites when the table was last right. */
let known: u32 = 0;

/** Called before a read adds rows: forgets everything if others have written some since. */
export function checkCleared(): void {
  if (known == rowWrites) return;
  memory.fill(CLEARED, 0, COUNT * 8);
}

/** Called after this very read has made room for rows, which counts as writing. */
export function keepCleared(): void {
  known = rowWrites;
}

function entryOf(column: i32): usize {
  return CLEARED + ((<usize>(column - FIRST)) << 3);
}

/** Bytes of a column, from its beginning, that are as they should be. */
export function cleared(column: i32): u32 {
  const entry = entryOf(column);
  return load<u32>(entry) == <u32>at(column) ? load<u32>(entry, 4) : 0;
}

/** Says how many bytes of a column are as they should be. */
export function noteCleared(column: i32, bytes: u32): void {
  const entry = entryOf(column);
  store<u32>(entry, <u32>at(column));
  store<u32>(entry, bytes, 4);
}

/** Sets bytes of a column to 0. */
export function clear(column: i32, from: usize, bytes: usize): void {
  const end = from + bytes;
  const known = <usize>cleared(column);
  if (end <= known) return;
  const start = max(from, known);
  memory.fill(at(column) + start, 0, end - start);
  if (from <= known) noteCleared(column, <u32>end);
}

/** The column is about to hold something from this byte on. */
export function soil(column: i32, from: usize): void {
  if (column < FIRST || column >= FIRST + COUNT) return;
  const entry = entryOf(column);
  if (<usize>load<u32>(entry, 4) > from) store<u32>(entry, <u32>from, 4);
}
