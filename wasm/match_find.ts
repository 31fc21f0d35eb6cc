// Finding one byte string in another.

import { sameBytes } from "./dictionary";

/** End of the linear memory: up to there a vector may reach beyond a text. */
let memoryEnd: u64 = 0;

/** To be called once before texts are searched, and after the memory has grown. */
export function beginFind(): void {
  memoryEnd = (<u64>memory.size()) << 16;
}

/**
 * Where the needle stands first in the text, 0 if it doesn't. Each place of 16 at a time is held against the needle's first and last
 * byte, and the whole needle where they fit: a step per byte of the text and, at the worst, of the needle. So needles are short.
 */
export function find(from: usize, end: usize, needle: usize, length: u32): usize {
  if (from + length > end) return 0;
  const tail = <usize>length - 1;
  const first = i8x16.splat(load<i8>(needle));
  const last = i8x16.splat(load<i8>(needle + tail));
  const lastPlace = end - length;
  let p = from;
  while (true) {
    const places = lastPlace - p + 1;
    if (<u64>(p + tail) + 16 > memoryEnd) return findSlowly(p, lastPlace, needle, length);
    let hits = <u32>(
      i8x16.bitmask(v128.and(i8x16.eq(v128.load(p), first), i8x16.eq(v128.load(p + tail), last)))
    );
    if (places < 16) hits &= (1 << (<u32>places)) - 1;
    while (hits) {
      const place = p + ctz(hits);
      if (length < 3 || sameBytes(place + 1, needle + 1, length - 2)) return place;
      hits &= hits - 1;
    }
    if (places <= 16) return 0;
    p += 16;
  }
}

function findSlowly(from: usize, lastPlace: usize, needle: usize, length: u32): usize {
  for (let p = from; p <= lastPlace; p++) {
    if (load<u8>(p) == load<u8>(needle) && sameBytes(p, needle, length)) return p;
  }
  return 0;
}

/** Below 0, 0 or above 0, as the one comes before the other byte by byte. */
export function compareBytes(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const length = min(aLength, bLength);
  let i: u32 = 0;
  while (i + 8 <= length && load<u64>(a + i) == load<u64>(b + i)) i += 8;
  for (; i < length; i++) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (difference) return difference;
  }
  return aLength < bLength ? -1 : <i32>(aLength > bLength);
}
