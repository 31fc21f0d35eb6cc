// The leaves that are being read: per leaf its repetition and definition levels, a byte a slot, and its values, all in arenas that
// grow at the end. Which rows of the row group are wanted stands beside them.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { Keep, Physical, ValueKind } from "./parquet_decode_ids";

/** Leaves of one file; Tempo's schemas have at most 163. */
const LEAVES_MAX: u32 = 512;
const LEAF_BYTES: u32 = 64;

// Fields of a leaf, u32 each.
export const SLOT_START: usize = 0; // index in both level arenas
export const SLOT_COUNT: usize = 4;
export const VALUE_START: usize = 8; // byte offset in the value arena
export const VALUE_COUNT: usize = 12;
export const KIND: usize = 16;
export const PHYSICAL: usize = 20;
export const MAX_REPETITION: usize = 24;
export const MAX_DEFINITION: usize = 28;
export const KEEP: usize = 32;
export const NEXT_ROW: usize = 36;

/** Levels of all leaves, and their values. */
export const REPETITIONS: i32 = Column.Decode0;
export const DEFINITIONS: i32 = Column.Decode1;
export const VALUES: i32 = Column.Decode2;
const LEAVES: i32 = Column.Decode3;
/** Wanted rows: pairs of first row and the row behind the last, ascending. */
export const WANTED_ROWS: i32 = Column.Decode4;

export let slotTop: u32 = 0;
export let valueTop: u32 = 0;
/** Pairs in WANTED_ROWS, or -1 if every row is wanted. */
export let wantedRanges: i32 = -1;

/** Forgets all leaves and wants every row. */
export function beginLeaves(): void {
  reserve(LEAVES, LEAVES_MAX * LEAF_BYTES);
  memory.fill(at(LEAVES), 0, LEAVES_MAX * LEAF_BYTES);
  slotTop = 0;
  valueTop = 0;
  wantedRanges = -1;
}

/** Wants only the rows in the first `count` pairs of the column Decode4. */
export function wantRows(count: i32): void {
  wantedRanges = count;
}

/** Starts a leaf at the end of the arenas. Its number has to be below 512. */
export function beginLeaf(
  leaf: u32,
  kind: u32,
  physical: u32,
  maxRepetition: u32,
  maxDefinition: u32,
  keep: u32,
): void {
  const entry = leafEntry(leaf);
  valueTop = (valueTop + 15) & ~15;
  store<u32>(entry, slotTop, SLOT_START);
  store<u32>(entry, 0, SLOT_COUNT);
  store<u32>(entry, valueTop, VALUE_START);
  store<u32>(entry, 0, VALUE_COUNT);
  store<u32>(entry, kind, KIND);
  store<u32>(entry, physical, PHYSICAL);
  store<u32>(entry, maxRepetition, MAX_REPETITION);
  store<u32>(entry, maxDefinition, MAX_DEFINITION);
  store<u32>(entry, keep, KEEP);
  store<u32>(entry, 0, NEXT_ROW);
}

/** Gives back the room of this leaf and of all that were begun after it. */
export function dropLeaf(leaf: u32): void {
  const entry = leafEntry(leaf);
  slotTop = load<u32>(entry, SLOT_START);
  valueTop = load<u32>(entry, VALUE_START);
  store<u32>(entry, 0, SLOT_COUNT);
  store<u32>(entry, 0, VALUE_COUNT);
}

/** Moves the ends of the arenas behind what a page added to the latest leaf. */
export function extendLeaf(entry: usize, slots: u32, values: u32): void {
  const keep = load<u32>(entry, KEEP);
  if (keep != Keep.Values) {
    store<u32>(entry, load<u32>(entry, SLOT_COUNT) + slots, SLOT_COUNT);
    slotTop += slots;
  }
  store<u32>(entry, load<u32>(entry, VALUE_COUNT) + values, VALUE_COUNT);
  if (keep != Keep.LevelsAlone) valueTop += values * kindBytes(load<u32>(entry, KIND));
}

export function leafEntry(leaf: u32): usize {
  return at(LEAVES) + <usize>(leaf * LEAF_BYTES);
}

/** Bytes that a value of this kind takes in the arena. */
export function kindBytes(kind: u32): u32 {
  return kind == ValueKind.String ? 4 : kind == ValueKind.Id16 ? 16 : 8;
}

/** Tells whether values of this physical type can be stored as this kind. */
export function kindFits(kind: u32, physical: u32): bool {
  if (physical == <u32>Physical.ByteArray) {
    return (
      kind == <u32>ValueKind.String ||
      kind == <u32>ValueKind.Id8 ||
      kind == <u32>ValueKind.Id16 ||
      kind == <u32>ValueKind.Slice
    );
  }
  if (physical == <u32>Physical.Boolean) return kind == <u32>ValueKind.Bool;
  return kind == <u32>ValueKind.Number;
}

/** Values of a leaf so far. */
export function decodedValueCount(leaf: u32): u32 {
  return load<u32>(leafEntry(leaf), VALUE_COUNT);
}

/** Address of a leaf's values. */
export function decodedValues(leaf: u32): usize {
  return at(VALUES) + load<u32>(leafEntry(leaf), VALUE_START);
}
