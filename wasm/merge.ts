// Rows of several row groups into one, leaf by leaf, without a span batch between: what TypeScript calls. A run is the rows of one row group,
// or those of the batch in this instance, decoded into leaf entries that follow each other. Picks say whose rows come next.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import {
  beginLevels,
  COMMON,
  commonLevel,
  DEFINITION_OFFSET,
  definitionsOfRun,
  FIRST_ENTRY,
  guideEntry,
  levelsAt,
  MAX_DEFINITION,
  picks,
  REPETITION_OFFSET,
  repetitionsOfRun,
  runs,
  SLOTS,
  sameDefinitions,
  sameRepetitions,
  slotsByPick,
  slotsOfRows,
  slotsOfRun,
  takeLevels,
  VALUES,
  valuesByPick,
} from "./merge_levels";
import { mostlyDistinct, slicesOfStrings, stringsOfSlices } from "./merge_slices";
import { copyValues, valueRoom } from "./merge_values";
import { DecodeFault, Keep, Physical, ValueKind } from "./parquet_decode_ids";
import {
  beginLeaf,
  DEFINITIONS,
  extendLeaf,
  kindBytes,
  KIND,
  leafEntry,
  REPETITIONS,
  slotTop,
  VALUE_COUNT,
  VALUE_START,
  VALUES as VALUE_ARENA,
  valueTop,
} from "./parquet_decode_leaf";
import { countEqual } from "./parquet_decode_levels";
import { copyBytes } from "./parquet_encode_copy";
import {
  commonDefinition,
  giveLeaf,
  giveSlices,
  leafDefinitions,
  leafRepetitions,
  leafSlots,
  leafValues,
  MIXED,
} from "./parquet_encode_values";

/** In a pick's run: its rows are left out. */
const LEFT_OUT: u32 = 0x80000000;
const RUNS_MAX: u32 = 32;
/** Next slot and next value by run, u32 each. */
const CURSORS: usize = memory.data(32 * 8);
const SLACK: u32 = 64;

export { beginSlices } from "./merge_slices";

/** Begins a row group of `pickCount` picks in Merge0 from at most 32 runs. */
export function beginMerge(runCount: u32, pickCount: u32): void {
  if (runCount > RUNS_MAX) unreachable();
  beginLevels(runCount, pickCount);
}

/**
 * Makes a leaf entry of what the encoder gathered from the batch: its values become as wide as decoded ones of this kind are.
 *
 * @param width bytes of a value as it was gathered
 */
export function takeGathered(entry: u32, kind: u32, width: u32, maxDefinition: u32): void {
  beginLeaf(entry, kind, Physical.ByteArray, 0, maxDefinition, Keep.Levels);
  reserve(REPETITIONS, slotTop + leafSlots + SLACK);
  reserve(DEFINITIONS, slotTop + leafSlots + SLACK);
  const reps = leafRepetitions();
  if (reps) memory.copy(at(REPETITIONS) + slotTop, reps, leafSlots);
  else memory.fill(at(REPETITIONS) + slotTop, 0, leafSlots);
  if (commonDefinition == MIXED) memory.copy(at(DEFINITIONS) + slotTop, leafDefinitions(), leafSlots);
  else memory.fill(at(DEFINITIONS) + slotTop, <u8>commonDefinition, leafSlots);
  const wide = kindBytes(kind);
  reserve(VALUE_ARENA, valueTop + leafValues * wide + SLACK);
  const from = at(Column.Encode7);
  const to = at(VALUE_ARENA) + valueTop;
  if (kind == ValueKind.Slice) {
    slicesOfStrings(to, from, leafValues);
  } else if (wide == width) {
    memory.copy(to, from, leafValues * width);
  } else if (width == 4) {
    for (let i: u32 = 0; i < leafValues; i++) {
      store<i64>(to + ((<usize>i) << 3), <i64>load<i32>(from + ((<usize>i) << 2)));
    }
  } else {
    for (let i: u32 = 0; i < leafValues; i++) store<u64>(to + ((<usize>i) << 3), <u64>load<u8>(from + i));
  }
  extendLeaf(leafEntry(entry), leafSlots, leafValues);
}

/**
 * Merges the leaf whose runs are the entries from `first` on, and makes it the encoder's.
 *
 * @param guide what it is held against; 0: nothing
 * @param keepAs guide that it becomes, whose entries then stay as they are; 0: none
 * @param width bytes of a value as the encoder takes it
 * @returns a DecodeFault
 */
export function mergeLeaf(
  first: u32,
  guide: u32,
  keepAs: u32,
  width: u32,
  maxDefinition: u32,
  maxRepetition: u32,
): u32 {
  const sameReps = guide != 0 && sameRepetitions(first, guide);
  const sameDefs = sameReps && sameDefinitions(first, guide);
  const sameValues = sameDefs && load<u32>(guideEntry(guide), MAX_DEFINITION) == maxDefinition;
  const slotCounts = slotsByPick(sameReps ? guide : keepAs);
  const valueCounts = valuesByPick(sameValues ? guide : keepAs);
  if (!sameReps) countSlots(first, slotCounts);
  if (!sameValues) countValues(first, slotCounts, valueCounts, maxDefinition);
  if (keepAs) {
    if (sameReps) memory.copy(slotsByPick(keepAs), slotCounts, (<usize>picks) << 2);
    if (sameValues) memory.copy(valuesByPick(keepAs), valueCounts, (<usize>picks) << 2);
  }
  const isLikeGuide = sameValues && sameValueCounts(first, guide);
  if (!isLikeGuide && !endsMeet(first, slotCounts, valueCounts)) return DecodeFault.Records;

  const slots = isLikeGuide ? load<u32>(guideEntry(guide), SLOTS) : total(slotCounts);
  const values = isLikeGuide ? load<u32>(guideEntry(guide), VALUES) : total(valueCounts);
  let repetitionOffset: u32 = 0;
  let definitionOffset: u32 = 0;
  if (guide && sameReps) repetitionOffset = load<u32>(guideEntry(guide), REPETITION_OFFSET);
  else if (keepAs) repetitionOffset = takeLevels(slots);
  else reserve(Column.Merge3, slots + SLACK);
  if (guide && sameDefs) definitionOffset = load<u32>(guideEntry(guide), DEFINITION_OFFSET);
  else if (keepAs) definitionOffset = takeLevels(slots);
  else reserve(Column.Merge4, slots + SLACK);
  const repetitions = keepAs || sameReps ? levelsAt(repetitionOffset) : at(Column.Merge3);
  const definitions = keepAs || sameDefs ? levelsAt(definitionOffset) : at(Column.Merge4);
  if (!sameReps) copyLevels(first, slotCounts, repetitions, false);
  if (!sameDefs) copyLevels(first, slotCounts, definitions, true);

  valueRoom(values, width);
  copyPicks(first, valueCounts, kindBytes(load<u32>(leafEntry(first), KIND)), width);
  let common: u32 = MIXED;
  if (sameDefs) {
    common = load<u32>(guideEntry(guide), COMMON);
  } else {
    const level = commonLevel(definitions, slots);
    if (level >= 0) common = <u32>level;
  }
  if (keepAs) {
    const entry = guideEntry(keepAs);
    store<u32>(entry, first, FIRST_ENTRY);
    store<u32>(entry, slots, SLOTS);
    store<u32>(entry, values, VALUES);
    store<u32>(entry, maxDefinition, MAX_DEFINITION);
    store<u32>(entry, common, COMMON);
    store<u32>(entry, repetitionOffset, REPETITION_OFFSET);
    store<u32>(entry, definitionOffset, DEFINITION_OFFSET);
  }
  giveLeaf(slots, values, maxDefinition, maxRepetition, common, maxRepetition ? repetitions : 0, definitions);
  return DecodeFault.None;
}

/**
 * Decides about a leaf that was merged as slices: they stay what they are if most of many differ, or if `never` says that they get no
 * dictionary; else they become strings.
 */
export function settleSlices(never: bool): void {
  const slices = at(Column.Encode7);
  if (never || mostlyDistinct(slices, leafValues)) giveSlices();
  else stringsOfSlices(slices, leafValues);
}

/** Copies the values of all picks, of `wide` bytes each, to Encode7. */
function copyPicks(first: u32, valueCounts: usize, wide: u32, width: u32): void {
  // Addresses of each run's next value.
  for (let run: u32 = 0; run < runs; run++) {
    const from = at(VALUE_ARENA) + load<u32>(leafEntry(first + run), VALUE_START);
    store<u32>(CURSORS + ((<usize>run) << 3), <u32>from);
  }
  const entries = at(Column.Merge0);
  let out = at(Column.Encode7);
  for (let pick: u32 = 0; pick < picks; pick++) {
    const count = load<u32>(valueCounts + ((<usize>pick) << 2));
    if (!count) continue;
    const run = load<u32>(entries + ((<usize>pick) << 3));
    const cursor = CURSORS + ((<usize>(run & ~LEFT_OUT)) << 3);
    const from = <usize>load<u32>(cursor);
    store<u32>(cursor, <u32>from + count * wide);
    if (!(run & LEFT_OUT)) out = copyValues(out, from, count, wide, width);
  }
}

/** Makes a leaf without values the encoder's: its levels are those of what it lies in. */
export function mergeEmpty(guide: u32, maxDefinition: u32, maxRepetition: u32): void {
  giveLike(guide, 0, maxDefinition, maxRepetition);
}

/** Makes a leaf the encoder's all of whose values are 0, false or empty, and which has one wherever the guide has. */
export function mergeZeros(guide: u32, width: u32, maxDefinition: u32, maxRepetition: u32): void {
  const values = load<u32>(guideEntry(guide), VALUES);
  valueRoom(values, width);
  memory.fill(at(Column.Encode7), 0, <usize>values * width);
  giveLike(guide, values, maxDefinition, maxRepetition);
}

function giveLike(guide: u32, values: u32, maxDefinition: u32, maxRepetition: u32): void {
  const entry = guideEntry(guide);
  giveLeaf(
    load<u32>(entry, SLOTS),
    values,
    maxDefinition,
    maxRepetition,
    load<u32>(entry, COMMON),
    maxRepetition ? levelsAt(load<u32>(entry, REPETITION_OFFSET)) : 0,
    levelsAt(load<u32>(entry, DEFINITION_OFFSET)),
  );
}

/** Whether the 16-byte ids of the leaf at hand ascend. */
export function idsAscend(): bool {
  const ids = at(Column.Encode7);
  for (let i: u32 = 1; i < leafValues; i++) {
    const id = ids + ((<usize>i) << 4);
    const high = bswap<u64>(load<u64>(id));
    const highBefore = bswap<u64>(load<u64>(id - 16));
    if (high > highBefore) continue;
    if (high < highBefore || bswap<u64>(load<u64>(id, 8)) <= bswap<u64>(load<u64>(id - 8))) return false;
  }
  return true;
}

/** Writes the smallest and the largest of the leaf's 64-bit numbers to Output. */
export function leafExtent(): void {
  reserve(Column.Output, 16);
  let smallest: u64 = u64.MAX_VALUE;
  let largest: u64 = 0;
  for (let i: u32 = 0; i < leafValues; i++) {
    const value = load<u64>(at(Column.Encode7) + ((<usize>i) << 3));
    smallest = min<u64>(smallest, value);
    largest = max<u64>(largest, value);
  }
  store<u64>(at(Column.Output), smallest);
  store<u64>(at(Column.Output), largest, 8);
}

function beginCursors(): void {
  memory.fill(CURSORS, 0, (<usize>runs) << 3);
}

function countSlots(first: u32, slotCounts: usize): void {
  beginCursors();
  for (let pick: u32 = 0; pick < picks; pick++) {
    const entry = at(Column.Merge0) + ((<usize>pick) << 3);
    const run = load<u32>(entry) & ~LEFT_OUT;
    const cursor = CURSORS + ((<usize>run) << 3);
    const slot = load<u32>(cursor);
    const end = slotsOfRun(first + run);
    const count = slot < end ? slotsOfRows(repetitionsOfRun(first + run), slot, end, load<u32>(entry, 4)) : 0;
    store<u32>(slotCounts + ((<usize>pick) << 2), count);
    store<u32>(cursor, slot + count);
  }
}

function countValues(first: u32, slotCounts: usize, valueCounts: usize, maxDefinition: u32): void {
  beginCursors();
  for (let pick: u32 = 0; pick < picks; pick++) {
    const run = load<u32>(at(Column.Merge0) + ((<usize>pick) << 3)) & ~LEFT_OUT;
    const cursor = CURSORS + ((<usize>run) << 3);
    const slot = load<u32>(cursor);
    const slots = load<u32>(slotCounts + ((<usize>pick) << 2));
    const values = load<u32>(leafEntry(first + run), VALUE_COUNT);
    let count: u32 = 0;
    if (values == slotsOfRun(first + run)) count = slots;
    else if (values) count = countEqual(definitionsOfRun(first + run) + slot, slots, maxDefinition);
    store<u32>(valueCounts + ((<usize>pick) << 2), count);
    store<u32>(cursor, slot + slots);
  }
}

/** Whether every run of the leaf has as many values as that of the guide. */
function sameValueCounts(first: u32, guide: u32): bool {
  const others = load<u32>(guideEntry(guide), FIRST_ENTRY);
  for (let run: u32 = 0; run < runs; run++) {
    if (load<u32>(leafEntry(first + run), VALUE_COUNT) != load<u32>(leafEntry(others + run), VALUE_COUNT))
      return false;
  }
  return true;
}

/** Whether the picks take all slots and values of all runs. */
function endsMeet(first: u32, slotCounts: usize, valueCounts: usize): bool {
  beginCursors();
  for (let pick: u32 = 0; pick < picks; pick++) {
    const run = load<u32>(at(Column.Merge0) + ((<usize>pick) << 3)) & ~LEFT_OUT;
    const cursor = CURSORS + ((<usize>run) << 3);
    store<u32>(cursor, load<u32>(cursor) + load<u32>(slotCounts + ((<usize>pick) << 2)));
    store<u32>(cursor, load<u32>(cursor, 4) + load<u32>(valueCounts + ((<usize>pick) << 2)), 4);
  }
  for (let run: u32 = 0; run < runs; run++) {
    const cursor = CURSORS + ((<usize>run) << 3);
    if (load<u32>(cursor) != slotsOfRun(first + run)) return false;
    if (load<u32>(cursor, 4) != load<u32>(leafEntry(first + run), VALUE_COUNT)) return false;
  }
  return true;
}

/** Sum over the picks that are not left out. */
function total(counts: usize): u32 {
  let sum: u32 = 0;
  for (let pick: u32 = 0; pick < picks; pick++) {
    if (load<u32>(at(Column.Merge0) + ((<usize>pick) << 3)) & LEFT_OUT) continue;
    sum += load<u32>(counts + ((<usize>pick) << 2));
  }
  return sum;
}

function copyLevels(first: u32, slotCounts: usize, to: usize, definitions: bool): void {
  beginCursors();
  let out = to;
  for (let pick: u32 = 0; pick < picks; pick++) {
    const run = load<u32>(at(Column.Merge0) + ((<usize>pick) << 3));
    const count = load<u32>(slotCounts + ((<usize>pick) << 2));
    const cursor = CURSORS + ((<usize>(run & ~LEFT_OUT)) << 3);
    const slot = load<u32>(cursor);
    store<u32>(cursor, slot + count);
    if (run & LEFT_OUT) continue;
    const from = definitions ? definitionsOfRun(first + run) : repetitionsOfRun(first + run);
    copyBytes(out, from + slot, count);
    out += count;
  }
}
