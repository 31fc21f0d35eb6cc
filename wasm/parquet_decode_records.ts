// Records from levels: decoded leaves become rows of the batch. Resources, scopes and spans come from the levels of one leaf below
// the spans; a leaf with one value per row is copied into its column; attributes are counted per owner, laid out, then filled.

import {
  addTrace,
  attrs,
  ensureAttrs,
  ensureEvents,
  ensureLinks,
  ensureResources,
  ensureScopes,
  ensureSpanAttrs,
  ensureSpans,
  events,
  links,
  resources,
  scopes,
  setCounts,
  spanAttrs,
  spans,
  traces,
} from "./batch";
import { AttrType, Column } from "./column_ids";
import { at, reserve } from "./memory";
import {
  arrayOf,
  attrsBehind,
  emptyArray,
  linksBehind,
  messageType,
  messageValue,
  readLinks,
  readMessage,
} from "./parquet_decode_any_value";
import { DecodeFault, Owner, ValueKind } from "./parquet_decode_ids";
import {
  DEFINITIONS,
  KIND,
  leafEntry,
  MAX_DEFINITION,
  REPETITIONS,
  SLOT_COUNT,
  SLOT_START,
  VALUE_COUNT,
  VALUE_START,
  VALUES,
} from "./parquet_decode_leaf";

/** Trace index by row. */
const ROW_TRACE: i32 = Column.Decode10;
/** Attributes per owner; once laid out, the row of the owner's next attribute. */
const CURSORS: i32 = Column.Decode11;
/** Row of an attribute by its position in the Key leaf. */
const ATTR_ROWS: i32 = Column.Decode12;
/** Rows of attributes whose value is JSON text. */
const JSON_ROWS: i32 = Column.Decode13;

/** As the type of a leaf's values: JSON text, or protobuf, of an AnyValue. */
const TYPE_JSON: u32 = 0x80;
const TYPE_MESSAGE: u32 = 0x81;

/** Rows of one table of the batch. The widest column then takes 1 GiB, and sizes stay within 32 bits. */
const ROWS_MAX: u64 = 1 << 26;

let rows: u32 = 0;
let resourceBase: u32 = 0;
let scopeBase: u32 = 0;
let spanBase: u32 = 0;
let eventBase: u32 = 0;
let linkBase: u32 = 0;
let newResources: u32 = 0;
let newScopes: u32 = 0;
let newSpans: u32 = 0;
let newEvents: u32 = 0;
let newLinks: u32 = 0;
let spanAttrTop: u32 = 0;
let attrTop: u32 = 0;

let attrOwner: u32 = 0;
let keyCount: u32 = 0;
let jsonCount: u32 = 0;

function slotCount(entry: usize): u32 {
  return load<u32>(entry, SLOT_COUNT);
}

function repetitionsOf(entry: usize): usize {
  return at(REPETITIONS) + load<u32>(entry, SLOT_START);
}

function definitionsOf(entry: usize): usize {
  return at(DEFINITIONS) + load<u32>(entry, SLOT_START);
}

function valuesOf(entry: usize): usize {
  return at(VALUES) + load<u32>(entry, VALUE_START);
}

/** Value `i` of a leaf as 64 bits. */
function valueAt(values: usize, narrow: bool, i: u32): u64 {
  return narrow ? <u64>load<u32>(values + ((<usize>i) << 2)) : load<u64>(values + ((<usize>i) << 3));
}

function firstRow(owner: u32): u32 {
  switch (owner) {
    case Owner.Resource:
      return resourceBase;
    case Owner.Scope:
      return scopeBase;
    case Owner.Span:
      return spanBase;
    case Owner.Event:
      return eventBase;
    default:
      return linkBase;
  }
}

/** Rows of this kind that the read at hand has added so far. */
export function newRows(owner: u32): u32 {
  switch (owner) {
    case Owner.Resource:
      return newResources;
    case Owner.Scope:
      return newScopes;
    case Owner.Span:
      return newSpans;
    case Owner.Event:
      return newEvents;
    default:
      return newLinks;
  }
}

/** Starts to append a row group to the batch. */
export function beginRecords(): void {
  rows = 0;
  resourceBase = resources;
  scopeBase = scopes;
  spanBase = spans;
  eventBase = events;
  linkBase = links;
  newResources = 0;
  newScopes = 0;
  newSpans = 0;
  newEvents = 0;
  newLinks = 0;
  spanAttrTop = spanAttrs;
  attrTop = attrs;
  jsonCount = 0;
}

/** Publishes what was appended. */
export function endRecords(): void {
  setCounts(
    spanBase + newSpans,
    resourceBase + newResources,
    scopeBase + newScopes,
    spanAttrTop,
    attrTop,
    eventBase + newEvents,
    linkBase + newLinks,
  );
}

/** Adds the traces of a leaf of 16-byte ids, one a row. */
export function fillTraces(leaf: u32): u32 {
  const entry = leafEntry(leaf);
  rows = load<u32>(entry, VALUE_COUNT);
  if (<u64>rows + traces > ROWS_MAX) return DecodeFault.Records;
  reserve(ROW_TRACE, (rows + 1) << 2);
  for (let i: u32 = 0; i < rows; i++) {
    store<u32>(at(ROW_TRACE) + ((<usize>i) << 2), addTrace(valuesOf(entry) + ((<usize>i) << 4)));
  }
  return DecodeFault.None;
}

/** Adds the traces of the `count` 16-byte ids in the column Input, one a row. */
export function fillTracesFromInput(count: u32): void {
  rows = count;
  reserve(ROW_TRACE, (rows + 1) << 2);
  for (let i: u32 = 0; i < rows; i++) {
    store<u32>(at(ROW_TRACE) + ((<usize>i) << 2), addTrace(at(Column.Input) + ((<usize>i) << 4)));
  }
}

/**
 * Adds resources, scopes and spans as the levels of a leaf with one value per span say. Each pair is the repetition and the
 * definition level at which an element of that list begins.
 */
export function fillSpans(
  leaf: u32,
  resourceRepetition: u32,
  resourceDefinition: u32,
  scopeRepetition: u32,
  scopeDefinition: u32,
  spanDefinition: u32,
): u32 {
  const entry = leafEntry(leaf);
  const count = slotCount(entry);
  const repetitions = repetitionsOf(entry);
  const definitions = definitionsOf(entry);
  newSpans = load<u32>(entry, VALUE_COUNT);
  // Every slot may be a resource and a scope, every value a span.
  if (<u64>max(count, newSpans) + max(spanBase, max(resourceBase, scopeBase)) > ROWS_MAX)
    return DecodeFault.Records;
  ensureSpans(spanBase + newSpans);
  const traceColumn = at(Column.SpanTrace);
  const resourceColumn = at(Column.SpanResource);
  const scopeColumn = at(Column.SpanScope);
  const traceOf = at(ROW_TRACE);
  let row: u32 = 0; // rows begun
  let resource = resourceBase;
  let scope = scopeBase;
  let span = spanBase;
  let trace: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const repetition: u32 = load<u8>(repetitions + i);
    const definition: u32 = load<u8>(definitions + i);
    if (repetition == 0) {
      if (row >= rows) return DecodeFault.Records;
      trace = load<u32>(traceOf + ((<usize>row) << 2));
      row++;
    }
    if (repetition <= resourceRepetition && definition >= resourceDefinition) resource++;
    if (repetition <= scopeRepetition && definition >= scopeDefinition) scope++;
    if (definition >= spanDefinition) {
      if (row == 0 || resource == resourceBase || scope == scopeBase || span - spanBase >= newSpans)
        return DecodeFault.Records;
      const at4 = (<usize>span) << 2;
      store<u32>(traceColumn + at4, trace);
      store<u32>(resourceColumn + at4, resource - 1);
      store<u32>(scopeColumn + at4, scope - 1);
      span++;
    }
  }
  if (row != rows || span - spanBase != newSpans) return DecodeFault.Records;
  newResources = resource - resourceBase;
  newScopes = scope - scopeBase;
  ensureResources(resource);
  ensureScopes(scope);
  for (let column: i32 = Column.ResourceAttrStart; column <= Column.ResourceDropped; column++) {
    memory.fill(at(column) + ((<usize>resourceBase) << 2), 0, newResources << 2);
  }
  for (let column: i32 = Column.ScopeName; column <= Column.ScopeDropped; column++) {
    memory.fill(at(column) + ((<usize>scopeBase) << 2), 0, newScopes << 2);
  }
  for (let column: i32 = Column.SpanId; column <= Column.SpanDroppedLinks; column++) {
    const shift: usize = isWide(column) ? 3 : 2;
    memory.fill(at(column) + ((<usize>spanBase) << shift), 0, (<usize>newSpans) << shift);
  }
  for (let i = spanBase; i <= span; i++) {
    store<u32>(at(Column.SpanAttrStart) + ((<usize>i) << 2), spanAttrTop);
    store<u32>(at(Column.SpanEventStart) + ((<usize>i) << 2), eventBase);
    store<u32>(at(Column.SpanLinkStart) + ((<usize>i) << 2), linkBase);
  }
  return DecodeFault.None;
}

function isWide(column: i32): bool {
  return (
    column == Column.SpanId ||
    column == Column.SpanParent ||
    column == Column.SpanStart ||
    column == Column.SpanDuration ||
    column == Column.EventTime
  );
}

/** Copies a leaf with one value per owner into a column of that owner's table. */
export function fillColumn(leaf: u32, owner: u32, column: i32): u32 {
  const entry = leafEntry(leaf);
  const count = newRows(owner);
  if (load<u32>(entry, VALUE_COUNT) != count) return DecodeFault.Records;
  const values = valuesOf(entry);
  const narrow = load<u32>(entry, KIND) == ValueKind.String;
  const first = <usize>firstRow(owner);
  if (isWide(column)) {
    if (narrow) return DecodeFault.Records;
    memory.copy(at(column) + (first << 3), values, (<usize>count) << 3);
  } else if (narrow) {
    memory.copy(at(column) + (first << 2), values, (<usize>count) << 2);
  } else {
    const to = at(column) + (first << 2);
    for (let i: usize = 0; i < <usize>count; i++) store<u32>(to + (i << 2), load<u32>(values + (i << 3)));
  }
  return DecodeFault.None;
}

/** Adds the events or links of all spans, one for each value of the leaf, whose spans begin at the given levels. */
export function fillChildren(leaf: u32, owner: u32, repetition: u32, definition: u32): u32 {
  const entry = leafEntry(leaf);
  const fault = countOwned(entry, newSpans, repetition, definition, true, true);
  if (fault) return fault;
  const count = load<u32>(entry, VALUE_COUNT);
  if (<u64>count + max(eventBase, linkBase) > ROWS_MAX) return DecodeFault.Records;
  const starts = owner == Owner.Event ? Column.SpanEventStart : Column.SpanLinkStart;
  let next = owner == Owner.Event ? eventBase : linkBase;
  for (let i: usize = 0; i < <usize>newSpans; i++) {
    store<u32>(at(starts) + ((<usize>spanBase + i) << 2), next);
    next += load<u32>(at(CURSORS) + (i << 2));
  }
  store<u32>(at(starts) + ((<usize>spanBase + newSpans) << 2), next);
  if (owner == Owner.Event) {
    newEvents = count;
    ensureEvents(eventBase + count);
    memory.fill(at(Column.EventTime) + ((<usize>eventBase) << 3), 0, (<usize>count) << 3);
    for (let column: i32 = Column.EventName; column <= Column.EventDropped; column++) {
      memory.fill(at(column) + ((<usize>eventBase) << 2), 0, (<usize>count) << 2);
    }
  } else {
    newLinks = count;
    ensureLinks(linkBase + count);
    for (let column: i32 = Column.LinkTraceId; column <= Column.LinkFlags; column++) {
      memory.fill(at(column) + ((<usize>linkBase) << 2), 0, (<usize>count) << 2);
    }
  }
  return DecodeFault.None;
}

/** Turns event times that count from the start of their span into absolute ones. */
export function addSpanStarts(): void {
  const times = at(Column.EventTime);
  for (let i = <usize>spanBase; i < <usize>(spanBase + newSpans); i++) {
    const start = load<u64>(at(Column.SpanStart) + (i << 3));
    const end = load<u32>(at(Column.SpanEventStart) + (i << 2), 4);
    for (let k = <usize>load<u32>(at(Column.SpanEventStart) + (i << 2)); k < <usize>end; k++) {
      store<u64>(times + (k << 3), load<u64>(times + (k << 3)) + start);
    }
  }
}

/** Adds links from a leaf that holds one protobuf message with all links per span. */
export function fillLinkMessages(leaf: u32): u32 {
  const entry = leafEntry(leaf);
  if (load<u32>(entry, VALUE_COUNT) != newSpans) return DecodeFault.Records;
  for (let i: usize = 0; i < <usize>newSpans; i++) {
    store<u32>(at(Column.SpanLinkStart) + ((<usize>spanBase + i) << 2), linkBase + newLinks);
    const message = load<u32>(valuesOf(entry) + (i << 2));
    if (!message) continue;
    if (!readLinks(message, linkBase + newLinks, attrTop)) return DecodeFault.Protobuf;
    newLinks = linksBehind - linkBase;
    attrTop = attrsBehind;
  }
  store<u32>(at(Column.SpanLinkStart) + ((<usize>spanBase + newSpans) << 2), linkBase + newLinks);
  return DecodeFault.None;
}

/** Starts to lay out the attributes of one kind of owner. */
export function beginAttrs(owner: u32): void {
  attrOwner = owner;
  keyCount = 0;
  const bytes = (newRows(owner) + 1) << 2;
  reserve(CURSORS, bytes);
  memory.fill(at(CURSORS), 0, bytes);
}

/** Counts one attribute for each owner that has a value in the leaf, or with `each` one for each value. */
export function countAttrs(leaf: u32, repetition: u32, definition: u32, each: bool): u32 {
  return countOwned(leafEntry(leaf), newRows(attrOwner), repetition, definition, each, false);
}

/** Adds to CURSORS how many values each owner has. Owners begin at the given levels. */
function countOwned(
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
    const starts = at(Column.SpanAttrStart);
    for (let i: usize = 0; i < <usize>owners; i++) {
      const count = load<u32>(cursors + (i << 2));
      store<u32>(cursors + (i << 2), next);
      store<u32>(starts + ((first + i) << 2), next);
      next += count;
    }
    store<u32>(starts + ((first + owners) << 2), next);
    spanAttrTop = next;
    return DecodeFault.None;
  }
  ensureAttrs(end);
  memory.fill(at(Column.AttrType) + next, 0, end - next);
  const startColumn = attrStartColumn();
  const starts = at(startColumn);
  const counts = at(startColumn + 1);
  for (let i: usize = 0; i < <usize>owners; i++) {
    const count = load<u32>(cursors + (i << 2));
    store<u32>(cursors + (i << 2), next);
    store<u32>(starts + ((first + i) << 2), next);
    store<u32>(counts + ((first + i) << 2), count);
    next += count;
  }
  attrTop = next;
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

function keyColumn(): i32 {
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
  const narrow = load<u32>(entry, KIND) == ValueKind.String;
  let flags: usize = 0;
  if (arrays) {
    const arrayEntry = leafEntry(arrays - 1);
    if (load<u32>(arrayEntry, VALUE_COUNT) != keyCount) return DecodeFault.Records;
    flags = valuesOf(arrayEntry);
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
    // Without flags a list of several values can only be an array; with them the first value of what is no array counts.
    if (flags ? load<u64>(flags + ((<usize>(begun - 1)) << 3)) != 0 : value - first > 1) {
      setValue(row, AttrType.Array, arrayOf(type, values, narrow, first, value - first));
      continue;
    }
    const content = valueAt(values, narrow, first);
    if (type == TYPE_JSON) {
      // vParquet3 writes an empty text where there is none.
      if (!content) continue;
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
  const narrow = load<u32>(entry, KIND) == ValueKind.String;
  const cursors = at(CURSORS);
  const keys = at(keyColumn());
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
