// Cells of several batches added up. Their groups are known to each other by their keys, which are the strings of the batch that adds up.

import { Column } from "./column_ids";
import { BLOBS, find, intern, STRINGS, strings } from "./dictionary";
import { at, reserve } from "./memory";
import { QueryType } from "./query_ids";
import { addToCell } from "./series_cells";
import { otherValues } from "./series_ids";

/**
 * Finds or begins the groups that are handed in: their keys in the column Input, the end of each in SeriesKeyEnd.
 *
 * @param count groups with a key; from there to `all` they have none, and no room
 * @param groupsMax groups, and `bytesMax` bytes of their keys, that are held at most
 * @returns how many found no room
 */
export function mergeGroups(count: u32, all: u32, groupsMax: u32, bytesMax: u32): u32 {
  let without = beginMerge(count, all);
  let start: u32 = 0;
  for (let group: usize = 0; group < <usize>count; group++) {
    const end = load<u32>(at(Column.SeriesKeyEnd) + (group << 2));
    const from = at(Column.Input) + start;
    const length = end - start;
    start = end;
    let own: u32 = 0;
    if (hasRoom(length, groupsMax, bytesMax)) own = intern(STRINGS, from, length) + 1;
    else own = <u32>(find(STRINGS, from, length) + 1);
    without += <u32>(own == 0);
    store<u32>(at(Column.SeriesIn4) + (group << 2), own);
  }
  return without;
}

/** Every group from `count` to `all` has no room. @returns how many these are */
function beginMerge(count: u32, all: u32): u32 {
  reserve(Column.SeriesIn4, (all + 1) << 2);
  memory.fill(at(Column.SeriesIn4) + ((<usize>count) << 2), 0, (all - count) << 2);
  return all - count;
}

/** Tells whether one more key of this length may be held. */
function hasRoom(length: u32, groupsMax: u32, bytesMax: u32): bool {
  const held = strings();
  const bytes = load<u32>(at(Column.StringEnd) + ((<usize>held - 1) << 2));
  return held < groupsMax && bytes + length <= bytesMax;
}

/** Adds the cells that are handed in, in SeriesIn0 to SeriesIn3, to those of the groups that mergeGroups() has found for theirs. */
export function mergeCells(count: u32, fold: u32, hasValues: u32): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const key = load<u64>(at(Column.SeriesIn0) + (i << 3));
    const own = load<u32>(at(Column.SeriesIn4) + ((<usize>(key >>> 32)) << 2));
    if (!own) continue;
    addToCell(
      ((<u64>(own - 1)) << 32) | (key & 0xffffffff),
      fold,
      load<f64>(at(Column.SeriesIn1) + (i << 3)),
      hasValues ? load<f64>(at(Column.SeriesIn2) + (i << 3)) : 0,
      hasValues ? load<f64>(at(Column.SeriesIn3) + (i << 3)) : 0,
    );
  }
}

/**
 * As mergeGroups(), of a comparison. Of an attribute with very many values those that come first have groups of their own; the others are
 * counted together in one group.
 *
 * @param valuesMax groups of one attribute
 */
export function mergeComparedGroups(
  count: u32,
  all: u32,
  groupsMax: u32,
  bytesMax: u32,
  valuesMax: u32,
): u32 {
  let without = beginMerge(count, all);
  let start: u32 = 0;
  for (let group: usize = 0; group < <usize>count; group++) {
    const end = load<u32>(at(Column.SeriesKeyEnd) + (group << 2));
    const from = at(Column.Input) + start;
    const length = end - start;
    start = end;
    let own: u32 = <u32>(find(STRINGS, from, length) + 1);
    if (!own && length) {
      const prefix = attributeLength(from);
      // The names of the attributes take as much room once more.
      if (hasRoom(length, groupsMax, bytesMax >>> 1)) {
        const values = valuesOf(from, prefix);
        if (load<u32>(values) < valuesMax) {
          store<u32>(values, load<u32>(values) + 1);
          own = intern(STRINGS, from, length) + 1;
        } else {
          store<u8>(from + prefix, <u8>otherValues);
          own = intern(STRINGS, from, prefix + 1) + 1;
        }
      }
    }
    without += <u32>(own == 0);
    store<u32>(at(Column.SeriesIn4) + (group << 2), own);
  }
  return without;
}

/** Length of the parts of a key that say which attribute it is about. */
function attributeLength(key: usize): u32 {
  const owner: u32 = 9;
  return owner + (load<u8>(key + owner) == QueryType.Int ? 9 : 5 + load<u32>(key + owner + 1));
}

/** Address of the number of groups that an attribute has: in SeriesIn5, by its place among the attributes. */
function valuesOf(key: usize, length: u32): usize {
  const known = find(BLOBS, key, length);
  const attribute = known < 0 ? intern(BLOBS, key, length) : <u32>known;
  reserve(Column.SeriesIn5, (attribute + 1) << 2);
  const values = at(Column.SeriesIn5) + ((<usize>attribute) << 2);
  if (known < 0) store<u32>(values, 0);
  return values;
}
