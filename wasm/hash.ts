// Hashing of numbers: ids may count up in any of their bytes, so every bit of the input reaches every bit of the hash.

/** The finaliser of splitmix64. */
export function mix(value: u64): u64 {
  let h = value ^ (value >>> 30);
  h *= 0xbf58476d1ce4e5b9;
  h ^= h >>> 27;
  h *= 0x94d049bb133111eb;
  return h ^ (h >>> 31);
}

/** Hash of a 16-byte trace id, given as two words. */
export function mixTraceId(low: u64, high: u64): u64 {
  return mix(low ^ (mix(high) + 0x9e3779b97f4a7c15));
}
