// Cells: what is known of the spans of one group in one interval, or in one bucket of it. They lie in the order in which they were
// begun, found by a hash table, so that they take memory for the intervals that have spans and for no others.

import { spans } from "./batch";
import { Column } from "./column_ids";
import { mix } from "./hash";
import { at, reserve } from "./memory";
import { QueryType } from "./query_ids";
import { contentsOf, typesOf } from "./query_vectors";
import { groupCount, groupOf } from "./series_groups";
import { bucketBits, Fold } from "./series_ids";
import { firstSlot, lastSlot, NO_SLOT } from "./series_select";

const SLOTS_MIN: u32 = 1024;
const NO_CELL: u32 = 0xffffffff;
/** Cells that a batch may find by their place in a table of all that there can be. */
const PLACES_MAX: u64 = 1 << 18;

let cells: u32 = 0;
let cellsMax: u32 = 0;
let leftOut: u32 = 0;
let hasValues: bool = false;
let tableMask: u32 = 0;
let lastKey: u64 = 0;
let lastCell: u32 = NO_CELL;

/** No cells, and at most so many from here on. */
export function beginCells(limit: u32, fold: u32): void {
  cells = 0;
  cellsMax = limit;
  hasValues = fold != <u32>Fold.Count && fold != <u32>Fold.Buckets;
  leftOut = 0;
  lastCell = NO_CELL;
  growTable(SLOTS_MIN);
}

export function cellCount(): u32 {
  return cells;
}

/** Spans, or cells of others, that there was no cell for. */
export function leftOutCells(): u32 {
  return leftOut;
}

/** The cell with this key, which is begun if it is new; NO_CELL beyond the limit. */
function cellOf(key: u64): u32 {
  if (key == lastKey && lastCell != NO_CELL) return lastCell;
  const cell = findOrBegin(key);
  lastKey = key;
  lastCell = cell;
  return cell;
}

function findOrBegin(key: u64): u32 {
  const table = at(Column.SeriesCellTable);
  const keys = at(Column.SeriesCellKey);
  let slot = <u32>mix(key) & tableMask;
  while (true) {
    const entry = load<u32>(table + ((<usize>slot) << 2));
    if (!entry) break;
    if (load<u64>(keys + ((<usize>entry - 1) << 3)) == key) return entry - 1;
    slot = (slot + 1) & tableMask;
  }
  if (cells >= cellsMax) return NO_CELL;
  const cell = cells++;
  reserve(Column.SeriesCellKey, cells << 3);
  reserve(Column.SeriesCellCount, cells << 3);
  const offset = (<usize>cell) << 3;
  store<u64>(at(Column.SeriesCellKey) + offset, key);
  store<f64>(at(Column.SeriesCellCount) + offset, 0);
  if (hasValues) {
    reserve(Column.SeriesCellValue, cells << 3);
    reserve(Column.SeriesCellRest, cells << 3);
    store<f64>(at(Column.SeriesCellValue) + offset, 0);
    store<f64>(at(Column.SeriesCellRest) + offset, 0);
  }
  store<u32>(table + ((<usize>slot) << 2), cell + 1);
  if (cells << 1 > tableMask) growTable((tableMask + 1) << 1);
  return cell;
}

function growTable(slots: u32): void {
  reserve(Column.SeriesCellTable, slots << 2);
  const table = at(Column.SeriesCellTable);
  memory.fill(table, 0, slots << 2);
  tableMask = slots - 1;
  const keys = at(Column.SeriesCellKey);
  for (let cell: u32 = 0; cell < cells; cell++) {
    let slot = <u32>mix(load<u64>(keys + ((<usize>cell) << 3))) & tableMask;
    while (load<u32>(table + ((<usize>slot) << 2))) slot = (slot + 1) & tableMask;
    store<u32>(table + ((<usize>slot) << 2), cell + 1);
  }
}

/** Adds what is known of some spans to the cell with this key. */
export function addToCell(key: u64, fold: u32, count: f64, value: f64, rest: f64): void {
  add(cellOf(key), fold, count, value, rest);
}

function add(cell: u32, fold: u32, count: f64, value: f64, rest: f64): void {
  if (cell == NO_CELL) {
    leftOut++;
    return;
  }
  const offset = (<usize>cell) << 3;
  const counts = at(Column.SeriesCellCount) + offset;
  const before = load<f64>(counts);
  store<f64>(counts, before + count);
  if (!hasValues) return;
  const values = at(Column.SeriesCellValue) + offset;
  const known = load<f64>(values);
  if (fold == <u32>Fold.Sum) {
    const sum = known + value;
    // What is lost by rounding is added up apart (Neumaier).
    const lost = Math.abs(known) >= Math.abs(value) ? known - sum + value : value - sum + known;
    store<f64>(values, sum);
    const rests = at(Column.SeriesCellRest) + offset;
    // A sum that is infinite has lost nothing that could be told.
    if (lost == lost) store<f64>(rests, load<f64>(rests) + lost + rest);
    return;
  }
  if (before == 0 || (fold == <u32>Fold.Min ? value < known : value > known)) store<f64>(values, value);
}

/** Of the batch at hand: buckets of a group by interval, if all its cells have a place; 0: they are hashed. */
let placesOfGroup: u32 = 0;

/** Prepares a table of all cells that the batch can have, if that is not too large. */
function beginPlaces(fold: u32): void {
  const buckets: u32 = fold == <u32>Fold.Buckets ? 1 << bucketBits : 1;
  placesOfGroup = (((lastSlot - firstSlot) >>> bucketBits) + 1) * buckets;
  const places = <u64>placesOfGroup * <u64>groupCount();
  if (places > PLACES_MAX || places > (<u64>spans) << 2) {
    placesOfGroup = 0;
    return;
  }
  reserve(Column.QueryWork0, (<u32>(places + 1)) << 2);
  memory.fill(at(Column.QueryWork0), 0, (<u32>places) << 2);
}

/** Place of a cell in that table. */
function placeOf(group: u32, slot: u32, bucket: u32): u32 {
  const interval = (slot - firstSlot) >>> bucketBits;
  return group * placesOfGroup + (bucket ? (interval << bucketBits) | bucket : interval);
}

/** The cell of a span that is counted. */
function cellOfSpan(group: u32, slot: u32): u32 {
  const key = ((<u64>group) << 32) | <u64>slot;
  if (!placesOfGroup) return cellOf(key);
  const entry = at(Column.QueryWork0) + ((<usize>placeOf(group, slot, 0)) << 2);
  const known = load<u32>(entry);
  if (known) return known - 1;
  const cell = findOrBegin(key);
  if (cell != NO_CELL) store<u32>(entry, cell + 1);
  return cell;
}

/**
 * Folds the selected spans into the cells of their groups.
 *
 * @param from values by span, durations in ns; not looked at where spans are counted
 */
export function foldSpans(fold: u32, from: u32): void {
  beginPlaces(fold);
  if (hasValues) foldValues(fold, from);
  else if (fold == <u32>Fold.Count) countSpans();
  else countBuckets(from);
  if (placesOfGroup && !hasValues) cellsOfPlaces(fold);
}

function countSpans(): void {
  const slots = at(Column.SeriesSlot);
  const groups = at(Column.SeriesGroup);
  const table = at(Column.QueryWork0);
  for (let i: usize = 0; i < <usize>spans; i++) {
    const slot = load<u32>(slots + (i << 2));
    if (slot != NO_SLOT) countOne(table, groupOf(load<u32>(groups + (i << 2))), slot, 0);
  }
}

function countBuckets(from: u32): void {
  const slots = at(Column.SeriesSlot);
  const groups = at(Column.SeriesGroup);
  const table = at(Column.QueryWork0);
  const types = typesOf(from);
  const values = contentsOf(from, spans);
  for (let i: usize = 0; i < <usize>spans; i++) {
    const slot = load<u32>(slots + (i << 2));
    const type = <u32>load<u8>(types + i);
    if (slot == NO_SLOT || (type != <u32>QueryType.Int && type != <u32>QueryType.Duration)) continue;
    const value = load<i64>(values + (i << 3));
    if (value < 2) continue;
    countOne(table, groupOf(load<u32>(groups + (i << 2))), slot, <u32>(64 - clz(<u64>(value - 1))));
  }
}

/** Where cells have places, these are counters until all spans are counted: an integer each, in one small table. */
function countOne(table: usize, group: u32, slot: u32, bucket: u32): void {
  if (!placesOfGroup) {
    addToCell(((<u64>group) << 32) | <u64>(slot | bucket), Fold.Count, 1, 0, 0);
    return;
  }
  const entry = table + ((<usize>placeOf(group, slot, bucket)) << 2);
  store<u32>(entry, load<u32>(entry) + 1);
}

function cellsOfPlaces(fold: u32): void {
  const buckets: u32 = fold == <u32>Fold.Buckets ? 1 << bucketBits : 1;
  const places = placesOfGroup * groupCount();
  for (let place: u32 = 0; place < places; place++) {
    const count = load<u32>(at(Column.QueryWork0) + ((<usize>place) << 2));
    if (!count) continue;
    const within = place % placesOfGroup;
    const slot = firstSlot + ((within / buckets) << bucketBits) + (within % buckets);
    addToCell(((<u64>(place / placesOfGroup)) << 32) | <u64>slot, fold, <f64>count, 0, 0);
  }
}

function foldValues(fold: u32, from: u32): void {
  const slots = at(Column.SeriesSlot);
  const groups = at(Column.SeriesGroup);
  const types = typesOf(from);
  const values = contentsOf(from, spans);
  for (let i: usize = 0; i < <usize>spans; i++) {
    const slot = load<u32>(slots + (i << 2));
    if (slot == NO_SLOT) continue;
    const type = <u32>load<u8>(types + i);
    const bits = load<u64>(values + (i << 3));
    let value: f64 = 0;
    if (type == <u32>QueryType.Int || type == <u32>QueryType.Duration) value = <f64>(<i64>bits);
    else if (type == <u32>QueryType.Double) {
      value = reinterpret<f64>(bits);
      if (value != value) continue;
    } else continue;
    add(cellOfSpan(groupOf(load<u32>(groups + (i << 2))), slot), fold, 1, value, 0);
  }
}
