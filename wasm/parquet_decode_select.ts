// Generic attributes by name: the pages of the Key leaf say which attributes are wanted, and of the leaves beside it only the slots and
// values of those are kept. What is not wanted is passed over sixteen slots at a time and never becomes a string of the batch.

import { Column } from "./column_ids";
import { find, STRINGS } from "./dictionary";
import { at, reserve } from "./memory";
import { ATTR_ROWS, attrOwner, CURSORS, keyColumn, setKeyCount } from "./parquet_decode_attrs";
import { DecodeFault } from "./parquet_decode_ids";
import { newRows } from "./parquet_decode_rows";

/** 1 by string id if attributes with that key are wanted; ids behind its end are not. */
const WANTED_KEYS: i32 = Column.Decode16;
/** Per selected attribute its owner, counted from the first of the read. */
const OWNERS: i32 = Column.Decode17;
/** Its key. */
const KEYS: i32 = Column.Decode18;
/** How many attributes stand before it. */
const ORDINALS: i32 = Column.Decode19;
/** Values of the page at hand that belong to selected attributes: pairs as of wanted values. */
export const SELECTED_VALUES: i32 = Column.Decode20;

/** In place of a key that is not wanted. */
export const UNWANTED: u32 = 0xffffffff;

let keysTop: u32 = 0;
let selected: u32 = 0;

// Levels at which an owner and at which an attribute begins.
let ownerRepetition: u32 = 0;
let ownerDefinition: u32 = 0;
let attrRepetition: u32 = 0;
let attrDefinition: u32 = 0;

// Where the leaf at hand stands.
let owners: u32 = 0;
let attributes: u32 = 0;
let next: u32 = 0;
let within: bool = false;

/** Starts to select attributes of the owner that beginAttrs() named; none is wanted yet. */
export function beginSelect(
  repetition: u32,
  definition: u32,
  attributeRepetition: u32,
  attributeDefinition: u32,
): void {
  keysTop = 0;
  selected = 0;
  ownerRepetition = repetition;
  ownerDefinition = definition;
  attrRepetition = attributeRepetition;
  attrDefinition = attributeDefinition;
  beginSelectedLeaf();
}

/** Wants the attributes with this key, a string of the batch. */
export function wantKey(id: u32): void {
  if (id >= keysTop) {
    reserve(WANTED_KEYS, id + 1);
    memory.fill(at(WANTED_KEYS) + keysTop, 0, id + 1 - keysTop);
    keysTop = id + 1;
  }
  store<u8>(at(WANTED_KEYS) + id, 1);
}

export function isWantedKey(id: u32): bool {
  return id < keysTop && load<u8>(at(WANTED_KEYS) + id) != 0;
}

/** String id of a key if it is wanted. */
export function wantedKey(from: usize, length: u32): u32 {
  const id = find(STRINGS, from, length);
  return id >= 0 && isWantedKey(<u32>id) ? <u32>id : UNWANTED;
}

/** Starts the next leaf of the same list of attributes. */
export function beginSelectedLeaf(): void {
  owners = 0;
  attributes = 0;
  next = 0;
  within = false;
}

/** Attributes that were selected so far. */
export function selectedAttrs(): u32 {
  return selected;
}

function atMost(levels: v128, level: u32): u32 {
  return <u32>i8x16.bitmask(i8x16.eq(i8x16.min_u(levels, i8x16.splat(<i8>level)), levels));
}

function atLeast(levels: v128, level: u32): u32 {
  return <u32>i8x16.bitmask(i8x16.eq(i8x16.max_u(levels, i8x16.splat(<i8>level)), levels));
}

/** Position of the set bit that comes after `skipped` others. */
function bitAfter(mask: u32, skipped: u32): u32 {
  let rest = mask;
  for (let i: u32 = 0; i < skipped; i++) rest &= rest - 1;
  return <u32>ctz(rest);
}

/** Mask of the slots of a block that are there at all: the last block of a page may be shorter. */
function present(slots: u32, i: u32): u32 {
  const left = slots - i;
  return left >= 16 ? 0xffff : (1 << left) - 1;
}

/** Entries of a dictionary that are compared one by one with the indexes of a page. */
const COMPARED_MAX: u32 = 4;
/** Indexes of wanted entries, and by index whether the entry is wanted. */
const WANTED_ENTRIES: usize = memory.data(COMPARED_MAX * 4);
const ENTRY_TABLE: usize = memory.data(256);
let wantedEntries: u32 = 0;

/** Notes which of the up to 256 entries of the dictionary at hand are wanted keys, whose ids stand at `ids`. */
export function noteWantedEntries(ids: usize, count: u32): void {
  wantedEntries = 0;
  for (let i: u32 = 0; i < count; i++) {
    const wanted = load<u32>(ids + ((<usize>i) << 2)) != UNWANTED;
    store<u8>(ENTRY_TABLE + i, wanted ? 1 : 0);
    if (!wanted) continue;
    if (wantedEntries < COMPARED_MAX) store<u32>(WANTED_ENTRIES + ((<usize>wantedEntries) << 2), i);
    wantedEntries++;
  }
}

/** Mask of the sixteen indexes of a byte each that are those of wanted entries. */
function wantedBytes(p: usize): u32 {
  let mask: u32 = 0;
  if (wantedEntries > COMPARED_MAX) {
    for (let i: usize = 0; i < 16; i++)
      mask |= (<u32>load<u8>(ENTRY_TABLE + <usize>load<u8>(p + i))) << (<u32>i);
    return mask;
  }
  const indexes = v128.load(p);
  for (let i: u32 = 0; i < wantedEntries; i++) {
    const entry = i8x16.splat(load<u8>(WANTED_ENTRIES + ((<usize>i) << 2)));
    mask |= <u32>i8x16.bitmask(i8x16.eq(indexes, entry));
  }
  return mask;
}

/** Mask of the sixteen ids that are wanted. */
function wantedIds(p: usize): u32 {
  const unwanted = i32x4.splat(UNWANTED);
  return ~(
    <u32>i32x4.bitmask(i32x4.eq(v128.load(p), unwanted)) |
    ((<u32>i32x4.bitmask(i32x4.eq(v128.load(p, 16), unwanted))) << 4) |
    ((<u32>i32x4.bitmask(i32x4.eq(v128.load(p, 32), unwanted))) << 8) |
    ((<u32>i32x4.bitmask(i32x4.eq(v128.load(p, 48), unwanted))) << 12)
  );
}

/**
 * Selects attributes from `slots` slots of the Key leaf.
 *
 * @param keys string ids of the values in them, UNWANTED if they are not wanted; their number is `count`
 * @param ids 0, or the ids by entry of a dictionary: `keys` then holds an index of a byte for each value
 * @returns a DecodeFault
 */
export function selectKeys(
  repetitions: usize,
  definitions: usize,
  slots: u32,
  maxDefinition: u32,
  keys: usize,
  count: u32,
  ids: usize,
): u32 {
  const owned = newRows(attrOwner);
  const cursors = at(CURSORS);
  reserve(OWNERS, (selected + count) << 2);
  reserve(KEYS, (selected + count) << 2);
  reserve(ORDINALS, (selected + count) << 2);
  const ownersAt = at(OWNERS);
  const keysAt = at(KEYS);
  const ordinalsAt = at(ORDINALS);
  let out = (<usize>selected) << 2;
  let begunBefore = owners;
  let ordinal = attributes;
  let p = keys;
  for (let i: u32 = 0; i < slots; i += 16) {
    const there = present(slots, i);
    const begun =
      atMost(v128.load(repetitions + i), ownerRepetition) &
      atLeast(v128.load(definitions + i), ownerDefinition) &
      there;
    const full = atLeast(v128.load(definitions + i), maxDefinition) & there;
    const values = <u32>popcnt(full);
    let wanted = (ids ? wantedBytes(p) : wantedIds(p)) & ((1 << values) - 1);
    while (wanted) {
      const k = <u32>ctz(wanted);
      wanted &= wanted - 1;
      const slot = full == 0xffff ? k : bitAfter(full, k);
      const owner = begunBefore + <u32>popcnt(begun & ((2 << slot) - 1)) - 1;
      if (owner >= owned) return DecodeFault.Records;
      store<u32>(ownersAt + out, owner);
      store<u32>(
        keysAt + out,
        ids ? load<u32>(ids + ((<usize>load<u8>(p + k)) << 2)) : load<u32>(p + ((<usize>k) << 2)),
      );
      store<u32>(ordinalsAt + out, ordinal + k);
      out += 4;
      const cursor = cursors + ((<usize>owner) << 2);
      store<u32>(cursor, load<u32>(cursor) + 1);
    }
    begunBefore += <u32>popcnt(begun);
    ordinal += values;
    p += ids ? values : values << 2;
  }
  selected = <u32>(out >>> 2);
  owners = begunBefore;
  attributes = ordinal;
  return DecodeFault.None;
}

/** Ends the Key leaf. Returns a DecodeFault if it does not have as many owners as there are. */
export function endKeys(): u32 {
  return owners == newRows(attrOwner) ? DecodeFault.None : DecodeFault.Records;
}

/** Fills the keys of the selected attributes, which come first in each owner's range. */
export function fillSelectedKeys(): void {
  setKeyCount(selected);
  reserve(ATTR_ROWS, (selected + 1) << 2);
  const attrRows = at(ATTR_ROWS);
  const cursors = at(CURSORS);
  const keys = at(keyColumn());
  const contents = at(keyColumn() + 2);
  for (let i: usize = 0; i < <usize>selected; i++) {
    const cursor = cursors + ((<usize>load<u32>(at(OWNERS) + (i << 2))) << 2);
    const row = load<u32>(cursor);
    store<u32>(cursor, row + 1);
    store<u32>(keys + ((<usize>row) << 2), load<u32>(at(KEYS) + (i << 2)));
    store<u64>(contents + ((<usize>row) << 3), 0);
    store<u32>(attrRows + (i << 2), row);
  }
}

let keptSlots: u32 = 0;
let keptValues: u32 = 0;
let keptRanges: u32 = 0;

export function selectedSlots(): u32 {
  return keptSlots;
}

export function selectedValues(): u32 {
  return keptValues;
}

export function selectedRanges(): u32 {
  return keptRanges;
}

/**
 * Keeps the slots of selected attributes, moved together, of the `slots` slots of a page; `count` of them have values. What is kept is
 * told by selectedSlots() and selectedValues(); which values that are, by the first selectedRanges() pairs of SELECTED_VALUES.
 */
export function keepSelected(
  repetitions: usize,
  definitions: usize,
  slots: u32,
  count: u32,
  maxDefinition: u32,
): void {
  // The values of one attribute follow each other.
  reserve(SELECTED_VALUES, (min(count, selected - next + 1) + 1) << 3);
  const pairs = at(SELECTED_VALUES);
  const ordinals = at(ORDINALS);
  let pair = pairs; // behind the last one
  let stop: u32 = 0; // behind its last value
  let kept: u32 = 0;
  let values: u32 = 0;
  let position = next;
  let ordinal: u32 = position < selected ? load<u32>(ordinals + ((<usize>position) << 2)) : UNWANTED;
  let inside = within;
  let attribute = attributes;
  let value: u32 = 0;
  for (let i: u32 = 0; i < slots; i += 16) {
    const there = present(slots, i);
    const first = atMost(v128.load(repetitions + i), attrRepetition);
    const begun = first & atLeast(v128.load(definitions + i), attrDefinition) & there;
    const full = atLeast(v128.load(definitions + i), maxDefinition) & there;
    const more = ~first & there;
    const behind = attribute + <u32>popcnt(begun);
    if (!more) {
      // No list has a second element here.
      inside = false;
      while (ordinal < behind) {
        const slot = begun == 0xffff ? ordinal - attribute : bitAfter(begun, ordinal - attribute);
        if ((full >>> slot) & 1) {
          const v = value + <u32>popcnt(full & ((1 << slot) - 1));
          if (v != stop || pair == pairs) {
            store<u32>(pair, v);
            pair += 8;
          }
          stop = v + 1;
          store<u32>(pair - 4, stop);
          values++;
        }
        store<u8>(repetitions + kept, load<u8>(repetitions + i + slot));
        store<u8>(definitions + kept, load<u8>(definitions + i + slot));
        kept++;
        // Its list may go on in the next block, or in the next page.
        inside = slot == min<u32>(slots - i, 16) - 1;
        position++;
        ordinal = position < selected ? load<u32>(ordinals + ((<usize>position) << 2)) : UNWANTED;
      }
    } else if (inside || ordinal < behind) {
      let v = value;
      let a = attribute;
      const end = min(slots, i + 16);
      for (let s = i; s < end; s++) {
        const bit = s - i;
        if ((begun >>> bit) & 1) {
          inside = ordinal == a;
          if (inside) {
            position++;
            ordinal = position < selected ? load<u32>(ordinals + ((<usize>position) << 2)) : UNWANTED;
          }
          a++;
        } else if ((first >>> bit) & 1) {
          inside = false;
        }
        const has = (full >>> bit) & 1;
        if (inside) {
          if (has) {
            if (v != stop || pair == pairs) {
              store<u32>(pair, v);
              pair += 8;
            }
            stop = v + 1;
            store<u32>(pair - 4, stop);
            values++;
          }
          store<u8>(repetitions + kept, load<u8>(repetitions + s));
          store<u8>(definitions + kept, load<u8>(definitions + s));
          kept++;
        }
        v += has;
      }
    }
    attribute = behind;
    value += <u32>popcnt(full);
  }
  keptSlots = kept;
  keptValues = values;
  keptRanges = <u32>((pair - pairs) >>> 3);
  next = position;
  within = inside;
  attributes = attribute;
}
