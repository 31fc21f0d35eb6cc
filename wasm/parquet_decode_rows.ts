// The rows that a read appends to the batch: how many of each table, and where they begin. They count only from endRecords() on.

import {
  addUnnamedTraces,
  attrs,
  events,
  links,
  resources,
  scopes,
  setCounts,
  spanAttrs,
  spans,
  traces,
} from "./batch";
import { Column } from "./column_ids";
import { at } from "./memory";
import { Owner, ValueKind } from "./parquet_decode_ids";
import {
  DEFINITIONS,
  KIND,
  REPETITIONS,
  SLOT_COUNT,
  SLOT_START,
  VALUE_START,
  VALUES,
} from "./parquet_decode_leaf";

/** Rows of one table of the batch. The widest column then takes 1 GiB, and sizes stay within 32 bits. */
export const ROWS_MAX: u64 = 1 << 26;

/** Rows of the file that are read. */
export let rows: u32 = 0;
/** The rows become traces without ids. */
export let unnamed: bool = false;

export let traceBase: u32 = 0;
export let resourceBase: u32 = 0;
export let scopeBase: u32 = 0;
export let spanBase: u32 = 0;
export let eventBase: u32 = 0;
export let linkBase: u32 = 0;
export let newResources: u32 = 0;
export let newScopes: u32 = 0;
export let newSpans: u32 = 0;
export let newEvents: u32 = 0;
export let newLinks: u32 = 0;
export let newStats: u32 = 0;
export let spanAttrTop: u32 = 0;
export let attrTop: u32 = 0;

/** Starts to append a row group to the batch. */
export function beginRecords(): void {
  rows = 0;
  unnamed = false;
  traceBase = traces;
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
  newStats = 0;
  spanAttrTop = spanAttrs;
  attrTop = attrs;
}

/** Publishes what was appended. */
export function endRecords(): void {
  if (unnamed) addUnnamedTraces(rows);
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

export function setRows(count: u32, withoutIds: bool): void {
  rows = count;
  unnamed = withoutIds;
}

export function setSpans(newSpanCount: u32, newResourceCount: u32, newScopeCount: u32): void {
  newSpans = newSpanCount;
  newResources = newResourceCount;
  newScopes = newScopeCount;
}

export function setEvents(count: u32): void {
  newEvents = count;
}

export function setLinks(count: u32): void {
  newLinks = count;
}

export function setStats(count: u32): void {
  newStats = count;
}

export function setSpanAttrTop(top: u32): void {
  spanAttrTop = top;
}

export function setAttrTop(top: u32): void {
  attrTop = top;
}

/** First row of the owner's table that the read at hand adds. */
export function firstRow(owner: u32): u32 {
  switch (owner) {
    case Owner.Resource:
      return resourceBase;
    case Owner.Scope:
      return scopeBase;
    case Owner.Span:
      return spanBase;
    case Owner.Event:
      return eventBase;
    case Owner.Link:
      return linkBase;
    default:
      return 0;
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
    case Owner.Link:
      return newLinks;
    case Owner.Trace:
      return rows;
    default:
      return newStats;
  }
}

export function slotCount(entry: usize): u32 {
  return load<u32>(entry, SLOT_COUNT);
}

export function repetitionsOf(entry: usize): usize {
  return at(REPETITIONS) + load<u32>(entry, SLOT_START);
}

export function definitionsOf(entry: usize): usize {
  return at(DEFINITIONS) + load<u32>(entry, SLOT_START);
}

export function valuesOf(entry: usize): usize {
  return at(VALUES) + load<u32>(entry, VALUE_START);
}

/** Whether the values of a leaf are ids of 32 bits. */
export function isNarrow(entry: usize): bool {
  return load<u32>(entry, KIND) == ValueKind.String;
}

/** Value `i` of a leaf as 64 bits. */
export function valueAt(values: usize, narrow: bool, i: u32): u64 {
  return narrow ? <u64>load<u32>(values + ((<usize>i) << 2)) : load<u64>(values + ((<usize>i) << 3));
}

/** Whether the column has 8 bytes a row. */
export function isWide(column: i32): bool {
  return (
    column == Column.SpanId ||
    column == Column.SpanParent ||
    column == Column.SpanStart ||
    column == Column.SpanDuration ||
    column == Column.EventTime ||
    column == Column.TraceStart ||
    column == Column.TraceEnd ||
    column == Column.TraceDuration
  );
}
