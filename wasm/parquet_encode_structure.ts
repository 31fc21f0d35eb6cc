// The shape of a row group: for every level of the trace tree its slots, which are what a Parquet column has one entry for. A slot
// is an element, or the place of an empty list. All leaves of a structure share its repetition levels.

import { AttrType, Column } from "./column_ids";
import { at, reserve } from "./memory";
import { blobKind, elementCount, elementKind } from "./parquet_encode_arrays";
import { Owner, SlotKind, Structure } from "./parquet_encode_ids";
import {
  columnOfKey,
  columnsShift,
  hasKeyColumns,
  prepareEventColumns,
  prepareKeyColumns,
  putInColumn,
} from "./parquet_encode_keys";
import { sortStats } from "./parquet_encode_stats";

/** Bytes behind an array that may be read or written, but do not count. */
export const SLACK: u32 = 64;

/** Repetition level of a span that is not the first of its scope. */
export const SPAN_REPETITION: u8 = 3;

/** Numbers per structure, u32: see the constants below. */
const FIELDS: u32 = 8;
const TABLE: usize = memory.data(7 * 8 * 4);
const SLOTS: u32 = 0;
const REP_COLUMN: u32 = 1;
const REP_OFFSET: u32 = 2;
const KIND_COLUMN: u32 = 3; // NONE if all slots are of one kind
const KIND_OFFSET: u32 = 4; // or that kind
const ENTITY_COLUMN: u32 = 5;
const ENTITY_OFFSET: u32 = 6;
const ABSENT: u32 = 0xffffffff;

/** Slots by kind, u32, per structure; meaningful for children. */
const KIND_COUNTS: usize = memory.data(7 * 16 * 4);
/** Array elements by kind of element, and the arrays that have them, u32, per structure. */
const ELEMENTS: usize = memory.data(7 * 16 * 4);
const ARRAYS: usize = memory.data(7 * 16 * 4);

/** First rank of the row group, and the first of its places in OrderedSpan. */
export let firstRank: u32 = 0;
export let firstPlace: u32 = 0;
/** Spans in the row group. */
export let places: u32 = 0;

function get(structure: u32, field: u32): u32 {
  return load<u32>(TABLE + ((<usize>structure * FIELDS + field) << 2));
}

function set(structure: u32, field: u32, value: u32): void {
  store<u32>(TABLE + ((<usize>structure * FIELDS + field) << 2), value);
}

/** Number of slots. */
export function structureSlots(structure: u32): u32 {
  return get(structure, SLOTS);
}

/** Address of the repetition level by slot, u8; 0 if every slot is a row. */
export function repetitions(structure: u32): usize {
  const column = get(structure, REP_COLUMN);
  return column == ABSENT ? 0 : at(<i32>column) + get(structure, REP_OFFSET);
}

/** Address of the SlotKind by slot, u8; 0 if all slots are of the kind commonKind(). */
export function slotKinds(structure: u32): usize {
  const column = get(structure, KIND_COLUMN);
  return column == ABSENT ? 0 : at(<i32>column) + get(structure, KIND_OFFSET);
}

/** The kind of all slots, if there is no array of kinds. */
export function commonKind(structure: u32): u32 {
  return get(structure, KIND_OFFSET);
}

/** Address of the entity by slot, u32: the row in the batch's tables. */
export function slotEntities(structure: u32): usize {
  return at(<i32>get(structure, ENTITY_COLUMN)) + get(structure, ENTITY_OFFSET);
}

/** Number of slots of a kind. */
export function slotsOfKind(structure: u32, kind: u32): u32 {
  if (get(structure, KIND_COLUMN) == ABSENT) return commonKind(structure) == kind ? get(structure, SLOTS) : 0;
  return load<u32>(KIND_COUNTS + ((<usize>structure * 16 + kind) << 2));
}

/** Number of elements in arrays whose elements are of a kind. */
export function arrayElements(structure: u32, kind: u32): u32 {
  return get(structure, KIND_COLUMN) == ABSENT
    ? 0
    : load<u32>(ELEMENTS + ((<usize>structure * 16 + kind) << 2));
}

/** Number of arrays whose elements are of a kind. */
export function arraysOf(structure: u32, kind: u32): u32 {
  return get(structure, KIND_COLUMN) == ABSENT
    ? 0
    : load<u32>(ARRAYS + ((<usize>structure * 16 + kind) << 2));
}

/**
 * A number that is equal for structures with the same repetition levels (so that a page without values need be compressed only
 * once): the structure that the levels belong to.
 */
export function levelsOf(structure: u32): u32 {
  for (let other: u32 = 0; other < structure; other++) {
    if (
      get(other, SLOTS) == get(structure, SLOTS) &&
      get(other, REP_COLUMN) == get(structure, REP_COLUMN) &&
      get(other, REP_OFFSET) == get(structure, REP_OFFSET)
    ) {
      return other;
    }
  }
  return structure;
}

function describe(
  structure: u32,
  slots: u32,
  repColumn: u32,
  repOffset: u32,
  entityColumn: u32,
  entityOffset: u32,
): void {
  set(structure, SLOTS, slots);
  set(structure, REP_COLUMN, repColumn);
  set(structure, REP_OFFSET, repOffset);
  set(structure, KIND_COLUMN, ABSENT);
  set(structure, KIND_OFFSET, SlotKind.Value);
  set(structure, ENTITY_COLUMN, entityColumn);
  set(structure, ENTITY_OFFSET, entityOffset);
}

function u32At(column: i32, row: u32): u32 {
  return load<u32>(at(column) + ((<usize>row) << 2));
}

/**
 * Makes the structures above attributes, events and links for the ordered traces of the ranks [from, to).
 *
 * @param byService whether the services of a trace are listed by name, or in the order in which they appear
 */
export function beginRowGroup(from: u32, to: u32, byService: bool): void {
  firstRank = from;
  firstPlace = u32At(Column.OrderedSpanStart, from);
  const count = u32At(Column.OrderedSpanStart, to) - firstPlace;
  places = count;
  const rows = to - from;
  const firstStats = u32At(Column.TraceStatsStart, from);
  const stats = u32At(Column.TraceStatsStart, to) - firstStats;

  const entitiesStart: u32 = (count * 3 + stats + 3) & ~3;
  reserve(Column.Encode0, entitiesStart + ((count * 2 + stats + rows) << 2) + SLACK);
  const base = at(Column.Encode0);
  const spanReps = base;
  const scopeReps = base + count;
  const resourceReps = scopeReps + count;
  const statsReps = resourceReps + count;
  const scopeEntities = base + entitiesStart;
  const resourceEntities = scopeEntities + ((<usize>count) << 2);
  const statsEntities = resourceEntities + ((<usize>count) << 2);
  const rowEntities = statsEntities + ((<usize>stats) << 2);

  const starts = at(Column.OrderedSpanStart);
  const statsStarts = at(Column.TraceStatsStart);
  const ordered = at(Column.OrderedSpan);
  const resourceOf = at(Column.SpanResource);
  const scopeOf = at(Column.SpanScope);
  let resources: u32 = 0;
  let scopes: u32 = 0;
  let place: u32 = 0;
  for (let rank = from; rank < to; rank++) {
    store<u32>(rowEntities + ((<usize>(rank - from)) << 2), rank);
    const statsStart = load<u32>(statsStarts + ((<usize>rank) << 2));
    const statsEnd = load<u32>(statsStarts + ((<usize>rank) << 2), 4);
    for (let row = statsStart; row < statsEnd; row++) {
      store<u8>(statsReps + (row - firstStats), row == statsStart ? 0 : 1);
      store<u32>(statsEntities + ((<usize>(row - firstStats)) << 2), row);
    }
    if (byService)
      sortStats(statsEntities + ((<usize>(statsStart - firstStats)) << 2), statsEnd - statsStart);
    let lastResource: u32 = ABSENT;
    let lastScope: u32 = ABSENT;
    const end = load<u32>(starts + ((<usize>rank) << 2), 4) - firstPlace;
    let repetition: u8 = 0;
    for (; place < end; place++) {
      const span = load<u32>(ordered + ((<usize>(firstPlace + place)) << 2));
      const resource = load<u32>(resourceOf + ((<usize>span) << 2));
      const scope = load<u32>(scopeOf + ((<usize>span) << 2));
      if (resource != lastResource) {
        lastResource = resource;
        lastScope = scope;
        store<u8>(resourceReps + resources, repetition);
        store<u32>(resourceEntities + (usize(resources++) << 2), resource);
        store<u8>(scopeReps + scopes, repetition);
        store<u32>(scopeEntities + (usize(scopes++) << 2), scope);
        store<u8>(spanReps + place, repetition);
      } else if (scope != lastScope) {
        lastScope = scope;
        store<u8>(scopeReps + scopes, 2);
        store<u32>(scopeEntities + (usize(scopes++) << 2), scope);
        store<u8>(spanReps + place, 2);
      } else {
        store<u8>(spanReps + place, SPAN_REPETITION);
      }
      repetition = 1;
    }
  }
  const column = <u32>Column.Encode0;
  describe(Structure.Trace, rows, ABSENT, 0, column, <u32>(rowEntities - base));
  describe(Structure.Stats, stats, column, <u32>(statsReps - base), column, <u32>(statsEntities - base));
  describe(
    Structure.Resource,
    resources,
    column,
    <u32>(resourceReps - base),
    column,
    <u32>(resourceEntities - base),
  );
  describe(Structure.Scope, scopes, column, <u32>(scopeReps - base), column, <u32>(scopeEntities - base));
  describe(Structure.Span, count, column, 0, Column.OrderedSpan, firstPlace << 2);
  prepareKeyColumns(count);
}

// What expand() is at: a child structure grows slice by slice, so that the caller can pause in between.
let parent: u32 = 0;
let child: u32 = 0;
let owner: u32 = 0;
let level: u8 = 0;
let emptyKind: u8 = 0;
let startColumn: i32 = 0;
let countColumn: i32 = 0; // 0 if the range ends where the next row's begins
let ofAttributes: bool = false;
let next: u32 = 0; // slots written

/**
 * Begins the structure of the attributes of `ofParent`'s entities.
 *
 * `maxRepetition` is that of the new list, `emptyDefinition` the definition level of an empty one.
 * Returns whether there is anything to expand: if not, the structure is complete.
 */
export function beginAttributes(
  ofParent: u32,
  target: u32,
  ofOwner: u32,
  maxRepetition: u32,
  emptyDefinition: u32,
): bool {
  owner = ofOwner;
  ofAttributes = true;
  if (ofOwner == Owner.Resource) {
    startColumn = Column.ResourceAttrStart;
    countColumn = Column.ResourceAttrCount;
  } else if (ofOwner == Owner.Scope) {
    startColumn = Column.ScopeAttrStart;
    countColumn = Column.ScopeAttrCount;
  } else if (ofOwner == Owner.Span) {
    startColumn = Column.SpanAttrStart;
    countColumn = 0;
  } else if (ofOwner == Owner.Event) {
    prepareEventColumns(structureSlots(ofParent));
    startColumn = Column.EventAttrStart;
    countColumn = Column.EventAttrCount;
  } else {
    startColumn = Column.LinkAttrStart;
    countColumn = Column.LinkAttrCount;
  }
  return beginChild(ofParent, target, maxRepetition, emptyDefinition);
}

/** Begins the structure of the events or links of spans; as beginAttributes(). */
export function beginEvents(links: bool, maxRepetition: u32, emptyDefinition: u32): bool {
  ofAttributes = false;
  startColumn = links ? Column.SpanLinkStart : Column.SpanEventStart;
  countColumn = 0;
  return beginChild(Structure.Span, Structure.Child, maxRepetition, emptyDefinition);
}

function beginChild(ofParent: u32, target: u32, maxRepetition: u32, emptyDefinition: u32): bool {
  parent = ofParent;
  child = target;
  level = <u8>maxRepetition;
  emptyKind = <u8>emptyDefinition;
  next = 0;
  const slots = structureSlots(parent);
  const parentKinds = slotKinds(parent);
  const entities = slotEntities(parent);
  const starts = at(startColumn);
  const counts = countColumn ? at(countColumn) : 0;
  const hasEntities = parentKinds != 0 || commonKind(parent) >= <u32>SlotKind.Value;
  let total: u32 = 0;
  let empty: u32 = 0;
  if (hasEntities) {
    for (let slot: u32 = 0; slot < slots; slot++) {
      if (parentKinds && load<u8>(parentKinds + slot) < <u8>SlotKind.Value) {
        empty++;
        continue;
      }
      const row = (<usize>load<u32>(entities + ((<usize>slot) << 2))) << 2;
      const count = counts ? load<u32>(counts + row) : load<u32>(starts + row, 4) - load<u32>(starts + row);
      total += count;
      empty += u32(count == 0);
    }
  }
  if (!total && !parentKinds) {
    // No element at all: the parent's levels are the child's.
    describe(
      child,
      slots,
      get(parent, REP_COLUMN),
      get(parent, REP_OFFSET),
      get(parent, ENTITY_COLUMN),
      get(parent, ENTITY_OFFSET),
    );
    set(child, KIND_OFFSET, hasEntities ? emptyDefinition : commonKind(parent));
    return false;
  }
  const capacity: u32 = (total + empty + SLACK) & ~3;
  const column = child == Structure.Child ? Column.Encode1 : Column.Encode2;
  reserve(column, capacity * 6 + SLACK);
  describe(child, 0, column, 0, column, capacity * 2);
  set(child, KIND_COLUMN, column);
  set(child, KIND_OFFSET, capacity);
  memory.fill(KIND_COUNTS + ((<usize>child) << 6), 0, 64);
  memory.fill(ELEMENTS + ((<usize>child) << 6), 0, 64);
  memory.fill(ARRAYS + ((<usize>child) << 6), 0, 64);
  return true;
}

/** Expands the parent's slots [from, to). */
export function expand(from: u32, to: u32): void {
  const reps = repetitions(child);
  const kinds = slotKinds(child);
  const entities = slotEntities(child);
  const parentReps = repetitions(parent);
  const parentKinds = slotKinds(parent);
  const parentEntities = slotEntities(parent);
  const starts = at(startColumn);
  const counts = countColumn ? at(countColumn) : 0;
  const attributes = ofAttributes;
  const ofSpan = owner == Owner.Span;
  const keys = at(ofSpan ? Column.SpanAttrKey : Column.AttrKey);
  const types = at(ofSpan ? Column.SpanAttrType : Column.AttrType);
  const values = at(ofSpan ? Column.SpanAttrValue : Column.AttrValue);
  const withColumns = attributes && hasKeyColumns(owner);
  const columns = columnsShift(owner);
  const laterRepetition = level;
  let slot = next;
  for (let i = from; i < to; i++) {
    let repetition = load<u8>(parentReps + i);
    if (parentKinds) {
      const kind = load<u8>(parentKinds + i);
      if (kind < <u8>SlotKind.Value) {
        store<u8>(reps + slot, repetition);
        store<u8>(kinds + slot, kind);
        slot++;
        continue;
      }
    }
    const row = (<usize>load<u32>(parentEntities + ((<usize>i) << 2))) << 2;
    let entity = load<u32>(starts + row);
    const end = counts ? entity + load<u32>(counts + row) : load<u32>(starts + row, 4);
    const first = slot;
    for (; entity < end; entity++) {
      let kind: u8 = <u8>SlotKind.Value;
      if (attributes) {
        const type = load<u8>(types + entity);
        if (withColumns) {
          const key = load<u32>(keys + ((<usize>entity) << 2));
          const column = columnOfKey(key, columns, type, values + ((<usize>entity) << 3));
          if (column) {
            // Those of resources are filled already: a resource has several slots.
            if (owner != Owner.Resource) putInColumn(owner, column, i, type, entity);
            continue;
          }
        }
        kind = kindOf(type, values + ((<usize>entity) << 3));
      }
      store<u8>(reps + slot, repetition);
      store<u8>(kinds + slot, kind);
      store<u32>(entities + ((<usize>slot) << 2), entity);
      slot++;
      repetition = laterRepetition;
    }
    if (slot == first) {
      store<u8>(reps + slot, repetition);
      store<u8>(kinds + slot, emptyKind);
      slot++;
    }
  }
  countKinds(kinds + next, slot - next);
  next = slot;
  set(child, SLOTS, slot);
}

/** Adds slots to the child's counts by kind. */
function countKinds(kinds: usize, count: u32): void {
  for (let kind: u32 = 0; kind < 16; kind++) {
    const wanted = i8x16.splat(<i8>kind);
    let found: u32 = 0;
    let i: u32 = 0;
    for (; i + 16 <= count; i += 16)
      found += <u32>popcnt(i8x16.bitmask(i8x16.eq(v128.load(kinds + i), wanted)));
    for (; i < count; i++) found += u32(load<u8>(kinds + i) == <u8>kind);
    const counter = KIND_COUNTS + ((<usize>child * 16 + kind) << 2);
    store<u32>(counter, load<u32>(counter) + found);
  }
}

/** Slot kind of an attribute's value. */
function kindOf(type: u8, value: usize): u8 {
  if (type == <u8>AttrType.String) return <u8>SlotKind.String;
  if (type <= <u8>AttrType.Double && type != <u8>AttrType.None) return type + 7;
  return type == <u8>AttrType.Array ? kindOfArray(load<u32>(value)) : <u8>SlotKind.Unsupported;
}

function kindOfArray(blob: u32): u8 {
  const kind = blobKind(blob);
  if (kind == <u32>SlotKind.Array) {
    const element = elementKind(blob);
    const elements = ELEMENTS + ((<usize>child * 16 + element) << 2);
    store<u32>(elements, load<u32>(elements) + elementCount(blob));
    const arrays = ARRAYS + ((<usize>child * 16 + element) << 2);
    store<u32>(arrays, load<u32>(arrays) + 1);
  }
  return <u8>kind;
}
