// Vectors of a query: an expression has a value for every span, event or link, kept in one arena. A value vector is a byte of
// QueryType for each row, then 8 bytes for each; a truth vector is a byte, 0 or 1, for each. Whoever calls hands out the offsets.

import { events, links, spans } from "./batch";
import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { QueryType, Table } from "./query_ids";

/** Makes room in the arena. What is in it stays. */
export function reserveVectors(bytes: u32): void {
  reserve(Column.QueryRegisters, bytes);
}

export function vectorAddress(offset: u32): usize {
  return at(Column.QueryRegisters) + offset;
}

/** Bytes from the types of a value vector of `rows` rows to its values, and that a truth vector takes. */
export function typeBytes(rows: u32): u32 {
  return (rows + 31) & ~15;
}

export function typesOf(offset: u32): usize {
  return at(Column.QueryRegisters) + offset;
}

export function contentsOf(offset: u32, rows: u32): usize {
  return at(Column.QueryRegisters) + offset + typeBytes(rows);
}

export function tableRows(table: u32): u32 {
  if (table == Table.Event) return events;
  if (table == Table.Link) return links;
  return spans;
}

/** Column with the first row of each span's events or links. */
export function startColumn(table: u32): i32 {
  return table == Table.Event ? Column.SpanEventStart : Column.SpanLinkStart;
}

/** Fills a value vector with one value. */
export function fillValue(to: u32, rows: u32, type: u32, low: u32, high: u32): void {
  memory.fill(typesOf(to), <u8>type, rows);
  const value = <u64>low | ((<u64>high) << 32);
  const values = contentsOf(to, rows);
  for (let i: usize = 0; i < <usize>rows; i++) store<u64>(values + (i << 3), value);
}

/** Fills the rows that have no value with one. */
export function fillNil(to: u32, rows: u32, type: u32, low: u32, high: u32): void {
  const types = typesOf(to);
  const values = contentsOf(to, rows);
  const value = <u64>low | ((<u64>high) << 32);
  for (let i: usize = 0; i < <usize>rows; i++) {
    if (load<u8>(types + i)) continue;
    store<u8>(types + i, <u8>type);
    store<u64>(values + (i << 3), value);
  }
}

/** Copies a value vector. */
export function copyValues(to: u32, from: u32, rows: u32): void {
  memory.copy(typesOf(to), typesOf(from), rows);
  memory.copy(contentsOf(to, rows), contentsOf(from, rows), rows << 3);
}

/** Copies a truth vector. */
export function copyTruth(to: u32, from: u32, rows: u32): void {
  memory.copy(typesOf(to), typesOf(from), rows);
}

/** Fills a truth vector. */
export function fillTruth(to: u32, rows: u32, truth: u32): void {
  memory.fill(typesOf(to), <u8>truth, rows);
}

/** to = to && other, row by row. */
export function andTruth(to: u32, other: u32, rows: u32): void {
  const a = typesOf(to);
  const b = typesOf(other);
  // Vectors have room up to the next 16 bytes.
  for (let i: usize = 0; i < <usize>rows; i += 16)
    v128.store(a + i, v128.and(v128.load(a + i), v128.load(b + i)));
}

/** to = to || other, row by row. */
export function orTruth(to: u32, other: u32, rows: u32): void {
  const a = typesOf(to);
  const b = typesOf(other);
  for (let i: usize = 0; i < <usize>rows; i += 16)
    v128.store(a + i, v128.or(v128.load(a + i), v128.load(b + i)));
}

/** to = !to, row by row. */
export function notTruth(to: u32, rows: u32): void {
  const a = typesOf(to);
  const one = i8x16.splat(1);
  for (let i: usize = 0; i < <usize>rows; i += 16) v128.store(a + i, v128.xor(v128.load(a + i), one));
}

/** Values that are not those of `from`, row by row: of what is no bool there is none. */
export function notValues(to: u32, from: u32, rows: u32): void {
  const outTypes = typesOf(to);
  const out = contentsOf(to, rows);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  for (let i: usize = 0; i < <usize>rows; i++) {
    const isBool = load<u8>(types + i) == <u8>QueryType.Bool;
    store<u8>(outTypes + i, isBool ? <u8>QueryType.Bool : <u8>QueryType.Nil);
    store<u64>(out + (i << 3), <u64>(isBool && !load<u64>(values + (i << 3))));
  }
}

/** Truth of values: of a true bool alone. */
export function truthOfValues(to: u32, from: u32, rows: u32): void {
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  for (let i: usize = 0; i < <usize>rows; i++) {
    store<u8>(out + i, <u8>(load<u8>(types + i) == 2 && load<u64>(values + (i << 3)) != 0));
  }
}

/** Truth of the values having this type. */
export function truthOfType(to: u32, from: u32, rows: u32, type: u32): void {
  const out = typesOf(to);
  const types = typesOf(from);
  const wanted = i8x16.splat(<i8>type);
  const one = i8x16.splat(1);
  for (let i: usize = 0; i < <usize>rows; i += 16) {
    v128.store(out + i, v128.and(i8x16.eq(v128.load(types + i), wanted), one));
  }
}

/** Values of truths: bools. */
export function valuesOfTruth(to: u32, from: u32, rows: u32): void {
  memory.fill(typesOf(to), 2, rows);
  const values = contentsOf(to, rows);
  const truths = typesOf(from);
  for (let i: usize = 0; i < <usize>rows; i++) store<u64>(values + (i << 3), <u64>load<u8>(truths + i));
}

/** Truth of a span: of any of its events or links. */
export function anyOfSpan(to: u32, from: u32, table: u32): void {
  const out = typesOf(to);
  const truths = typesOf(from);
  const starts = at(startColumn(table));
  let next = load<u32>(starts);
  for (let i: usize = 0; i < <usize>spans; i++) {
    const end = load<u32>(starts + (i << 2), 4);
    let any: u8 = 0;
    for (; next < end; next++) any |= load<u8>(truths + next);
    store<u8>(out + i, any);
  }
}

/**
 * Value of a span: the first of its events or links that is not nil and whose truth holds in `chosen`.
 *
 * @param onlyNil leave spans as they are that have a value already
 */
export function firstOfSpan(to: u32, from: u32, table: u32, chosen: u32, onlyNil: u32): void {
  const rows = tableRows(table);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  const outTypes = typesOf(to);
  const outValues = contentsOf(to, spans);
  const truths = typesOf(chosen);
  const starts = at(startColumn(table));
  for (let i: usize = 0; i < <usize>spans; i++) {
    if (onlyNil && load<u8>(outTypes + i)) continue;
    const end = load<u32>(starts + (i << 2), 4);
    let type: u8 = 0;
    let value: u64 = 0;
    for (let row = load<u32>(starts + (i << 2)); row < end && !type; row++) {
      if (!load<u8>(truths + row)) continue;
      type = load<u8>(types + row);
      value = load<u64>(values + ((<usize>row) << 3));
    }
    store<u8>(outTypes + i, type);
    store<u64>(outValues + (i << 3), value);
  }
}
