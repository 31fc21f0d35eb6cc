// Bloom filters over trace ids, as Tempo writes them: a filter of fixed size per shard, the shard chosen by FNV-1.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { hashHigh, hashLow, murmur3 } from "./murmur3";

/** The four hashes of an id. */
const HASHES: usize = memory.data(32, 8);

/** Bytes of a filter of `bits` bits: whole 64-bit words. */
function filterBytes(bits: u32): u32 {
  return ((bits + 63) >>> 6) << 3;
}

/** Makes `shards` empty filters of `bits` bits each, one behind the other, in Encode7. Returns the bytes of one. */
export function beginBlooms(shards: u32, bits: u32): u32 {
  const bytes = filterBytes(bits);
  reserve(Column.Encode7, shards * bytes);
  memory.fill(at(Column.Encode7), 0, shards * bytes);
  return bytes;
}

/** Adds the 16-byte ids [from, to) in Input, setting `hashes` bits for each. */
export function addToBlooms(from: u32, to: u32, shards: u32, bits: u32, hashes: u32): void {
  const bytes = filterBytes(bits);
  for (let i = from; i < to; i++) {
    const id = at(Column.Input) + ((<usize>i) << 4);
    addToBloom(at(Column.Encode7) + bloomShard(id, shards) * bytes, bits, hashes, id);
  }
}

/** The shard of the 16-byte id at `id`. */
export function bloomShard(id: usize, shards: u32): u32 {
  let h: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < 16; i++) h = (h * 0x01000193) ^ <u32>load<u8>(id + i);
  return h % shards;
}

function hash(id: usize): void {
  murmur3(id, false);
  store<u64>(HASHES, hashLow);
  store<u64>(HASHES, hashHigh, 8);
  murmur3(id, true);
  store<u64>(HASHES, hashLow, 16);
  store<u64>(HASHES, hashHigh, 24);
}

/** The bit that the i-th hash of the latest id sets in a filter of `bits` bits. */
function location(i: u32, bits: u64): u64 {
  const odd = i & 1;
  const factor = load<u64>(HASHES + ((<usize>(2 + (((i + odd) & 3) >>> 1))) << 3));
  return (load<u64>(HASHES + ((<usize>odd) << 3)) + <u64>i * factor) % bits;
}

/** Byte of a bit in a filter of big-endian 64-bit words, whose bit 0 is the lowest. */
function byteOf(bit: u64): usize {
  return <usize>(((bit >>> 6) << 3) + 7 - ((bit & 63) >>> 3));
}

function addToBloom(filter: usize, bits: u32, hashes: u32, id: usize): void {
  hash(id);
  for (let i: u32 = 0; i < hashes; i++) {
    const bit = location(i, bits);
    const byte = filter + byteOf(bit);
    store<u8>(byte, load<u8>(byte) | ((<u8>1) << (<u8>(bit & 7))));
  }
}
