// Where an entry of a dictionary is used: rows of a leaf whose values have stayed the indexes that they are.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { leafEntry, MAX_DEFINITION, VALUE_COUNT } from "./parquet_decode_leaf";
import { definitionsOf, repetitionsOf, slotCount, valuesOf } from "./parquet_decode_rows";

/** Positions of the entry among the values. */
const FOUND: i32 = Column.Decode17;

/** Writes the rows in which a value is this index, ascending and each once, as u32 to the column Output. Returns their number. */
export function rowsOfIndex(leaf: u32, index: u32): u32 {
  const entry = leafEntry(leaf);
  const found = findIndex(valuesOf(entry), load<u32>(entry, VALUE_COUNT), index);
  reserve(Column.Output, (found << 2) + 16);
  const out = at(Column.Output);
  const positions = at(FOUND);
  const slots = slotCount(entry);
  const repetitions = repetitionsOf(entry);
  const definitions = definitionsOf(entry);
  const full = i8x16.splat(load<u8>(entry, MAX_DEFINITION));
  const zero = i8x16.splat(0);
  let next: u32 = 0; // position in the list of those found
  let value: u32 = 0; // values before the block
  let row: u32 = 0; // rows begun before the block
  let rows: u32 = 0;
  for (let i: u32 = 0; i < slots && next < found; i += 16) {
    const there: u32 = slots - i >= 16 ? 0xffff : (1 << (slots - i)) - 1;
    const begun = <u32>i8x16.bitmask(i8x16.eq(v128.load(repetitions + i), zero)) & there;
    const valued = <u32>i8x16.bitmask(i8x16.eq(v128.load(definitions + i), full)) & there;
    const behind = value + <u32>popcnt(valued);
    while (next < found) {
      const position = load<u32>(positions + ((<usize>next) << 2));
      if (position >= behind) break;
      next++;
      let rest = valued;
      for (let k = position - value; k; k--) rest &= rest - 1;
      const slot = <u32>ctz(rest);
      const own = row + <u32>popcnt(begun & ((2 << slot) - 1)) - 1;
      if (rows && load<u32>(out + ((<usize>rows) << 2) - 4) == own) continue;
      store<u32>(out + (usize(rows++) << 2), own);
    }
    value = behind;
    row += <u32>popcnt(begun);
  }
  return rows;
}

function findIndex(values: usize, count: u32, index: u32): u32 {
  reserve(FOUND, (count << 2) + 16);
  const positions = at(FOUND);
  const wanted = i32x4.splat(index);
  let found: u32 = 0;
  let i: u32 = 0;
  for (; i + 4 <= count; i += 4) {
    let mask = <u32>i32x4.bitmask(i32x4.eq(v128.load(values + ((<usize>i) << 2)), wanted));
    while (mask) {
      store<u32>(positions + (usize(found++) << 2), i + <u32>ctz(mask));
      mask &= mask - 1;
    }
  }
  for (; i < count; i++) {
    if (load<u32>(values + ((<usize>i) << 2)) == index) store<u32>(positions + (usize(found++) << 2), i);
  }
  return found;
}
