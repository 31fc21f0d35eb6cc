// One data page: levels and encoded values of a range of a leaf's slots, as they stand in a V1 page before compression, and the
// bounds of its values.

import { Column } from "./column_ids";
import { entryLength, entryStart, STRINGS } from "./dictionary";
import { at, reserve } from "./memory";
import { sliceLength, sliceStart } from "./merge_slices";
import {
  beginBytes,
  clearBounds,
  endBytes,
  numberBounds,
  setResult,
  takeBytes,
} from "./parquet_encode_bounds";
import { COPY_SLACK, copyBytes } from "./parquet_encode_copy";
import { delta32, delta64, deltaBytesMax } from "./parquet_encode_delta";
import { Encoder, Order, PageResult } from "./parquet_encode_ids";
import { bitsOf, hybridBytes, hybridBytesMax, hybridU32, runOf } from "./parquet_encode_levels";
import {
  areSlices,
  commonDefinition,
  leafDefinitions,
  leafRepetitions,
  leafSlots,
  leafValues,
  maxDefinition,
  maxRepetition,
  MIXED,
} from "./parquet_encode_values";

/** Lengths of the values of a page of byte strings, u32 each, are in Scratch0. */
const LENGTHS: i32 = Column.Scratch0;
const ID_TEXT: usize = memory.data(32);
const HEX: usize = memory.data<u8>([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102]);

/** Address of the i-th string among the leaf's values. */
function stringStart(i: u32): usize {
  const values = at(Column.Encode7);
  if (areSlices) return sliceStart(values + ((<usize>i) << 3));
  return entryStart(STRINGS, load<u32>(values + ((<usize>i) << 2)));
}

function stringLength(i: u32): u32 {
  const values = at(Column.Encode7);
  if (areSlices) return sliceLength(values + ((<usize>i) << 3));
  return entryLength(STRINGS, load<u32>(values + ((<usize>i) << 2)));
}

/** Bytes of the leaf's strings, all values together. */
export function leafStringBytes(): f64 {
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < leafValues; i++) bytes += stringLength(i);
  return <f64>bytes;
}

/** Number of slots of the leaf. */
export function leafSlotCount(): u32 {
  return leafSlots;
}

/** Number of values of the leaf. */
export function leafValueCount(): u32 {
  return leafValues;
}

/** Definition level of all slots of the leaf, or -1 if they differ. */
export function leafDefinition(): i32 {
  return <i32>commonDefinition;
}

/**
 * Where the page ends that begins at slot `from`: the last row end within `slotsMax` slots, or the first one behind them. With a
 * `bytesMax` the values are strings, and the page also ends when these have so many bytes; `firstValue` is the page's first.
 */
export function pageEnd(from: u32, firstValue: u32, slotsMax: u32, bytesMax: u32): u32 {
  let target = <u64>from + slotsMax < <u64>leafSlots ? from + slotsMax : leafSlots;
  const reps = leafRepetitions();
  const levels = commonDefinition == MIXED ? leafDefinitions() : 0;
  if (bytesMax) {
    let bytes: u32 = 0;
    let value = firstValue;
    for (let slot = from; slot < target; slot++) {
      if (levels && load<u8>(levels + slot) != <u8>maxDefinition) continue;
      bytes += stringLength(value++);
      if (bytes > bytesMax) {
        target = slot > from ? slot : slot + 1;
        break;
      }
    }
  }
  if (!reps || target == leafSlots) return target;
  let end = target;
  while (end > from && load<u8>(reps + end)) end--;
  if (end > from) return end;
  end = target;
  while (end < leafSlots && load<u8>(reps + end)) end++;
  return end;
}

/** Bytes equal to `byte` among the `count` bytes at `from`. */
function countBytes(from: usize, count: u32, byte: u8): u32 {
  let found: u32 = 0;
  let i: u32 = 0;
  const wanted = i8x16.splat(<i8>byte);
  for (; i + 16 <= count; i += 16) found += <u32>popcnt(i8x16.bitmask(i8x16.eq(v128.load(from + i), wanted)));
  for (; i < count; i++) found += u32(load<u8>(from + i) == byte);
  return found;
}

/**
 * Writes the body of the data page with the slots [from, to), whose values begin at `firstValue`, to Output, and fills the page
 * result. `indexWidth` is the bit width of dictionary indexes. Returns the body's length in bytes.
 */
export function encodePage(
  from: u32,
  to: u32,
  firstValue: u32,
  encoder: u32,
  order: u32,
  indexWidth: u32,
): u32 {
  const count = to - from;
  const repWidth = bitsOf(maxRepetition);
  const defWidth = bitsOf(maxDefinition);
  const mixed = commonDefinition == MIXED;
  let values: u32 = 0;
  if (mixed) values = countBytes(leafDefinitions() + from, count, <u8>maxDefinition);
  else if (commonDefinition == maxDefinition) values = count;

  const valueBytes = valueBytesMax(encoder, firstValue, values, indexWidth);
  reserve(
    Column.Output,
    hybridBytesMax(count, repWidth) + hybridBytesMax(count, defWidth) + valueBytes + COPY_SLACK + 16,
  );
  const start = at(Column.Output);
  let out = start;
  let rows = count;
  if (repWidth) {
    const reps = leafRepetitions() + from;
    rows = countBytes(reps, count, 0);
    const end = hybridBytes(reps, count, repWidth, out + 4);
    store<u32>(out, <u32>(end - out - 4));
    out = end;
  }
  if (defWidth) {
    const end = mixed
      ? hybridBytes(leafDefinitions() + from, count, defWidth, out + 4)
      : runOf(commonDefinition, count, defWidth, out + 4);
    store<u32>(out, <u32>(end - out - 4));
    out = end;
  }
  out = putValues(encoder, order, firstValue, values, indexWidth, out);
  const bytes = <u32>(out - start);
  setResult(PageResult.Bytes, bytes);
  setResult(PageResult.Slots, count);
  setResult(PageResult.Values, values);
  setResult(PageResult.Rows, rows);
  return bytes;
}

/** Bytes that putValues() writes at most. */
function valueBytesMax(encoder: u32, first: u32, count: u32, indexWidth: u32): u32 {
  switch (encoder) {
    case Encoder.Plain32:
      return count << 2;
    case Encoder.Plain64:
      return count << 3;
    case Encoder.Bool:
      return (count >>> 3) + 16;
    case Encoder.Delta32:
      return deltaBytesMax(count, 4);
    case Encoder.Delta64:
      return deltaBytesMax(count, 8);
    case Encoder.Dictionary:
      return 1 + hybridBytesMax(count, indexWidth) + (count >>> 3) + 16;
    case Encoder.Strings: {
      let bytes = deltaBytesMax(count, 4);
      for (let i: u32 = 0; i < count; i++) bytes += stringLength(first + i);
      return bytes;
    }
    default:
      return (
        deltaBytesMax(count, 4) + (count << (encoder == Encoder.Id8 ? 3 : encoder == Encoder.Id16 ? 4 : 5))
      );
  }
}

/** Writes the values [first, first + count) at `out` and their bounds to the page result. Returns the position behind. */
function putValues(encoder: u32, order: u32, first: u32, count: u32, indexWidth: u32, out: usize): usize {
  const values = at(Column.Encode7);
  const from4 = values + ((<usize>first) << 2);
  const from8 = values + ((<usize>first) << 3);
  clearBounds();
  switch (encoder) {
    case Encoder.Plain32:
      numberBounds(from4, count, 4, order);
      memory.copy(out, from4, count << 2);
      return out + ((<usize>count) << 2);
    case Encoder.Plain64:
      numberBounds(from8, count, 8, order);
      memory.copy(out, from8, count << 3);
      return out + ((<usize>count) << 3);
    case Encoder.Bool:
      numberBounds(values + first, count, 1, order);
      return putBools(values + first, count, out);
    case Encoder.Delta32:
      numberBounds(from4, count, 4, order);
      return delta32(from4, count, out);
    case Encoder.Delta64:
      numberBounds(from8, count, 8, order);
      return delta64(from8, count, out);
    case Encoder.Dictionary:
      store<u8>(out, <u8>(count ? indexWidth : 0));
      return hybridU32(from4, count, indexWidth, out + 1);
    case Encoder.Strings:
      return putStrings(first, count, order == Order.Bytes, out);
    case Encoder.Id8:
      return putIds8(from8, count, out);
    case Encoder.Id16:
      return putIds16(values + ((<usize>first) << 4), count, out);
    default:
      return putIdTexts(values + ((<usize>first) << 4), count, out);
  }
}

/** Booleans as bits, the first in the lowest. */
function putBools(from: usize, count: u32, out: usize): usize {
  for (let i: u32 = 0; i < count; i += 8) {
    let x = load<u64>(from + i);
    if (count - i < 8) x &= 0xffffffffffffffff >>> (64 - ((<u64>(count - i)) << 3));
    store<u8>(out++, <u8>((x * 0x0102040810204080) >>> 56));
  }
  return out;
}

function putStrings(first: u32, count: u32, bounded: bool, out: usize): usize {
  reserve(LENGTHS, count << 2);
  const lengths = at(LENGTHS);
  let last: usize = 0;
  let lastLength: u32 = 0;
  beginBytes();
  for (let i: u32 = 0; i < count; i++) {
    const length = stringLength(first + i);
    store<u32>(lengths + ((<usize>i) << 2), length);
    if (!bounded) continue;
    const start = stringStart(first + i);
    // Repeats are passed over. What follows an empty text begins where that does.
    if (!i || start != last || length != lastLength) takeBytes(start, length);
    last = start;
    lastLength = length;
  }
  endBytes();
  out = delta32(lengths, count, out);
  for (let i: u32 = 0; i < count; i++) {
    const length = load<u32>(lengths + ((<usize>i) << 2));
    if (!length) continue;
    copyBytes(out, stringStart(first + i), length);
    out += length;
  }
  return out;
}

function putIds8(ids: usize, count: u32, out: usize): usize {
  reserve(LENGTHS, count << 2);
  const lengths = at(LENGTHS);
  let smallest: u64 = u64.MAX_VALUE;
  let largest: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const id = bswap<u64>(load<u64>(ids + ((<usize>i) << 3)));
    store<u32>(lengths + ((<usize>i) << 2), id ? 8 : 0);
    smallest = min<u64>(smallest, id);
    largest = max<u64>(largest, id);
  }
  out = delta32(lengths, count, out);
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u64>(ids + ((<usize>i) << 3));
    store<u64>(out, id);
    out += id ? 8 : 0;
  }
  beginBytes();
  if (count) {
    store<u64>(ID_TEXT, bswap<u64>(smallest));
    takeBytes(ID_TEXT, smallest ? 8 : 0);
    store<u64>(ID_TEXT, bswap<u64>(largest));
    takeBytes(ID_TEXT, largest ? 8 : 0);
  }
  endBytes();
  return out;
}

/** Trace ids, which ascend. */
function putIds16(ids: usize, count: u32, out: usize): usize {
  reserve(LENGTHS, count << 2);
  const lengths = at(LENGTHS);
  for (let i: u32 = 0; i < count; i++) store<u32>(lengths + ((<usize>i) << 2), 16);
  out = delta32(lengths, count, out);
  memory.copy(out, ids, count << 4);
  beginBytes();
  if (count) {
    takeBytes(ids, 16);
    takeBytes(ids + ((<usize>(count - 1)) << 4), 16);
  }
  endBytes();
  return out + ((<usize>count) << 4);
}

/** Trace ids in lowercase hex, leading zeros left out. */
function putIdTexts(ids: usize, count: u32, out: usize): usize {
  reserve(LENGTHS, count << 2);
  const lengths = at(LENGTHS);
  beginBytes();
  for (let i: u32 = 0; i < count; i++) {
    const length = idText(ids + ((<usize>i) << 4));
    store<u32>(lengths + ((<usize>i) << 2), length);
    takeBytes(ID_TEXT, length);
  }
  endBytes();
  out = delta32(lengths, count, out);
  for (let i: u32 = 0; i < count; i++) {
    const length = idText(ids + ((<usize>i) << 4));
    copyBytes(out, ID_TEXT, length);
    out += length;
  }
  return out;
}

/** Writes an id's text to ID_TEXT. Returns its length. */
function idText(id: usize): u32 {
  let length: u32 = 0;
  for (let digit: u32 = 0; digit < 32; digit++) {
    const byte: u32 = load<u8>(id + (digit >>> 1));
    const nibble = digit & 1 ? byte & 15 : byte >>> 4;
    if (!length && !nibble) continue;
    store<u8>(ID_TEXT + length++, load<u8>(HEX + nibble));
  }
  return length;
}
