// A data page into its leaf: levels, then the values that belong to wanted rows.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { DecodeFault } from "./parquet_decode_ids";
import {
  beginLeaf,
  DEFINITIONS,
  extendLeaf,
  KIND,
  kindBytes,
  leafEntry,
  MAX_DEFINITION,
  MAX_REPETITION,
  NEXT_ROW,
  PHYSICAL,
  REPETITIONS,
  slotTop,
  VALUES,
  valueTop,
  WANTED_ROWS,
  wantedRanges,
} from "./parquet_decode_leaf";
import { anyAbove, bitWidth, countEqual, findZero, unpackLevels } from "./parquet_decode_levels";
import { decodeValues, forgetDictionary, readDictionary, WANTED_VALUES } from "./parquet_decode_values";

const FOLLOWS: u32 = 0xffffffff;

/** Address of the values that the latest page added, and their number. */
let addedAt: u32 = 0;
let addedCount: u32 = 0;

export function pageValues(): usize {
  return at(VALUES) + addedAt;
}

export function pageValueCount(): u32 {
  return addedCount;
}

/** Starts a leaf, of a ValueKind and a Physical type, that has no dictionary yet. Its number has to be below 512. */
export function startLeaf(
  leaf: u32,
  kind: u32,
  physical: u32,
  maxRepetition: u32,
  maxDefinition: u32,
  keepLevels: u32,
): void {
  forgetDictionary();
  beginLeaf(leaf, kind, physical, maxRepetition, maxDefinition, keepLevels);
}

/** Reads the dictionary page of `length` bytes at `from` with `count` entries for a leaf. Returns a DecodeFault. */
export function decodeDictionary(leaf: u32, from: usize, length: u32, count: u32): u32 {
  const entry = leafEntry(leaf);
  return readDictionary(load<u32>(entry, KIND), load<u32>(entry, PHYSICAL), count, from, from + length);
}

/**
 * Appends a data page to the leaf, which must be the one begun last. The page lies in Input and Output, with at least 16 bytes of
 * room behind it.
 *
 * @param levelBytes address of both kinds of levels in a V2 page; 0: a V1 page, whose levels precede the values
 * @param from address of the values' bytes
 * @param slots num_values of the header: values, nulls and empty lists
 * @param firstRow row of the row group that the page begins with, or -1: it follows the page before
 * @returns a DecodeFault
 */
export function decodePage(
  leaf: u32,
  slots: u32,
  levelBytes: usize,
  from: usize,
  length: u32,
  repetitionLength: u32,
  definitionLength: u32,
  encoding: u32,
  firstRow: u32,
): u32 {
  const entry = leafEntry(leaf);
  const maxRepetition = load<u32>(entry, MAX_REPETITION);
  const maxDefinition = load<u32>(entry, MAX_DEFINITION);
  let p = from;
  const end = from + length;
  addedCount = 0;
  reserve(REPETITIONS, slotTop + slots + 32);
  reserve(DEFINITIONS, slotTop + slots + 32);
  const repetitions = at(REPETITIONS) + slotTop;
  const definitions = at(DEFINITIONS) + slotTop;
  if (maxRepetition) {
    const start = levelBytes ? levelBytes : behindLength(p, end);
    const stop = levelBytes ? levelBytes + repetitionLength : levelsEnd;
    if (!start || !levels(repetitions, slots, start, stop, maxRepetition)) return DecodeFault.Levels;
    if (!levelBytes) p = stop;
  } else {
    memory.fill(repetitions, 0, slots);
  }
  if (maxDefinition) {
    const start = levelBytes ? levelBytes + repetitionLength : behindLength(p, end);
    const stop = levelBytes ? start + definitionLength : levelsEnd;
    if (!start || !levels(definitions, slots, start, stop, maxDefinition)) return DecodeFault.Levels;
    if (!levelBytes) p = stop;
  } else {
    memory.fill(definitions, 0, slots);
  }

  if (firstRow != FOLLOWS) store<u32>(entry, firstRow, NEXT_ROW);
  const row = load<u32>(entry, NEXT_ROW);
  const rows = maxRepetition ? countEqual(repetitions, slots, 0) : slots;
  store<u32>(entry, row + rows, NEXT_ROW);
  const total = maxDefinition ? countEqual(definitions, slots, maxDefinition) : slots;

  let keptSlots = slots;
  let keptValues = total;
  let ranges: u32 = 1;
  if (wantedRanges < 0) {
    reserve(WANTED_VALUES, 8);
    store<u32>(at(WANTED_VALUES), 0);
    store<u32>(at(WANTED_VALUES), total, 4);
  } else {
    keptSlots = 0;
    keptValues = 0;
    ranges = 0;
    reserve(WANTED_VALUES, (<u32>wantedRanges) << 3);
    const pairs = at(WANTED_VALUES);
    let scanned: u32 = 0; // slot up to which the rows are known
    let scannedRow = row; // row that the first slot at or behind it begins
    let counted: u32 = 0; // slot up to which the values are counted
    let values: u32 = 0;
    for (let i: i32 = 0; i < wantedRanges && counted < slots; i++) {
      let edge = counted;
      for (let side: usize = 0; side < 2; side++) {
        const wanted = load<u32>(at(WANTED_ROWS) + ((<usize>i) << 3) + (side << 2));
        let slot = scanned;
        if (wanted >= scannedRow && scanned < slots) {
          if (maxRepetition) {
            slot = scanned + findZero(repetitions + scanned, slots - scanned, wanted - scannedRow);
          } else {
            slot = <u32>min<u64>(<u64>scanned + (wanted - scannedRow), slots);
          }
          scanned = slot;
          scannedRow = wanted;
        }
        if (side == 0) {
          edge = slot;
          continue;
        }
        if (slot <= edge) continue;
        const before = maxDefinition
          ? countEqual(definitions + counted, edge - counted, maxDefinition)
          : edge - counted;
        const within = maxDefinition
          ? countEqual(definitions + edge, slot - edge, maxDefinition)
          : slot - edge;
        values += before;
        if (within) {
          store<u32>(pairs + ((<usize>ranges) << 3), values);
          store<u32>(pairs + ((<usize>ranges) << 3), values + within, 4);
          ranges++;
        }
        values += within;
        counted = slot;
        memory.copy(repetitions + keptSlots, repetitions + edge, slot - edge);
        memory.copy(definitions + keptSlots, definitions + edge, slot - edge);
        keptSlots += slot - edge;
        keptValues += within;
      }
    }
  }

  const kind = load<u32>(entry, KIND);
  reserve(VALUES, valueTop + keptValues * kindBytes(kind) + 16);
  const fault = decodeValues(
    kind,
    load<u32>(entry, PHYSICAL),
    encoding,
    p,
    end,
    total,
    ranges,
    keptValues,
    at(VALUES) + valueTop,
  );
  if (fault) return fault;
  addedAt = valueTop;
  addedCount = keptValues;
  extendLeaf(entry, keptSlots, keptValues);
  return DecodeFault.None;
}

let levelsEnd: usize = 0;

/** Start of the levels behind their length, as V1 pages have them; 0 if they are cut short. Sets levelsEnd. */
function behindLength(p: usize, end: usize): usize {
  if (<u32>(end - p) < 4) return 0;
  const length = load<u32>(p);
  if (length > <u32>(end - p - 4)) return 0;
  levelsEnd = p + 4 + length;
  return p + 4;
}

function levels(to: usize, count: u32, from: usize, end: usize, max: u32): bool {
  return unpackLevels(to, count, from, end, bitWidth(max)) && !anyAbove(to, count, max);
}
