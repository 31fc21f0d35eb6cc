// What encoding a page (or a dictionary) found out about it: counts, and the smallest and largest value.

import { Order, PageResult } from "./parquet_encode_ids";

const RESULT: usize = memory.data(16 * 4, 8);
/** Address of the numbers that PageResult lists. */
export function pageResult(): usize {
  return RESULT;
}

export function setResult(field: u32, value: u32): void {
  store<u32>(RESULT + ((<usize>field) << 2), value);
}

export function clearBounds(): void {
  setResult(PageResult.HasBounds, 0);
}

/** Bounds of byte strings take their first 16 bytes into account, as two big-endian numbers, and their length up to that. */
const PREFIX_BYTES: u32 = 16;
let hasBytes: bool = false;
let minHigh: u64 = 0;
let minLow: u64 = 0;
let minLength: u32 = 0;
let maxHigh: u64 = 0;
let maxLow: u64 = 0;
let maxLength: u32 = 0;
let maxIsCut: bool = false;

export function beginBytes(): void {
  hasBytes = false;
}

/** Up to 8 bytes as a big-endian number, filled up with zeros. */
function bigEndian(bytes: usize, length: u32): u64 {
  if (length >= 8) return bswap<u64>(load<u64>(bytes));
  let x: u64 = 0;
  for (let i: u32 = 0; i < length; i++) x |= (<u64>load<u8>(bytes + i)) << (56 - ((<u64>i) << 3));
  return x;
}

/** Widens the bounds to a byte string. */
export function takeBytes(bytes: usize, length: u32): void {
  const high = bigEndian(bytes, length);
  const low = length > 8 ? bigEndian(bytes + 8, length - 8) : 0;
  const used = min<u32>(length, PREFIX_BYTES);
  const isCut = length > PREFIX_BYTES;
  if (!hasBytes) {
    hasBytes = true;
    minHigh = high;
    minLow = low;
    minLength = used;
    maxHigh = high;
    maxLow = low;
    maxLength = used;
    maxIsCut = isCut;
    return;
  }
  if (high < minHigh || (high == minHigh && (low < minLow || (low == minLow && used < minLength)))) {
    minHigh = high;
    minLow = low;
    minLength = used;
  }
  if (high == maxHigh && low == maxLow && used == maxLength) {
    maxIsCut = maxIsCut || isCut;
  } else if (high > maxHigh || (high == maxHigh && (low > maxLow || (low == maxLow && used > maxLength)))) {
    maxHigh = high;
    maxLow = low;
    maxLength = used;
    maxIsCut = isCut;
  }
}

/** Puts the bounds of the byte strings taken since beginBytes() into the result. */
export function endBytes(): void {
  setResult(PageResult.HasBounds, u32(hasBytes));
  if (!hasBytes) return;
  store<u64>(RESULT + ((<usize>PageResult.Min) << 2), bswap<u64>(minHigh));
  store<u64>(RESULT + ((<usize>PageResult.Min) << 2), bswap<u64>(minLow), 8);
  setResult(PageResult.MinLength, minLength);
  store<u64>(RESULT + ((<usize>PageResult.Max) << 2), bswap<u64>(maxHigh));
  store<u64>(RESULT + ((<usize>PageResult.Max) << 2), bswap<u64>(maxLow), 8);
  setResult(PageResult.MaxLength, maxLength);
  setResult(PageResult.MaxIsCut, u32(maxIsCut));
}

/** The bounds of `count` numbers of `width` bytes (1, 4 or 8), stored at `from`. */
export function numberBounds(from: usize, count: u32, width: u32, order: u32): void {
  clearBounds();
  if (!count || order == Order.None) return;
  if (order == Order.Double) return doubleBounds(from, count);
  let smallest: i64 = 0;
  let largest: i64 = 0;
  if (width == 8) {
    // An unsigned number compares as a signed one with its top bit turned over.
    const flip: i64 = order == Order.Unsigned ? i64.MIN_VALUE : 0;
    smallest = load<i64>(from) ^ flip;
    largest = smallest;
    for (let i: u32 = 1; i < count; i++) {
      const value = load<i64>(from + ((<usize>i) << 3)) ^ flip;
      smallest = min<i64>(smallest, value);
      largest = max<i64>(largest, value);
    }
    smallest ^= flip;
    largest ^= flip;
  } else if (width == 4) {
    const unsigned = order == Order.Unsigned;
    smallest = i64.MAX_VALUE;
    largest = i64.MIN_VALUE;
    for (let i: u32 = 0; i < count; i++) {
      const p = from + ((<usize>i) << 2);
      const value = unsigned ? <i64>load<u32>(p) : <i64>load<i32>(p);
      smallest = min<i64>(smallest, value);
      largest = max<i64>(largest, value);
    }
  } else {
    smallest = 1;
    for (let i: u32 = 0; i < count; i++) {
      const value = <i64>load<u8>(from + i);
      smallest = min<i64>(smallest, value);
      largest = max<i64>(largest, value);
    }
  }
  setNumbers(smallest, largest);
}

/** No bounds if there is a NaN; a zero counts as both zeros. */
function doubleBounds(from: usize, count: u32): void {
  let smallest = load<f64>(from);
  let largest = smallest;
  for (let i: u32 = 0; i < count; i++) {
    const value = load<f64>(from + ((<usize>i) << 3));
    if (value != value) return;
    smallest = min<f64>(smallest, value);
    largest = max<f64>(largest, value);
  }
  if (smallest == 0) smallest = -0.0;
  if (largest == 0) largest = 0.0;
  setNumbers(reinterpret<i64>(smallest), reinterpret<i64>(largest));
}

function setNumbers(smallest: i64, largest: i64): void {
  setResult(PageResult.HasBounds, 1);
  store<i64>(RESULT + ((<usize>PageResult.Min) << 2), smallest);
  store<i64>(RESULT + ((<usize>PageResult.Max) << 2), largest);
}
