// How often many trace ids occur in lists of ids: a table of hashes of those that are asked about, and a count for each. Two ids with
// one hash are counted together, which at 64 bits hardly ever happens, and then costs a look at a trace that need not be looked at.

import { Column } from "./column_ids";
import { mixTraceId } from "./hash";
import { at, reserve } from "./memory";

/** A slot: the hash, 0 if it is free, and the count. */
const SLOT_BYTES: u32 = 16;
const TABLE: i32 = Column.QueryWork0;

let mask: u32 = 0;

/** Address of the slot with this hash, or of the free one where it would go. */
function slotOf(hash: u64): usize {
  let slot = <u32>hash & mask;
  while (true) {
    const address = at(TABLE) + <usize>(slot * SLOT_BYTES);
    const known = load<u64>(address);
    if (!known || known == hash) return address;
    slot = (slot + 1) & mask;
  }
}

function hashAt(id: usize): u64 {
  return mixTraceId(load<u64>(id), load<u64>(id, 8)) | 1;
}

/** Starts over with a table of `count` ids of 16 bytes each. */
export function wantIds(from: usize, count: u32): void {
  const slots: u32 = 1 << (32 - <u32>clz((count << 1) | 63));
  mask = slots - 1;
  reserve(TABLE, slots * SLOT_BYTES);
  memory.fill(at(TABLE), 0, slots * SLOT_BYTES);
  for (let i: usize = 0; i < <usize>count; i++) {
    const hash = hashAt(from + (i << 4));
    store<u64>(slotOf(hash), hash);
  }
}

/** Counts those of a list of `count` ids, each of them there once, that are wanted. */
export function countIds(from: usize, count: u32): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const slot = slotOf(hashAt(from + (i << 4)));
    if (load<u64>(slot)) store<u32>(slot, load<u32>(slot, 8) + 1, 8);
  }
}

/** Puts out the count of each of the wanted ids, which lie where they did: a byte each in the column Output, 255 for more. */
export function idCounts(from: usize, count: u32): void {
  reserve(Column.Output, count + 16);
  for (let i: usize = 0; i < <usize>count; i++) {
    const found = load<u32>(slotOf(hashAt(from + (i << 4))), 8);
    store<u8>(at(Column.Output) + i, <u8>min<u32>(found, 255));
  }
}
