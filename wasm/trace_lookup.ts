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
  let slot = <u32>(hash >>> 1) & mask;
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

// ---- a table that grows: which ids have been there before

const NOTED: i32 = Column.QueryWork1;
let noted: u32 = 0;
let notedSlots: u32 = 0;
const NOTED_SLOTS_MIN: u32 = 1024;

/** Forgets all noted ids. */
export function forgetIds(): void {
  noted = 0;
  notedSlots = 0;
}

/** Address of the slot of a noted hash, or of the free one where it would go. */
function notedSlotOf(hash: u64): usize {
  const table = at(NOTED);
  let slot = <u32>(hash >>> 1) & (notedSlots - 1);
  while (true) {
    const address = table + ((<usize>slot) << 3);
    const known = load<u64>(address);
    if (!known || known == hash) return address;
    slot = (slot + 1) & (notedSlots - 1);
  }
}

/** Notes `count` ids, each of them there once. The column Output then has the places, u32 each, of those that were noted before. Returns how many. */
export function noteIds(from: usize, count: u32): u32 {
  reserve(Column.Output, (count + 1) << 2);
  growNoted(noted + count);
  const out = at(Column.Output);
  let repeats: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const hash = hashAt(from + (i << 4));
    const slot = notedSlotOf(hash);
    if (load<u64>(slot)) {
      store<u32>(out + (usize(repeats++) << 2), <u32>i);
    } else {
      store<u64>(slot, hash);
      noted++;
    }
  }
  return repeats;
}

/** Makes the table of noted ids large enough to be at most half full. */
function growNoted(count: u32): void {
  let slots = max<u32>(notedSlots, NOTED_SLOTS_MIN);
  while (slots < count << 1) slots <<= 1;
  if (slots == notedSlots) return;
  const before = notedSlots;
  // The old hashes go to one end of the room, and from there into the new table.
  reserve(NOTED, slots << 3);
  reserve(Column.QueryWork2, (before << 3) + 8);
  memory.copy(at(Column.QueryWork2), at(NOTED), before << 3);
  memory.fill(at(NOTED), 0, slots << 3);
  notedSlots = slots;
  for (let i: usize = 0; i < <usize>before; i++) {
    const hash = load<u64>(at(Column.QueryWork2) + (i << 3));
    if (hash) store<u64>(notedSlotOf(hash), hash);
  }
}

/** Places, u32 each in the column Output, of those of `count` ids that are wanted by wantIds(). Returns how many. */
export function wantedIds(from: usize, count: u32): u32 {
  reserve(Column.Output, (count + 1) << 2);
  let found: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    if (load<u64>(slotOf(hashAt(from + (i << 4)))))
      store<u32>(at(Column.Output) + (usize(found++) << 2), <u32>i);
  }
  return found;
}

/** Places, u32 each in the column Output, of those of `count` ids that have been noted. Returns how many. */
export function notedIds(from: usize, count: u32): u32 {
  reserve(Column.Output, (count + 1) << 2);
  if (!notedSlots) return 0;
  let found: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    if (load<u64>(notedSlotOf(hashAt(from + (i << 4)))))
      store<u32>(at(Column.Output) + (usize(found++) << 2), <u32>i);
  }
  return found;
}
