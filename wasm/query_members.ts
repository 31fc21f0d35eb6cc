// Lists of numbers: one look for each row, however long the list is.

import { AttrType, Column } from "./column_ids";
import { mix } from "./hash";
import { at, reserve } from "./memory";
import { contentsOf, typesOf } from "./query_vectors";

/** The bits by which two numbers are equal: there are two zeros. */
function bitsOf(type: u32, value: u64): u64 {
  return type == <u32>AttrType.Double ? reinterpret<u64>(reinterpret<f64>(value) + 0.0) : value;
}

/**
 * Truth of the value being one of a list, for each row that has a value of exactly this type.
 *
 * @param type Int or Double
 * @param count of the numbers, which are in the column Input, 8 bytes each; none is NaN
 * @param isMember 0: of being none of them
 */
export function compareMembers(to: u32, from: u32, rows: u32, type: u32, count: u32, isMember: u32): void {
  const slots: u32 = 1 << (32 - <u32>clz((count << 1) | 15));
  const mask = slots - 1;
  reserve(Column.QueryWork0, slots << 2);
  // By slot: place in the list, + 1.
  const table = at(Column.QueryWork0);
  memory.fill(table, 0, slots << 2);
  const list = at(Column.Input);
  for (let i: u32 = 0; i < count; i++) {
    let slot = <u32>mix(bitsOf(type, load<u64>(list + ((<usize>i) << 3)))) & mask;
    while (load<u32>(table + ((<usize>slot) << 2))) slot = (slot + 1) & mask;
    store<u32>(table + ((<usize>slot) << 2), i + 1);
  }
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  for (let row: usize = 0; row < <usize>rows; row++) {
    if (<u32>load<u8>(types + row) != type) {
      store<u8>(out + row, 0);
      continue;
    }
    const bits = bitsOf(type, load<u64>(values + (row << 3)));
    let slot = <u32>mix(bits) & mask;
    let entry = load<u32>(table + ((<usize>slot) << 2));
    while (entry && bitsOf(type, load<u64>(list + ((<usize>entry - 1) << 3))) != bits) {
      slot = (slot + 1) & mask;
      entry = load<u32>(table + ((<usize>slot) << 2));
    }
    store<u8>(out + row, <u8>((entry != 0) == (isMember != 0)));
  }
}
