// The span batch: how many rows each of its tables has, room for more, and the table of traces. The columns themselves are
// listed in column_ids.ts.

import { Column } from "./column_ids";
import { BLOBS, dictionaryBytes, resetDictionary, STRINGS } from "./dictionary";
import { mixTraceId } from "./hash";
import { at, capacity, reserve, workingBytes } from "./memory";
import { ATTR_BYTES, EVENT_BYTES, LINK_BYTES, SPAN_BYTES, TRACE_BYTES } from "./row_bytes";

const INITIAL_TRACE_SLOTS: u32 = 1024;

export let traces: u32 = 0;
export let resources: u32 = 0;
export let scopes: u32 = 0;
export let spans: u32 = 0;
export let spanAttrs: u32 = 0;
export let attrs: u32 = 0;
export let events: u32 = 0;
export let links: u32 = 0;

let spanCapacity: u32 = 0;
let spanAttrCapacity: u32 = 0;
let attrCapacity: u32 = 0;
let eventCapacity: u32 = 0;
let linkCapacity: u32 = 0;

/** Empties the batch and keeps its memory. */
export function reset(): void {
  if (capacity(Column.StringSlots)) noteData();
  resetDictionary(STRINGS);
  resetDictionary(BLOBS);
  if (!capacity(Column.TraceSlots)) reserve(Column.TraceSlots, INITIAL_TRACE_SLOTS << 2);
  memory.fill(at(Column.TraceSlots), 0, capacity(Column.TraceSlots));
  traces = 0;
  setCounts(0, 0, 0, 0, 0, 0, 0);
  // The empty message is blob 0 from the start on, so its rows are made ready here.
  reserve(Column.BlobResource, 4);
  reserve(Column.BlobScope, 4);
  store<u32>(at(Column.BlobResource), 0);
  store<u32>(at(Column.BlobScope), 0);
  makeRoomForSpans(0);
  store<u32>(at(Column.SpanAttrStart), 0);
  store<u32>(at(Column.SpanEventStart), 0);
  store<u32>(at(Column.SpanLinkStart), 0);
}

/** Sets the row counts of all tables but the traces': for whoever fills the columns directly. */
export function setCounts(
  newSpans: u32,
  newResources: u32,
  newScopes: u32,
  newSpanAttrs: u32,
  newAttrs: u32,
  newEvents: u32,
  newLinks: u32,
): void {
  spans = newSpans;
  resources = newResources;
  scopes = newScopes;
  spanAttrs = newSpanAttrs;
  attrs = newAttrs;
  events = newEvents;
  links = newLinks;
}

export function spanCount(): u32 {
  return spans;
}

export function traceCount(): u32 {
  return traces;
}

export function resourceCount(): u32 {
  return resources;
}

export function scopeCount(): u32 {
  return scopes;
}

export function spanAttrCount(): u32 {
  return spanAttrs;
}

export function eventCount(): u32 {
  return events;
}

export function linkCount(): u32 {
  return links;
}

/** Smallest 2^k - 1 that is at least `count`: one less than a power of two leaves room for the end entry of Start columns. */
function rowsFor(count: u32): u32 {
  const rows = ((<u32>1) << (32 - <u32>clz(count | 255))) - 1;
  return rows;
}

/** Goes up whenever somebody may have written rows of resources, scopes or spans, or their order. */
export let rowWrites: u32 = 0;

export function noteRowWrites(): void {
  rowWrites++;
}

/** Room for `count` spans in all. */
export function ensureSpans(count: u32): void {
  rowWrites++;
  makeRoomForSpans(count);
}

function makeRoomForSpans(count: u32): void {
  if (count <= spanCapacity && spanCapacity) return;
  spanCapacity = rowsFor(count);
  const entries = spanCapacity + 1;
  for (let column: i32 = Column.SpanTrace; column <= Column.SpanLinkStart; column++) {
    const wide =
      column == Column.SpanId ||
      column == Column.SpanParent ||
      column == Column.SpanStart ||
      column == Column.SpanDuration;
    reserve(column, entries << (wide ? 3 : 2));
  }
}

/** Room for `count` attributes of spans in all. */
export function ensureSpanAttrs(count: u32): void {
  if (count <= spanAttrCapacity) return;
  spanAttrCapacity = rowsFor(count);
  const entries = spanAttrCapacity + 1;
  reserve(Column.SpanAttrKey, entries << 2);
  reserve(Column.SpanAttrType, entries);
  reserve(Column.SpanAttrValue, entries << 3);
}

/** Room for `count` attributes of resources, scopes, events and links in all. */
export function ensureAttrs(count: u32): void {
  if (count <= attrCapacity) return;
  attrCapacity = rowsFor(count);
  const entries = attrCapacity + 1;
  reserve(Column.AttrKey, entries << 2);
  reserve(Column.AttrType, entries);
  reserve(Column.AttrValue, entries << 3);
}

/** Room for `count` events in all. */
export function ensureEvents(count: u32): void {
  if (count <= eventCapacity) return;
  eventCapacity = rowsFor(count);
  const entries = eventCapacity + 1;
  reserve(Column.EventTime, entries << 3);
  for (let column: i32 = Column.EventName; column <= Column.EventDropped; column++)
    reserve(column, entries << 2);
}

/** Room for `count` links in all. */
export function ensureLinks(count: u32): void {
  if (count <= linkCapacity) return;
  linkCapacity = rowsFor(count);
  const entries = linkCapacity + 1;
  for (let column: i32 = Column.LinkTraceId; column <= Column.LinkFlags; column++)
    reserve(column, entries << 2);
}

/** Room for `count` resources in all. */
export function ensureResources(count: u32): void {
  rowWrites++;
  for (let column: i32 = Column.ResourceAttrStart; column <= Column.ResourceDropped; column++)
    reserve(column, count << 2);
}

/** Room for `count` scopes in all. */
export function ensureScopes(count: u32): void {
  rowWrites++;
  for (let column: i32 = Column.ScopeName; column <= Column.ScopeDropped; column++)
    reserve(column, count << 2);
}

export function setResources(count: u32): void {
  resources = count;
}

export function setScopes(count: u32): void {
  scopes = count;
}

export function setAttrs(count: u32): void {
  attrs = count;
}

/** Index of the trace with the 16-byte id at `id`, or -1. */
export function findTrace(id: usize): i32 {
  const low = load<u64>(id);
  const high = load<u64>(id, 8);
  const mask = (capacity(Column.TraceSlots) >> 2) - 1;
  let slot = <u32>mixTraceId(low, high) & mask;
  while (true) {
    const entry = load<u32>(at(Column.TraceSlots) + ((<usize>slot) << 2));
    if (!entry) return -1;
    const known = at(Column.TraceId) + ((<usize>entry - 1) << 4);
    if (load<u64>(known) == low && load<u64>(known, 8) == high) return <i32>(entry - 1);
    slot = (slot + 1) & mask;
  }
}

/** Index of the trace with the 16-byte id at `id`, which is added if it is new. */
export function addTrace(id: usize): u32 {
  const low = load<u64>(id);
  const high = load<u64>(id, 8);
  const slots = at(Column.TraceSlots);
  const mask = (capacity(Column.TraceSlots) >> 2) - 1;
  let slot = <u32>mixTraceId(low, high) & mask;
  while (true) {
    const entry = load<u32>(slots + ((<usize>slot) << 2));
    if (!entry) break;
    const known = at(Column.TraceId) + ((<usize>entry - 1) << 4);
    if (load<u64>(known) == low && load<u64>(known, 8) == high) return entry - 1;
    slot = (slot + 1) & mask;
  }
  const trace = traces++;
  reserve(Column.TraceId, (trace + 1) << 4);
  const known = at(Column.TraceId) + ((<usize>trace) << 4);
  store<u64>(known, low);
  store<u64>(known, high, 8);
  store<u32>(at(Column.TraceSlots) + ((<usize>slot) << 2), trace + 1);
  if ((trace + 1) * 2 > capacity(Column.TraceSlots) >> 2) growTraceSlots();
  return trace;
}

/** Adds traces whose ids are not known: they are zero, and are not found by them. */
export function addUnnamedTraces(count: u32): void {
  reserve(Column.TraceId, (traces + count) << 4);
  memory.fill(at(Column.TraceId) + ((<usize>traces) << 4), 0, (<usize>count) << 4);
  traces += count;
}

function growTraceSlots(): void {
  const bytes = capacity(Column.TraceSlots) * 2;
  reserve(Column.TraceSlots, bytes);
  const slots = at(Column.TraceSlots);
  memory.fill(slots, 0, bytes);
  const mask = (bytes >> 2) - 1;
  for (let trace: u32 = 0; trace < traces; trace++) {
    const id = at(Column.TraceId) + ((<usize>trace) << 4);
    let slot = <u32>mixTraceId(load<u64>(id), load<u64>(id, 8)) & mask;
    while (load<u32>(slots + ((<usize>slot) << 2))) slot = (slot + 1) & mask;
    store<u32>(slots + ((<usize>slot) << 2), trace + 1);
  }
}

/** The most that dataBytes() has been when it was looked at. */
let dataBytesMax: u32 = 0;

function noteData(): void {
  dataBytesMax = max(dataBytesMax, dataBytes());
}

/** Bytes of linear memory that have been written to, by the rows that the columns have held at most: what the batch really occupies. */
export function memoryBytes(): u32 {
  noteData();
  return dataBytesMax + workingBytes();
}

/** Bytes that the rows of the batch take: what a reset keeps of the memory, rounded to what was really written. */
export function dataBytes(): u32 {
  return (
    spans * SPAN_BYTES +
    spanAttrs * ATTR_BYTES +
    attrs * ATTR_BYTES +
    events * EVENT_BYTES +
    links * LINK_BYTES +
    traces * TRACE_BYTES +
    dictionaryBytes(STRINGS) +
    dictionaryBytes(BLOBS)
  );
}
