// Parquet's DELTA_BINARY_PACKED: 64-bit numbers as differences, in blocks of miniblocks with a bit width each. Reads up to 16
// bytes behind the end of its input.

/** Values in a block and in a miniblock that a file may ask for; writers use 128 and 32. */
const BLOCK_VALUES_MAX: u64 = 65536;

/** Values that the header of the latest call announced. */
export let deltaCount: u32 = 0;

let behind: usize = 0;

function varint(p: usize, end: usize): u64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  while (p < end && shift < 70) {
    const byte: u64 = load<u8>(p++);
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

function zigzag(value: u64): u64 {
  return (value >>> 1) ^ (0 - (value & 1));
}

/** Number of `width` bits (up to 64) at bit offset `bit` from p. */
function bitsAt(p: usize, bit: u64, width: u64, mask: u64): u64 {
  const q = p + <usize>(bit >>> 3);
  const shift = bit & 7;
  let value = load<u64>(q) >>> shift;
  if (width + shift > 64) value |= (<u64>load<u8>(q, 8)) << (64 - shift);
  return value & mask;
}

/**
 * Decodes the first `wanted` values to the u64 at `to`. With `whole` it also walks over the blocks that follow.
 *
 * @returns the position behind the last block that was read, or 0 if the bytes are malformed or hold fewer values
 */
export function deltaDecode(to: usize, wanted: u32, from: usize, end: usize, whole: bool): usize {
  const blockValues = varint(from, end);
  if (!behind) return 0;
  const miniblocks = varint(behind, end);
  if (!behind) return 0;
  const total = varint(behind, end);
  if (!behind) return 0;
  let value = zigzag(varint(behind, end));
  if (!behind) return 0;
  let p = behind;
  if (total > 0xffffffff || <u64>wanted > total) return 0;
  deltaCount = <u32>total;
  if (blockValues == 0 || blockValues > BLOCK_VALUES_MAX || miniblocks == 0 || miniblocks > blockValues)
    return 0;
  const each = <u32>(blockValues / miniblocks);
  if (<u64>each * miniblocks != blockValues || (each & 7) != 0) return 0;
  if (total == 0) return p;
  if (wanted) store<u64>(to, value);
  const goal: u32 = whole ? <u32>total : wanted;
  let done: u32 = 1;
  while (done < goal) {
    const least = zigzag(varint(p, end));
    p = behind;
    if (!p || <u64>(end - p) < miniblocks) return 0;
    const widths = p;
    p += <usize>miniblocks;
    for (let m: usize = 0; m < <usize>miniblocks && done < <u32>total; m++) {
      const width: u64 = load<u8>(widths + m);
      if (width > 64) return 0;
      const held = min(each, <u32>total - done);
      // Padding of the last miniblock may be missing.
      if ((<u64>held * width + 7) >>> 3 > <u64>(end - p)) return 0;
      if (done < wanted) {
        const stop = min(done + held, wanted);
        let out = to + ((<usize>done) << 3);
        const last = to + ((<usize>stop) << 3);
        if (width == 0) {
          for (; out < last; out += 8) {
            value += least;
            store<u64>(out, value);
          }
        } else {
          const mask: u64 = <u64>-1 >>> (64 - width);
          let bit: u64 = 0;
          if (width <= 8) {
            // Eight numbers take as many bytes as one has bits.
            let q = p;
            for (; out + 64 <= last; out += 64) {
              let bits = load<u64>(q);
              q += <usize>width;
              value += least + (bits & mask);
              store<u64>(out, value);
              bits >>>= width;
              value += least + (bits & mask);
              store<u64>(out, value, 8);
              bits >>>= width;
              value += least + (bits & mask);
              store<u64>(out, value, 16);
              bits >>>= width;
              value += least + (bits & mask);
              store<u64>(out, value, 24);
              bits >>>= width;
              value += least + (bits & mask);
              store<u64>(out, value, 32);
              bits >>>= width;
              value += least + (bits & mask);
              store<u64>(out, value, 40);
              bits >>>= width;
              value += least + (bits & mask);
              store<u64>(out, value, 48);
              bits >>>= width;
              value += least + (bits & mask);
              store<u64>(out, value, 56);
            }
            bit = (<u64>(q - p)) << 3;
          }
          if (width <= 56) {
            for (; out < last; out += 8) {
              value += least + ((load<u64>(p + <usize>(bit >>> 3)) >>> (bit & 7)) & mask);
              store<u64>(out, value);
              bit += width;
            }
          } else {
            for (; out < last; out += 8) {
              value += least + bitsAt(p, bit, width, mask);
              store<u64>(out, value);
              bit += width;
            }
          }
        }
      }
      done += held;
      const bytes = (<u64>each * width) >>> 3;
      p = bytes < <u64>(end - p) ? p + <usize>bytes : end;
      if (!whole && done >= goal) return p;
    }
  }
  return p;
}
