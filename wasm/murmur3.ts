// MurmurHash3, x64, 128 bits, seed 0, of a trace id and of a trace id with one more byte: what Tempo's bloom filters use.

const C1: u64 = 0x87c37b91114253d5;
const C2: u64 = 0x4cf5ad432745937f;

/** The two halves of the latest hash. */
export let hashLow: u64 = 0;
export let hashHigh: u64 = 0;

function mixLow(k: u64): u64 {
  return rotl<u64>(k * C1, 31) * C2;
}

function mixHigh(k: u64): u64 {
  return rotl<u64>(k * C2, 33) * C1;
}

function finish(h: u64): u64 {
  h ^= h >>> 33;
  h *= 0xff51afd7ed558ccd;
  h ^= h >>> 33;
  h *= 0xc4ceb9fe1a85ec53;
  return h ^ (h >>> 33);
}

/** Hashes the 16 bytes at `id`, followed by the byte 1 if `longer`. */
export function murmur3(id: usize, longer: bool): void {
  let low = mixLow(load<u64>(id));
  low = rotl<u64>(low, 27) * 5 + 0x52dce729;
  let high = mixHigh(load<u64>(id, 8));
  high = (rotl<u64>(high, 31) + low) * 5 + 0x38495ab5;
  const length: u64 = longer ? 17 : 16;
  if (longer) low ^= mixLow(1);
  low ^= length;
  high ^= length;
  low += high;
  high += low;
  low = finish(low);
  high = finish(high);
  low += high;
  high += low;
  hashLow = low;
  hashHigh = high;
}
