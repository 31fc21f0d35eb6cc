// The reading side of the bloom filters: which shard and which bits belong to a trace id. The filters themselves stay outside,
// where they are cached, since copying one in costs more than looking at its seven bits.

import { bloomShard } from "./bloom";
import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { hashHigh, hashLow, murmur3 } from "./murmur3";

/** Bits per id that a filter may set; Tempo's set 7. */
const HASHES_MAX: u32 = 64;

/** The four hashes of the id. */
const HASHES: usize = memory.data(32, 8);

/** Takes the 16-byte id in the column Input, for the calls below. */
export function beginBloomFind(): void {
  murmur3(at(Column.Input), false);
  store<u64>(HASHES, hashLow);
  store<u64>(HASHES, hashHigh, 8);
  murmur3(at(Column.Input), true);
  store<u64>(HASHES, hashLow, 16);
  store<u64>(HASHES, hashHigh, 24);
}

/** Shard of the id in the column Input. */
export function bloomShardOfInput(shards: u32): u32 {
  return bloomShard(at(Column.Input), shards);
}

/** Writes the bits of the id in a filter of `bits` bits to the column Output, u32 each. Returns their number. */
export function bloomBits(bits: u32, hashes: u32): u32 {
  const count = min(hashes, HASHES_MAX);
  reserve(Column.Output, HASHES_MAX << 2);
  for (let i: u32 = 0; i < count; i++) {
    const odd = i & 1;
    const factor = load<u64>(HASHES + ((<usize>(2 + (((i + odd) & 3) >>> 1))) << 3));
    const bit = (load<u64>(HASHES + ((<usize>odd) << 3)) + <u64>i * factor) % <u64>bits;
    store<u32>(at(Column.Output) + ((<usize>i) << 2), <u32>bit);
  }
  return count;
}
