// Whose attributes a listing looks at: those of all spans or of given ones, of their resources, scopes, events and links. Each kind of
// owner is turned into ranges of attribute rows here.

import { resources, scopes, spans } from "./batch";
import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { Owner } from "./parquet_decode_ids";

/** Next range of rows that nextAttrs() has found. */
export let attrsFrom: u32 = 0;
export let attrsTo: u32 = 0;

let owner: u32 = 0;
/** Address of a byte by span: whether it counts; 0: all do. */
let wanted: usize = 0;
let row: u32 = 0;
let rows: u32 = 0;
/** Events and links: what is left of the latest span's. */
let child: u32 = 0;
let children: u32 = 0;

function u32At(column: i32, index: u32): u32 {
  return load<u32>(at(column) + ((<usize>index) << 2));
}

/** Scratch0: a byte by row of a table that spans refer to, 1 where a wanted span does. */
export function markReferred(column: i32, count: u32, spansWanted: usize): void {
  reserve(Column.Scratch0, count + 1);
  const marks = at(Column.Scratch0);
  memory.fill(marks, 0, count);
  const referred = at(column);
  if (spansWanted) {
    for (let span: u32 = 0; span < spans; span++) {
      if (load<u8>(spansWanted + span)) store<u8>(marks + load<u32>(referred + ((<usize>span) << 2)), 1);
    }
  } else {
    for (let span: u32 = 0; span < spans; span++) {
      store<u8>(marks + load<u32>(referred + ((<usize>span) << 2)), 1);
    }
  }
}

/** Begins with the first owner of a kind. */
export function beginAttrsOf(ownerKind: u32, spansWanted: usize): void {
  owner = ownerKind;
  wanted = spansWanted;
  row = 0;
  child = 0;
  children = 0;
  rows = spans;
  if (owner == Owner.Resource) {
    rows = resources;
    markReferred(Column.SpanResource, resources, wanted);
  } else if (owner == Owner.Scope) {
    rows = scopes;
    markReferred(Column.SpanScope, scopes, wanted);
  }
}

/** Finds the next range of rows; false when there is none. Neighbours of owners that all count come as one range. */
export function nextAttrs(): bool {
  switch (owner) {
    case Owner.Span:
      return nextOfSpans();
    case Owner.Resource:
      return nextOfMarked(Column.ResourceAttrStart, Column.ResourceAttrCount);
    case Owner.Scope:
      return nextOfMarked(Column.ScopeAttrStart, Column.ScopeAttrCount);
    case Owner.Event:
      return nextOfChildren(Column.SpanEventStart, Column.EventAttrStart, Column.EventAttrCount);
    default:
      return nextOfChildren(Column.SpanLinkStart, Column.LinkAttrStart, Column.LinkAttrCount);
  }
}

function nextOfSpans(): bool {
  if (wanted) while (row < rows && !load<u8>(wanted + row)) row++;
  if (row >= rows) return false;
  attrsFrom = u32At(Column.SpanAttrStart, row);
  if (wanted) while (row < rows && load<u8>(wanted + row)) row++;
  else row = rows;
  attrsTo = u32At(Column.SpanAttrStart, row);
  return true;
}

function nextOfMarked(starts: i32, counts: i32): bool {
  while (row < rows && !load<u8>(at(Column.Scratch0) + row)) row++;
  if (row >= rows) return false;
  attrsFrom = u32At(starts, row);
  attrsTo = attrsFrom + u32At(counts, row);
  row++;
  return true;
}

function nextOfChildren(childStarts: i32, starts: i32, counts: i32): bool {
  while (child >= children) {
    if (wanted) while (row < rows && !load<u8>(wanted + row)) row++;
    if (row >= rows) return false;
    child = u32At(childStarts, row);
    if (wanted) while (row < rows && load<u8>(wanted + row)) row++;
    else row = rows;
    children = u32At(childStarts, row);
  }
  attrsFrom = u32At(starts, child);
  attrsTo = attrsFrom + u32At(counts, child);
  child++;
  return true;
}
