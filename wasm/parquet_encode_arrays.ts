// Attribute values that are no scalars, by blob: arrays of one scalar type get their elements listed here; of everything else the
// caller supplies a text (proto3 JSON).

import { attrs, spanAttrs } from "./batch";
import { AttrType, Column } from "./column_ids";
import { BLOBS, blobs, entryLength, entryStart, intern, STRINGS } from "./dictionary";
import { at, reserve } from "./memory";
import { SlotKind } from "./parquet_encode_ids";
import { after, begin, lengthAt, malformed, skip, tagAt, varint } from "./protobuf";

/** Per blob in Encode8, u32 each: slot kind and (from bit 8 on) kind of the elements; first element or string id of the text; count. */
const ENTRY: u32 = 12;
/** Text that is still missing. */
const MISSING: u32 = 0xffffffff;

/** Behind the entries: the elements, 8 bytes each, as attribute values are. */
let elementsStart: u32 = 0;
let elements: u32 = 0;
let noneText: u32 = 0;
/** Whether the elements of arrays are listed. */
let listed: bool = true;

function entry(blob: u32): usize {
  return at(Column.Encode8) + <usize>blob * ENTRY;
}

/** Slot kind of an array's blob. */
export function blobKind(blob: u32): u32 {
  return load<u32>(entry(blob)) & 0xff;
}

/** Kind of the elements of an array. */
export function elementKind(blob: u32): u32 {
  return load<u32>(entry(blob)) >>> 8;
}

/** Number of elements of an array. */
export function elementCount(blob: u32): u32 {
  return load<u32>(entry(blob), 8);
}

/** Address of the elements of an array. */
export function elementsOf(blob: u32): usize {
  return at(Column.Encode8) + elementsStart + ((<usize>load<u32>(entry(blob), 4)) << 3);
}

/** String id of the text of a value that has no type of its own. */
export function textOf(type: u8, blob: u32): u32 {
  return type == <u8>AttrType.None ? noneText : load<u32>(entry(blob), 4);
}

/**
 * Reads every array among the attribute values.
 *
 * @param none string id of the text for a value that is absent
 * @param arraysAsText whether arrays are not to be read, but kept as texts
 */
export function resolveBlobs(none: u32, arraysAsText: bool): void {
  noneText = none;
  listed = !arraysAsText;
  elementsStart = (blobs() * ENTRY + 7) & ~7;
  elements = 0;
  reserve(Column.Encode8, elementsStart);
  memory.fill(at(Column.Encode8), 0, elementsStart);
  resolveColumn(Column.SpanAttrType, Column.SpanAttrValue, spanAttrs);
  resolveColumn(Column.AttrType, Column.AttrValue, attrs);
}

function resolveColumn(typeColumn: i32, valueColumn: i32, rows: u32): void {
  let row: u32 = 0;
  while (row < rows) {
    const types = at(typeColumn) + row;
    if (rows - row >= 16 && !v128.any_true(i8x16.ge_u(v128.load(types), i8x16.splat(<i8>AttrType.Array)))) {
      row += 16;
      continue;
    }
    const end = min<u32>(rows, row + 16);
    for (; row < end; row++) {
      const type = load<u8>(at(typeColumn) + row);
      if (type >= <u8>AttrType.Array) resolve(load<u32>(at(valueColumn) + ((<usize>row) << 3)), type);
    }
  }
}

function resolve(blob: u32, type: u8): void {
  if (load<u32>(entry(blob))) return;
  if (listed && type == <u8>AttrType.Array && resolveArray(blob)) return;
  store<u32>(entry(blob), SlotKind.Unsupported);
  store<u32>(entry(blob), MISSING, 4);
}

/** Lists the elements of an array. Returns false if they are not all of one scalar type. */
function resolveArray(blob: u32): bool {
  begin();
  let p = entryStart(BLOBS, blob);
  let end = p + entryLength(BLOBS, blob);
  let array: usize = 0;
  let length: u32 = 0;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x2a) {
      length = lengthAt(p, end);
      array = after;
      p = array + length;
    } else {
      p = skip(tag, p, end);
    }
  }
  if (malformed) return false;

  const start = elements;
  let kind: u32 = 0;
  let count: u32 = 0;
  p = array;
  end = array + length;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag != 0x0a) {
      p = skip(tag, p, end);
      continue;
    }
    const size = lengthAt(p, end);
    p = after;
    const found = scalar(p, p + size);
    if (!found || malformed || (kind && kind != found)) return false;
    kind = found;
    reserve(Column.Encode8, elementsStart + ((start + count + 1) << 3));
    store<u64>(at(Column.Encode8) + elementsStart + ((<usize>(start + count)) << 3), scalarValue);
    count++;
    p += size;
  }
  if (malformed) return false;
  elements = start + count;
  store<u32>(entry(blob), count ? <u32>SlotKind.Array | (kind << 8) : <u32>SlotKind.EmptyArray);
  store<u32>(entry(blob), start, 4);
  store<u32>(entry(blob), count, 8);
  return true;
}

let scalarValue: u64 = 0;

/** Slot kind of the AnyValue at [p, end), its value in scalarValue; 0 if it is no scalar. */
function scalar(p: usize, end: usize): u32 {
  let kind: u32 = 0;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a) {
      const size = lengthAt(p, end);
      p = after;
      if (malformed) return 0;
      kind = SlotKind.String;
      scalarValue = intern(STRINGS, p, size);
      p += size;
    } else if (tag == 0x10 || tag == 0x18) {
      kind = tag == 0x10 ? SlotKind.Bool : SlotKind.Int;
      scalarValue = varint(p, end);
      if (tag == 0x10 && scalarValue) scalarValue = 1;
      p = after;
    } else if (tag == 0x21 && end - p >= 8) {
      kind = SlotKind.Double;
      scalarValue = load<u64>(p);
      p += 8;
    } else {
      if (tag == 0x2a || tag == 0x32 || tag == 0x3a) kind = 0;
      p = skip(tag, p, end);
    }
  }
  return kind;
}

/** The next blob from `from` on whose text is missing, or -1. */
export function blobWithoutText(from: u32): i32 {
  const count = blobs();
  for (let blob = from; blob < count; blob++) {
    if (load<u32>(entry(blob)) == SlotKind.Unsupported && load<u32>(entry(blob), 4) == MISSING)
      return <i32>blob;
  }
  return -1;
}

/** Supplies the text of a blob. */
export function setBlobText(blob: u32, text: u32): void {
  store<u32>(entry(blob), text, 4);
}
