// The values of a leaf that holds one attribute of its owners: a static or dedicated column.

import { AttrType, Column } from "./column_ids";
import { at } from "./memory";
import { elementCount, elementsOf } from "./parquet_encode_arrays";
import { Owner } from "./parquet_encode_ids";
import { columnCells } from "./parquet_encode_keys";
import { commonKind, repetitions, slotEntities, slotKinds, structureSlots } from "./parquet_encode_structure";

let structure: u32 = 0;
let owner: u32 = 0;
let column: u32 = 0;
let ofInts: bool = false;
let present: u8 = 0; // definition level of a value
let definitions: usize = 0; // definition level of a slot without one, by its kind

/** Values and slots that the leaf has after gatherOwnLists(). */
export let ownValues: u32 = 0;
export let ownSlots: u32 = 0;

/** Says which column is to be gathered. */
export function beginOwn(
  ofStructure: u32,
  ofOwner: u32,
  ofColumn: u32,
  integers: bool,
  definition: u8,
  byKind: usize,
): void {
  structure = ofStructure;
  owner = ofOwner;
  column = ofColumn;
  ofInts = integers;
  present = definition;
  definitions = byKind;
}

/** Row of the attribute that the cells hold for a slot, + 1; 0 = none. */
function cellOf(cells: usize, entities: usize, slot: u32): u32 {
  const row = owner == Owner.Resource ? load<u32>(entities + ((<usize>slot) << 2)) : slot;
  return load<u32>(cells + ((<usize>row) << 2));
}

function typeColumn(): i32 {
  return owner == Owner.Span ? Column.SpanAttrType : Column.AttrType;
}

/** Definition level of a slot without a value. */
function absentLevel(kinds: usize, slot: u32): u8 {
  return load<u8>(definitions + (kinds ? <u32>load<u8>(kinds + slot) : commonKind(structure)));
}

/** Elements of a column's arrays that are not the first of theirs. */
export function furtherElements(ofStructure: u32, ofOwner: u32, ofColumn: u32): u32 {
  owner = ofOwner;
  const slots = structureSlots(ofStructure);
  const entities = slotEntities(ofStructure);
  const cells = columnCells(ofOwner, ofColumn);
  const types = at(typeColumn());
  const values = at(typeColumn() + 1);
  let further: u32 = 0;
  for (let slot: u32 = 0; slot < slots; slot++) {
    const attr = cellOf(cells, entities, slot);
    if (!attr || load<u8>(types + (attr - 1)) != <u8>AttrType.Array) continue;
    const count = elementCount(load<u32>(values + ((<usize>(attr - 1)) << 3)));
    if (count > 1) further += count - 1;
  }
  return further;
}

/** Gathers the slots [from, to) of a column without arrays behind `count` values. Returns the number of values. */
export function gatherOwnScalars(from: u32, to: u32, count: u32): u32 {
  const kinds = slotKinds(structure);
  const entities = slotEntities(structure);
  const cells = columnCells(owner, column);
  const values = at(typeColumn() + 1);
  const levels = at(Column.Encode9);
  const out = at(Column.Encode7);
  for (let slot = from; slot < to; slot++) {
    const attr = cellOf(cells, entities, slot);
    store<u8>(levels + slot, attr ? present : absentLevel(kinds, slot));
    // Without a branch: what is stored for no attribute, the next value replaces.
    const value = load<u64>(values + ((<usize>(attr - u32(attr != 0))) << 3));
    if (ofInts) store<u64>(out + ((<usize>count) << 3), value);
    else store<u32>(out + ((<usize>count) << 2), <u32>value);
    count += u32(attr != 0);
  }
  return count;
}

/** Gathers the slots [from, to) of a column with arrays: every element is a slot. */
export function gatherOwnLists(
  from: u32,
  to: u32,
  valuesBefore: u32,
  slotsBefore: u32,
  newReps: usize,
  laterRepetition: u8,
): void {
  const kinds = slotKinds(structure);
  const reps = repetitions(structure);
  const entities = slotEntities(structure);
  const cells = columnCells(owner, column);
  const types = at(typeColumn());
  const values = at(typeColumn() + 1);
  const levels = at(Column.Encode9);
  const out = at(Column.Encode7);
  let count = valuesBefore;
  let written = slotsBefore;
  for (let slot = from; slot < to; slot++) {
    const first = written;
    const attr = cellOf(cells, entities, slot);
    if (attr) {
      const value = values + ((<usize>(attr - 1)) << 3);
      const isArray = load<u8>(types + (attr - 1)) == <u8>AttrType.Array;
      const elements = isArray ? elementsOf(load<u32>(value)) : value;
      const end = count + (isArray ? elementCount(load<u32>(value)) : 1);
      for (let p = elements; count < end; count++, p += 8) {
        if (ofInts) store<u64>(out + ((<usize>count) << 3), load<u64>(p));
        else store<u32>(out + ((<usize>count) << 2), load<u32>(p));
        store<u8>(newReps + written, laterRepetition);
        store<u8>(levels + written++, present);
      }
    }
    if (written == first) store<u8>(levels + written++, absentLevel(kinds, slot));
    store<u8>(newReps + first, load<u8>(reps + slot));
  }
  ownValues = count;
  ownSlots = written;
}

/** Gathers the service names of the resources in the slots [from, to); column 0: none has one. */
export function gatherServices(ofStructure: u32, ofColumn: u32, from: u32, to: u32): void {
  const entities = slotEntities(ofStructure);
  const cells = ofColumn ? columnCells(Owner.Resource, ofColumn) : 0;
  const values = at(Column.AttrValue);
  const out = at(Column.Encode7);
  for (let slot = from; slot < to; slot++) {
    const resource = load<u32>(entities + ((<usize>slot) << 2));
    const attr = cells ? load<u32>(cells + ((<usize>resource) << 2)) : 0;
    store<u32>(out + ((<usize>slot) << 2), attr ? load<u32>(values + ((<usize>(attr - 1)) << 3)) : 0);
  }
}
