// Values of byte arrays that are copied without becoming strings of the dictionary: most of them are different, and each is used once.

import { Column } from "./column_ids";
import { entryLength, entryStart, hashBytes, intern, STRINGS } from "./dictionary";
import { mix } from "./hash";
import { at, capacity, reserve } from "./memory";
import { COPY_SLACK, copyBytes } from "./parquet_encode_copy";

/** Values that are looked at to tell whether most of a leaf differ. */
const SAMPLE: u32 = 2048;
const TABLE_SLOTS: u32 = 8192;
/** Fewer values are always counted. */
const VALUES_MIN: u32 = 4096;

/** Bytes in the column Merge5. */
let top: u32 = 0;

/** Forgets all slices. */
export function beginSlices(): void {
  top = 0;
}

/** Copies bytes and writes where they are, and how many, to `to`. */
export function putSlice(to: usize, from: usize, length: u32): void {
  const end = top + length + COPY_SLACK;
  // Twice what is needed: growing copies.
  if (end > capacity(Column.Merge5)) reserve(Column.Merge5, end + (end >>> 1));
  copyBytes(at(Column.Merge5) + top, from, length);
  store<u32>(to, top);
  store<u32>(to, length, 4);
  top += length;
}

/** Address of the bytes of the slice that stands at `slice`. */
export function sliceStart(slice: usize): usize {
  return at(Column.Merge5) + load<u32>(slice);
}

export function sliceLength(slice: usize): u32 {
  return load<u32>(slice, 4);
}

/** Writes `count` strings of the dictionary as slices. */
export function slicesOfStrings(to: usize, ids: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + ((<usize>i) << 2));
    putSlice(to + ((<usize>i) << 3), entryStart(STRINGS, id), entryLength(STRINGS, id));
  }
}

/** Makes strings of the dictionary out of `count` slices, in their place. */
export function stringsOfSlices(slices: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const slice = slices + ((<usize>i) << 3);
    const length = sliceLength(slice);
    store<u32>(slices + ((<usize>i) << 2), length ? intern(STRINGS, sliceStart(slice), length) : 0);
  }
}

/**
 * Whether most of many slices differ, by a sample: then a dictionary would hold nearly all of them. If every value were there twice, a
 * sample would have SAMPLE² / (2 × count) pairs; half of that is the limit.
 */
export function mostlyDistinct(slices: usize, count: u32): bool {
  if (count < VALUES_MIN) return false;
  reserve(Column.Scratch0, TABLE_SLOTS << 2);
  const table = at(Column.Scratch0);
  memory.fill(table, 0, TABLE_SLOTS << 2);
  let distinct: u32 = 0;
  // One of each so many values, at random, since texts may repeat at a regular distance.
  const each = count / SAMPLE;
  for (let i: u32 = 0; i < SAMPLE; i++) {
    const place = i * each + <u32>(mix(i) % each);
    const slice = slices + ((<usize>place) << 3);
    const hash = max<u32>(1, hashBytes(sliceStart(slice), sliceLength(slice)));
    let slot = hash & (TABLE_SLOTS - 1);
    let entry = load<u32>(table + ((<usize>slot) << 2));
    while (entry && entry != hash) {
      slot = (slot + 1) & (TABLE_SLOTS - 1);
      entry = load<u32>(table + ((<usize>slot) << 2));
    }
    if (entry) continue;
    store<u32>(table + ((<usize>slot) << 2), hash);
    distinct++;
  }
  return SAMPLE - distinct < (SAMPLE * SAMPLE) / (count << 2);
}
