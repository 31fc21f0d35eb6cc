// Parquet's hybrid of run lengths and bit packing: levels into bytes, dictionary indexes into u32. Reads up to 16 bytes behind
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
 * What puts eight packed numbers of up to 8 bits into lanes of 16: which bytes each lane takes, and what to multiply it with so that its
 * number stands at the lane's upper end.
 */
const BYTES_8: usize = memory.data(16);
const FACTORS_8: usize = memory.data(16);
let width8: u32 = 0;

function prepare8(width: u32): void {
  if (width8 == width) return;
  width8 = width;
  for (let lane: u32 = 0; lane < 8; lane++) {
    const bit = lane * width;
    store<u8>(BYTES_8 + (lane << 1), <u8>(bit >>> 3));
    store<u8>(BYTES_8 + (lane << 1), <u8>((bit >>> 3) + 1), 1);
    store<u16>(FACTORS_8 + (lane << 1), <u16>((<u32>1) << (16 - width - (bit & 7))));
  }
}

/**
 * Unpacks `count` levels of `width` bits (1 to 8) to the bytes at `to`, where 16 more may be overwritten. Returns whether there
 * were as many.
 */
export function unpackLevels(to: usize, count: u32, from: usize, end: usize, width: u32): bool {
  let p = from;
  let done: u32 = 0;
  prepare8(width);
  const bytes = v128.load(BYTES_8);
  const factors = v128.load(FACTORS_8);
  const shift = <i32>(16 - width);
  while (done < count) {
    const header = runHeader(p, end);
    p = behind;
    if (!p) return false;
    const left = count - done;
    if (header & 1) {
      const groups = header >>> 1;
      const taken = <u32>min<u64>(<u64>left, (<u64>groups) << 3);
      // A last group may be cut to the bytes that its levels need.
      if ((<u64>taken * width + 7) >>> 3 > <u64>(end - p)) return false;
      const stop = to + done + taken;
      let q = p;
      for (let out = to + done; out < stop; out += 16) {
        const low = i8x16.swizzle(v128.load_zero<u64>(q), bytes);
        q += width;
        const high = i8x16.swizzle(v128.load_zero<u64>(q), bytes);
        q += width;
        const levels = i8x16.narrow_i16x8_u(
          i16x8.shr_u(i16x8.mul(low, factors), shift),
          i16x8.shr_u(i16x8.mul(high, factors), shift),
        );
        v128.store(out, levels);
      }
      const length = <u64>groups * width;
      p = length < <u64>(end - p) ? p + <usize>length : end;
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

/** Tells whether one of the `count` bytes is smaller than `limit`. */
export function anyBelow(from: usize, count: u32, limit: u32): bool {
  const bound = i8x16.splat(<i8>limit);
  let lowest = bound;
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) lowest = i8x16.min_u(lowest, v128.load(from + i));
  if (v128.any_true(i8x16.lt_u(lowest, bound))) return true;
  for (; i < count; i++) if (<u32>load<u8>(from + i) < limit) return true;
  return false;
}

/** As above for lanes of 32 bits, of the first four numbers and of the four behind them, which begin at another byte. */
const BYTES_32: usize = memory.data(32);
const FACTORS_32: usize = memory.data(32);
let width32: u32 = 0;

function prepare32(width: u32): void {
  if (width32 == width) return;
  width32 = width;
  for (let lane: u32 = 0; lane < 8; lane++) {
    const bit = lane < 4 ? lane * width : ((width << 2) & 7) + (lane - 4) * width;
    const at4 = lane << 2;
    for (let i: u32 = 0; i < 4; i++) store<u8>(BYTES_32 + at4 + i, <u8>((bit >>> 3) + i));
    store<u32>(FACTORS_32 + at4, (<u32>1) << (32 - width - (bit & 7)));
  }
}

/** Unpacks `groups` times eight numbers of `width` bits (1 to 16) to the u32 at `to`. */
function unpackGroups(to: usize, from: usize, groups: u32, width: u32): void {
  prepare32(width);
  const lowBytes = v128.load(BYTES_32);
  const highBytes = v128.load(BYTES_32, 16);
  const lowFactors = v128.load(FACTORS_32);
  const highFactors = v128.load(FACTORS_32, 16);
  const shift = <i32>(32 - width);
  const half = <usize>((width << 2) >>> 3);
  const stop = to + ((<usize>groups) << 5);
  let q = from;
  for (let out = to; out < stop; out += 32) {
    const low = i8x16.swizzle(v128.load(q), lowBytes);
    const high = i8x16.swizzle(v128.load(q + half), highBytes);
    v128.store(out, i32x4.shr_u(i32x4.mul(low, lowFactors), shift));
    v128.store(out, i32x4.shr_u(i32x4.mul(high, highFactors), shift), 16);
    q += width;
  }
}

/** Unpacks the first `count` numbers of `width` bits (0 to 32) to the u32 at `to`. Returns whether there were as many. */
export function unpackNumbers(to: usize, count: u32, from: usize, end: usize, width: u32): bool {
  let p = from;
  let done: u32 = 0;
  const mask: u64 = ((<u64>1) << (<u64>width)) - 1;
  const valueBytes = (width + 7) >>> 3;
  while (done < count) {
    const header = runHeader(p, end);
    p = behind;
    if (!p) return false;
    let out = to + ((<usize>done) << 2);
    if (header & 1) {
      const groups = header >>> 1;
      const taken = <u32>min<u64>(<u64>(count - done), (<u64>groups) << 3);
      if ((<u64>taken * width + 7) >>> 3 > <u64>(end - p)) return false;
      let i: u32 = 0;
      if (width > 0 && width <= 16) {
        const whole = taken >>> 3;
        unpackGroups(out, p, whole, width);
        i = whole << 3;
        out += (<usize>i) << 2;
      }
      let bit: u64 = <u64>i * width;
      for (; i < taken; i++) {
        store<u32>(out, <u32>((load<u64>(p + <usize>(bit >>> 3)) >>> (bit & 7)) & mask));
        out += 4;
        bit += width;
      }
      const bytes = <u64>groups * width;
      p = bytes < <u64>(end - p) ? p + <usize>bytes : end;
      done += taken;
    } else {
      if (<u32>(end - p) < valueBytes) return false;
      const value = <u32>(<u64>load<u32>(p) & ((((<u64>1) << (valueBytes << 3)) - 1) | 0));
      p += valueBytes;
      const taken = min(count - done, header >>> 1);
      const stop = out + ((<usize>taken) << 2);
      for (; out < stop; out += 4) store<u32>(out, value);
      done += taken;
    }
  }
  return true;
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
