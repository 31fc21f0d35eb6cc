// What a listing has found so far, each once: strings by their id in the batch's dictionary, and values of other types. The batch itself
// stays as it is, so that a head may be listed while it grows.

import { AttrType, Column } from "./column_ids";
import { strings } from "./dictionary";
import { mix } from "./hash";
import { at, capacity, reserve } from "./memory";
import { elementType } from "./query_array";

/** Strings that a listing may find; further ones are left out. */
const STRINGS_MAX: u32 = 1 << 20;
/** Numbers, booleans and arrays that a listing may find; further ones are left out. */
const OTHERS_MAX: u32 = 1 << 17;
/** Bytes of a value in Tags2: the value, then its AttrType. */
const OTHER_BYTES: u32 = 16;
const INITIAL_SLOTS: u32 = 1024;

let stringCount: u32 = 0;
let otherCount: u32 = 0;

/** Begins a listing. */
export function beginTags(): void {
  stringCount = 0;
  otherCount = 0;
  lastType = AttrType.None;
  // A byte by string id: whether it was found.
  reserve(Column.Tags0, strings());
  memory.fill(at(Column.Tags0), 0, strings());
  if (!capacity(Column.Tags3)) reserve(Column.Tags3, INITIAL_SLOTS << 2);
  memory.fill(at(Column.Tags3), 0, capacity(Column.Tags3));
}

/** Strings found: their ids are in Tags1. */
export function tagStrings(): u32 {
  return stringCount;
}

/** Other values found: they are in Tags2. */
export function tagOthers(): u32 {
  return otherCount;
}

/** Sets the number of strings, for whoever has put them in order. */
export function setTagStrings(count: u32): void {
  stringCount = count;
}

export function noteString(id: u32): void {
  if (load<u8>(at(Column.Tags0) + id)) return;
  if (stringCount >= STRINGS_MAX) return;
  store<u8>(at(Column.Tags0) + id, 1);
  reserve(Column.Tags1, (stringCount + 1) << 2);
  store<u32>(at(Column.Tags1) + ((<usize>stringCount) << 2), id);
  stringCount++;
}

/** Notes the `count` string ids at `from`. */
export function noteStrings(from: usize, count: u32): void {
  const found = at(Column.Tags0);
  const end = from + ((<usize>count) << 2);
  for (let p = from; p < end; p += 4) {
    const id = load<u32>(p);
    if (!load<u8>(found + id)) noteString(id);
  }
}

/** Notes the value of an attribute. What the language does not see is passed over. */
export function noteValue(type: u8, value: u64): void {
  if (type == <u8>AttrType.String) noteString(<u32>value);
  else if (type >= <u8>AttrType.Bool && type <= <u8>AttrType.Array) noteOther(type, value);
}

// Neighbours mostly have the same value.
let lastType: u32 = 0;
let lastValue: u64 = 0;

function noteOther(type: u8, value: u64): void {
  if (type == lastType && value == lastValue) return;
  lastType = type;
  lastValue = value;
  const slots = at(Column.Tags3);
  const mask = (capacity(Column.Tags3) >> 2) - 1;
  let slot = <u32>mix(value + type) & mask;
  while (true) {
    const entry = load<u32>(slots + ((<usize>slot) << 2));
    if (!entry) break;
    const known = at(Column.Tags2) + <usize>(entry - 1) * OTHER_BYTES;
    if (load<u64>(known) == value && load<u32>(known, 8) == type) return;
    slot = (slot + 1) & mask;
  }
  if (otherCount >= OTHERS_MAX || (type == <u8>AttrType.Array && !elementType(<u32>value))) return;
  reserve(Column.Tags2, (otherCount + 1) * OTHER_BYTES);
  const added = at(Column.Tags2) + <usize>otherCount * OTHER_BYTES;
  store<u64>(added, value);
  store<u64>(added, type, 8);
  otherCount++;
  store<u32>(slots + ((<usize>slot) << 2), otherCount);
  if (otherCount * 2 > capacity(Column.Tags3) >> 2) growSlots();
}

function growSlots(): void {
  const bytes = capacity(Column.Tags3) * 2;
  reserve(Column.Tags3, bytes);
  const slots = at(Column.Tags3);
  memory.fill(slots, 0, bytes);
  const mask = (bytes >> 2) - 1;
  for (let i: u32 = 0; i < otherCount; i++) {
    const known = at(Column.Tags2) + <usize>i * OTHER_BYTES;
    let slot = <u32>mix(load<u64>(known) + load<u32>(known, 8)) & mask;
    while (load<u32>(slots + ((<usize>slot) << 2))) slot = (slot + 1) & mask;
    store<u32>(slots + ((<usize>slot) << 2), i + 1);
  }
}
