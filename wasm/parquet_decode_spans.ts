// Records from levels: traces, resources, scopes and spans come from the levels of one leaf below the spans; a leaf with one value per row
// is copied into its column.

import {
  addTrace,
  ensureEvents,
  ensureLinks,
  ensureResources,
  ensureScopes,
  ensureSpans,
  traces,
} from "./batch";
import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { setOrdered } from "./order";
import { attrsBehind, linksBehind, readLinks } from "./parquet_decode_any_value";
import { countOwned, CURSORS } from "./parquet_decode_attrs";
import { checkCleared, clear, cleared, keepCleared, noteCleared, soil } from "./parquet_decode_clean";
import { DecodeFault, Owner } from "./parquet_decode_ids";
import { leafEntry, MAX_DEFINITION, VALUE_COUNT } from "./parquet_decode_leaf";
import { countEqual } from "./parquet_decode_levels";
import {
  attrTop,
  definitionsOf,
  eventBase,
  firstRow,
  isNarrow,
  isWide,
  linkBase,
  newEvents,
  newLinks,
  newRows,
  newSpans,
  repetitionsOf,
  resourceBase,
  rows,
  ROWS_MAX,
  scopeBase,
  setAttrTop,
  setEvents,
  setLinks,
  setRows,
  setSpans,
  setStats,
  slotCount,
  spanAttrTop,
  spanBase,
  traceBase,
  unnamed,
  valuesOf,
} from "./parquet_decode_rows";

/** Trace index by row, where it is not the number of the row. */
const ROW_TRACE: i32 = Column.Decode10;
/** First span of each row, and behind the last one their end. */
const ROW_SPAN: i32 = Column.Decode15;

/** The traces of the rows follow each other. */
let inRowOrder: bool = true;

/** Adds the traces of a leaf of 16-byte ids, one a row. */
export function fillTraces(leaf: u32): u32 {
  const entry = leafEntry(leaf);
  const count = load<u32>(entry, VALUE_COUNT);
  if (<u64>count + traces > ROWS_MAX) return DecodeFault.Records;
  addTraces(count, valuesOf(entry));
  return DecodeFault.None;
}

/** Adds the traces of the `count` 16-byte ids in the column Input, one a row. */
export function fillTracesFromInput(count: u32): void {
  addTraces(count, at(Column.Input));
}

function addTraces(count: u32, ids: usize): void {
  setRows(count, false);
  reserve(ROW_TRACE, (count + 1) << 2);
  inRowOrder = true;
  for (let i: u32 = 0; i < count; i++) {
    const trace = addTrace(ids + ((<usize>i) << 4));
    if (trace != traceBase + i) inRowOrder = false;
    store<u32>(at(ROW_TRACE) + ((<usize>i) << 2), trace);
  }
}

/** Makes each of `count` rows a trace without an id. */
export function fillUnnamedTraces(count: u32): u32 {
  if (<u64>count + traces > ROWS_MAX) return DecodeFault.Records;
  setRows(count, true);
  inRowOrder = true;
  return DecodeFault.None;
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
  const found = load<u32>(entry, VALUE_COUNT);
  // Every slot may be a resource and a scope, every value a span.
  if (<u64>max(count, found) + max(spanBase, max(resourceBase, scopeBase)) > ROWS_MAX)
    return DecodeFault.Records;
  if (countEqual(repetitions, count, 0) != rows) return DecodeFault.Records;
  if (count && load<u8>(repetitions)) return DecodeFault.Records;
  checkCleared();
  ensureSpans(spanBase + found);
  reserve(ROW_SPAN, (rows + 1) << 2);
  store<u32>(at(ROW_SPAN) + ((<usize>rows) << 2), spanBase + found);
  // Of a leaf in which nothing is null every slot is a span.
  const dense =
    found == count &&
    load<u32>(entry, MAX_DEFINITION) == spanDefinition &&
    resourceDefinition <= spanDefinition &&
    scopeDefinition <= spanDefinition;
  const placed = dense
    ? placeDense(repetitions, count, resourceRepetition, scopeRepetition)
    : placeSparse(
        repetitions,
        definitionsOf(entry),
        count,
        found,
        resourceRepetition,
        resourceDefinition,
        scopeRepetition,
        scopeDefinition,
        spanDefinition,
      );
  if (!placed) return DecodeFault.Records;
  if (!inRowOrder) nameTraces(found);
  setSpans(found, resourcesBehind - resourceBase, scopesBehind - scopeBase);
  ensureResources(resourcesBehind);
  ensureScopes(scopesBehind);
  keepCleared();
  clearRows(found);
  return DecodeFault.None;
}

let resourcesBehind: u32 = 0;
let scopesBehind: u32 = 0;

/** Every slot is a span: sixteen at a time are numbered by how many lists have begun up to each. */
function placeDense(repetitions: usize, count: u32, resourceRepetition: u32, scopeRepetition: u32): bool {
  const traceAt = at(Column.SpanTrace) + ((<usize>spanBase) << 2);
  const resourceAt = at(Column.SpanResource) + ((<usize>spanBase) << 2);
  const scopeAt = at(Column.SpanScope) + ((<usize>spanBase) << 2);
  let starts = at(ROW_SPAN);
  let trace = traceBase - 1;
  let resource = resourceBase - 1;
  let scope = scopeBase - 1;
  const zero = i8x16.splat(0);
  const resourceLevel = i8x16.splat(<i8>resourceRepetition);
  const scopeLevel = i8x16.splat(<i8>scopeRepetition);
  let i: u32 = 0;
  for (; i + 16 <= count; i += 16) {
    const at4 = (<usize>i) << 2;
    const levels = v128.load(repetitions + i);
    const rows = i8x16.eq(levels, zero);
    let begins = <u32>i8x16.bitmask(rows);
    trace = number(traceAt + at4, rows, trace);
    resource = number(resourceAt + at4, i8x16.eq(i8x16.min_u(levels, resourceLevel), levels), resource);
    scope = number(scopeAt + at4, i8x16.eq(i8x16.min_u(levels, scopeLevel), levels), scope);
    while (begins) {
      store<u32>(starts, spanBase + i + <u32>ctz(begins));
      starts += 4;
      begins &= begins - 1;
    }
  }
  for (; i < count; i++) {
    const repetition: u32 = load<u8>(repetitions + i);
    if (repetition == 0) {
      trace++;
      store<u32>(starts, spanBase + i);
      starts += 4;
    }
    resource += <u32>(repetition <= resourceRepetition);
    scope += <u32>(repetition <= scopeRepetition);
    const at4 = (<usize>i) << 2;
    store<u32>(traceAt + at4, trace);
    store<u32>(resourceAt + at4, resource);
    store<u32>(scopeAt + at4, scope);
  }
  resourcesBehind = resource + 1;
  scopesBehind = scope + 1;
  return true;
}

/** Stores `before` plus the number of set lanes up to each of sixteen. Returns the last of these numbers. */
function number(to: usize, lanes: v128, before: u32): u32 {
  const all = i8x16.neg(lanes);
  let sum = i8x16.add(all, i8x16.swizzle(all, i8x16(-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)));
  sum = i8x16.add(sum, i8x16.swizzle(sum, i8x16(-1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)));
  sum = i8x16.add(sum, i8x16.swizzle(sum, i8x16(-1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)));
  sum = i8x16.add(sum, i8x16.swizzle(sum, i8x16(-1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7)));
  const base = i32x4.splat(before);
  const low = i16x8.extend_low_i8x16_u(sum);
  const high = i16x8.extend_high_i8x16_u(sum);
  v128.store(to, i32x4.add(base, i32x4.extend_low_i16x8_u(low)));
  v128.store(to, i32x4.add(base, i32x4.extend_high_i16x8_u(low)), 16);
  v128.store(to, i32x4.add(base, i32x4.extend_low_i16x8_u(high)), 32);
  v128.store(to, i32x4.add(base, i32x4.extend_high_i16x8_u(high)), 48);
  return before + i8x16.extract_lane_u(sum, 15);
}

function placeSparse(
  repetitions: usize,
  definitions: usize,
  count: u32,
  found: u32,
  resourceRepetition: u32,
  resourceDefinition: u32,
  scopeRepetition: u32,
  scopeDefinition: u32,
  spanDefinition: u32,
): bool {
  const traceColumn = at(Column.SpanTrace);
  const resourceColumn = at(Column.SpanResource);
  const scopeColumn = at(Column.SpanScope);
  let starts = at(ROW_SPAN);
  let trace = traceBase - 1;
  let resource = resourceBase;
  let scope = scopeBase;
  let span = spanBase;
  for (let i: u32 = 0; i < count; i++) {
    const repetition: u32 = load<u8>(repetitions + i);
    const definition: u32 = load<u8>(definitions + i);
    if (repetition == 0) {
      trace++;
      store<u32>(starts, span);
      starts += 4;
    }
    if (repetition <= resourceRepetition && definition >= resourceDefinition) resource++;
    if (repetition <= scopeRepetition && definition >= scopeDefinition) scope++;
    if (definition >= spanDefinition) {
      if (resource == resourceBase || scope == scopeBase || span - spanBase >= found) return false;
      const at4 = (<usize>span) << 2;
      store<u32>(traceColumn + at4, trace);
      store<u32>(resourceColumn + at4, resource - 1);
      store<u32>(scopeColumn + at4, scope - 1);
      span++;
    }
  }
  resourcesBehind = resource;
  scopesBehind = scope;
  return span - spanBase == found;
}

/** Rows in SpanTrace become the traces that they are. */
function nameTraces(count: u32): void {
  const traceOf = at(ROW_TRACE);
  let p = at(Column.SpanTrace) + ((<usize>spanBase) << 2);
  for (let i: u32 = 0; i < count; i++, p += 4) {
    store<u32>(p, load<u32>(traceOf + ((<usize>(load<u32>(p) - traceBase)) << 2)));
  }
}

/** Everything else of the new rows is 0 until it is filled. */
function clearRows(count: u32): void {
  for (let column: i32 = Column.ResourceAttrStart; column <= Column.ResourceDropped; column++) {
    clear(column, (<usize>resourceBase) << 2, (<usize>(resourcesBehind - resourceBase)) << 2);
  }
  for (let column: i32 = Column.ScopeName; column <= Column.ScopeDropped; column++) {
    clear(column, (<usize>scopeBase) << 2, (<usize>(scopesBehind - scopeBase)) << 2);
  }
  for (let column: i32 = Column.SpanId; column <= Column.SpanDroppedLinks; column++) {
    const shift: usize = isWide(column) ? 3 : 2;
    clear(column, (<usize>spanBase) << shift, (<usize>count) << shift);
  }
  fillStarts(Column.SpanAttrStart, spanAttrTop, count);
  fillStarts(Column.SpanEventStart, eventBase, count);
  fillStarts(Column.SpanLinkStart, linkBase, count);
}

/** Gives every new span an empty range. */
function fillStarts(column: i32, start: u32, count: u32): void {
  const from = (<usize>spanBase) << 2;
  if (!start) {
    clear(column, from, (<usize>count + 1) << 2);
    return;
  }
  soil(column, from);
  let p = at(column) + from;
  for (let i: u32 = 0; i <= count; i++, p += 4) store<u32>(p, start);
}

/** Makes the batch, in which nothing was before, look as if it had been ordered: the file is. */
export function fillOrdered(): void {
  const bySpan = (newSpans + 1) << 2;
  const byTrace = (rows + 1) << 2;
  reserve(Column.OrderedTrace, byTrace);
  reserve(Column.OrderedSpanStart, byTrace);
  if (inRowOrder) count(at(Column.OrderedTrace), 0, rows);
  else memory.copy(at(Column.OrderedTrace), at(ROW_TRACE), (<usize>rows) << 2);
  memory.copy(at(Column.OrderedSpanStart), at(ROW_SPAN), byTrace);
  reserve(Column.OrderedSpan, bySpan);
  const counted = cleared(Column.OrderedSpan) >>> 2;
  if (counted < newSpans) {
    count(at(Column.OrderedSpan), counted & ~3, newSpans);
    noteCleared(Column.OrderedSpan, newSpans << 2);
  }
  for (let column: i32 = Column.NestedLeft; column <= Column.NestedParent; column++) {
    reserve(column, bySpan);
    clear(column, 0, bySpan);
  }
  for (let column: i32 = Column.TraceStart; column <= Column.TraceStatsStart; column++) {
    const bytes = byTrace << (isWide(column) ? 1 : 0);
    reserve(column, bytes);
    memory.fill(at(column), 0, bytes);
  }
  reserve(Column.TraceDuration, byTrace << 1);
  memory.fill(at(Column.TraceDuration), 0, byTrace << 1);
  setOrdered(rows, newSpans);
}

/** Writes the numbers of u32 from `start` on, a multiple of four, each to its own place. */
function count(to: usize, start: u32, end: u32): void {
  let next = i32x4.add(i32x4(0, 1, 2, 3), i32x4.splat(start));
  const step = i32x4.splat(4);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    v128.store(to + ((<usize>i) << 2), next);
    next = i32x4.add(next, step);
  }
  for (; i < end; i++) store<u32>(to + ((<usize>i) << 2), i);
}

/** Adds the services of each trace from a leaf with one value for each; every trace is a row. */
export function fillStats(leaf: u32): u32 {
  const entry = leafEntry(leaf);
  const slots = slotCount(entry);
  const repetitions = repetitionsOf(entry);
  const definitions = definitionsOf(entry);
  const full = load<u32>(entry, MAX_DEFINITION);
  const found = load<u32>(entry, VALUE_COUNT);
  if (found > ROWS_MAX || countEqual(repetitions, slots, 0) != rows) return DecodeFault.Records;
  if (slots && load<u8>(repetitions)) return DecodeFault.Records;
  for (let column: i32 = Column.StatsService; column <= Column.StatsErrors; column++) {
    reserve(column, (found + 1) << 2);
    memory.fill(at(column), 0, (<usize>found) << 2);
  }
  let starts = at(Column.TraceStatsStart);
  let next: u32 = 0;
  for (let i: u32 = 0; i < slots; i++) {
    if (!load<u8>(repetitions + i)) {
      store<u32>(starts, next);
      starts += 4;
    }
    next += <u32>(<u32>load<u8>(definitions + i) == full);
  }
  store<u32>(starts, next);
  setStats(found);
  return DecodeFault.None;
}

/** Copies a leaf with one value per owner into a column of that owner's table. */
export function fillColumn(leaf: u32, owner: u32, column: i32): u32 {
  const entry = leafEntry(leaf);
  const count = newRows(owner);
  if (load<u32>(entry, VALUE_COUNT) != count) return DecodeFault.Records;
  const values = valuesOf(entry);
  const narrow = isNarrow(entry);
  const first = <usize>firstRow(owner);
  if (isWide(column)) {
    if (narrow) return DecodeFault.Records;
    soil(column, first << 3);
    memory.copy(at(column) + (first << 3), values, (<usize>count) << 3);
    return DecodeFault.None;
  }
  soil(column, first << 2);
  const to = at(column) + (first << 2);
  if (narrow) {
    memory.copy(to, values, (<usize>count) << 2);
    return DecodeFault.None;
  }
  let i: usize = 0;
  for (; i + 4 <= <usize>count; i += 4) {
    const low = v128.load(values + (i << 3));
    const high = v128.load(values + (i << 3), 16);
    v128.store(to + (i << 2), v128.shuffle<i32>(low, high, 0, 2, 4, 6));
  }
  for (; i < <usize>count; i++) store<u32>(to + (i << 2), load<u32>(values + (i << 3)));
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
  soil(starts, (<usize>spanBase) << 2);
  let next = owner == Owner.Event ? eventBase : linkBase;
  for (let i: usize = 0; i < <usize>newSpans; i++) {
    store<u32>(at(starts) + ((<usize>spanBase + i) << 2), next);
    next += load<u32>(at(CURSORS) + (i << 2));
  }
  store<u32>(at(starts) + ((<usize>spanBase + newSpans) << 2), next);
  if (owner == Owner.Event) {
    setEvents(count);
    ensureEvents(eventBase + count);
    memory.fill(at(Column.EventTime) + ((<usize>eventBase) << 3), 0, (<usize>count) << 3);
    for (let column: i32 = Column.EventName; column <= Column.EventDropped; column++) {
      memory.fill(at(column) + ((<usize>eventBase) << 2), 0, (<usize>count) << 2);
    }
  } else {
    setLinks(count);
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
  soil(Column.SpanLinkStart, (<usize>spanBase) << 2);
  for (let i: usize = 0; i < <usize>newSpans; i++) {
    store<u32>(at(Column.SpanLinkStart) + ((<usize>spanBase + i) << 2), linkBase + newLinks);
    const message = load<u32>(valuesOf(entry) + (i << 2));
    if (!message) continue;
    if (!readLinks(message, linkBase + newLinks, attrTop)) return DecodeFault.Protobuf;
    setLinks(linksBehind - linkBase);
    setAttrTop(attrsBehind);
  }
  store<u32>(at(Column.SpanLinkStart) + ((<usize>spanBase + newSpans) << 2), linkBase + newLinks);
  return DecodeFault.None;
}
