// The RLE / bit-packing hybrid of Parquet: levels, and indexes into a dictionary.

import { putVarint } from "./protobuf";

/** Equal values in a row that are worth a run of their own; fewer stay bit-packed, which compresses better. */
const RUN_MIN: u32 = 64;
/** Groups of 8 that a bit-packed run's one-byte header can count. */
const GROUPS_MAX: u32 = 63;

/** Bytes that hybridBytes() and hybridU32() write at most for `count` values of `width` bits. */
export function hybridBytesMax(count: u32, width: u32): u32 {
  return ((count + 7) >>> 3) * width + (count >>> 3) + 32;
}

function packByte(x: u64, width: u32): u64 {
  if (width == 1) return (x * 0x0102040810204080) >>> 56;
  if (width == 2) {
    x = (x | (x >>> 6)) & 0x000f000f000f000f;
    x = (x | (x >>> 12)) & 0x000000ff000000ff;
    return (x | (x >>> 24)) & 0xffff;
  }
  x = (x | (x >>> 5)) & 0x003f003f003f003f;
  x = (x | (x >>> 10)) & 0x00000fff00000fff;
  return (x | (x >>> 20)) & 0xffffff;
}

/** End of the run of bytes equal to the one at `from`. */
function runEnd(from: usize, end: usize): usize {
  const pattern = <u64>load<u8>(from) * 0x0101010101010101;
  let p = from;
  while (p + 8 <= end) {
    const x = load<u64>(p) ^ pattern;
    if (x) return p + (<usize>ctz(x) >>> 3);
    p += 8;
  }
  const byte = <u8>pattern;
  while (p < end && load<u8>(p) == byte) p++;
  return p;
}

/** Writes the bytes [from, from + count), each of at most `width` (1 to 3) bits, at `out`. Returns the position behind. */
export function hybridBytes(from: usize, count: u32, width: u32, out: usize): usize {
  const end = from + count;
  let p = from;
  while (p < end) {
    const run = runEnd(p, end);
    if (<u32>(run - p) >= RUN_MIN || run == end) {
      out = putVarint(out, (<u64>(run - p)) << 1);
      store<u8>(out++, load<u8>(p));
      p = run;
      continue;
    }
    const header = out++;
    let groups: u32 = 0;
    while (groups < GROUPS_MAX) {
      const left = <u32>(end - p);
      if (left < 8) {
        if (left) {
          const x = load<u64>(p) & (0xffffffffffffffff >>> (64 - (left << 3)));
          store<u32>(out, <u32>packByte(x, width));
          out += width;
          groups++;
          p = end;
        }
        break;
      }
      const x = load<u64>(p);
      if (groups && x == <u64>load<u8>(p) * 0x0101010101010101 && <u32>(runEnd(p, end) - p) >= RUN_MIN) break;
      store<u32>(out, <u32>packByte(x, width));
      out += width;
      groups++;
      p += 8;
    }
    store<u8>(header, <u8>((groups << 1) | 1));
  }
  return out;
}

/** Writes one run of `count` equal values at `out`. */
export function runOf(value: u32, count: u32, width: u32, out: usize): usize {
  out = putVarint(out, (<u64>count) << 1);
  for (let bits: u32 = 0; bits < width; bits += 8) store<u8>(out++, <u8>(value >>> bits));
  return out;
}

/** Bits of a number. */
export function bitsOf(value: u32): u32 {
  return 32 - <u32>clz(value);
}

/** Writes `count` u32 values of at most `width` bits at `out`. Returns the position behind. */
export function hybridU32(from: usize, count: u32, width: u32, out: usize): usize {
  if (!count || !width) return runOf(0, count, 0, out);
  const end = from + ((<usize>count) << 2);
  let p = from;
  while (p < end) {
    const run = runEndU32(p, end);
    const length = <u32>((run - p) >>> 2);
    if (length >= RUN_MIN || run == end) {
      out = runOf(load<u32>(p), length, width, out);
      p = run;
      continue;
    }
    const header = out++;
    let groups: u32 = 0;
    while (groups < GROUPS_MAX && p < end) {
      if (groups && load<u32>(p) == load<u32>(p, 4) && end - p >= RUN_MIN << 2) {
        if (<u32>((runEndU32(p, end) - p) >>> 2) >= RUN_MIN) break;
      }
      const group = min<u32>(8, <u32>((end - p) >>> 2));
      const groupEnd = out + width;
      let bits: u64 = 0;
      let held: u32 = 0;
      for (let i: u32 = 0; i < group; i++) {
        bits |= (<u64>load<u32>(p + ((<usize>i) << 2))) << held;
        held += width;
        if (held >= 32) {
          store<u32>(out, <u32>bits);
          out += 4;
          bits >>>= 32;
          held -= 32;
        }
      }
      if (group < 8) memory.fill(out, 0, groupEnd + 8 - out);
      store<u64>(out, bits);
      out = groupEnd;
      groups++;
      p += (<usize>group) << 2;
    }
    store<u8>(header, <u8>((groups << 1) | 1));
  }
  return out;
}

function runEndU32(from: usize, end: usize): usize {
  const value = load<u32>(from);
  let p = from + 4;
  while (p < end && load<u32>(p) == value) p += 4;
  return p;
}
