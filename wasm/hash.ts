// Hashing of numbers: ids may count up in any of their bytes, so every bit of the input reaches every bit of the hash.

/** Of this instance. Ids and strings come from clients, who could choose them to meet in one slot of a table if they knew the hash. */
export let seed: u64 = 0;

/** Called before anything is hashed. */
export function seedHashes(low: u32, high: u32): void {
  seed = <u64>low | ((<u64>high) << 32);
}

/** The finaliser of splitmix64, over the value and the seed. */
export function mix(value: u64): u64 {
  let h = value ^ seed;
  h ^= h >>> 30;
  h *= 0xbf58476d1ce4e5b9;
  h ^= h >>> 27;
  h *= 0x94d049bb133111eb;
  return h ^ (h >>> 31);
}

/** Hash of a 16-byte trace id, given as two words. */
export function mixTraceId(low: u64, high: u64): u64 {
  return mix(low ^ (mix(high) + 0x9e3779b97f4a7c15));
}
