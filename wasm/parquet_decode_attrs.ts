// Attributes from levels: counted per owner, laid out, then filled, whichever leaves they come from.

import { ensureAttrs, ensureSpanAttrs } from "./batch";
import { AttrType, Column } from "./column_ids";
import { at, reserve } from "./memory";
import { arrayOf, emptyArray, messageType, messageValue, readMessage } from "./parquet_decode_any_value";
import { soil } from "./parquet_decode_clean";
import { DecodeFault, Owner } from "./parquet_decode_ids";
import { leafEntry, MAX_DEFINITION, VALUE_COUNT } from "./parquet_decode_leaf";
import { anyAbove, anyBelow } from "./parquet_decode_levels";
import {
  attrTop,
  definitionsOf,
  firstRow,
  isNarrow,
  newRows,
  repetitionsOf,
  ROWS_MAX,
  setAttrTop,
  setSpanAttrTop,
  slotCount,
  spanAttrTop,
  valueAt,
  valuesOf,
} from "./parquet_decode_rows";

/** Attributes per owner; once laid out, the row of the owner's next attribute. */
export const CURSORS: i32 = Column.Decode11;
/** Row of an attribute by its position in the Key leaf, or among those that were selected. */
export const ATTR_ROWS: i32 = Column.Decode12;
/** Rows of attributes whose value is JSON text. */
const JSON_ROWS: i32 = Column.Decode13;

/** As the type of a leaf's values: JSON text, or protobuf, of an AnyValue. */
const TYPE_JSON: u32 = 0x80;
const TYPE_MESSAGE: u32 = 0x81;

export let attrOwner: u32 = 0;
let keyCount: u32 = 0;
/** Generic attributes that have got a value. */
let valued: u32 = 0;
let jsonCount: u32 = 0;

/** Starts to lay out the attributes of one kind of owner. */
export function beginAttrs(owner: u32): void {
  attrOwner = owner;
  keyCount = 0;
  valued = 0;
  jsonCount = 0;
  const bytes = (newRows(owner) + 1) << 2;
  reserve(CURSORS, bytes);
  memory.fill(at(CURSORS), 0, bytes);
}

/** Counts one attribute for each owner that has a value in the leaf, or with `each` one for each value. */
export function countAttrs(leaf: u32, repetition: u32, definition: u32, each: bool): u32 {
  return countOwned(leafEntry(leaf), newRows(attrOwner), repetition, definition, each, false);
}

/** Adds to CURSORS how many values each owner has. Owners begin at the given levels. */
export function countOwned(
  entry: usize,
  owners: u32,
  repetition: u32,
  definition: u32,
  each: bool,
  clear: bool,
): u32 {
  if (clear) {
    reserve(CURSORS, (owners + 1) << 2);
    memory.fill(at(CURSORS), 0, (owners + 1) << 2);
  }
  const count = slotCount(entry);
  const repetitions = repetitionsOf(entry);
  const definitions = definitionsOf(entry);
  const full = load<u32>(entry, MAX_DEFINITION);
  const cursors = at(CURSORS);
  if (count == owners && eachBegins(repetitions, definitions, count, repetition, definition)) {
    for (let i: u32 = 0; i < count; i++) {
      const cursor = cursors + ((<usize>i) << 2);
      store<u32>(cursor, load<u32>(cursor) + <u32>(<u32>load<u8>(definitions + i) == full));
    }
    return DecodeFault.None;
  }
  let begun: u32 = 0;
  let had = false;
  for (let i: u32 = 0; i < count; i++) {
    const d: u32 = load<u8>(definitions + i);
    if (<u32>load<u8>(repetitions + i) <= repetition) {
      if (d < definition) continue;
      if (begun >= owners) return DecodeFault.Records;
      begun++;
      had = false;
    }
    if (d == full) {
      if (!begun) return DecodeFault.Records;
      if (each || !had) {
        const cursor = cursors + ((<usize>(begun - 1)) << 2);
        store<u32>(cursor, load<u32>(cursor) + 1);
      }
      had = true;
    }
  }
  return begun == owners ? DecodeFault.None : DecodeFault.Records;
}

/** Counts one attribute for each owner whose string in the leaf is not empty. */
export function countNonEmpty(leaf: u32): u32 {
  const entry = leafEntry(leaf);
  const owners = newRows(attrOwner);
  if (load<u32>(entry, VALUE_COUNT) != owners) return DecodeFault.Records;
  const values = valuesOf(entry);
  for (let i: usize = 0; i < <usize>owners; i++) {
    const cursor = at(CURSORS) + (i << 2);
    store<u32>(cursor, load<u32>(cursor) + <u32>(load<u32>(values + (i << 2)) != 0));
  }
  return DecodeFault.None;
}

/** Gives every owner the range of its attributes. From here on they can be filled, in the order in which they are to come back. */
export function layOutAttrs(): u32 {
  const owners = newRows(attrOwner);
  const cursors = at(CURSORS);
  let total: u64 = 0;
  for (let i: usize = 0; i < <usize>owners; i++) total += load<u32>(cursors + (i << 2));
  const ofSpans = attrOwner == <u32>Owner.Span;
  let next = ofSpans ? spanAttrTop : attrTop;
  if (total + next > ROWS_MAX) return DecodeFault.Records;
  const end = next + <u32>total;
  const first = <usize>firstRow(attrOwner);
  if (ofSpans) {
    ensureSpanAttrs(end);
    memory.fill(at(Column.SpanAttrType) + next, 0, end - next);
    soil(Column.SpanAttrStart, first << 2);
    const starts = at(Column.SpanAttrStart);
    for (let i: usize = 0; i < <usize>owners; i++) {
      const count = load<u32>(cursors + (i << 2));
      store<u32>(cursors + (i << 2), next);
      store<u32>(starts + ((first + i) << 2), next);
      next += count;
    }
    store<u32>(starts + ((first + owners) << 2), next);
    setSpanAttrTop(next);
    return DecodeFault.None;
  }
  ensureAttrs(end);
  memory.fill(at(Column.AttrType) + next, 0, end - next);
  const startColumn = attrStartColumn();
  soil(startColumn, first << 2);
  soil(startColumn + 1, first << 2);
  const starts = at(startColumn);
  const counts = at(startColumn + 1);
  for (let i: usize = 0; i < <usize>owners; i++) {
    const count = load<u32>(cursors + (i << 2));
    store<u32>(cursors + (i << 2), next);
    store<u32>(starts + ((first + i) << 2), next);
    store<u32>(counts + ((first + i) << 2), count);
    next += count;
  }
  setAttrTop(next);
  return DecodeFault.None;
}

/** The AttrStart column of the owner; its AttrCount column follows. */
function attrStartColumn(): i32 {
  switch (attrOwner) {
    case Owner.Resource:
      return Column.ResourceAttrStart;
    case Owner.Scope:
      return Column.ScopeAttrStart;
    case Owner.Event:
      return Column.EventAttrStart;
    default:
      return Column.LinkAttrStart;
  }
}

export function keyColumn(): i32 {
  return attrOwner == <u32>Owner.Span ? Column.SpanAttrKey : Column.AttrKey;
}

function setValue(row: u32, type: u32, value: u64): void {
  const keys = keyColumn();
  store<u8>(at(keys + 1) + row, <u8>type);
  store<u64>(at(keys + 2) + ((<usize>row) << 3), value);
}

/** Fills the keys of the generic attributes, which come first in each owner's range. */
export function fillKeys(leaf: u32, repetition: u32, definition: u32): u32 {
  const entry = leafEntry(leaf);
  const count = slotCount(entry);
  const repetitions = repetitionsOf(entry);
  const definitions = definitionsOf(entry);
  const full = load<u32>(entry, MAX_DEFINITION);
  const values = valuesOf(entry);
  keyCount = load<u32>(entry, VALUE_COUNT);
  reserve(ATTR_ROWS, (keyCount + 1) << 2);
  const attrRows = at(ATTR_ROWS);
  const cursors = at(CURSORS);
  const keys = at(keyColumn());
  const contents = at(keyColumn() + 2);
  let begun: usize = 0;
  let value: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const d: u32 = load<u8>(definitions + i);
    if (<u32>load<u8>(repetitions + i) <= repetition) {
      if (d < definition) continue;
      begun++;
    }
    if (d == full) {
      const cursor = cursors + ((begun - 1) << 2);
      const row = load<u32>(cursor);
      store<u32>(cursor, row + 1);
      store<u32>(keys + ((<usize>row) << 2), load<u32>(values + (value << 2)));
      store<u64>(contents + ((<usize>row) << 3), 0);
      store<u32>(attrRows + (value << 2), row);
      value++;
    }
  }
  return DecodeFault.None;
}

/**
 * Fills values of the generic attributes from one of the leaves beside Key.
 *
 * @param repetition level at which an attribute begins, as for the definition
 * @param type AttrType of the values, or 0x80: JSON text, 0x81: protobuf of an AnyValue
 * @param arrays number of the IsArray leaf + 1; 0 if no attribute is an array
 */
export function fillValues(leaf: u32, repetition: u32, definition: u32, type: u32, arrays: u32): u32 {
  const entry = leafEntry(leaf);
  const count = slotCount(entry);
  const repetitions = repetitionsOf(entry);
  const definitions = definitionsOf(entry);
  const full = load<u32>(entry, MAX_DEFINITION);
  const values = valuesOf(entry);
  const narrow = isNarrow(entry);
  let flags: usize = 0;
  if (arrays) {
    const arrayEntry = leafEntry(arrays - 1);
    if (load<u32>(arrayEntry, VALUE_COUNT) != keyCount) return DecodeFault.Records;
    flags = valuesOf(arrayEntry);
  }
  if (
    !flags &&
    type < TYPE_JSON &&
    count == keyCount &&
    eachBegins(repetitions, definitions, count, repetition, definition)
  ) {
    fillScalars(definitions, count, full, values, narrow, type);
    return DecodeFault.None;
  }
  let begun: u32 = 0;
  let value: u32 = 0;
  let i: u32 = 0;
  while (i < count) {
    const d: u32 = load<u8>(definitions + i);
    if (<u32>load<u8>(repetitions + i) <= repetition) {
      if (d < definition) {
        i++;
        continue;
      }
      if (begun >= keyCount) return DecodeFault.Records;
      begun++;
    }
    i++;
    if (d != full) continue;
    if (!begun) return DecodeFault.Records;
    const first = value++;
    while (i < count && <u32>load<u8>(repetitions + i) > repetition) {
      if (<u32>load<u8>(definitions + i) == full) value++;
      i++;
    }
    const row = load<u32>(at(ATTR_ROWS) + ((<usize>(begun - 1)) << 2));
    valued++;
    // Without flags a list of several values can only be an array; with them the first value of what is no array counts.
    if (flags ? load<u64>(flags + ((<usize>(begun - 1)) << 3)) != 0 : value - first > 1) {
      setValue(row, AttrType.Array, arrayOf(type, values, narrow, first, value - first));
      continue;
    }
    const content = valueAt(values, narrow, first);
    if (type == TYPE_JSON) {
      // vParquet3 writes an empty text where there is none.
      if (!content) {
        valued--;
        continue;
      }
      setValue(row, AttrType.None, content);
      reserve(JSON_ROWS, (jsonCount + 1) << 2);
      store<u32>(at(JSON_ROWS) + (usize(jsonCount++) << 2), row);
    } else if (type == TYPE_MESSAGE) {
      if (!readMessage(<u32>content)) return DecodeFault.Protobuf;
      setValue(row, messageType, messageValue);
    } else {
      setValue(row, type, content);
    }
  }
  return begun == keyCount ? DecodeFault.None : DecodeFault.Records;
}

/** Whether every slot begins an element at the given levels, so that none has more than one value. */
function eachBegins(
  repetitions: usize,
  definitions: usize,
  count: u32,
  repetition: u32,
  definition: u32,
): bool {
  return !anyAbove(repetitions, count, repetition) && !anyBelow(definitions, count, definition);
}

/** Fills values of attributes, of which each has a slot of its own. */
function fillScalars(
  definitions: usize,
  count: u32,
  full: u32,
  values: usize,
  narrow: bool,
  type: u32,
): void {
  const rows = at(ATTR_ROWS);
  const types = at(keyColumn() + 1);
  const contents = at(keyColumn() + 2);
  const step: usize = narrow ? 4 : 8;
  let p = values;
  for (let i: u32 = 0; i < count; i++) {
    if (<u32>load<u8>(definitions + i) != full) continue;
    const row = <usize>load<u32>(rows + ((<usize>i) << 2));
    store<u8>(types + row, <u8>type);
    store<u64>(contents + (row << 3), narrow ? <u64>load<u32>(p) : load<u64>(p));
    p += step;
  }
  valued += <u32>((p - values) / step);
}

/** Generic attributes of the owner at hand that no leaf has given a value so far. */
export function unvaluedAttrs(): u32 {
  return keyCount - valued;
}

export function setKeyCount(count: u32): void {
  keyCount = count;
}

/** Makes attributes empty arrays that are arrays and got no value. */
export function fillEmptyArrays(arrays: u32): u32 {
  const entry = leafEntry(arrays);
  if (load<u32>(entry, VALUE_COUNT) != keyCount) return DecodeFault.Records;
  const flags = valuesOf(entry);
  const types = keyColumn() + 1;
  for (let i: usize = 0; i < <usize>keyCount; i++) {
    if (!load<u64>(flags + (i << 3))) continue;
    const row = load<u32>(at(ATTR_ROWS) + (i << 2));
    if (load<u8>(at(types) + row) == AttrType.None) setValue(row, AttrType.Array, emptyArray());
  }
  return DecodeFault.None;
}

/** Fills one attribute for each owner that has a value in the leaf; several values make an array. */
export function fillOptional(leaf: u32, repetition: u32, definition: u32, key: u32, type: u32): u32 {
  const entry = leafEntry(leaf);
  const count = slotCount(entry);
  const repetitions = repetitionsOf(entry);
  const definitions = definitionsOf(entry);
  const full = load<u32>(entry, MAX_DEFINITION);
  const values = valuesOf(entry);
  const narrow = isNarrow(entry);
  const cursors = at(CURSORS);
  const keys = at(keyColumn());
  if (count == newRows(attrOwner) && eachBegins(repetitions, definitions, count, repetition, definition)) {
    fillOwned(definitions, count, full, values, narrow, key, type);
    return DecodeFault.None;
  }
  let begun: usize = 0;
  let value: u32 = 0;
  let i: u32 = 0;
  while (i < count) {
    const d: u32 = load<u8>(definitions + i);
    if (<u32>load<u8>(repetitions + i++) <= repetition) {
      if (d < definition) continue;
      begun++;
    }
    if (d != full) continue;
    const first = value++;
    while (i < count && <u32>load<u8>(repetitions + i) > repetition) {
      if (<u32>load<u8>(definitions + i) == full) value++;
      i++;
    }
    const cursor = cursors + ((begun - 1) << 2);
    const row = load<u32>(cursor);
    store<u32>(cursor, row + 1);
    store<u32>(keys + ((<usize>row) << 2), key);
    if (value - first == 1) setValue(row, type, valueAt(values, narrow, first));
    else setValue(row, AttrType.Array, arrayOf(type, values, narrow, first, value - first));
  }
  return DecodeFault.None;
}

/** Fills attributes of owners, of which each has a slot of its own. */
function fillOwned(
  definitions: usize,
  count: u32,
  full: u32,
  values: usize,
  narrow: bool,
  key: u32,
  type: u32,
): void {
  const keys = at(keyColumn());
  const types = at(keyColumn() + 1);
  const contents = at(keyColumn() + 2);
  const step: usize = narrow ? 4 : 8;
  let cursor = at(CURSORS);
  let p = values;
  for (let i: u32 = 0; i < count; i++, cursor += 4) {
    if (<u32>load<u8>(definitions + i) != full) continue;
    const row = <usize>load<u32>(cursor);
    store<u32>(cursor, <u32>row + 1);
    store<u32>(keys + (row << 2), key);
    store<u8>(types + row, <u8>type);
    store<u64>(contents + (row << 3), narrow ? <u64>load<u32>(p) : load<u64>(p));
    p += step;
  }
}

/** Fills one string attribute for each owner whose string in the leaf is not empty. */
export function fillNonEmpty(leaf: u32, key: u32): u32 {
  const values = valuesOf(leafEntry(leaf));
  const keys = at(keyColumn());
  const owners = newRows(attrOwner);
  for (let i: usize = 0; i < <usize>owners; i++) {
    const value = load<u32>(values + (i << 2));
    if (!value) continue;
    const cursor = at(CURSORS) + (i << 2);
    const row = load<u32>(cursor);
    store<u32>(cursor, row + 1);
    store<u32>(keys + ((<usize>row) << 2), key);
    setValue(row, AttrType.String, value);
  }
  return DecodeFault.None;
}

/** Attributes of the owner at hand whose value is still the id of a JSON text; their rows stand in the column Decode13. */
export function takeJsonRows(): u32 {
  const count = jsonCount;
  jsonCount = 0;
  return count;
}
