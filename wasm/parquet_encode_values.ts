// One leaf of a row group: its values gathered from the batch into one array, in file order, with its definition levels beside them.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { elementCount, elementKind, elementsOf, textOf } from "./parquet_encode_arrays";
import { Owner, SlotKind, Source, Structure } from "./parquet_encode_ids";
import { columnHasArray } from "./parquet_encode_keys";
import {
  beginOwn,
  furtherElements,
  gatherOwnLists,
  gatherOwnScalars,
  gatherServices,
  ownSlots,
  ownValues,
} from "./parquet_encode_own";
import {
  arrayElements,
  arraysOf,
  commonKind,
  firstPlace,
  places,
  repetitions,
  SLACK,
  SPAN_REPETITION,
  slotEntities,
  slotKinds,
  slotsOfKind,
  structureSlots,
} from "./parquet_encode_structure";

let structure: u32 = 0;
let source: u32 = 0;
let sourceColumn: u32 = 0;
let owner: u32 = 0;
let ofSpans: bool = false;
/** The slot kind whose values an attribute leaf takes; 0: of every kind. */
let wantedKind: u32 = 0;
let nextPlace: u32 = 0; // EventTime: the span whose events come next; ScopeSpans: the scope's first

export let maxDefinition: u32 = 0;
export let maxRepetition: u32 = 0;
/** Slots of the leaf: those of its structure, or more where arrays have several elements. */
export let leafSlots: u32 = 0;
/** Values gathered so far. They stand in Encode7. */
export let leafValues: u32 = 0;
/** The levels of the leaf's slots written so far, to Encode9. */
let writtenSlots: u32 = 0;
let expanded: bool = false;
/** Definition level of all slots, or MIXED if they stand in Encode9. */
export let commonDefinition: u32 = 0;
export const MIXED: u32 = 0xffffffff;
/** Whether the leaf was not gathered but given by giveLeaf(), and the addresses of its levels. */
let given: bool = false;
let givenRepetitions: usize = 0;
let givenDefinitions: usize = 0;
/** Whether the values are not ids of strings but slices, as in wasm/merge_slices.ts. */
export let areSlices: bool = false;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/** Definition level by slot kind. */
const DEFINITIONS: usize = memory.data(16);

/** Bytes of a value in Encode7. */
function valueBytes(): u32 {
  switch (source) {
    case Source.U64:
    case Source.I32AsI64:
    case Source.TraceDuration:
    case Source.EventTime:
    case Source.AttrInt:
    case Source.AttrDouble:
    case Source.OwnInts:
      return 8;
    case Source.TraceId:
      return 16;
    case Source.AttrIsArray:
    case Source.AttrBool:
      return 1;
    default:
      return 4;
  }
}

/** Slot kind whose values the source takes; 0: of every kind. */
function kindOfSource(): u32 {
  switch (source) {
    case Source.AttrString:
      return SlotKind.String;
    case Source.AttrInt:
      return SlotKind.Int;
    case Source.AttrDouble:
      return SlotKind.Double;
    case Source.AttrBool:
      return SlotKind.Bool;
    case Source.AttrUnsupported:
      return SlotKind.Unsupported;
    default:
      return 0;
  }
}

/**
 * Begins a leaf with these maximum levels. `column` is what the source reads: a Column, the number of a column of attributes, or the
 * seconds of a period. `ofOwner` tells whose attributes they are. Returns the number of slots of the structure, to be gathered in slices.
 */
export function beginLeaf(
  ofStructure: u32,
  ofSource: u32,
  column: u32,
  ofOwner: u32,
  definition: u32,
  repetition: u32,
): u32 {
  structure = ofStructure;
  source = ofSource;
  sourceColumn = column;
  owner = ofOwner;
  ofSpans = owner == Owner.Span;
  maxDefinition = definition;
  maxRepetition = repetition;
  wantedKind = kindOfSource();
  nextPlace = firstPlace;
  leafValues = 0;
  writtenSlots = 0;
  const slots = structureSlots(structure);
  leafSlots = slots;
  expanded = false;
  given = false;
  areSlices = false;
  commonDefinition = MIXED;

  let count = slots;
  const ofColumn = source == Source.OwnStrings || source == Source.OwnInts;
  for (let kind: u32 = 0; kind < 16; kind++) {
    let level = definition;
    if (kind < <u32>SlotKind.Value) level = kind;
    else if (ofColumn || (wantedKind && kind != wantedKind)) level = definition - 1;
    store<u8>(DEFINITIONS + kind, <u8>level);
  }
  if (ofColumn) {
    if (slotKinds(structure)) {
      if (!column && !emptySlots()) commonDefinition = definition - 1;
    } else if (!column || commonKind(structure) < <u32>SlotKind.Value) {
      commonDefinition = load<u8>(DEFINITIONS + commonKind(structure));
    }
    if (!column) {
      count = 0;
    } else if (commonDefinition == MIXED && columnHasArray(owner, column)) {
      expanded = true;
      count += furtherElements(structure, owner, column);
      leafSlots = count;
    }
  } else {
    if (wantedKind) {
      const inArrays = arrayElements(structure, wantedKind);
      count = slotsOfKind(structure, wantedKind) + inArrays;
      expanded = inArrays != 0;
      if (expanded) leafSlots = slots + inArrays - arraysOf(structure, wantedKind);
    }
    if (!slotKinds(structure)) commonDefinition = load<u8>(DEFINITIONS + commonKind(structure));
    else if (!expanded && !emptySlots() && (!count || !wantedKind))
      commonDefinition = wantedKind ? definition - 1 : definition;
  }
  reserve(Column.Encode7, count * valueBytes() + SLACK);
  if (commonDefinition == MIXED) reserve(Column.Encode9, (leafSlots + SLACK) * (expanded ? 2 : 1));
  // Without a value there is nothing to gather.
  return commonDefinition == MIXED || commonDefinition == definition ? slots : 0;
}

/** Slots that are the place of an empty list. */
function emptySlots(): u32 {
  let empty: u32 = 0;
  for (let kind: u32 = 0; kind < <u32>SlotKind.Value; kind++) empty += slotsOfKind(structure, kind);
  return empty;
}

/**
 * Makes a leaf whose values stand in Encode7 already the one at hand.
 *
 * @param common definition level of all slots, or MIXED
 * @param atRepetitions address of the repetition levels; 0: every slot is a row
 */
export function giveLeaf(
  slots: u32,
  values: u32,
  definition: u32,
  repetition: u32,
  common: u32,
  atRepetitions: usize,
  atDefinitions: usize,
): void {
  leafSlots = slots;
  leafValues = values;
  maxDefinition = definition;
  maxRepetition = repetition;
  commonDefinition = common;
  given = true;
  areSlices = false;
  givenRepetitions = atRepetitions;
  givenDefinitions = atDefinitions;
}

/** The values of the leaf that was given are slices. */
export function giveSlices(): void {
  areSlices = true;
}

/** Whether the values of the leaf are slices, which get no dictionary. */
export function leafIsSlices(): bool {
  return areSlices;
}

/** Repetition level by slot of the leaf, u8; 0 if every slot is a row. */
export function leafRepetitions(): usize {
  if (given) return givenRepetitions;
  return expanded ? at(Column.Encode9) + leafSlots + SLACK : repetitions(structure);
}

/** Definition level by slot of the leaf, u8; only if commonDefinition is MIXED. */
export function leafDefinitions(): usize {
  return given ? givenDefinitions : at(Column.Encode9);
}

/** Gathers the values and levels of the structure's slots [from, to). */
export function gather(from: u32, to: u32): void {
  switch (source) {
    case Source.U32:
      return gatherU32(from, to);
    case Source.U64:
    case Source.I32AsI64:
      return gatherU64(from, to);
    case Source.TraceId:
    case Source.TraceDuration:
      return gatherTraces(from, to);
    case Source.EventTime:
      return gatherEventTimes(from, to);
    case Source.OwnStrings:
    case Source.OwnInts:
      return gatherOwn(from, to);
    case Source.ResourceService:
      gatherServices(structure, sourceColumn, from, to);
      leafValues = to;
      return;
    case Source.ScopeSpans:
      return gatherScopeSpans(from, to);
    case Source.StartRounded:
      return gatherRounded(from, to);
    default:
      if (expanded) gatherExpanded(from, to);
      else gatherAttributes(from, to);
  }
}

/** Writes the definition levels of the slots [from, to) by their kinds. */
function putDefinitions(from: u32, to: u32): void {
  if (commonDefinition != MIXED) return;
  const kinds = slotKinds(structure);
  const levels = at(Column.Encode9);
  const table = v128.load(DEFINITIONS);
  for (let slot = from; slot < to; slot += 16) {
    v128.store(levels + slot, i8x16.swizzle(table, v128.load(kinds + slot)));
  }
}

function gatherU32(from: u32, to: u32): void {
  putDefinitions(from, to);
  const kinds = slotKinds(structure);
  const entities = slotEntities(structure);
  const column = at(<i32>sourceColumn);
  let out = at(Column.Encode7) + ((<usize>leafValues) << 2);
  const start = out;
  for (let slot = from; slot < to; slot++) {
    if (kinds && load<u8>(kinds + slot) < <u8>SlotKind.Value) continue;
    store<u32>(out, load<u32>(column + ((<usize>load<u32>(entities + ((<usize>slot) << 2))) << 2)));
    out += 4;
  }
  leafValues += <u32>((out - start) >>> 2);
}

function gatherU64(from: u32, to: u32): void {
  putDefinitions(from, to);
  const kinds = slotKinds(structure);
  const entities = slotEntities(structure);
  const column = at(<i32>sourceColumn);
  const widen = source == Source.I32AsI64;
  let out = at(Column.Encode7) + ((<usize>leafValues) << 3);
  const start = out;
  for (let slot = from; slot < to; slot++) {
    if (kinds && load<u8>(kinds + slot) < <u8>SlotKind.Value) continue;
    const row = <usize>load<u32>(entities + ((<usize>slot) << 2));
    if (widen) store<i64>(out, <i64>load<i32>(column + (row << 2)));
    else store<u64>(out, load<u64>(column + (row << 3)));
    out += 8;
  }
  leafValues += <u32>((out - start) >>> 3);
}

function gatherTraces(from: u32, to: u32): void {
  const entities = slotEntities(structure);
  const out = at(Column.Encode7);
  for (let slot = from; slot < to; slot++) {
    const rank = <usize>load<u32>(entities + ((<usize>slot) << 2));
    if (source == Source.TraceId) {
      const id = at(Column.TraceId) + ((<usize>load<u32>(at(Column.OrderedTrace) + (rank << 2))) << 4);
      v128.store(out + ((<usize>slot) << 4), v128.load(id));
    } else {
      const duration =
        load<u64>(at(Column.TraceEnd) + (rank << 3)) - load<u64>(at(Column.TraceStart) + (rank << 3));
      store<u64>(out + ((<usize>slot) << 3), duration);
    }
  }
  leafValues = to;
}

function gatherEventTimes(from: u32, to: u32): void {
  putDefinitions(from, to);
  const kinds = slotKinds(structure);
  const reps = repetitions(structure);
  const entities = slotEntities(structure);
  const ordered = at(Column.OrderedSpan);
  const starts = at(Column.SpanStart);
  const times = at(Column.EventTime);
  for (let slot = from; slot < to; slot++) {
    if (load<u8>(reps + slot) < <u8>maxRepetition) nextPlace++;
    if (kinds && load<u8>(kinds + slot) < <u8>SlotKind.Value) continue;
    const span = <usize>load<u32>(ordered + ((<usize>(nextPlace - 1)) << 2));
    const time = load<u64>(times + ((<usize>load<u32>(entities + ((<usize>slot) << 2))) << 3));
    store<u64>(at(Column.Encode7) + (usize(leafValues++) << 3), time - load<u64>(starts + (span << 3)));
  }
}

/** A column of attributes: only a structure with several kinds of slots has levels to write for one without values. */
function gatherOwn(from: u32, to: u32): void {
  if (!sourceColumn) return putDefinitions(from, to);
  beginOwn(structure, owner, sourceColumn, source == Source.OwnInts, <u8>maxDefinition, DEFINITIONS);
  if (!expanded) {
    leafValues = gatherOwnScalars(from, to, leafValues);
    return;
  }
  gatherOwnLists(from, to, leafValues, writtenSlots, leafRepetitions(), <u8>maxRepetition);
  leafValues = ownValues;
  writtenSlots = ownSlots;
}

/** Numbers of spans by scope: those up to the span that begins the next one. */
function gatherScopeSpans(from: u32, to: u32): void {
  const reps = repetitions(Structure.Span);
  const out = at(Column.Encode7);
  let span = nextPlace - firstPlace;
  for (let slot = from; slot < to; slot++) {
    const first = span++;
    while (span < places && load<u8>(reps + span) == SPAN_REPETITION) span++;
    store<u32>(out + ((<usize>slot) << 2), span - first);
  }
  nextPlace = span + firstPlace;
  leafValues = to;
}

/** Starts of spans as numbers of periods: of the one that ends with or after them. */
function gatherRounded(from: u32, to: u32): void {
  const entities = slotEntities(structure);
  const starts = at(Column.SpanStart);
  const period = <u64>sourceColumn * NANOS_PER_SECOND;
  const out = at(Column.Encode7);
  for (let slot = from; slot < to; slot++) {
    const start = load<u64>(starts + ((<usize>load<u32>(entities + ((<usize>slot) << 2))) << 3));
    store<u32>(out + ((<usize>slot) << 2), start ? <u32>((start - 1) / period) : 0);
  }
  leafValues = to;
}

function gatherAttributes(from: u32, to: u32): void {
  putDefinitions(from, to);
  if (source == Source.AttrKey) {
    sourceColumn = ofSpans ? Column.SpanAttrKey : Column.AttrKey;
    return gatherU32(from, to);
  }
  const kinds = slotKinds(structure);
  const entities = slotEntities(structure);
  const types = at(ofSpans ? Column.SpanAttrType : Column.AttrType);
  const column = at(ofSpans ? Column.SpanAttrValue : Column.AttrValue);
  const out = at(Column.Encode7);
  const wanted = <u8>wantedKind;
  let count = leafValues;
  if (wantedKind && !slotsOfKind(structure, wantedKind)) return;
  if (source == Source.AttrIsArray) {
    for (let slot = from; slot < to; slot++) {
      const kind = load<u8>(kinds + slot);
      store<u8>(out + count, u8(kind == <u8>SlotKind.Array || kind == <u8>SlotKind.EmptyArray));
      count += u32(kind >= <u8>SlotKind.Value);
    }
  } else if (source == Source.AttrText) {
    for (let slot = from; slot < to; slot++) {
      if (load<u8>(kinds + slot) < <u8>SlotKind.Value) continue;
      const entity = <usize>load<u32>(entities + ((<usize>slot) << 2));
      const type = load<u8>(types + entity);
      const text = type == <u8>sourceColumn ? textOf(type, load<u32>(column + (entity << 3))) : 0;
      store<u32>(out + (usize(count++) << 2), text);
    }
  } else if (source == Source.AttrString) {
    for (let slot = from; slot < to; slot++) {
      if (load<u8>(kinds + slot) != wanted) continue;
      const entity = <usize>load<u32>(entities + ((<usize>slot) << 2));
      store<u32>(out + (usize(count++) << 2), load<u32>(column + (entity << 3)));
    }
  } else if (source == Source.AttrBool) {
    for (let slot = from; slot < to; slot++) {
      if (load<u8>(kinds + slot) != wanted) continue;
      const entity = <usize>load<u32>(entities + ((<usize>slot) << 2));
      store<u8>(out + count++, load<u8>(column + (entity << 3)));
    }
  } else if (source == Source.AttrUnsupported) {
    for (let slot = from; slot < to; slot++) {
      if (load<u8>(kinds + slot) != wanted) continue;
      const entity = <usize>load<u32>(entities + ((<usize>slot) << 2));
      store<u32>(
        out + (usize(count++) << 2),
        textOf(load<u8>(types + entity), load<u32>(column + (entity << 3))),
      );
    }
  } else {
    for (let slot = from; slot < to; slot++) {
      if (load<u8>(kinds + slot) != wanted) continue;
      const entity = <usize>load<u32>(entities + ((<usize>slot) << 2));
      store<u64>(out + (usize(count++) << 3), load<u64>(column + (entity << 3)));
    }
  }
  leafValues = count;
}

/** As gatherAttributes(), for a leaf some of whose attributes are arrays: every element is a slot. */
function gatherExpanded(from: u32, to: u32): void {
  const kinds = slotKinds(structure);
  const reps = repetitions(structure);
  const entities = slotEntities(structure);
  const column = at(ofSpans ? Column.SpanAttrValue : Column.AttrValue);
  const newDefinitions = at(Column.Encode9);
  const newReps = leafRepetitions();
  for (let slot = from; slot < to; slot++) {
    const kind = load<u8>(kinds + slot);
    store<u8>(newReps + writtenSlots, load<u8>(reps + slot));
    if (kind == <u8>wantedKind) {
      putValue(load<u64>(column + ((<usize>load<u32>(entities + ((<usize>slot) << 2))) << 3)));
    } else if (kind == <u8>SlotKind.Array) {
      const blob = load<u32>(column + ((<usize>load<u32>(entities + ((<usize>slot) << 2))) << 3));
      if (elementKind(blob) == wantedKind) {
        const count = elementCount(blob);
        for (let i: u32 = 0; i < count; i++) {
          if (i) store<u8>(newReps + writtenSlots, <u8>maxRepetition);
          putValue(load<u64>(elementsOf(blob) + ((<usize>i) << 3)));
          store<u8>(newDefinitions + writtenSlots++, <u8>maxDefinition);
        }
        continue;
      }
    }
    store<u8>(newDefinitions + writtenSlots++, load<u8>(DEFINITIONS + kind));
  }
}

function putValue(value: u64): void {
  const out = at(Column.Encode7);
  const count = usize(leafValues++);
  if (wantedKind == SlotKind.String) store<u32>(out + (count << 2), <u32>value);
  else if (wantedKind == SlotKind.Bool) store<u8>(out + count, <u8>value);
  else store<u64>(out + (count << 3), value);
}
