// DELTA_BINARY_PACKED: blocks of 128 deltas in 4 miniblocks, each bit-packed over the block's smallest delta.

import { putVarint } from "./protobuf";

const BLOCK: u32 = 128;
const MINIBLOCK: u32 = 32;
const MINIBLOCKS: u32 = 4;

/** The deltas of one block, u64 each. */
const DELTAS: usize = memory.data(128 * 8);

/** Bytes that delta32() and delta64() write at most. */
export function deltaBytesMax(count: u32, bytesPerValue: u32): u32 {
  const blocks = (count + BLOCK - 1) / BLOCK;
  return 32 + blocks * (10 + MINIBLOCKS + BLOCK * bytesPerValue) + 16;
}

function zigzag(value: i64): u64 {
  return <u64>((value << 1) ^ (value >> 63));
}

function header(count: u32, first: i64, out: usize): usize {
  store<u16>(out, 0x0180); // 128 as a varint
  store<u8>(out, <u8>MINIBLOCKS, 2);
  out = putVarint(out + 3, count);
  return putVarint(out, zigzag(first));
}

/** Writes `count` values of 8 bytes at `out`. Returns the position behind. */
export function delta64(from: usize, count: u32, out: usize): usize {
  out = header(count, count ? load<i64>(from) : 0, out);
  if (count < 2) return out;
  let last = load<i64>(from);
  let p = from + 8;
  let left = count - 1;
  while (left) {
    const block = min<u32>(left, BLOCK);
    let smallest: i64 = i64.MAX_VALUE;
    for (let i: u32 = 0; i < block; i++) {
      const value = load<i64>(p + ((<usize>i) << 3));
      const delta = value - last;
      last = value;
      store<i64>(DELTAS + ((<usize>i) << 3), delta);
      smallest = min<i64>(smallest, delta);
    }
    out = putBlock(block, smallest, out);
    p += (<usize>block) << 3;
    left -= block;
  }
  return out;
}

/** Writes `count` values of 4 bytes at `out`, in 32-bit arithmetic. Returns the position behind. */
export function delta32(from: usize, count: u32, out: usize): usize {
  out = header(count, count ? <i64>load<i32>(from) : 0, out);
  if (count < 2) return out;
  let last = load<i32>(from);
  let p = from + 4;
  let left = count - 1;
  while (left) {
    const block = min<u32>(left, BLOCK);
    let smallest: i32 = i32.MAX_VALUE;
    for (let i: u32 = 0; i < block; i++) {
      const value = load<i32>(p + ((<usize>i) << 2));
      const delta = value - last;
      last = value;
      store<i64>(DELTAS + ((<usize>i) << 3), <i64>delta);
      smallest = min<i32>(smallest, delta);
    }
    out = putBlock(block, <i64>smallest, out);
    p += (<usize>block) << 2;
    left -= block;
  }
  return out;
}

/** Writes the block whose deltas stand in DELTAS. */
function putBlock(count: u32, smallest: i64, out: usize): usize {
  out = putVarint(out, zigzag(smallest));
  const widths = out;
  store<u32>(widths, 0);
  out += MINIBLOCKS;
  for (let start: u32 = 0, m: u32 = 0; start < count; start += MINIBLOCK, m++) {
    const filled = min<u32>(MINIBLOCK, count - start);
    const deltas = DELTAS + ((<usize>start) << 3);
    let all: u64 = 0;
    for (let i: u32 = 0; i < filled; i++) {
      const excess = <u64>(load<i64>(deltas + ((<usize>i) << 3)) - smallest);
      store<u64>(deltas + ((<usize>i) << 3), excess);
      all |= excess;
    }
    if (!all) continue;
    for (let i = filled; i < MINIBLOCK; i++) store<u64>(deltas + ((<usize>i) << 3), 0);
    const width = 64 - <u32>clz(all);
    store<u8>(widths + m, <u8>width);
    out = pack32(deltas, width, out);
  }
  return out;
}

/** Bit-packs 32 values of `width` bits, 1 to 64. */
function pack32(values: usize, width: u32, out: usize): usize {
  const behind = out + ((<usize>width) << 2);
  let bits: u64 = 0;
  let held: u32 = 0;
  for (let i: u32 = 0; i < MINIBLOCK; i++) {
    const value = load<u64>(values + ((<usize>i) << 3));
    bits |= value << held;
    held += width;
    if (held >= 64) {
      store<u64>(out, bits);
      out += 8;
      held -= 64;
      bits = held ? value >>> (width - held) : 0;
    }
  }
  if (held) store<u64>(out, bits);
  return behind;
}
