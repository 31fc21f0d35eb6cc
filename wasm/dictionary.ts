// Dictionary of distinct byte strings: bytes -> id, id -> bytes. Two of them exist, over the String* and the Blob* columns.

import { Column } from "./column_ids";
import { seed } from "./hash";
import { at, capacity, reserve } from "./memory";

/** The four columns of a dictionary stand in this order from its base column on. */
const END: i32 = 0;
const BYTES: i32 = 1;
const HASH: i32 = 2;
const SLOTS: i32 = 3;

/** Base columns of the two dictionaries. */
export const STRINGS: i32 = Column.StringEnd;
export const BLOBS: i32 = Column.BlobEnd;

const INITIAL_SLOTS: u32 = 1024;

let stringCount: u32 = 0;
let blobCount: u32 = 0;

function countOf(base: i32): u32 {
  return base == STRINGS ? stringCount : blobCount;
}

/** Entries in the string dictionary. */
export function strings(): u32 {
  return stringCount;
}

/** Entries in the dictionary of raw messages. */
export function blobs(): u32 {
  return blobCount;
}

/** Bytes that a dictionary's entries and its hash table take. */
export function dictionaryBytes(base: i32): u32 {
  const count = countOf(base);
  const bytes = count ? load<u32>(at(base + END) + ((<usize>count - 1) << 2)) : 0;
  return bytes + count * 8 + capacity(base + SLOTS);
}

/** Empties a dictionary down to its entry 0, the empty string. */
export function resetDictionary(base: i32): void {
  const slots = base + SLOTS;
  if (!capacity(slots)) reserve(slots, INITIAL_SLOTS << 2);
  memory.fill(at(slots), 0, capacity(slots));
  if (base == STRINGS) stringCount = 0;
  else blobCount = 0;
  intern(base, 0, 0);
}

/**
 * One step of the hash: the halves multiplied with each other. By a constant, what a flipped top bit changes would be the same for
 * every seed, and the next bytes could undo it.
 */
function fold(x: u64): u64 {
  return ((x & 0xffffffff) * (x >>> 32)) ^ rotl<u64>(x, 29);
}

/** Hash of a byte string: 8 bytes a step. */
export function hashBytes(from: usize, length: u32): u32 {
  let h: u64 = seed ^ (<u64>length * 0xff51afd7ed558ccd);
  let p = from;
  let left = length;
  while (left >= 8) {
    h = fold(h ^ load<u64>(p));
    p += 8;
    left -= 8;
  }
  if (left) {
    let tail: u64 = 0;
    if (left >= 4) {
      tail = <u64>load<u32>(p) | ((<u64>load<u32>(p + left - 4)) << 32);
    } else {
      tail =
        <u64>load<u8>(p) | ((<u64>load<u8>(p + (left >> 1))) << 8) | ((<u64>load<u8>(p + left - 1)) << 16);
    }
    h = fold(h ^ tail);
  }
  h = (h ^ (h >>> 32)) * 0x9e3779b97f4a7c15;
  h = (h ^ (h >>> 29)) * 0xc4ceb9fe1a85ec53;
  return <u32>(h >>> 32);
}

/** Start of an entry's bytes. */
export function entryStart(base: i32, id: u32): usize {
  const start = id ? load<u32>(at(base + END) + ((<usize>id - 1) << 2)) : 0;
  return at(base + BYTES) + start;
}

/** Length of an entry in bytes. */
export function entryLength(base: i32, id: u32): u32 {
  const ends = at(base + END);
  const end = load<u32>(ends + ((<usize>id) << 2));
  return id ? end - load<u32>(ends + ((<usize>id - 1) << 2)) : end;
}

export function sameBytes(a: usize, b: usize, length: u32): bool {
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
  }
  for (; i < length; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

/** Id of the byte string, or -1 if the dictionary does not have it. */
export function find(base: i32, from: usize, length: u32): i32 {
  const hash = hashBytes(from, length);
  const mask = (capacity(base + SLOTS) >> 2) - 1;
  let slot = hash & mask;
  while (true) {
    const entry = load<u32>(at(base + SLOTS) + ((<usize>slot) << 2));
    if (!entry) return -1;
    const id = entry - 1;
    if (
      load<u32>(at(base + HASH) + ((<usize>id) << 2)) == hash &&
      entryLength(base, id) == length &&
      sameBytes(entryStart(base, id), from, length)
    ) {
      return id;
    }
    slot = (slot + 1) & mask;
  }
}

/** Id of the byte string, which is added if it is new. `from` must not lie in the dictionary's own columns. */
export function intern(base: i32, from: usize, length: u32): u32 {
  const hash = hashBytes(from, length);
  const mask = (capacity(base + SLOTS) >> 2) - 1;
  let slot = hash & mask;
  const slots = at(base + SLOTS);
  const hashes = at(base + HASH);
  while (true) {
    const entry = load<u32>(slots + ((<usize>slot) << 2));
    if (!entry) break;
    const id = entry - 1;
    if (
      load<u32>(hashes + ((<usize>id) << 2)) == hash &&
      entryLength(base, id) == length &&
      sameBytes(entryStart(base, id), from, length)
    ) {
      return id;
    }
    slot = (slot + 1) & mask;
  }
  return add(base, from, length, hash, slot);
}

function add(base: i32, from: usize, length: u32, hash: u32, slot: u32): u32 {
  const id = countOf(base);
  const start = id ? load<u32>(at(base + END) + ((<usize>id - 1) << 2)) : 0;
  reserve(base + BYTES, start + length + 8);
  reserve(base + END, (id + 1) << 2);
  reserve(base + HASH, (id + 1) << 2);
  memory.copy(at(base + BYTES) + start, from, length);
  store<u32>(at(base + END) + ((<usize>id) << 2), start + length);
  store<u32>(at(base + HASH) + ((<usize>id) << 2), hash);
  store<u32>(at(base + SLOTS) + ((<usize>slot) << 2), id + 1);
  if (base == STRINGS) stringCount = id + 1;
  else blobCount = id + 1;
  if ((id + 1) * 2 > capacity(base + SLOTS) >> 2) rehash(base, id + 1);
  return id;
}

function rehash(base: i32, count: u32): void {
  const bytes = capacity(base + SLOTS) * 2;
  reserve(base + SLOTS, bytes);
  const slots = at(base + SLOTS);
  memory.fill(slots, 0, bytes);
  const mask = (bytes >> 2) - 1;
  const hashes = at(base + HASH);
  for (let id: u32 = 0; id < count; id++) {
    let slot = load<u32>(hashes + ((<usize>id) << 2)) & mask;
    while (load<u32>(slots + ((<usize>slot) << 2))) slot = (slot + 1) & mask;
    store<u32>(slots + ((<usize>slot) << 2), id + 1);
  }
}
