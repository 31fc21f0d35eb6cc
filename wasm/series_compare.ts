// Comparing two kinds of spans: of every attribute, how many spans of each kind have which value. Attributes of events and links are left
// out, as Tempo leaves them out.

import { resources, scopes, spanAttrs, spans } from "./batch";
import { AttrType, Column } from "./column_ids";
import { strings } from "./dictionary";
import { at, reserve } from "./memory";
import { elementType, isSingle, singleValue } from "./query_array";
import { Field, QueryType } from "./query_ids";
import { orderShift, rankCount } from "./query_load";
import { typesOf } from "./query_vectors";
import { addToCell } from "./series_cells";
import { beginLevel, beginNodes, groupOf, nodeOf } from "./series_groups";
import { Compared, Fold } from "./series_ids";
import { NO_SLOT } from "./series_select";

const OWNERS: u32 = 4;
/** Of the intrinsics that are compared, the nodes of their names: in QueryWork1 behind those of the attributes. */
const INTRINSICS: u32 = 32;

let stringsNow: usize = 0;
let windowStart: u64 = 0;
let windowEnd: u64 = 0;

/** Sets when spans must have begun, in ns and (start, end], to be of the selection. */
export function setSelectionWindow(startLow: u32, startHigh: u32, endLow: u32, endHigh: u32): void {
  windowStart = <u64>startLow | ((<u64>startHigh) << 32);
  windowEnd = <u64>endLow | ((<u64>endHigh) << 32);
}

/**
 * Counts the selected spans for every value of each of their attributes, in the bucket 1 those of the selection and in 0 all others. The groups
 * have keys of three parts: whose attribute it is (Compared), its name (of an intrinsic its Field), its value.
 *
 * @param selection truth by span
 */
export function compareSpans(selection: u32): void {
  beginNodes();
  addKeys();
  beginLevel();
  spreadRoots();
  const truths = typesOf(selection);
  const slots = at(Column.SeriesSlot);
  for (let i: u32 = 0; i < spans; i++) {
    const slot = load<u32>(slots + ((<usize>i) << 2));
    if (slot == NO_SLOT) continue;
    const start = load<u64>(at(Column.SpanStart) + ((<usize>i) << 3));
    const isSelected = load<u8>(truths + <usize>i) != 0 && start > windowStart && start <= windowEnd;
    countSpan(i, slot | <u32>isSelected);
  }
}

/** A node for each name of an attribute that an owner has, found by the string's id. */
function addKeys(): void {
  stringsNow = <usize>strings();
  const bytes = (OWNERS * <u32>stringsNow + INTRINSICS) << 2;
  reserve(Column.QueryWork1, bytes);
  memory.fill(at(Column.QueryWork1), 0, bytes);
  const intrinsics = nodeOf(0, QueryType.Int, Compared.Intrinsic);
  for (let field: u32 = 0; field < INTRINSICS; field++) {
    store<u32>(intrinsicNode(field), nodeOf(intrinsics, QueryType.Int, <u64>field));
  }
  const span = nodeOf(0, QueryType.Int, Compared.Span);
  for (let row: usize = 0; row < <usize>spanAttrs; row++) {
    addKey(Compared.Span, span, load<u32>(at(Column.SpanAttrKey) + (row << 2)));
  }
  addOwnedKeys(Compared.Resource, resources, Column.ResourceAttrStart);
  addOwnedKeys(Compared.Scope, scopes, Column.ScopeAttrStart);
}

function addOwnedKeys(owner: u32, rows: u32, starts: i32): void {
  const parent = nodeOf(0, QueryType.Int, owner);
  for (let i: usize = 0; i < <usize>rows; i++) {
    const start = load<u32>(at(starts) + (i << 2));
    const end = start + load<u32>(at(starts + 1) + (i << 2));
    for (let row = <usize>start; row < <usize>end; row++) {
      addKey(owner, parent, load<u32>(at(Column.AttrKey) + (row << 2)));
    }
  }
}

function keyNode(owner: u32, key: u32): usize {
  return at(Column.QueryWork1) + ((<usize>owner * stringsNow + <usize>key) << 2);
}

function intrinsicNode(field: u32): usize {
  return keyNode(OWNERS, 0) + ((<usize>field) << 2);
}

function addKey(owner: u32, parent: u32, key: u32): void {
  const entry = keyNode(owner, key);
  if (!load<u32>(entry)) store<u32>(entry, nodeOf(parent, QueryType.String, <u64>key));
}

/** The rank of each span's trace + 1 into QueryWork2; 0 where it is in no order. */
function spreadRoots(): void {
  reserve(Column.QueryWork2, (spans + 1) << 2);
  const ranksOf = at(Column.QueryWork2);
  memory.fill(ranksOf, 0, spans << 2);
  const shift = orderShift();
  const ranks = rankCount();
  for (let rank: usize = 0; rank < <usize>ranks; rank++) {
    const end = load<u32>(at(shift + Column.OrderedSpanStart) + (rank << 2), 4);
    for (let p = load<u32>(at(shift + Column.OrderedSpanStart) + (rank << 2)); p < end; p++) {
      const span = <usize>load<u32>(at(shift + Column.OrderedSpan) + ((<usize>p) << 2));
      store<u32>(ranksOf + (span << 2), <u32>rank + 1);
    }
  }
}

function countSpan(span: u32, slot: u32): void {
  const i = (<usize>span) << 2;
  countIntrinsic(Field.Name, QueryType.String, load<u32>(at(Column.SpanName) + i), slot);
  countIntrinsic(Field.Kind, QueryType.Kind, load<u32>(at(Column.SpanKind) + i), slot);
  countIntrinsic(Field.Status, QueryType.Status, load<u32>(at(Column.SpanStatus) + i), slot);
  countIntrinsic(Field.StatusMessage, QueryType.String, load<u32>(at(Column.SpanStatusMessage) + i), slot);
  const rank = <usize>load<u32>(at(Column.QueryWork2) + i);
  if (rank) {
    const shift = orderShift();
    const root = (rank - 1) << 2;
    countIntrinsic(
      Field.RootName,
      QueryType.String,
      load<u32>(at(shift + Column.TraceRootName) + root),
      slot,
    );
    const service = load<u32>(at(shift + Column.TraceRootService) + root);
    countIntrinsic(Field.RootService, QueryType.String, service, slot);
  }
  const scope = load<u32>(at(Column.SpanScope) + i);
  const scopeAt = (<usize>scope) << 2;
  countIntrinsic(Field.ScopeName, QueryType.String, load<u32>(at(Column.ScopeName) + scopeAt), slot);
  countIntrinsic(Field.ScopeVersion, QueryType.String, load<u32>(at(Column.ScopeVersion) + scopeAt), slot);

  const attrEnd = <usize>load<u32>(at(Column.SpanAttrStart) + i, 4);
  for (let row = <usize>load<u32>(at(Column.SpanAttrStart) + i); row < attrEnd; row++) {
    countValue(
      load<u32>(keyNode(Compared.Span, load<u32>(at(Column.SpanAttrKey) + (row << 2)))),
      load<u8>(at(Column.SpanAttrType) + row),
      load<u64>(at(Column.SpanAttrValue) + (row << 3)),
      slot,
    );
  }
  countOwned(Compared.Resource, load<u32>(at(Column.SpanResource) + i), Column.ResourceAttrStart, slot);
  countOwned(Compared.Scope, scope, Column.ScopeAttrStart, slot);
}

function countOwned(owner: u32, row: u32, starts: i32, slot: u32): void {
  const start = load<u32>(at(starts) + ((<usize>row) << 2));
  const end = <usize>(start + load<u32>(at(starts + 1) + ((<usize>row) << 2)));
  for (let k = <usize>start; k < end; k++) {
    countValue(
      load<u32>(keyNode(owner, load<u32>(at(Column.AttrKey) + (k << 2)))),
      load<u8>(at(Column.AttrType) + k),
      load<u64>(at(Column.AttrValue) + (k << 3)),
      slot,
    );
  }
}

function countIntrinsic(field: u32, type: u32, value: u32, slot: u32): void {
  count(load<u32>(intrinsicNode(field)), type, <u64>value, slot);
}

/** Lists of several values are all the same, and without a value; key-value lists and bytes are not compared. */
function countValue(key: u32, type: u32, value: u64, slot: u32): void {
  if (type == <u32>AttrType.Array) {
    const elements = elementType(<u32>value);
    if (!elements) return;
    if (!isSingle) count(key, QueryType.Nil, 0, slot);
    else if (elements == <u32>AttrType.String) count(key, type, value, slot);
    else count(key, elements, singleValue, slot);
  } else if (type != <u32>AttrType.None && type < <u32>AttrType.Array) count(key, type, value, slot);
}

function count(key: u32, type: u32, value: u64, slot: u32): void {
  addToCell(((<u64>groupOf(nodeOf(key, type, value))) << 32) | <u64>slot, Fold.Count, 1, 0, 0);
}
