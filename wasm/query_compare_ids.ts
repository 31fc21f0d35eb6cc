// Ids against literals, patterns, strings and each other. For the language an id is a text of hex digits: of a trace without leading
// zeros, of a span with 16 digits at least.

import { Column } from "./column_ids";
import { entryLength, entryStart, sameBytes, STRINGS } from "./dictionary";
import { matchText } from "./match";
import { compareBytes } from "./match_find";
import { at, reserve } from "./memory";
import { Compare, QueryType } from "./query_ids";
import { contentsOf, typesOf } from "./query_vectors";

const ZERO: u8 = 0x30;
const SPAN_ID_BYTES: u32 = 8;
const TRACE_ID_BYTES: u32 = 16;
/** A span's id on its way into a text. */
const SPAN_ID: usize = memory.data(8, 8);

export function holds<T>(op: u32, a: T, b: T): bool {
  switch (op) {
    case Compare.Equal:
      return a == b;
    case Compare.NotEqual:
      return a != b;
    case Compare.Less:
      return a < b;
    case Compare.LessEqual:
      return a <= b;
    case Compare.Greater:
      return a > b;
    default:
      return a >= b;
  }
}

export function isId(type: u32): bool {
  return type >= <u32>QueryType.TraceId;
}

/** What writeText() left. */
let textStart: usize = 0;
let textLength: u32 = 0;

/** The text of an id, or of a string, which is what it is. An id's goes into `column`. */
function writeText(type: u32, value: u64, column: i32): void {
  let from: usize;
  let length: u32;
  if (type == QueryType.SpanId) {
    store<u64>(SPAN_ID, value);
    from = SPAN_ID;
    length = SPAN_ID_BYTES;
  } else if (type == QueryType.TraceId) {
    from = at(Column.TraceId) + ((<usize>value) << 4);
    length = TRACE_ID_BYTES;
  } else {
    from = entryStart(STRINGS, <u32>value);
    length = entryLength(STRINGS, <u32>value);
  }
  if (type == QueryType.String) {
    textStart = from;
    textLength = length;
    return;
  }
  const isOfTrace = type == QueryType.TraceId || type == QueryType.LinkTraceId;
  const zeros: u32 = !isOfTrace && length < SPAN_ID_BYTES ? (SPAN_ID_BYTES - length) << 1 : 0;
  reserve(column, zeros + (length << 1));
  const text = at(column);
  memory.fill(text, ZERO, zeros);
  for (let i: usize = 0; i < <usize>length; i++) {
    const byte: u32 = load<u8>(from + i);
    store<u8>(text + zeros + (i << 1), digit(byte >> 4));
    store<u8>(text + zeros + (i << 1), digit(byte & 15), 1);
  }
  textStart = text;
  textLength = zeros + (length << 1);
  if (!isOfTrace) return;
  for (; textLength && load<u8>(textStart) == ZERO; textLength--) textStart++;
}

function digit(value: u32): u8 {
  return <u8>(value < 10 ? value + 0x30 : value + 0x57);
}

/** True if two values, at least one of them an id, compare like that: never with what is no text. */
export function compareIds(op: u32, aType: u32, a: u64, bType: u32, b: u64): bool {
  if ((!isId(aType) && aType != QueryType.String) || (!isId(bType) && bType != QueryType.String))
    return false;
  if (aType == bType) {
    if (a == b) return holds<i32>(op, 0, 0);
    if (aType == QueryType.SpanId) return holds<u64>(op, bswap<u64>(a), bswap<u64>(b));
    if (aType == QueryType.TraceId && op <= <u32>Compare.NotEqual) return op == Compare.NotEqual;
  }
  writeText(aType, a, Column.QueryWork0);
  const aStart = textStart;
  const aLength = textLength;
  writeText(bType, b, Column.QueryWork1);
  return holds<i32>(op, compareBytes(aStart, aLength, textStart, textLength), 0);
}

/** Truth of `id op literal` for each row that has an id of a span. */
export function compareSpanId(to: u32, from: u32, rows: u32, op: u32, low: u32, high: u32): void {
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  const literal = <u64>low | ((<u64>high) << 32);
  for (let i: usize = 0; i < <usize>rows; i++) {
    const fits = load<u8>(types + i) == <u8>QueryType.SpanId;
    store<u8>(out + i, <u8>(fits && holds<u64>(op, load<u64>(values + (i << 3)), literal)));
  }
}

/** Truth of `trace id op literal` for each row, of equality alone; the literal's 16 bytes are in the column Input. */
export function compareTraceId(to: u32, from: u32, rows: u32, op: u32): void {
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  const low = load<u64>(at(Column.Input));
  const high = load<u64>(at(Column.Input), 8);
  for (let i: usize = 0; i < <usize>rows; i++) {
    const id = at(Column.TraceId) + ((<usize>load<u32>(values + (i << 3))) << 4);
    const same = load<u64>(id) == low && load<u64>(id, 8) == high;
    const fits = load<u8>(types + i) == <u8>QueryType.TraceId;
    store<u8>(out + i, <u8>(fits && same == (op == Compare.Equal)));
  }
}

/**
 * Truth of `link's id op literal` for each row, of equality alone. Links have ids of any length; leading zeros don't count.
 *
 * @param type LinkTraceId or LinkSpanId
 * @param length of the literal, which is in the column Input and does not begin with a zero
 */
export function compareLinkId(to: u32, from: u32, rows: u32, op: u32, type: u32, length: u32): void {
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  const literal = at(Column.Input);
  for (let i: usize = 0; i < <usize>rows; i++) {
    if (<u32>load<u8>(types + i) != type) {
      store<u8>(out + i, 0);
      continue;
    }
    const id = load<u32>(values + (i << 3));
    let start = entryStart(STRINGS, id);
    let left = entryLength(STRINGS, id);
    // The text of a longer id of a span has more digits.
    const isLonger = type == QueryType.LinkSpanId && left > SPAN_ID_BYTES;
    for (; left && !load<u8>(start); left--) start++;
    const same = !isLonger && left == length && sameBytes(start, literal, length);
    store<u8>(out + i, <u8>(same == (op == Compare.Equal)));
  }
}

/**
 * Verdicts of the program that loadMatch() took on the text of each row's id: 0, 1, or 2 for someone else to say. 0 where there is none.
 *
 * @returns how many are for someone else to say
 */
export function matchIds(to: u32, from: u32, rows: u32): u32 {
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  let asked: u32 = 0;
  // Neighbours are of the same trace, mostly.
  let lastType: u32 = QueryType.Nil;
  let lastValue: u64 = 0;
  let said: u32 = 0;
  for (let i: usize = 0; i < <usize>rows; i++) {
    const type: u32 = load<u8>(types + i);
    const value = load<u64>(values + (i << 3));
    if (!isId(type)) {
      store<u8>(out + i, 0);
      continue;
    }
    if (type != lastType || value != lastValue) {
      writeText(type, value, Column.QueryWork0);
      said = matchText(textStart, textLength);
      lastType = type;
      lastValue = value;
    }
    store<u8>(out + i, <u8>said);
    asked += <u32>(said == 2);
  }
  return asked;
}
