// Values of a page, in each of Parquet's encodings, into the value arena: those at the wanted positions only.

import { Column } from "./column_ids";
import { intern, STRINGS } from "./dictionary";
import { at, reserve } from "./memory";
import { deltaCount, deltaDecode } from "./parquet_decode_delta";
import { DecodeFault, Encoding, Physical, ValueKind } from "./parquet_decode_ids";
import { putSlice } from "./merge_slices";
import { kindBytes, kindFits } from "./parquet_decode_leaf";
import { unpackIndexes, unpackLevels, unpackNumbers } from "./parquet_decode_levels";
import { wantedKey } from "./parquet_decode_select";

/** Wanted values: pairs of first position in the page and the position behind the last, ascending. */
export const WANTED_VALUES: i32 = Column.Decode5;
/** Entries of the current leaf's dictionary, as its values are. */
const DICTIONARY: i32 = Column.Decode6;
/** The bytes of a dictionary whose entries become strings when they are first used, and where each of them begins. */
const LENT_BYTES: i32 = Column.Decode21;
const LENT_STARTS: i32 = Column.Decode22;
/** Lengths, differences, indexes of the page at hand. */
const NUMBERS: i32 = Column.Decode7;
const MORE_NUMBERS: i32 = Column.Decode8;
/** The value before, of a page in DELTA_BYTE_ARRAY. */
const PREVIOUS: i32 = Column.Decode9;

/** Bytes that one value in DELTA_BYTE_ARRAY may grow to by repeating those before it. */
const VALUE_BYTES_MAX: u32 = 64 << 20;
/** Bytes that all values of such a page may take. */
const PAGE_VALUE_BYTES_MAX: u64 = 256 << 20;

let dictionaryCount: u32 = 0;
/** Whether values stay the indexes that they are, for the caller to look up. */
let dictionaryDeferred: bool = false;
/** Whether the entries are still in LENT_BYTES, unless DICTIONARY has them. */
let dictionaryLent: bool = false;
/** In DICTIONARY, an entry that is still there. */
const LENT: u32 = 0xffffffff;

/** The column with the pairs of wanted values. */
let pairsColumn: i32 = WANTED_VALUES;

/** From here on the pairs in this column say which values are wanted. */
export function takePairs(column: i32): void {
  pairsColumn = column;
}

/** The leaf has no dictionary (yet). */
export function forgetDictionary(): void {
  dictionaryCount = 0;
  dictionaryDeferred = false;
  dictionaryLent = false;
}

/** The leaf's dictionary has `count` entries and is not handed in: strings become indexes. */
export function deferDictionary(count: u32): void {
  dictionaryCount = count;
  dictionaryDeferred = true;
}

/**
 * The leaf, of strings, has a dictionary of `count` entries in the `length` bytes of the column Decode21, in PLAIN. They become strings
 * of the batch only when they are used. Returns a DecodeFault.
 */
export function lendDictionary(length: u32, count: u32): u32 {
  forgetDictionary();
  if ((<u64>count) << 2 > length) return count ? DecodeFault.Dictionary : DecodeFault.None;
  reserve(DICTIONARY, (count << 2) + 16);
  reserve(LENT_STARTS, (count << 2) + 16);
  memory.fill(at(DICTIONARY), 0xff, (<usize>count) << 2);
  const starts = at(LENT_STARTS);
  const bytes = at(LENT_BYTES);
  let p: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (length - p < 4) return DecodeFault.Dictionary;
    const size = load<u32>(bytes + p);
    store<u32>(starts + ((<usize>i) << 2), p);
    p += 4;
    if (size > length - p) return DecodeFault.Dictionary;
    p += size;
  }
  dictionaryCount = count;
  dictionaryLent = true;
  return DecodeFault.None;
}

/** Entries of the dictionary at hand, and where its ids of strings stand. */
export function dictionaryEntries(): u32 {
  return dictionaryCount;
}

export function dictionaryIds(): usize {
  return at(DICTIONARY);
}

/** Reads `count` keys in PLAIN from `from`: those that are wanted become ids of strings, the others UNWANTED. */
export function readKeyDictionary(physical: u32, count: u32, from: usize, end: usize): u32 {
  forgetDictionary();
  if (physical != <u32>Physical.ByteArray) return DecodeFault.Encoding;
  if ((<u64>count) << 2 > <u64>(end - from)) return DecodeFault.Dictionary;
  reserve(DICTIONARY, (count << 2) + 16);
  const entries = at(DICTIONARY);
  let p = from;
  for (let i: u32 = 0; i < count; i++) {
    if (<u32>(end - p) < 4) return DecodeFault.Dictionary;
    const length = load<u32>(p);
    p += 4;
    if (length > <u32>(end - p)) return DecodeFault.Dictionary;
    store<u32>(entries + ((<usize>i) << 2), wantedKey(p, length));
    p += length;
  }
  dictionaryCount = count;
  return DecodeFault.None;
}

/** Reads `count` dictionary entries in PLAIN from `from`. */
export function readDictionary(kind: u32, physical: u32, count: u32, from: usize, end: usize): u32 {
  forgetDictionary();
  if (!kindFits(kind, physical)) return DecodeFault.Encoding;
  // Every entry takes at least a bit, so the page bounds the count.
  if (count > (<u64>(end - from)) << 3) return DecodeFault.Dictionary;
  reserve(DICTIONARY, count * kindBytes(kind) + 16);
  takePairs(WANTED_VALUES);
  reserve(WANTED_VALUES, 8);
  store<u32>(at(WANTED_VALUES), 0);
  store<u32>(at(WANTED_VALUES), count, 4);
  const fault = plain(kind, physical, from, end, count, count ? 1 : 0, at(DICTIONARY));
  if (fault) return fault;
  dictionaryCount = count;
  return DecodeFault.None;
}

/**
 * Decodes the values in the first `ranges` pairs of the column that takePairs() named out of the page's `total` to `to`.
 *
 * @returns a DecodeFault
 */
export function decodeValues(
  kind: u32,
  physical: u32,
  encoding: u32,
  from: usize,
  end: usize,
  total: u32,
  ranges: u32,
  wanted: u32,
  to: usize,
): u32 {
  if (!wanted) return DecodeFault.None;
  if (!kindFits(kind, physical)) return DecodeFault.Encoding;
  switch (encoding) {
    case Encoding.Plain:
      return plain(kind, physical, from, end, total, ranges, to);
    case Encoding.PlainDictionary:
    case Encoding.RleDictionary:
      return indexed(kind, from, end, ranges, wanted, to);
    case Encoding.Rle:
      return runLengthBooleans(physical, from, end, total, ranges, to);
    case Encoding.DeltaBinaryPacked:
      return deltas(physical, from, end, ranges, to);
    case Encoding.DeltaLengthByteArray:
      return deltaLengths(kind, physical, from, end, total, ranges, to);
    case Encoding.DeltaByteArray:
      return deltaStrings(kind, physical, from, end, total, ranges, to);
    default:
      return DecodeFault.Encoding;
  }
}

/** Position behind the last wanted value. */
function lastWanted(ranges: u32): u32 {
  return load<u32>(at(pairsColumn) + ((<usize>ranges) << 3) - 4);
}

/** Stores a byte array as a value of its kind. Returns whether it can be one. */
function putBytes(kind: u32, to: usize, from: usize, length: u32): bool {
  if (kind == ValueKind.String) {
    store<u32>(to, length ? intern(STRINGS, from, length) : 0);
    return true;
  }
  if (kind == ValueKind.Slice) {
    putSlice(to, from, length);
    return true;
  }
  return putId(to, from, length, kind == ValueKind.Id8 ? 8 : 16);
}

function putId(to: usize, from: usize, length: u32, size: u32): bool {
  if (length > size) return false;
  memory.fill(to, 0, size - length);
  memory.copy(to + size - length, from, length);
  return true;
}

function plain(kind: u32, physical: u32, from: usize, end: usize, total: u32, ranges: u32, to: usize): u32 {
  const pairs = at(pairsColumn);
  let out = to;
  if (physical == Physical.ByteArray) {
    const size = kindBytes(kind);
    let p = from;
    let i: u32 = 0;
    for (let range: u32 = 0; range < ranges; range++) {
      const start = load<u32>(pairs + ((<usize>range) << 3));
      const stop = load<u32>(pairs + ((<usize>range) << 3), 4);
      for (; i < stop; i++) {
        if (<u32>(end - p) < 4) return DecodeFault.Values;
        const length = load<u32>(p);
        p += 4;
        if (length > <u32>(end - p)) return DecodeFault.Values;
        if (i >= start) {
          if (!putBytes(kind, out, p, length)) return DecodeFault.Ids;
          out += size;
        }
        p += length;
      }
    }
    return DecodeFault.None;
  }
  const bytes: u64 =
    physical == Physical.Boolean
      ? (<u64>total + 7) >>> 3
      : (<u64>total) << (physical == Physical.Int32 ? 2 : 3);
  if (bytes > <u64>(end - from)) return DecodeFault.Values;
  for (let range: u32 = 0; range < ranges; range++) {
    const start = load<u32>(pairs + ((<usize>range) << 3));
    const stop = load<u32>(pairs + ((<usize>range) << 3), 4);
    if (physical == Physical.Boolean) {
      for (let i = start; i < stop; i++, out += 8) {
        store<u64>(out, (<u64>load<u8>(from + (i >>> 3)) >>> (i & 7)) & 1);
      }
    } else if (physical == Physical.Int32) {
      for (let i = start; i < stop; i++, out += 8) store<i64>(out, <i64>load<i32>(from + ((<usize>i) << 2)));
    } else if (physical == Physical.Int64 || physical == Physical.Double) {
      if (stop - start == 1) store<u64>(out, load<u64>(from + ((<usize>start) << 3)));
      else memory.copy(out, from + ((<usize>start) << 3), (<usize>(stop - start)) << 3);
      out += (<usize>(stop - start)) << 3;
    } else {
      return DecodeFault.Encoding;
    }
  }
  return DecodeFault.None;
}

function indexed(kind: u32, from: usize, end: usize, ranges: u32, wanted: u32, to: usize): u32 {
  if (from >= end) return DecodeFault.Values;
  const width: u32 = load<u8>(from);
  if (width > 32) return DecodeFault.Values;
  const size = kindBytes(kind);
  // Indexes unpack to the end of the room for the values, so that a pass from the front can replace them in place.
  const indexes = to + <usize>wanted * (size - 4);
  if (!unpackWanted(indexes, from + 1, end, width, ranges, wanted)) return DecodeFault.Values;
  const count = dictionaryCount;
  const entries = at(DICTIONARY);
  if (dictionaryDeferred) {
    if (kind != <u32>ValueKind.String) return DecodeFault.Dictionary;
    for (let i: u32 = 0; i < wanted; i++) {
      if (load<u32>(indexes + ((<usize>i) << 2)) >= count) return DecodeFault.Dictionary;
    }
    return DecodeFault.None;
  }
  if (size == 4) return dictionaryLent ? lookUpLent(to, wanted) : lookUpStrings(to, wanted);
  for (let i: u32 = 0; i < wanted; i++) {
    const index = load<u32>(indexes + ((<usize>i) << 2));
    if (index >= count) return DecodeFault.Dictionary;
    if (size == 8) {
      store<u64>(to + ((<usize>i) << 3), load<u64>(entries + ((<usize>index) << 3)));
    } else {
      v128.store(to + ((<usize>i) << 4), v128.load(entries + ((<usize>index) << 4)));
    }
  }
  return DecodeFault.None;
}

/** Where at least one in so many values is wanted, all are unpacked and the wanted ones picked out. */
const PICK_RATIO: u32 = 16;

function unpackWanted(to: usize, from: usize, end: usize, width: u32, ranges: u32, wanted: u32): bool {
  const pairs = at(pairsColumn);
  const last = lastWanted(ranges);
  if (last == wanted) return unpackNumbers(to, last, from, end, width);
  if (last / PICK_RATIO > wanted) return unpackIndexes(to, from, end, width, pairs, ranges);
  reserve(NUMBERS, (last << 2) + 16);
  const numbers = at(NUMBERS);
  if (!unpackNumbers(numbers, last, from, end, width)) return false;
  if (ranges == wanted) {
    // One value each.
    for (let i: u32 = 0; i < wanted; i++) {
      const position = load<u32>(pairs + ((<usize>i) << 3));
      store<u32>(to + ((<usize>i) << 2), load<u32>(numbers + ((<usize>position) << 2)));
    }
    return true;
  }
  let out = to;
  for (let range: u32 = 0; range < ranges; range++) {
    const stop = numbers + ((<usize>load<u32>(pairs + ((<usize>range) << 3), 4)) << 2);
    for (let p = numbers + ((<usize>load<u32>(pairs + ((<usize>range) << 3))) << 2); p < stop; p += 4) {
      store<u32>(out, load<u32>(p));
      out += 4;
    }
  }
  return true;
}

/** Turns the `count` indexes at `to` into what the dictionary has for them. */
function lookUpStrings(to: usize, count: u32): u32 {
  const entries = at(DICTIONARY);
  const entryCount = dictionaryCount;
  const end = to + ((<usize>count) << 2);
  for (let p = to; p < end; p += 4) {
    const index = load<u32>(p);
    if (index >= entryCount) return DecodeFault.Dictionary;
    store<u32>(p, load<u32>(entries + ((<usize>index) << 2)));
  }
  return DecodeFault.None;
}

function lookUpLent(to: usize, count: u32): u32 {
  const entries = at(DICTIONARY);
  const entryCount = dictionaryCount;
  const end = to + ((<usize>count) << 2);
  for (let p = to; p < end; p += 4) {
    const index = load<u32>(p);
    if (index >= entryCount) return DecodeFault.Dictionary;
    const entry = entries + ((<usize>index) << 2);
    let id = load<u32>(entry);
    if (id == LENT) {
      const bytes = at(LENT_BYTES) + load<u32>(at(LENT_STARTS) + ((<usize>index) << 2));
      const length = load<u32>(bytes);
      id = length ? intern(STRINGS, bytes + 4, length) : 0;
      store<u32>(entry, id);
    }
    store<u32>(p, id);
  }
  return DecodeFault.None;
}

function runLengthBooleans(physical: u32, from: usize, end: usize, total: u32, ranges: u32, to: usize): u32 {
  if (physical != <u32>Physical.Boolean) return DecodeFault.Encoding;
  if (<u32>(end - from) < 4) return DecodeFault.Values;
  const bytes = load<u32>(from);
  const p = from + 4;
  if (bytes > <u32>(end - p)) return DecodeFault.Values;
  reserve(NUMBERS, total + 16);
  const bits = at(NUMBERS);
  if (!unpackLevels(bits, lastWanted(ranges), p, p + bytes, 1)) return DecodeFault.Values;
  const pairs = at(pairsColumn);
  let out = to;
  for (let range: u32 = 0; range < ranges; range++) {
    const stop = load<u32>(pairs + ((<usize>range) << 3), 4);
    for (let i = load<u32>(pairs + ((<usize>range) << 3)); i < stop; i++, out += 8) {
      store<u64>(out, <u64>(load<u8>(bits + i) & 1));
    }
  }
  return DecodeFault.None;
}

function deltas(physical: u32, from: usize, end: usize, ranges: u32, to: usize): u32 {
  if (physical != <u32>Physical.Int32 && physical != <u32>Physical.Int64) return DecodeFault.Encoding;
  const last = lastWanted(ranges);
  const pairs = at(pairsColumn);
  const direct = ranges == 1 && load<u32>(pairs) == 0;
  if (!direct) reserve(NUMBERS, (last << 3) + 16);
  const numbers = direct ? to : at(NUMBERS);
  if (!deltaDecode(numbers, last, from, end, false)) return DecodeFault.Values;
  let out = to;
  if (!direct) {
    for (let range: u32 = 0; range < ranges; range++) {
      const start = load<u32>(pairs + ((<usize>range) << 3));
      const bytes = (<usize>(load<u32>(pairs + ((<usize>range) << 3), 4) - start)) << 3;
      memory.copy(out, numbers + ((<usize>start) << 3), bytes);
      out += bytes;
    }
  } else {
    out += (<usize>last) << 3;
  }
  if (physical == <u32>Physical.Int32) {
    for (let p = to; p < out; p += 8) store<i64>(p, <i64>load<i32>(p));
  }
  return DecodeFault.None;
}

function deltaLengths(
  kind: u32,
  physical: u32,
  from: usize,
  end: usize,
  total: u32,
  ranges: u32,
  to: usize,
): u32 {
  if (physical != <u32>Physical.ByteArray) return DecodeFault.Encoding;
  const last = lastWanted(ranges);
  reserve(NUMBERS, (last << 3) + 16);
  const lengths = at(NUMBERS);
  let p = deltaDecode(lengths, last, from, end, true);
  if (!p || deltaCount < total) return DecodeFault.Values;
  const pairs = at(pairsColumn);
  const size = kindBytes(kind);
  let out = to;
  let i: u32 = 0;
  for (let range: u32 = 0; range < ranges; range++) {
    const start = load<u32>(pairs + ((<usize>range) << 3));
    const stop = load<u32>(pairs + ((<usize>range) << 3), 4);
    for (; i < stop; i++) {
      const length = load<u64>(lengths + ((<usize>i) << 3));
      if (length > <u64>(end - p)) return DecodeFault.Values;
      if (i >= start) {
        if (!putBytes(kind, out, p, <u32>length)) return DecodeFault.Ids;
        out += size;
      }
      p += <usize>length;
    }
  }
  return DecodeFault.None;
}

function deltaStrings(
  kind: u32,
  physical: u32,
  from: usize,
  end: usize,
  total: u32,
  ranges: u32,
  to: usize,
): u32 {
  if (physical != <u32>Physical.ByteArray) return DecodeFault.Encoding;
  const last = lastWanted(ranges);
  reserve(NUMBERS, (last << 3) + 16);
  reserve(MORE_NUMBERS, (last << 3) + 16);
  const prefixes = at(NUMBERS);
  const suffixes = at(MORE_NUMBERS);
  let p = deltaDecode(prefixes, last, from, end, true);
  if (!p || deltaCount < total) return DecodeFault.Values;
  p = deltaDecode(suffixes, last, p, end, true);
  if (!p || deltaCount < total) return DecodeFault.Values;
  const pairs = at(pairsColumn);
  const size = kindBytes(kind);
  let out = to;
  let i: u32 = 0;
  let before: u64 = 0;
  let all: u64 = 0;
  for (let range: u32 = 0; range < ranges; range++) {
    const start = load<u32>(pairs + ((<usize>range) << 3));
    const stop = load<u32>(pairs + ((<usize>range) << 3), 4);
    for (; i < stop; i++) {
      const prefix = load<u64>(prefixes + ((<usize>i) << 3));
      const suffix = load<u64>(suffixes + ((<usize>i) << 3));
      if (prefix > before || suffix > <u64>(end - p)) return DecodeFault.Values;
      before = prefix + suffix;
      all += before;
      if (before > VALUE_BYTES_MAX || all > PAGE_VALUE_BYTES_MAX) return DecodeFault.Values;
      reserve(PREVIOUS, <u32>before + 16);
      const value = at(PREVIOUS);
      memory.copy(value + <usize>prefix, p, <usize>suffix);
      if (i >= start) {
        if (!putBytes(kind, out, value, <u32>before)) return DecodeFault.Ids;
        out += size;
      }
      p += <usize>suffix;
    }
  }
  return DecodeFault.None;
}
