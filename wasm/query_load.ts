// Attributes and intrinsics into value vectors.

import { events, links, resources, scopes, spans } from "./batch";
import { AttrType, Column } from "./column_ids";
import { entryLength, entryStart, hashBytes, STRINGS } from "./dictionary";
import { at, capacity, reserve } from "./memory";
import { orderedTraces, querySpans, queryTraces } from "./order";
import { elementType, isSingle, singleLength, singleStart, singleValue } from "./query_array";
import { Field, QueryType, Table } from "./query_ids";
import { contentsOf, startColumn, tableRows, typesOf } from "./query_vectors";

/** Added to the columns from OrderedTrace on: which of the two sets of them is asked. */
let shift: i32 = 0;

/** Chooses whose order counts: 0 what order() or the reading of a block made, 1 what orderForQuery() made. */
export function chooseOrder(ofQuery: u32): void {
  shift = ofQuery ? Column.QueryTrace - Column.OrderedTrace : 0;
}

export function orderShift(): i32 {
  return shift;
}

export function rankCount(): u32 {
  return shift ? queryTraces() : orderedTraces();
}

/** Ranks whose spans are listed: none where a query only asked when traces began. */
function ranksWithSpans(): u32 {
  return shift && !querySpans() ? 0 : rankCount();
}

/** Id of a string that lies at `from`, or -1 if the batch does not have it. Nothing is added. */
export function findString(from: usize, length: u32): i32 {
  const hash = hashBytes(from, length);
  const mask = (capacity(Column.StringSlots) >> 2) - 1;
  let slot = hash & mask;
  while (true) {
    const entry = load<u32>(at(Column.StringSlots) + ((<usize>slot) << 2));
    if (!entry) return -1;
    const id = entry - 1;
    if (
      load<u32>(at(Column.StringHash) + ((<usize>id) << 2)) == hash &&
      entryLength(STRINGS, id) == length &&
      memory.compare(entryStart(STRINGS, id), from, length) == 0
    ) {
      return <i32>id;
    }
    slot = (slot + 1) & mask;
  }
}

/** What see() made of a value. */
let seenValue: u64 = 0;

/**
 * The type by which the language sees an attribute's value: key-value lists, bytes and mixed arrays are invisible to it, and an array of
 * one element is that element.
 */
function see(type: u32, value: u64): u32 {
  seenValue = value;
  if (type <= <u32>AttrType.Double) return type;
  if (type != <u32>AttrType.Array) return QueryType.Nil;
  const elements = elementType(<u32>value);
  if (!elements) return QueryType.Nil;
  if (!isSingle) return QueryType.Array;
  if (elements != <u32>AttrType.String) {
    seenValue = singleValue;
    return elements;
  }
  // Nothing may be added to the strings; one that is not among them is equal to none of them anyway.
  const id = findString(singleStart, singleLength);
  if (id < 0) return QueryType.Array;
  seenValue = <u64>id;
  return QueryType.String;
}

/** Whether an attribute gives way to one with the same key that stands before it, whose type is `taken`. */
function givesWay(type: u32, taken: u32, preferred: u32): bool {
  return taken != 0 && taken == preferred && type != preferred;
}

/**
 * Of a span, the last attribute with this key.
 *
 * @param preferred AttrType of those that come before all others, see preferredTypeOf() in src/search/load_values.ts
 */
export function loadSpanAttr(to: u32, key: u32, preferred: u32): void {
  const outTypes = typesOf(to);
  const outValues = contentsOf(to, spans);
  memory.fill(outTypes, 0, spans);
  const starts = at(Column.SpanAttrStart);
  const keys = at(Column.SpanAttrKey);
  const types = at(Column.SpanAttrType);
  const values = at(Column.SpanAttrValue);
  let next = load<u32>(starts);
  for (let i: usize = 0; i < <usize>spans; i++) {
    const end = load<u32>(starts + (i << 2), 4);
    let taken: u32 = 0;
    for (; next < end; next++) {
      if (load<u32>(keys + ((<usize>next) << 2)) != key) continue;
      const own: u32 = load<u8>(types + next);
      if (givesWay(own, taken, preferred)) continue;
      const type = see(own, load<u64>(values + ((<usize>next) << 3)));
      if (!type) continue;
      taken = own;
      store<u8>(outTypes + i, <u8>type);
      store<u64>(outValues + (i << 3), seenValue);
    }
  }
}

/** The last attribute of an owner with this key into Work0 (types) and Work1 (values), by owner. */
function loadOwned(owners: u32, attrStart: i32, key: u32, preferred: u32): void {
  reserve(Column.QueryWork0, owners + 16);
  reserve(Column.QueryWork1, (owners + 1) << 3);
  const outTypes = at(Column.QueryWork0);
  const outValues = at(Column.QueryWork1);
  const starts = at(attrStart);
  const counts = at(attrStart + 1);
  const keys = at(Column.AttrKey);
  const types = at(Column.AttrType);
  const values = at(Column.AttrValue);
  for (let i: usize = 0; i < <usize>owners; i++) {
    const start = load<u32>(starts + (i << 2));
    const end = start + load<u32>(counts + (i << 2));
    let found: u32 = 0;
    let taken: u32 = 0;
    for (let k = start; k < end; k++) {
      if (load<u32>(keys + ((<usize>k) << 2)) != key) continue;
      const own: u32 = load<u8>(types + k);
      if (givesWay(own, taken, preferred)) continue;
      const type = see(own, load<u64>(values + ((<usize>k) << 3)));
      if (!type) continue;
      taken = own;
      found = type;
      store<u64>(outValues + (i << 3), seenValue);
    }
    store<u8>(outTypes + i, <u8>found);
  }
}

/** Of a span, the attribute of its resource; with `unless` only where the vector has nothing yet. `preferred` as of spans. */
export function loadResourceAttr(to: u32, key: u32, unless: u32, preferred: u32): void {
  loadOwned(resources, Column.ResourceAttrStart, key, preferred);
  spread(to, at(Column.SpanResource), unless);
}

/** Of a span, the attribute of its instrumentation scope. */
export function loadScopeAttr(to: u32, key: u32): void {
  loadOwned(scopes, Column.ScopeAttrStart, key, AttrType.None);
  spread(to, at(Column.SpanScope), 0);
}

/** Takes the owners' values to the spans. */
function spread(to: u32, owners: usize, unless: u32): void {
  const outTypes = typesOf(to);
  const outValues = contentsOf(to, spans);
  const types = at(Column.QueryWork0);
  const values = at(Column.QueryWork1);
  for (let i: usize = 0; i < <usize>spans; i++) {
    if (unless && load<u8>(outTypes + i)) continue;
    const owner = <usize>load<u32>(owners + (i << 2));
    store<u8>(outTypes + i, load<u8>(types + owner));
    store<u64>(outValues + (i << 3), load<u64>(values + (owner << 3)));
  }
}

/** Of an event or link, the last attribute with this key. */
export function loadChildAttr(to: u32, table: u32, key: u32): void {
  const rows = tableRows(table);
  loadOwned(rows, table == Table.Event ? Column.EventAttrStart : Column.LinkAttrStart, key, AttrType.None);
  memory.copy(typesOf(to), at(Column.QueryWork0), rows);
  memory.copy(contentsOf(to, rows), at(Column.QueryWork1), rows << 3);
}

/** Truth by row: whether it has an attribute of its own, or for spans, with `owner` 1 its resource and with 2 its scope. */
export function hasAttrs(to: u32, table: u32, owner: u32): void {
  const out = typesOf(to);
  const rows = tableRows(table);
  if (table == Table.Span && !owner) {
    const starts = at(Column.SpanAttrStart);
    for (let i: usize = 0; i < <usize>rows; i++) {
      store<u8>(out + i, <u8>(load<u32>(starts + (i << 2), 4) > load<u32>(starts + (i << 2))));
    }
    return;
  }
  if (table == Table.Span) {
    const owners = at(owner == 1 ? Column.SpanResource : Column.SpanScope);
    const counts = at(owner == 1 ? Column.ResourceAttrCount : Column.ScopeAttrCount);
    for (let i: usize = 0; i < <usize>rows; i++) {
      store<u8>(out + i, <u8>(load<u32>(counts + ((<usize>load<u32>(owners + (i << 2))) << 2)) != 0));
    }
    return;
  }
  const counts = at(table == Table.Event ? Column.EventAttrCount : Column.LinkAttrCount);
  for (let i: usize = 0; i < <usize>rows; i++) store<u8>(out + i, <u8>(load<u32>(counts + (i << 2)) != 0));
}

/** A field that every row has: of the spans, or of the events or links. */
export function loadField(to: u32, field: u32): void {
  switch (field) {
    case Field.Duration:
      wide(to, spans, Column.SpanDuration, QueryType.Duration);
      break;
    case Field.Name:
      narrow(to, spans, Column.SpanName, QueryType.String, false);
      break;
    case Field.Status:
      narrow(to, spans, Column.SpanStatus, QueryType.Status, true);
      break;
    case Field.StatusMessage:
      narrow(to, spans, Column.SpanStatusMessage, QueryType.String, false);
      break;
    case Field.Kind:
      narrow(to, spans, Column.SpanKind, QueryType.Kind, true);
      break;
    case Field.SpanId:
      wide(to, spans, Column.SpanId, QueryType.SpanId);
      break;
    case Field.ParentId:
      wide(to, spans, Column.SpanParent, QueryType.SpanId);
      break;
    case Field.TraceId:
      narrow(to, spans, Column.SpanTrace, QueryType.TraceId, false);
      break;
    case Field.NestedLeft:
    case Field.NestedRight:
    case Field.NestedParent:
      narrow(to, spans, shift + Column.NestedLeft + <i32>(field - Field.NestedLeft), QueryType.Int, true);
      break;
    case Field.ChildCount:
      childCounts(to);
      break;
    case Field.TraceDuration:
      ofTraces(to, shift + Column.TraceDuration, QueryType.Duration, true);
      break;
    case Field.RootName:
      ofTraces(to, shift + Column.TraceRootName, QueryType.String, false);
      break;
    case Field.RootService:
      ofTraces(to, shift + Column.TraceRootService, QueryType.String, false);
      break;
    case Field.ScopeName:
    case Field.ScopeVersion:
      ofScopes(to, field == Field.ScopeName ? Column.ScopeName : Column.ScopeVersion);
      break;
    case Field.EventName:
      narrow(to, events, Column.EventName, QueryType.String, false);
      break;
    case Field.EventTime:
      eventTimes(to);
      break;
    case Field.LinkTraceId:
      narrow(to, links, Column.LinkTraceId, QueryType.LinkTraceId, false);
      break;
    case Field.LinkSpanId:
      narrow(to, links, Column.LinkSpanId, QueryType.LinkSpanId, false);
      break;
  }
}

function wide(to: u32, rows: u32, column: i32, type: u32): void {
  memory.fill(typesOf(to), <u8>type, rows);
  memory.copy(contentsOf(to, rows), at(column), rows << 3);
}

function narrow(to: u32, rows: u32, column: i32, type: u32, signed: bool): void {
  memory.fill(typesOf(to), <u8>type, rows);
  const out = contentsOf(to, rows);
  const from = at(column);
  if (signed) {
    for (let i: usize = 0; i < <usize>rows; i++) store<i64>(out + (i << 3), <i64>load<i32>(from + (i << 2)));
  } else {
    for (let i: usize = 0; i < <usize>rows; i++) store<u64>(out + (i << 3), <u64>load<u32>(from + (i << 2)));
  }
}

function ofScopes(to: u32, column: i32): void {
  memory.fill(typesOf(to), <u8>QueryType.String, spans);
  const out = contentsOf(to, spans);
  for (let i: usize = 0; i < <usize>spans; i++) {
    const scope = <usize>load<u32>(at(Column.SpanScope) + (i << 2));
    store<u64>(out + (i << 3), <u64>load<u32>(at(column) + (scope << 2)));
  }
}

/** Spans of traces that are not ordered have nothing. */
function ofTraces(to: u32, column: i32, type: u32, isWide: bool): void {
  memory.fill(typesOf(to), 0, spans);
  const types = typesOf(to);
  const out = contentsOf(to, spans);
  const ranks = ranksWithSpans();
  for (let rank: usize = 0; rank < <usize>ranks; rank++) {
    const value = isWide ? load<u64>(at(column) + (rank << 3)) : <u64>load<u32>(at(column) + (rank << 2));
    const end = load<u32>(at(shift + Column.OrderedSpanStart) + (rank << 2), 4);
    for (let p = load<u32>(at(shift + Column.OrderedSpanStart) + (rank << 2)); p < end; p++) {
      const span = <usize>load<u32>(at(shift + Column.OrderedSpan) + ((<usize>p) << 2));
      store<u8>(types + span, <u8>type);
      store<u64>(out + (span << 3), value);
    }
  }
}

/** Direct children in the span tree; none of a span outside of it. */
function childCounts(to: u32): void {
  memory.fill(typesOf(to), 0, spans);
  const types = typesOf(to);
  const out = contentsOf(to, spans);
  const ranks = ranksWithSpans();
  const order = at(shift + Column.OrderedSpan);
  const lefts = at(shift + Column.NestedLeft);
  const parents = at(shift + Column.NestedParent);
  for (let rank: usize = 0; rank < <usize>ranks; rank++) {
    const start = load<u32>(at(shift + Column.OrderedSpanStart) + (rank << 2));
    const end = load<u32>(at(shift + Column.OrderedSpanStart) + (rank << 2), 4);
    const bytes = ((end - start) * 2 + 2) << 2;
    reserve(Column.QueryWork0, bytes);
    const counts = at(Column.QueryWork0);
    memory.fill(counts, 0, bytes);
    for (let p = start; p < end; p++) {
      const parent = load<i32>(parents + ((<usize>load<u32>(order + ((<usize>p) << 2))) << 2));
      if (parent <= 0 || <u32>parent > (end - start) * 2) continue;
      const count = counts + ((<usize>parent) << 2);
      store<u32>(count, load<u32>(count) + 1);
    }
    for (let p = start; p < end; p++) {
      const span = <usize>load<u32>(order + ((<usize>p) << 2));
      const left = load<i32>(lefts + (span << 2));
      store<u8>(types + span, QueryType.Int);
      const inTree = left > 0 && <u32>left <= (end - start) * 2;
      store<u64>(out + (span << 3), inTree ? <u64>load<u32>(counts + ((<usize>left) << 2)) : 0);
    }
  }
}

/** Time since the start of the span. */
function eventTimes(to: u32): void {
  memory.fill(typesOf(to), <u8>QueryType.Duration, events);
  const out = contentsOf(to, events);
  const starts = at(startColumn(Table.Event));
  let next = load<u32>(starts);
  for (let i: usize = 0; i < <usize>spans; i++) {
    const end = load<u32>(starts + (i << 2), 4);
    const start = load<u64>(at(Column.SpanStart) + (i << 3));
    for (; next < end; next++) {
      const at8 = (<usize>next) << 3;
      store<u64>(out + at8, load<u64>(at(Column.EventTime) + at8) - start);
    }
  }
}

/**
 * Numbers of the distinct strings, or of the distinct arrays, of a vector: u32 each in the column Output.
 *
 * @param type String or Array
 * @returns how many there are
 */
export function distinctOf(from: u32, rows: u32, type: u32, entries: u32): u32 {
  reserve(Column.QueryTable, entries + 16);
  const seen = at(Column.QueryTable);
  memory.fill(seen, 0, entries);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  let count: u32 = 0;
  for (let i: usize = 0; i < <usize>rows; i++) {
    if (<u32>load<u8>(types + i) != type) continue;
    const id = load<u32>(values + (i << 3));
    if (load<u8>(seen + id)) continue;
    store<u8>(seen + id, 1);
    reserve(Column.Output, (count + 1) << 2);
    store<u32>(at(Column.Output) + (usize(count++) << 2), id);
  }
  return count;
}

/** Truth by the table QueryTable, which is indexed by the values of one type. */
export function truthByTable(to: u32, from: u32, rows: u32, type: u32): void {
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  const table = at(Column.QueryTable);
  for (let i: usize = 0; i < <usize>rows; i++) {
    const fits = <u32>load<u8>(types + i) == type;
    store<u8>(out + i, fits ? load<u8>(table + load<u32>(values + (i << 3))) : 0);
  }
}
