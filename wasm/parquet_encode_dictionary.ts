// The dictionary of a column chunk: the strings of a leaf's values in order of first appearance, and the values as indexes into it.

import { Column } from "./column_ids";
import { entryLength, entryStart, STRINGS, strings } from "./dictionary";
import { at, reserve } from "./memory";
import { beginBytes, endBytes, takeBytes } from "./parquet_encode_bounds";
import { COPY_SLACK, copyBytes } from "./parquet_encode_copy";
import { leafValues } from "./parquet_encode_values";

/** Entries, u32 string ids in Encode6. Encode5 has by string id: index + 1, or 0; all 0 between chunks. */
let entries: u32 = 0;
let entryBytes: u32 = 0;
/** Strings that have a place in Encode5. */
let placed: u32 = 0;

/** Forgets all places. */
export function beginDictionaries(): void {
  placed = 0;
}

/** Begins a chunk's dictionary. */
export function beginDictionary(): void {
  const count = strings();
  if (count > placed) {
    reserve(Column.Encode5, count << 2);
    memory.fill(at(Column.Encode5) + ((<usize>placed) << 2), 0, (count - placed) << 2);
    placed = count;
  }
  entries = 0;
  entryBytes = 0;
  reserve(Column.Encode6, min<u32>(leafValues, strings()) << 2);
}

/** Turns the values [from, to) of the leaf from string ids into indexes. Returns the number of entries so far. */
export function indexValues(from: u32, to: u32): u32 {
  const values = at(Column.Encode7);
  const indexes = at(Column.Encode5);
  const list = at(Column.Encode6);
  for (let i = from; i < to; i++) {
    const id = load<u32>(values + ((<usize>i) << 2));
    const slot = indexes + ((<usize>id) << 2);
    let index = load<u32>(slot);
    if (!index) {
      store<u32>(list + ((<usize>entries) << 2), id);
      index = ++entries;
      store<u32>(slot, index);
      entryBytes += entryLength(STRINGS, id);
    }
    store<u32>(values + ((<usize>i) << 2), index - 1);
  }
  return entries;
}

/** Turns all values back into string ids and ends the dictionary. */
export function dropDictionary(): void {
  const values = at(Column.Encode7);
  const list = at(Column.Encode6);
  for (let i: u32 = 0; i < leafValues; i++) {
    const value = values + ((<usize>i) << 2);
    store<u32>(value, load<u32>(list + ((<usize>load<u32>(value)) << 2)));
  }
  endDictionary();
}

/** Ends the dictionary. */
export function endDictionary(): void {
  const indexes = at(Column.Encode5);
  const list = at(Column.Encode6);
  for (let i: u32 = 0; i < entries; i++)
    store<u32>(indexes + ((<usize>load<u32>(list + ((<usize>i) << 2))) << 2), 0);
}

/** Writes the dictionary page's body (PLAIN) to Output and the bounds of the entries to the page result. Returns its length. */
export function writeDictionary(): u32 {
  const length = entryBytes + (entries << 2);
  reserve(Column.Output, length + COPY_SLACK);
  const list = at(Column.Encode6);
  let out = at(Column.Output);
  beginBytes();
  for (let i: u32 = 0; i < entries; i++) {
    const id = load<u32>(list + ((<usize>i) << 2));
    const bytes = entryStart(STRINGS, id);
    const size = entryLength(STRINGS, id);
    takeBytes(bytes, size);
    store<u32>(out, size);
    copyBytes(out + 4, bytes, size);
    out += 4 + size;
  }
  endBytes();
  return length;
}
