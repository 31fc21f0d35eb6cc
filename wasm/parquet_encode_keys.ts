// Attributes with a Parquet column of their own: which keys they are, and which attribute of each resource, span and event is in them.

import { resources } from "./batch";
import { AttrType, Column } from "./column_ids";
import { strings } from "./dictionary";
import { at, reserve } from "./memory";
import { blobKind, elementKind } from "./parquet_encode_arrays";
import { Owner, SlotKind } from "./parquet_encode_ids";

// Per string id in Encode4 a byte by owner and type: the number of the column, 0 = none, and whether it takes arrays of its type.
const STRINGS_OF: u32 = 0;
const INTS_OF: u32 = 8;
const NUMBER: u32 = 0x7f;
const TAKES_ARRAYS: u32 = 0x80;

// By owner: how many columns, the rows that each has in Encode3, and where the owner's begin there, in bytes.
const COUNTS: usize = memory.data(4 * 4);
const ROWS: usize = memory.data(4 * 4);
const STARTS: usize = memory.data(4 * 4);
/** By owner and number: whether the column has an array. */
const HAS_ARRAY: usize = memory.data(4 * 128);

function get(table: usize, owner: u32): u32 {
  return load<u32>(table + ((<usize>owner) << 2));
}

function set(table: usize, owner: u32, value: u32): void {
  store<u32>(table + ((<usize>owner) << 2), value);
}

/** Where an owner's two bytes begin in an entry of Encode4. */
export function columnsShift(owner: u32): u64 {
  return owner == Owner.Resource ? 0 : owner == Owner.Span ? 16 : 32;
}

/** Forgets all keys. Every string must be interned by now. */
export function beginKeys(): void {
  reserve(Column.Encode4, strings() << 3);
  memory.fill(at(Column.Encode4), 0, strings() << 3);
  memory.fill(COUNTS, 0, 4 * 4);
}

/** Gives string attributes with this key, or integers, a column: of resources, spans or events. Returns its number. */
export function addKeyColumn(owner: u32, key: u32, ofIntegers: bool, takesArrays: bool): u32 {
  const column = get(COUNTS, owner) + 1;
  set(COUNTS, owner, column);
  const entry = at(Column.Encode4) + ((<usize>key) << 3);
  const shift = columnsShift(owner) + (ofIntegers ? INTS_OF : STRINGS_OF);
  // The first column of a key and type takes the attribute, as in a configured list the first of two equal entries does.
  if (!((load<u64>(entry) >>> shift) & 0xff)) {
    store<u64>(entry, load<u64>(entry) | ((<u64>(column | (takesArrays ? TAKES_ARRAYS : 0))) << shift));
  }
  return column;
}

/** Whether attributes of the owner may have columns of their own. */
export function hasKeyColumns(owner: u32): bool {
  return owner < 4 && get(COUNTS, owner) != 0;
}

/**
 * Number of the column that takes an attribute, or 0.
 *
 * @param shift columnsShift() of its owner
 * @param value address of its value
 */
export function columnOfKey(key: u32, shift: u64, type: u8, value: usize): u32 {
  const entry = load<u64>(at(Column.Encode4) + ((<usize>key) << 3));
  if (!entry) return 0;
  const ofStrings = <u32>(entry >>> (shift + STRINGS_OF)) & 0xff;
  if (type == <u8>AttrType.String) return ofStrings & NUMBER;
  const ofInts = <u32>(entry >>> (shift + INTS_OF)) & 0xff;
  if (type == <u8>AttrType.Int) return ofInts & NUMBER;
  return type == <u8>AttrType.Array ? columnOfArray(ofStrings, ofInts, load<u32>(value)) : 0;
}

function columnOfArray(ofStrings: u32, ofInts: u32, blob: u32): u32 {
  const strings = ofStrings & TAKES_ARRAYS ? ofStrings & NUMBER : 0;
  const ints = ofInts & TAKES_ARRAYS ? ofInts & NUMBER : 0;
  const kind = blobKind(blob);
  if (kind == SlotKind.EmptyArray) return strings ? strings : ints;
  if (kind != SlotKind.Array) return 0;
  if (elementKind(blob) == SlotKind.String) return strings;
  return elementKind(blob) == SlotKind.Int ? ints : 0;
}

/** Empties the columns of a row group with this many spans, and fills in those of resources. */
export function prepareKeyColumns(places: u32): void {
  memory.fill(HAS_ARRAY, 0, 4 * 128);
  prepare(Owner.Resource, 0, resources);
  prepare(Owner.Span, endOf(Owner.Resource), places);
  const shift = columnsShift(Owner.Resource);
  for (let resource: u32 = 0; resource < resources; resource++) {
    const row = (<usize>resource) << 2;
    const start = load<u32>(at(Column.ResourceAttrStart) + row);
    const end = start + load<u32>(at(Column.ResourceAttrCount) + row);
    for (let attr = start; attr < end; attr++) {
      const type = load<u8>(at(Column.AttrType) + attr);
      const key = load<u32>(at(Column.AttrKey) + ((<usize>attr) << 2));
      const column = columnOfKey(key, shift, type, at(Column.AttrValue) + ((<usize>attr) << 3));
      if (column) putInColumn(Owner.Resource, column, resource, type, attr);
    }
  }
}

/** Empties the columns of the events in so many slots. */
export function prepareEventColumns(slots: u32): void {
  prepare(Owner.Event, endOf(Owner.Span), slots);
}

function prepare(owner: u32, start: u32, rows: u32): void {
  set(STARTS, owner, start);
  set(ROWS, owner, rows);
  const end = endOf(owner);
  reserve(Column.Encode3, end + 16);
  memory.fill(at(Column.Encode3) + start, 0, end - start);
}

function endOf(owner: u32): u32 {
  return get(STARTS, owner) + ((get(COUNTS, owner) * get(ROWS, owner)) << 2);
}

/** Puts an attribute into the row of its resource, the place of its span or the slot of its event. A later one replaces an earlier. */
export function putInColumn(owner: u32, column: u32, row: u32, type: u8, attr: u32): void {
  store<u32>(columnCells(owner, column) + ((<usize>row) << 2), attr + 1);
  if (type == <u8>AttrType.Array) store<u8>(HAS_ARRAY + ((<usize>owner) << 7) + column, 1);
}

/** Address of what a column holds by row, u32: row of the attribute + 1, 0 = none. */
export function columnCells(owner: u32, column: u32): usize {
  return at(Column.Encode3) + get(STARTS, owner) + ((<usize>((column - 1) * get(ROWS, owner))) << 2);
}

/** Whether an attribute that the column holds, or held until another replaced it, is an array. */
export function columnHasArray(owner: u32, column: u32): bool {
  return load<u8>(HAS_ARRAY + ((<usize>owner) << 7) + column) != 0;
}
