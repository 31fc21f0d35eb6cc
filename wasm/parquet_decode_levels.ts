// Parquet's hybrid of run lengths and bit packing: levels into bytes, dictionary indexes into u32. Reads up to 8 bytes behind
// the end of its input, which therefore has to lie in a column with room behind it.

/** Position behind the run header that runHeader() read; 0 if it was cut short. */
let behind: usize = 0;

function runHeader(p: usize, end: usize): u32 {
  let value: u32 = 0;
  let shift: u32 = 0;
  while (p < end && shift < 35) {
    const byte: u32 = load<u8>(p++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      behind = p;
      return value;
    }
    shift += 7;
  }
  behind = 0;
  return 0;
}

/** Bits that the numbers up to `max` take. */
export function bitWidth(max: u32): u32 {
  return 32 - <u32>clz(max);
}

/**
 * Unpacks `count` levels of `width` bits (1 to 8) to the bytes at `to`, where 16 more may be overwritten. Returns whether there
 * were as many.
 */
export function unpackLevels(to: usize, count: u32, from: usize, end: usize, width: u32): bool {
  let p = from;
  let done: u32 = 0;
  const half: u64 = (((<u64>1) << (4 * width)) - 1) | 0;
  const quarter: u64 = (((<u64>1) << (2 * width)) - 1) * 0x0000000100000001;
  const one: u64 = (((<u64>1) << width) - 1) * 0x0001000100010001;
  const w1 = <u64>width;
  const w2 = <u64>width * 2;
  const w4 = <u64>width * 4;
  while (done < count) {
    const header = runHeader(p, end);
    p = behind;
    if (!p) return false;
    const left = count - done;
    if (header & 1) {
      const groups = header >>> 1;
      const taken = <u32>min<u64>(<u64>left, (<u64>groups) << 3);
      if (((taken + 7) >>> 3) * width > <u32>(end - p)) {
        // A last group may be cut to the bytes that its levels need.
        if ((<u64>taken * w1 + 7) >>> 3 > <u64>(end - p)) return false;
      }
      const stop = to + done + taken;
      let q = p;
      for (let out = to + done; out < stop; out += 8) {
        let x = load<u64>(q);
        x = (x & half) | (((x >>> w4) & half) << 32);
        x = (x & quarter) | (((x >>> w2) & quarter) << 16);
        x = (x & one) | (((x >>> w1) & one) << 8);
        store<u64>(out, x);
        q += width;
      }
      const bytes = <u64>groups * w1;
      p = bytes < <u64>(end - p) ? p + <usize>bytes : end;
      done += taken;
    } else {
      if (p >= end) return false;
      const taken = min(left, header >>> 1);
      memory.fill(to + done, load<u8>(p++), taken);
      done += taken;
    }
  }
  return true;
}

/** How many of the `count` bytes are equal to `value`. */
export function countEqual(from: usize, count: u32, value: u32): u32 {
  const wanted = i8x16.splat(<i8>value);
  let found: u32 = 0;
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    found += <u32>popcnt(<u32>i8x16.bitmask(i8x16.eq(v128.load(from + i), wanted)));
  }
  for (; i < count; i++) found += <u32>(<u32>load<u8>(from + i) == value);
  return found;
}

/** Index of the zero byte that comes after `skipped` others, or `count` if there are no more. */
export function findZero(from: usize, count: u32, skipped: u32): u32 {
  const zero = i8x16.splat(0);
  let left = skipped;
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    const mask = <u32>i8x16.bitmask(i8x16.eq(v128.load(from + i), zero));
    const here = <u32>popcnt(mask);
    if (here > left) break;
    left -= here;
  }
  for (; i < count; i++) {
    if (load<u8>(from + i) == 0) {
      if (left == 0) return i;
      left--;
    }
  }
  return count;
}

/** Tells whether one of the `count` bytes is larger than `limit`. */
export function anyAbove(from: usize, count: u32, limit: u32): bool {
  let highest = i8x16.splat(0);
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) highest = i8x16.max_u(highest, v128.load(from + i));
  const bound = i8x16.splat(<i8>limit);
  if (v128.any_true(i8x16.gt_u(highest, bound))) return true;
  for (; i < count; i++) if (<u32>load<u8>(from + i) > limit) return true;
  return false;
}

/**
 * Unpacks numbers of `width` bits (0 to 32) to the u32 at `to`: those at the positions in `ranges`, pairs of start and end that
 * ascend. Returns whether there were as many.
 */
export function unpackIndexes(
  to: usize,
  from: usize,
  end: usize,
  width: u32,
  ranges: usize,
  rangeCount: u32,
): bool {
  let p = from;
  let out = to;
  let range: u32 = 0;
  let pair = ranges;
  let position: u64 = 0;
  const mask: u64 = ((<u64>1) << (<u64>width)) - 1;
  const valueBytes = (width + 7) >>> 3;
  while (range < rangeCount) {
    const header = runHeader(p, end);
    p = behind;
    if (!p) return false;
    const packed = header & 1;
    const length: u64 = packed ? (<u64>(header >>> 1)) << 3 : <u64>(header >>> 1);
    let value: u32 = 0;
    if (!packed) {
      if (<u32>(end - p) < valueBytes) return false;
      value = <u32>(<u64>load<u32>(p) & ((((<u64>1) << (valueBytes << 3)) - 1) | 0));
      p += valueBytes;
    }
    const runEnd = position + length;
    while (range < rangeCount && <u64>load<u32>(pair) < runEnd) {
      const start = max<u64>(<u64>load<u32>(pair), position);
      const stop = min<u64>(<u64>load<u32>(pair, 4), runEnd);
      if (packed) {
        let bit = (start - position) * <u64>width;
        if (((stop - position) * <u64>width + 7) >>> 3 > <u64>(end - p)) return false;
        for (let i = start; i < stop; i++) {
          store<u32>(out, <u32>((load<u64>(p + <usize>(bit >>> 3)) >>> (bit & 7)) & mask));
          out += 4;
          bit += width;
        }
      } else {
        for (let i = start; i < stop; i++) {
          store<u32>(out, value);
          out += 4;
        }
      }
      if (stop < <u64>load<u32>(pair, 4)) break;
      pair += 8;
      range++;
    }
    if (packed) {
      const bytes = (length >>> 3) * <u64>width;
      p = bytes < <u64>(end - p) ? p + <usize>bytes : end;
    }
    position = runEnd;
  }
  return true;
}
