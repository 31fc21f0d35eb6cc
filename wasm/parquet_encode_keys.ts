// Attributes with a Parquet column of their own: which keys they are, and their values by span and by resource.

import { resources } from "./batch";
import { AttrType, Column } from "./column_ids";
import { strings } from "./dictionary";
import { at, reserve } from "./memory";

// Per string id in Encode4 four column numbers, 0 = none, u8 each.
const RESOURCE_STRING: u32 = 0;
const SPAN_STRING: u32 = 8;
const SPAN_INT: u32 = 16;

/** Columns of resources and of spans; numbers begin at 1. */
let resourceColumns: u32 = 0;
let spanColumns: u32 = 0;
/** Spans and resources that the table in Encode3 has room for: first the resources' columns, then the spans'. */
let rows: u32 = 0;
let spanTable: u32 = 0;

/** Forgets all keys. Every string must be interned by now. */
export function beginKeys(): void {
  reserve(Column.Encode4, strings() << 2);
  memory.fill(at(Column.Encode4), 0, strings() << 2);
  resourceColumns = 0;
  spanColumns = 0;
}

/** Gives string attributes of resources with this key a column. Returns its number. */
export function addResourceColumn(key: u32): u32 {
  resourceColumns++;
  put(key, RESOURCE_STRING, resourceColumns);
  return resourceColumns;
}

/** Gives attributes of spans with this key a column: string attributes, or integers. Returns its number. */
export function addSpanColumn(key: u32, ofIntegers: bool): u32 {
  spanColumns++;
  put(key, ofIntegers ? SPAN_INT : SPAN_STRING, spanColumns);
  return spanColumns;
}

function put(key: u32, shift: u32, column: u32): void {
  const entry = at(Column.Encode4) + ((<usize>key) << 2);
  const mask: u32 = (<u32>0xff) << shift;
  // The first column of a key and type takes the attribute, as in a configured list the first of two equal entries does.
  if (!(load<u32>(entry) & mask)) store<u32>(entry, load<u32>(entry) | (column << shift));
}

/** Number of the column that takes an attribute of this key and type, or 0. */
export function columnOfKey(key: u32, ofSpan: bool, type: u8): u32 {
  const columns = load<u32>(at(Column.Encode4) + ((<usize>key) << 2));
  if (!columns) return 0;
  if (type == <u8>AttrType.String) return (columns >>> (ofSpan ? SPAN_STRING : RESOURCE_STRING)) & 0xff;
  return ofSpan && type == <u8>AttrType.Int ? (columns >>> SPAN_INT) & 0xff : 0;
}

/** Empties the table of a row group with this many spans, and fills in the columns of resources. */
export function prepareKeyColumns(places: u32): void {
  rows = places;
  spanTable = (resourceColumns * resources) << 2;
  const bytes = spanTable + ((spanColumns * places) << 2);
  reserve(Column.Encode3, bytes + 16);
  memory.fill(at(Column.Encode3), 0, bytes);
  for (let resource: u32 = 0; resource < resources; resource++) {
    const row = (<usize>resource) << 2;
    const start = load<u32>(at(Column.ResourceAttrStart) + row);
    const end = start + load<u32>(at(Column.ResourceAttrCount) + row);
    for (let attr = start; attr < end; attr++) {
      const column = columnOfKey(
        load<u32>(at(Column.AttrKey) + ((<usize>attr) << 2)),
        false,
        load<u8>(at(Column.AttrType) + attr),
      );
      if (!column) continue;
      const value = load<u32>(at(Column.AttrValue) + ((<usize>attr) << 3));
      store<u32>(resourceColumn(column) + row, value + 1);
    }
  }
}

/** Notes a span's value: a string by its id, an integer by the attribute that holds it. A later one replaces an earlier. */
export function putSpanColumn(column: u32, place: u32, type: u8, attr: u32, value: u32): void {
  store<u32>(spanColumn(column) + ((<usize>place) << 2), (type == <u8>AttrType.String ? value : attr) + 1);
}

/** Address of a column of spans: by place string id + 1 or attribute + 1, 0 = no value. */
export function spanColumn(column: u32): usize {
  return at(Column.Encode3) + spanTable + ((<usize>((column - 1) * rows)) << 2);
}

/** Address of a column of resources: by resource string id + 1, 0 = no value. */
export function resourceColumn(column: u32): usize {
  return at(Column.Encode3) + ((<usize>((column - 1) * resources)) << 2);
}
