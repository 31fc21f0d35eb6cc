// The order in which a batch is stored: traces ascending by id, a trace's spans grouped by resource and scope. With it come the columns
// that need the whole trace: nested set numbers, time bounds, root names and service stats (Tempo's rules for its blocks).
// A query orders the traces that it looks at in the same way, into a set of columns of its own: the batch may be on its way to a block.

import { noteRowWrites, resources, scopes, spans, traces } from "./batch";
import { AttrType, Column } from "./column_ids";
import { entryLength, entryStart, STRINGS, strings } from "./dictionary";
import { at, reserve } from "./memory";
import { nestTrace } from "./nested_set";
import { isServiceName } from "./otlp_decode";
import { dropRepeats } from "./repeats";

const CHILD_OF: usize = memory.data<u8>([99, 104, 105, 108, 100, 95, 111, 102]);
const CHILD_OF_LENGTH: u32 = 8;
// opentracing.ref_type
const REF_TYPE: usize = memory.data<u8>([
  111, 112, 101, 110, 116, 114, 97, 99, 105, 110, 103, 46, 114, 101, 102, 95, 116, 121, 112, 101,
]);
const REF_TYPE_LENGTH: u32 = 20;
const STATUS_ERROR: i32 = 2;
/** In place of the position of a span whose trace is not listed. */
const UNLISTED: u32 = 0xffffffff;

let orderedTraceCount: u32 = 0;
let orderedSpanCount: u32 = 0;
let statsCount: u32 = 0;

/** From the columns that order() fills to those of a query. */
const QUERY_SHIFT: i32 = Column.QueryTrace - Column.OrderedTrace;
/** Added to the columns from OrderedTrace to TraceDuration. */
let shift: i32 = 0;

export function orderedTraces(): u32 {
  return orderedTraceCount;
}

export function orderedSpans(): u32 {
  return orderedSpanCount;
}

/** Says what whoever filled the columns from OrderedTrace on has put there. */
export function setOrdered(traceCount: u32, spanCount: u32): void {
  orderedTraceCount = traceCount;
  orderedSpanCount = spanCount;
}

function u32At(column: i32, row: u32): u32 {
  return load<u32>(at(column) + ((<usize>row) << 2));
}

function setU32(column: i32, row: u32, value: u32): void {
  store<u32>(at(column) + ((<usize>row) << 2), value);
}

/** Fills the columns from OrderedTrace on. Returns the number of traces that have spans. */
export function orderBatch(): u32 {
  shift = 0;
  countSpans();
  listTraces(0);
  sortTraces();
  orderedSpanCount = orderListed();
  return orderedTraceCount;
}

let queryTraceCount: u32 = 0;
let querySpanCount: u32 = 0;

/** Traces and spans that orderForQuery() ordered last. */
/** Forgets what was ordered: of a batch that is emptied. */
export function forgetOrders(): void {
  queryTraceCount = 0;
  querySpanCount = 0;
}

export function queryTraces(): u32 {
  return queryTraceCount;
}

export function querySpans(): u32 {
  return querySpanCount;
}

/**
 * Fills the columns from QueryTrace on, of traces in order of arrival.
 *
 * @param marks address of a byte by trace index, not 0 for those that are wanted; 0: all
 */
export function orderForQuery(marks: usize): void {
  const stored = orderedTraceCount;
  shift = QUERY_SHIFT;
  countSpans();
  listTraces(marks);
  querySpanCount = orderListed();
  queryTraceCount = orderedTraceCount;
  shift = 0;
  orderedTraceCount = stored;
}

/** Fills QueryTrace, QueryStart and QueryEnd alone, of all traces in order of arrival: where no more than their times is asked. */
export function timeForQuery(): void {
  reserve(Column.QueryTrace, (traces + 1) << 2);
  reserve(QUERY_SHIFT + Column.TraceStart, (traces + 1) << 3);
  reserve(QUERY_SHIFT + Column.TraceEnd, (traces + 1) << 3);
  const starts = at(QUERY_SHIFT + Column.TraceStart);
  const ends = at(QUERY_SHIFT + Column.TraceEnd);
  for (let trace: u32 = 0; trace < traces; trace++) setU32(Column.QueryTrace, trace, trace);
  memory.fill(starts, 0, traces << 3);
  memory.fill(ends, 0, traces << 3);
  for (let span: usize = 0; span < <usize>spans; span++) {
    const trace = (<usize>load<u32>(at(Column.SpanTrace) + (span << 2))) << 3;
    const start = load<u64>(at(Column.SpanStart) + (span << 3));
    const end = start + load<u64>(at(Column.SpanDuration) + (span << 3));
    const known = load<u64>(starts + trace);
    if (startsBefore(start, known)) store<u64>(starts + trace, start);
    if (end > load<u64>(ends + trace)) store<u64>(ends + trace, end);
  }
  queryTraceCount = traces;
  querySpanCount = 0;
}

/** Puts the spans of the listed traces in order and fills what is known of each trace. Returns the number of spans. */
function orderListed(): u32 {
  reserveResults();
  placeSpans();
  reserve(Column.Scratch3, (resources + 1) << 3);
  reserve(Column.Scratch4, (scopes + 1) << 3);
  reserve(Column.Scratch5, (strings() + 1) << 3);
  memory.fill(at(Column.Scratch3), 0, (resources + 1) << 3);
  memory.fill(at(Column.Scratch4), 0, (scopes + 1) << 3);
  memory.fill(at(Column.Scratch5), 0, (strings() + 1) << 3);
  scopeEpoch = 0;
  statsCount = 0;
  let out: u32 = 0;
  for (let rank: u32 = 0; rank < orderedTraceCount; rank++) {
    const first = u32At(Column.Scratch1, rank);
    const last = u32At(Column.Scratch1, rank + 1);
    groupSpans(rank, first, last);
    setU32(shift + Column.OrderedSpanStart, rank, out);
    const placed = at(Column.Scratch2) + ((<usize>first) << 2);
    const kept = dropRepeats(placed, last - first);
    memory.copy(at(shift + Column.OrderedSpan) + ((<usize>out) << 2), placed, kept << 2);
    nestTrace(out, kept, shift);
    summarise(rank, out, out + kept);
    out += kept;
  }
  setU32(shift + Column.OrderedSpanStart, orderedTraceCount, out);
  setU32(shift + Column.TraceStatsStart, orderedTraceCount, statsCount);
  return out;
}

function reserveResults(): void {
  noteRowWrites();
  const bySpan = (spans + 1) << 2;
  for (let column: i32 = Column.OrderedSpan; column <= Column.NestedParent; column++) {
    reserve(shift + column, bySpan);
    if (column != Column.OrderedSpan) memory.fill(at(shift + column), 0, bySpan);
  }
  if (!shift) {
    reserve(Column.ChildCount, bySpan);
    memory.fill(at(Column.ChildCount), 0, bySpan);
  }
  for (let column: i32 = Column.StatsService; column <= Column.StatsErrors; column++)
    reserve(shift + column, bySpan);
  const byTrace = (orderedTraceCount + 1) << 2;
  reserve(shift + Column.OrderedSpanStart, byTrace);
  reserve(shift + Column.TraceStart, byTrace << 1);
  reserve(shift + Column.TraceEnd, byTrace << 1);
  reserve(shift + Column.TraceDuration, byTrace << 1);
  reserve(shift + Column.TraceRootService, byTrace);
  reserve(shift + Column.TraceRootName, byTrace);
  reserve(shift + Column.TraceStatsStart, byTrace);
}

/** True if the id of trace a stands before that of trace b. */
function idBefore(a: u32, b: u32): bool {
  const x = at(Column.TraceId) + ((<usize>a) << 4);
  const y = at(Column.TraceId) + ((<usize>b) << 4);
  const high = bswap<u64>(load<u64>(x));
  const other = bswap<u64>(load<u64>(y));
  if (high != other) return high < other;
  return bswap<u64>(load<u64>(x, 8)) < bswap<u64>(load<u64>(y, 8));
}

/** Scratch0: number of spans by trace. */
function countSpans(): void {
  reserve(Column.Scratch0, (traces + 1) << 2);
  memory.fill(at(Column.Scratch0), 0, traces << 2);
  const counts = at(Column.Scratch0);
  const ofSpan = at(Column.SpanTrace);
  for (let i: u32 = 0; i < spans; i++) {
    const count = counts + ((<usize>load<u32>(ofSpan + ((<usize>i) << 2))) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
}

/** OrderedTrace: the traces that have spans and, if there are marks, a mark. */
function listTraces(marks: usize): void {
  reserve(shift + Column.OrderedTrace, (traces + 1) << 2);
  const counts = at(Column.Scratch0);
  let n: u32 = 0;
  for (let trace: u32 = 0; trace < traces; trace++) {
    if (marks && !load<u8>(marks + trace)) continue;
    if (load<u32>(counts + ((<usize>trace) << 2))) setU32(shift + Column.OrderedTrace, n++, trace);
  }
  orderedTraceCount = n;
}

/** Sorts OrderedTrace by id. A bottom-up merge sort: no bad case for chosen ids. */
function sortTraces(): void {
  const n = orderedTraceCount;
  reserve(Column.Scratch2, (n + 1) << 2);
  let from = at(Column.OrderedTrace);
  let to = at(Column.Scratch2);
  for (let width: u32 = 1; width < n; width <<= 1) {
    for (let left: u32 = 0; left < n; left += width << 1) {
      const middle = min<u32>(left + width, n);
      const right = min<u32>(left + (width << 1), n);
      let a = left;
      let b = middle;
      for (let k = left; k < right; k++) {
        const takeLeft =
          a < middle &&
          (b >= right || !idBefore(load<u32>(from + ((<usize>b) << 2)), load<u32>(from + ((<usize>a) << 2))));
        store<u32>(to + ((<usize>k) << 2), load<u32>(from + ((<usize>(takeLeft ? a++ : b++)) << 2)));
      }
    }
    const swap = from;
    from = to;
    to = swap;
  }
  if (from != at(Column.OrderedTrace)) memory.copy(at(Column.OrderedTrace), from, n << 2);
}

/** Scratch2: span indexes by trace rank, in order of arrival; Scratch1: where each rank's begin. Scratch0 holds counts by trace. */
function placeSpans(): void {
  reserve(Column.Scratch1, (traces + 2) << 2);
  reserve(Column.Scratch6, (traces + 1) << 2);
  memory.fill(at(Column.Scratch6), 0xff, traces << 2);
  let start: u32 = 0;
  for (let rank: u32 = 0; rank < orderedTraceCount; rank++) {
    const trace = u32At(shift + Column.OrderedTrace, rank);
    setU32(Column.Scratch1, rank, start);
    setU32(Column.Scratch6, trace, start);
    start += u32At(Column.Scratch0, trace);
  }
  setU32(Column.Scratch1, orderedTraceCount, start);
  reserve(Column.Scratch2, (spans + 1) << 2);
  const next = at(Column.Scratch6);
  const ofSpan = at(Column.SpanTrace);
  const placed = at(Column.Scratch2);
  for (let i: u32 = 0; i < spans; i++) {
    const slot = next + ((<usize>load<u32>(ofSpan + ((<usize>i) << 2))) << 2);
    const position = load<u32>(slot);
    if (position == UNLISTED) continue;
    store<u32>(slot, position + 1);
    store<u32>(placed + ((<usize>position) << 2), i);
  }
}

let scopeEpoch: u32 = 0;

/** Groups the spans [first, last) of Scratch2 by resource, then by scope, both in order of first appearance. */
function groupSpans(rank: u32, first: u32, last: u32): void {
  if (last - first < 2) return;
  groupBy(Column.SpanResource, Column.Scratch3, rank + 1, first, last);
  let from = first;
  while (from < last) {
    const resource = u32At(Column.SpanResource, u32At(Column.Scratch2, from));
    let to = from + 1;
    while (to < last && u32At(Column.SpanResource, u32At(Column.Scratch2, to)) == resource) to++;
    if (to - from > 1) groupBy(Column.SpanScope, Column.Scratch4, ++scopeEpoch, from, to);
    from = to;
  }
}

/**
 * Stable grouping of [first, last) of Scratch2 by the values of a column, in order of first appearance: a counting sort whose
 * counters (`marks`: epoch and counter per value) need no clearing between calls.
 */
function groupBy(column: i32, marks: i32, epoch: u32, first: u32, last: u32): void {
  const value = u32At(column, u32At(Column.Scratch2, first));
  let i = first + 1;
  while (i < last && u32At(column, u32At(Column.Scratch2, i)) == value) i++;
  if (i == last) return;

  const count = last - first;
  // Distinct values in order of appearance, then the regrouped spans.
  reserve(Column.Scratch7, count << 3);
  const distinct = at(Column.Scratch7);
  const regrouped = distinct + ((<usize>count) << 2);
  let kinds: u32 = 0;
  for (i = first; i < last; i++) {
    const v = u32At(column, u32At(Column.Scratch2, i));
    const mark = at(marks) + ((<usize>v) << 3);
    if (load<u32>(mark) != epoch) {
      store<u32>(mark, epoch);
      store<u32>(mark, 0, 4);
      store<u32>(distinct + (usize(kinds++) << 2), v);
    }
    store<u32>(mark, load<u32>(mark, 4) + 1, 4);
  }
  let start: u32 = 0;
  for (let k: u32 = 0; k < kinds; k++) {
    const mark = at(marks) + ((<usize>load<u32>(distinct + ((<usize>k) << 2))) << 3);
    const size = load<u32>(mark, 4);
    store<u32>(mark, start, 4);
    start += size;
  }
  for (i = first; i < last; i++) {
    const span = u32At(Column.Scratch2, i);
    const mark = at(marks) + ((<usize>u32At(column, span)) << 3);
    const position = load<u32>(mark, 4);
    store<u32>(mark, position + 1, 4);
    store<u32>(regrouped + ((<usize>position) << 2), span);
  }
  memory.copy(at(Column.Scratch2) + ((<usize>first) << 2), regrouped, count << 2);
}

/** Whether a span puts the start of its trace forward. 0 is no time: neither of a span, nor of a trace whose spans have none. */
function startsBefore(ofSpan: u64, ofTrace: u64): bool {
  return ofSpan != 0 && (ofTrace == 0 || ofSpan < ofTrace);
}

/** Trace-level columns of one rank from its ordered spans [first, last). */
function summarise(rank: u32, first: u32, last: u32): void {
  let start: u64 = 0;
  let end: u64 = 0;
  let rootService: u32 = 0;
  let rootName: u32 = 0;
  setU32(shift + Column.TraceStatsStart, rank, statsCount);
  for (let i = first; i < last; i++) {
    const span = u32At(shift + Column.OrderedSpan, i);
    const spanStart = load<u64>(at(Column.SpanStart) + ((<usize>span) << 3));
    const spanEnd = spanStart + load<u64>(at(Column.SpanDuration) + ((<usize>span) << 3));
    if (startsBefore(spanStart, start)) start = spanStart;
    if (spanEnd > end) end = spanEnd;
    const resource = u32At(Column.SpanResource, span);
    const service = u32At(Column.ResourceService, resource);
    if (!load<u64>(at(Column.SpanParent) + ((<usize>span) << 3)) && !isLinkedChild(span)) {
      rootService = firstService(resource);
      rootName = u32At(Column.SpanName, span);
    }
    const mark = at(Column.Scratch5) + ((<usize>service) << 3);
    if (load<u32>(mark) != rank + 1) {
      store<u32>(mark, rank + 1);
      store<u32>(mark, statsCount, 4);
      setU32(shift + Column.StatsService, statsCount, service);
      setU32(shift + Column.StatsSpans, statsCount, 0);
      setU32(shift + Column.StatsErrors, statsCount, 0);
      statsCount++;
    }
    const row = load<u32>(mark, 4);
    setU32(shift + Column.StatsSpans, row, u32At(shift + Column.StatsSpans, row) + 1);
    if (load<i32>(at(Column.SpanStatus) + ((<usize>span) << 2)) == STATUS_ERROR) {
      setU32(shift + Column.StatsErrors, row, u32At(shift + Column.StatsErrors, row) + 1);
    }
  }
  store<u64>(at(shift + Column.TraceStart) + ((<usize>rank) << 3), start);
  store<u64>(at(shift + Column.TraceEnd) + ((<usize>rank) << 3), end);
  store<u64>(at(shift + Column.TraceDuration) + ((<usize>rank) << 3), end - start);
  setU32(shift + Column.TraceRootService, rank, rootService);
  setU32(shift + Column.TraceRootName, rank, rootName);
}

/** String id of a resource's first `service.name`: the root's service is called by it, the stats go by the last one. */
export function firstService(resource: u32): u32 {
  const start = u32At(Column.ResourceAttrStart, resource);
  const end = start + u32At(Column.ResourceAttrCount, resource);
  for (let attr = start; attr < end; attr++) {
    if (
      load<u8>(at(Column.AttrType) + attr) == <u8>AttrType.String &&
      isServiceName(u32At(Column.AttrKey, attr))
    ) {
      return <u32>load<u64>(at(Column.AttrValue) + ((<usize>attr) << 3));
    }
  }
  return 0;
}

/** True if the span has a link to its own trace that OpenTracing calls child_of: it is no root, though it has no parent id. */
export function isLinkedChild(span: u32): bool {
  const lastLink = u32At(Column.SpanLinkStart, span + 1);
  for (let link = u32At(Column.SpanLinkStart, span); link < lastLink; link++) {
    const traceId = u32At(Column.LinkTraceId, link);
    const own = at(Column.TraceId) + ((<usize>u32At(Column.SpanTrace, span)) << 4);
    if (!same(traceId, own, 16)) continue;
    const attrStart = u32At(Column.LinkAttrStart, link);
    const attrEnd = attrStart + u32At(Column.LinkAttrCount, link);
    for (let attr = attrStart; attr < attrEnd; attr++) {
      if (
        load<u8>(at(Column.AttrType) + attr) == <u8>AttrType.String &&
        same(u32At(Column.AttrKey, attr), REF_TYPE, REF_TYPE_LENGTH) &&
        same(<u32>load<u64>(at(Column.AttrValue) + ((<usize>attr) << 3)), CHILD_OF, CHILD_OF_LENGTH)
      ) {
        return true;
      }
    }
  }
  return false;
}

function same(id: u32, bytes: usize, length: u32): bool {
  return entryLength(STRINGS, id) == length && memory.compare(entryStart(STRINGS, id), bytes, length) == 0;
}
