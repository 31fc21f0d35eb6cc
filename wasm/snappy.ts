// Snappy, raw block format: a varint with the length, then literals and copies.
// https://github.com/google/snappy/blob/main/format_description.txt

import { Column } from "./column_ids";
import { at, reserve } from "./memory";

/**
 * Decompresses `length` bytes at `offset` of the column Input to the column Output, which must hold exactly `expected` bytes afterwards.
 * Returns whether it does.
 */
export function snappyDecompress(offset: u32, length: u32, expected: u32): bool {
  reserve(Column.Output, expected + 16);
  return expand(at(Column.Input) + offset, length, at(Column.Output), expected);
}

/** Length that the Snappy block in the column Input says it has, or -1. */
export function snappyLength(length: u32): i32 {
  const size = readLength(at(Column.Input), at(Column.Input) + length);
  return bodyStart && size <= 0x7fffffff ? <i32>size : -1;
}

let bodyStart: usize = 0;

function readLength(from: usize, end: usize): u64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  let p = from;
  while (p < end && shift < 35) {
    const byte: u64 = load<u8>(p++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      bodyStart = p;
      return value;
    }
    shift += 7;
  }
  bodyStart = 0;
  return 0;
}

function expand(from: usize, length: u32, to: usize, expected: u32): bool {
  const end = from + length;
  if (readLength(from, end) != <u64>expected || !bodyStart) return false;
  let p = bodyStart;
  let out = to;
  const limit = to + expected;
  while (p < end) {
    const tag: u32 = load<u8>(p++);
    let size: u32 = 0;
    let distance: u32 = 0;
    switch (tag & 3) {
      case 0: {
        size = tag >>> 2;
        if (size >= 60) {
          const bytes = size - 59;
          if (<u32>(end - p) < bytes) return false;
          size = load<u32>(p) & (0xffffffff >>> (32 - (bytes << 3)));
          p += bytes;
        }
        size++;
        if (size == 0 || size > <u32>(end - p) || size > <u32>(limit - out)) return false;
        // Both columns have room for 16 bytes behind their ends.
        if (size <= 16) v128.store(out, v128.load(p));
        else memory.copy(out, p, size);
        p += size;
        out += size;
        continue;
      }
      case 1:
        if (p >= end) return false;
        size = ((tag >>> 2) & 7) + 4;
        distance = ((tag >>> 5) << 8) | <u32>load<u8>(p);
        p += 1;
        break;
      case 2:
        if (<u32>(end - p) < 2) return false;
        size = (tag >>> 2) + 1;
        distance = <u32>load<u16>(p);
        p += 2;
        break;
      default:
        if (<u32>(end - p) < 4) return false;
        size = (tag >>> 2) + 1;
        distance = load<u32>(p);
        p += 4;
    }
    if (distance == 0 || distance > <u32>(out - to) || size > <u32>(limit - out)) return false;
    const source = out - distance;
    if (distance >= 16 && size <= 16) {
      v128.store(out, v128.load(source));
    } else if (distance >= size) {
      memory.copy(out, source, size);
    } else {
      for (let i: usize = 0; i < <usize>size; i++) store<u8>(out + i, load<u8>(source + i));
    }
    out += size;
  }
  return out == limit;
}
