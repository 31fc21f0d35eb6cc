// A data page into its leaf: levels, then the values that belong to wanted rows.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { DecodeFault, Encoding, Keep, ValueKind } from "./parquet_decode_ids";
import {
  beginLeaf,
  DEFINITIONS,
  extendLeaf,
  KEEP,
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
import {
  beginSelectedLeaf,
  isWantedKey,
  keepSelected,
  noteWantedEntries,
  SELECTED_VALUES,
  selectedRanges,
  selectedSlots,
  selectedValues,
  selectKeys,
  UNWANTED,
} from "./parquet_decode_select";
import {
  decodeValues,
  dictionaryEntries,
  dictionaryIds,
  forgetDictionary,
  readDictionary,
  readKeyDictionary,
  takePairs,
  WANTED_VALUES,
} from "./parquet_decode_values";

/** Selected values of wanted rows, where not all rows are wanted. */
const TRANSLATED_VALUES: i32 = Column.Decode23;

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

/** Starts a leaf, of a ValueKind and a Physical type, that has no dictionary yet; `keep` is a Keep. Its number has to be below 512. */
export function startLeaf(
  leaf: u32,
  kind: u32,
  physical: u32,
  maxRepetition: u32,
  maxDefinition: u32,
  keep: u32,
): void {
  forgetDictionary();
  beginLeaf(leaf, kind, physical, maxRepetition, maxDefinition, keep);
  beginSelectedLeaf();
}

/** Reads the dictionary page of `length` bytes at `from` with `count` entries for a leaf. Returns a DecodeFault. */
export function decodeDictionary(leaf: u32, from: usize, length: u32, count: u32): u32 {
  const entry = leafEntry(leaf);
  if (load<u32>(entry, KEEP) == Keep.Keys) {
    return readKeyDictionary(load<u32>(entry, PHYSICAL), count, from, from + length);
  }
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

  const keep = load<u32>(entry, KEEP);
  const kind = load<u32>(entry, KIND);
  const physical = load<u32>(entry, PHYSICAL);
  takePairs(WANTED_VALUES);
  keepRows(repetitions, definitions, slots, row, maxRepetition, maxDefinition, total);
  if (keep == Keep.LevelsAlone) {
    extendLeaf(entry, keptSlots, keptValues);
    return DecodeFault.None;
  }
  if (keep == Keep.Selected) {
    keepSelected(repetitions, definitions, keptSlots, keptValues, maxDefinition);
    keptSlots = selectedSlots();
    keptValues = selectedValues();
    if (wantedRanges < 0) {
      ranges = selectedRanges();
      takePairs(SELECTED_VALUES);
    } else {
      ranges = translate(selectedRanges(), ranges);
      takePairs(TRANSLATED_VALUES);
    }
  }
  if (keep == Keep.Keys && kind == ValueKind.String && isIndexed(encoding) && keptValues) {
    const fault = selectByIndex(repetitions, definitions, maxDefinition, p, end, total);
    if (fault >= 0) return <u32>fault;
  }
  // Room for a whole block of keys behind the last one.
  reserve(VALUES, valueTop + keptValues * kindBytes(kind) + 80);
  const values = at(VALUES) + valueTop;
  const fault = decodeValues(kind, physical, encoding, p, end, total, ranges, keptValues, values);
  if (fault) return fault;
  if (keep == Keep.Keys) {
    if (kind != ValueKind.String) return DecodeFault.Encoding;
    if (!isIndexed(encoding)) markUnwanted(values, keptValues);
    return selectKeys(repetitions, definitions, keptSlots, maxDefinition, values, keptValues, 0);
  }
  addedAt = valueTop;
  addedCount = keptValues;
  extendLeaf(entry, keptSlots, keptValues);
  return DecodeFault.None;
}

// What keepRows() left of a page.
let keptSlots: u32 = 0;
let keptValues: u32 = 0;
let ranges: u32 = 0;

/** Moves the slots of wanted rows together and puts their values into WANTED_VALUES. The page begins with `row` and has `total` values. */
function keepRows(
  repetitions: usize,
  definitions: usize,
  slots: u32,
  row: u32,
  maxRepetition: u32,
  maxDefinition: u32,
  total: u32,
): void {
  keptSlots = slots;
  keptValues = total;
  ranges = 1;
  if (wantedRanges < 0) {
    reserve(WANTED_VALUES, 8);
    store<u32>(at(WANTED_VALUES), 0);
    store<u32>(at(WANTED_VALUES), total, 4);
    return;
  }
  keptSlots = 0;
  keptValues = 0;
  ranges = 0;
  reserve(WANTED_VALUES, (<u32>wantedRanges) << 3);
  const pairs = at(WANTED_VALUES);
  let scanned: u32 = 0; // slot up to which the rows are known
  let scannedRow = row; // row that the first slot at or behind it begins
  let counted: u32 = 0; // slot up to which the values are counted
  let values: u32 = 0;
  let i: i32 = 0;
  // The page may go on with the row before its first one.
  while (i < wantedRanges && load<u32>(at(WANTED_ROWS) + ((<usize>i) << 3), 4) < row) i++;
  for (; i < wantedRanges && counted < slots; i++) {
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
      const within = maxDefinition ? countEqual(definitions + edge, slot - edge, maxDefinition) : slot - edge;
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

/** Writes to TRANSLATED_VALUES which values of the page the pairs in SELECTED_VALUES are, which count those of wanted rows alone. */
function translate(selectedPairs: u32, rowPairs: u32): u32 {
  reserve(TRANSLATED_VALUES, (selectedPairs + rowPairs) << 3);
  let out = at(TRANSLATED_VALUES);
  let from = at(WANTED_VALUES);
  let before: u32 = 0; // wanted values before the pair at hand
  let written: u32 = 0;
  for (let i: u32 = 0; i < selectedPairs; i++) {
    const pair = at(SELECTED_VALUES) + ((<usize>i) << 3);
    let start = load<u32>(pair);
    const stop = load<u32>(pair, 4);
    while (start < stop) {
      const first = load<u32>(from);
      const length = load<u32>(from, 4) - first;
      if (start >= before + length) {
        before += length;
        from += 8;
        continue;
      }
      const end = min(stop, before + length);
      store<u32>(out, first + (start - before));
      store<u32>(out, first + (end - before), 4);
      out += 8;
      written++;
      start = end;
    }
  }
  return written;
}

function isIndexed(encoding: u32): bool {
  return encoding == <u32>Encoding.RleDictionary || encoding == <u32>Encoding.PlainDictionary;
}

/** Selects keys by their indexes, if these fit into a byte; else returns -1. */
function selectByIndex(
  repetitions: usize,
  definitions: usize,
  maxDefinition: u32,
  from: usize,
  end: usize,
  total: u32,
): i32 {
  if (from >= end) return DecodeFault.Values;
  const width: u32 = load<u8>(from);
  const entries = dictionaryEntries();
  if (width > 8) return -1;
  reserve(VALUES, valueTop + total + 80);
  const indexes = at(VALUES) + valueTop;
  if (width == 0) memory.fill(indexes, 0, total);
  else if (!unpackLevels(indexes, total, from + 1, end, width)) return DecodeFault.Values;
  if (entries == 0 || (entries < 256 && anyAbove(indexes, total, entries - 1))) return DecodeFault.Dictionary;
  if (wantedRanges >= 0) {
    let out = indexes;
    for (let i: u32 = 0; i < ranges; i++) {
      const pair = at(WANTED_VALUES) + ((<usize>i) << 3);
      const start = load<u32>(pair);
      const length = load<u32>(pair, 4) - start;
      memory.copy(out, indexes + start, length);
      out += length;
    }
  }
  noteWantedEntries(dictionaryIds(), min<u32>(entries, 256));
  return selectKeys(repetitions, definitions, keptSlots, maxDefinition, indexes, keptValues, dictionaryIds());
}

/** Marks the keys that are not wanted among strings of the batch. */
function markUnwanted(keys: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const key = keys + ((<usize>i) << 2);
    if (!isWantedKey(load<u32>(key))) store<u32>(key, UNWANTED);
  }
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
