// Broken UTF-8, which matches like U+FFFD, byte by byte, as Go reads it.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";

/** U+FFFD, little-endian. */
const REPLACEMENT: u32 = 0xbdbfef;

function continues(p: usize): bool {
  return (load<u8>(p) & 0xc0) == 0x80;
}

/** Bytes of the character at `p`; 0 if it is none. */
function characterLength(p: usize, end: usize): u32 {
  const lead = <u32>load<u8>(p);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size: u32 = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (p + size > end) return 0;
  const second = <u32>load<u8>(p, 1);
  // Neither longer than need be, nor surrogates, nor beyond U+10FFFF.
  const low: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const high: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  if (size > 2 && !continues(p + 2)) return 0;
  if (size > 3 && !continues(p + 3)) return 0;
  return size;
}

export function isUtf8(from: usize, length: u32): bool {
  const end = from + length;
  let p = from;
  while (p < end) {
    while (p + 16 <= end && !i8x16.bitmask(v128.load(p))) p += 16;
    // Up to the next 16 bytes that may be plain again.
    const stop = min(p + 16, end);
    while (p < stop) {
      const size = characterLength(p, end);
      if (!size) return false;
      p += size;
    }
  }
  return true;
}

/** Writes the text with its broken bytes replaced to the column Match2. Returns its length. */
export function repairUtf8(from: usize, length: u32): u32 {
  reserve(Column.Match2, length * 3 + 4);
  const end = from + length;
  let to = at(Column.Match2);
  let p = from;
  while (p < end) {
    const size = characterLength(p, end);
    if (size) {
      memory.copy(to, p, size);
      to += size;
      p += size;
    } else {
      store<u32>(to, REPLACEMENT);
      to += 3;
      p++;
    }
  }
  return <u32>(to - at(Column.Match2));
}
