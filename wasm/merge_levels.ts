// Levels of leaves whose rows are merged. Most leaves have the very levels of one before them: all required ones of a group, and lists that
// are empty or of one element. That one is the group's guide: what was found out about its rows is not found out again.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { DEFINITIONS, leafEntry, REPETITIONS, SLOT_COUNT, SLOT_START } from "./parquet_decode_leaf";

/** Guides, numbered from 1 on; 0 is none. */
export const GUIDES_MAX: u32 = 15;

const GUIDE_BYTES: u32 = 32;
const GUIDES: usize = memory.data(16 * 32);

// Fields of a guide, u32 each.
/** Leaf entry of the first run; the others follow. */
export const FIRST_ENTRY: usize = 0;
/** Slots and values of the merged leaf. */
export const SLOTS: usize = 4;
export const VALUES: usize = 8;
export const MAX_DEFINITION: usize = 12;
/** Definition level of all slots, or MIXED. */
export const COMMON: usize = 16;
/** Merged levels in the arena. */
export const REPETITION_OFFSET: usize = 20;
export const DEFINITION_OFFSET: usize = 24;

/** Bytes behind an array that may be read or written, but do not count. */
const SLACK: u32 = 64;

/** Vectors that are merged, picks of their rows, and where the arena of levels ends. */
export let runs: u32 = 0;
export let picks: u32 = 0;
let levelsTop: u32 = 0;

/** Begins a row group: `pickCount` picks in Merge0 from `runCount` runs. */
export function beginLevels(runCount: u32, pickCount: u32): void {
  runs = runCount;
  picks = pickCount;
  levelsTop = 0;
  reserve(Column.Merge2, ((GUIDES_MAX + 1) * pickCount) << 3);
}

export function guideEntry(guide: u32): usize {
  return GUIDES + <usize>(guide * GUIDE_BYTES);
}

/** Address of the slots by pick of a guide, or (0) of the leaf at hand, u32. */
export function slotsByPick(guide: u32): usize {
  return at(Column.Merge2) + ((<usize>(guide * picks)) << 3);
}

/** Address of the values by pick, likewise. */
export function valuesByPick(guide: u32): usize {
  return slotsByPick(guide) + ((<usize>picks) << 2);
}

/** Makes room for levels that stay. Returns their place in the arena. */
export function takeLevels(slots: u32): u32 {
  const offset = levelsTop;
  levelsTop += (slots + SLACK) & ~15;
  reserve(Column.Merge1, levelsTop + SLACK);
  return offset;
}

export function levelsAt(offset: u32): usize {
  return at(Column.Merge1) + offset;
}

export function repetitionsOfRun(entry: u32): usize {
  return at(REPETITIONS) + load<u32>(leafEntry(entry), SLOT_START);
}

export function definitionsOfRun(entry: u32): usize {
  return at(DEFINITIONS) + load<u32>(leafEntry(entry), SLOT_START);
}

export function slotsOfRun(entry: u32): u32 {
  return load<u32>(leafEntry(entry), SLOT_COUNT);
}

/** Whether every run of the leaf that begins at `first` has the repetition levels of the guide. */
export function sameRepetitions(first: u32, guide: u32): bool {
  const others = load<u32>(guideEntry(guide), FIRST_ENTRY);
  for (let run: u32 = 0; run < runs; run++) {
    const slots = slotsOfRun(first + run);
    if (slots != slotsOfRun(others + run)) return false;
    if (!sameLevels(repetitionsOfRun(first + run), repetitionsOfRun(others + run), slots)) return false;
  }
  return true;
}

/** Likewise its definition levels; the repetition levels are the same. */
export function sameDefinitions(first: u32, guide: u32): bool {
  const others = load<u32>(guideEntry(guide), FIRST_ENTRY);
  for (let run: u32 = 0; run < runs; run++) {
    const slots = slotsOfRun(first + run);
    if (!sameLevels(definitionsOfRun(first + run), definitionsOfRun(others + run), slots)) return false;
  }
  return true;
}

function sameLevels(a: usize, b: usize, count: u32): bool {
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  }
  for (; i < count; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

/** Slots of the next `rows` rows from the slot `from` on, which begins one; up to `count` if there are fewer. */
export function slotsOfRows(repetitions: usize, from: u32, count: u32, rows: u32): u32 {
  const zero = i8x16.splat(0);
  let left = rows;
  // 16 bytes at a time, of which those behind the end don't count.
  for (let slot = from + 1; slot < count; slot += 16) {
    let mask = <u32>i8x16.bitmask(i8x16.eq(v128.load(repetitions + slot), zero));
    while (mask) {
      const found = slot + <u32>ctz(mask);
      if (found >= count) return count - from;
      if (--left == 0) return found - from;
      mask &= mask - 1;
    }
  }
  return count - from;
}

/** The level that all `count` bytes have, or -1. */
export function commonLevel(from: usize, count: u32): i32 {
  if (!count) return -1;
  const first = load<u8>(from);
  const wanted = i8x16.splat(<i8>first);
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    if (!i8x16.all_true(i8x16.eq(v128.load(from + i), wanted))) return -1;
  }
  for (; i < count; i++) if (load<u8>(from + i) != first) return -1;
  return first;
}
