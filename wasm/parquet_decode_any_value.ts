// Attribute values between their stored forms and the batch's: lists to AnyValue arrays, and protobuf messages (AnyValue and
// Span.Link, which vParquet3 stores whole) to columns.

import { ensureAttrs, ensureLinks } from "./batch";
import { AttrType, Column } from "./column_ids";
import { BLOBS, blobs, entryLength, entryStart, intern, STRINGS } from "./dictionary";
import { at, reserve } from "./memory";
import {
  after,
  begin,
  fail,
  lengthAt,
  malformed,
  putVarint,
  skip,
  tagAt,
  varint,
  varintSize,
} from "./protobuf";

const MESSAGE: i32 = Column.Decode14;

/** AnyValue { array_value: {} } */
const EMPTY_ARRAY: usize = memory.data<u8>([0x2a, 0x00]);

/** What readMessage() found. */
export let messageType: u32 = 0;
export let messageValue: u64 = 0;

/** Rows of links and attributes after readLinks(). */
export let linksBehind: u32 = 0;
export let attrsBehind: u32 = 0;

/** Id of an AnyValue message in the blob dictionary. */
export function internMessage(from: usize, length: u32): u32 {
  const known = blobs();
  const id = intern(BLOBS, from, length);
  if (id == known) {
    reserve(Column.BlobResource, (id + 1) << 2);
    reserve(Column.BlobScope, (id + 1) << 2);
    store<u32>(at(Column.BlobResource) + ((<usize>id) << 2), 0);
    store<u32>(at(Column.BlobScope) + ((<usize>id) << 2), 0);
  }
  return id;
}

/** Reads the AnyValue of `length` bytes in the column Input. Returns its AttrType, or -1; its value is taken with valueLow() and valueHigh(). */
export function readInputMessage(length: u32): i32 {
  begin();
  anyValue(at(Column.Input), at(Column.Input) + length);
  return malformed ? -1 : <i32>messageType;
}

export function valueLow(): u32 {
  return <u32>messageValue;
}

export function valueHigh(): u32 {
  return <u32>(messageValue >>> 32);
}

export function emptyArray(): u32 {
  return internMessage(EMPTY_ARRAY, 2);
}

function valueAt(values: usize, narrow: bool, i: u32): u64 {
  return narrow ? <u64>load<u32>(values + ((<usize>i) << 2)) : load<u64>(values + ((<usize>i) << 3));
}

/** Length of the AnyValue of one scalar. */
function scalarSize(type: u32, value: u64): u32 {
  switch (type) {
    case AttrType.String: {
      const length = entryLength(STRINGS, <u32>value);
      return 1 + varintSize(length) + length;
    }
    case AttrType.Double:
      return 9;
    case AttrType.Bool:
      return 2;
    default:
      return 1 + varintSize(value);
  }
}

/** Id of the array of the `count` values from `first` on, all of one scalar type, as an AnyValue message. */
export function arrayOf(type: u32, values: usize, narrow: bool, first: u32, count: u32): u32 {
  let size: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const element = scalarSize(type, valueAt(values, narrow, first + i));
    size += 1 + varintSize(element) + element;
  }
  reserve(MESSAGE, size + 32);
  let p = at(MESSAGE);
  store<u8>(p++, 0x2a);
  p = putVarint(p, size);
  for (let i: u32 = 0; i < count; i++) {
    const value = valueAt(values, narrow, first + i);
    store<u8>(p++, 0x0a);
    p = putVarint(p, scalarSize(type, value));
    switch (type) {
      case AttrType.String: {
        const length = entryLength(STRINGS, <u32>value);
        store<u8>(p++, 0x0a);
        p = putVarint(p, length);
        memory.copy(p, entryStart(STRINGS, <u32>value), length);
        p += length;
        break;
      }
      case AttrType.Double:
        store<u8>(p++, 0x21);
        store<u64>(p, value);
        p += 8;
        break;
      case AttrType.Bool:
        store<u8>(p++, 0x10);
        store<u8>(p++, value ? 1 : 0);
        break;
      default:
        store<u8>(p++, 0x18);
        p = putVarint(p, value);
    }
  }
  return internMessage(at(MESSAGE), <u32>(p - at(MESSAGE)));
}

/** Copies a string of the dictionary to where interning does not move it. Returns its length. */
function hold(id: u32): u32 {
  const length = entryLength(STRINGS, id);
  reserve(MESSAGE, length + 16);
  memory.copy(at(MESSAGE), entryStart(STRINGS, id), length);
  return length;
}

/** Reads the AnyValue whose bytes are string `id` into messageType and messageValue. */
export function readMessage(id: u32): bool {
  begin();
  const length = hold(id);
  anyValue(at(MESSAGE), at(MESSAGE) + length);
  return !malformed;
}

function anyValue(from: usize, end: usize): void {
  messageType = AttrType.None;
  messageValue = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    switch (tag) {
      case 0x0a: {
        const length = lengthAt(p, end);
        p = after;
        if (malformed) return;
        messageType = AttrType.String;
        messageValue = length ? intern(STRINGS, p, length) : 0;
        p += length;
        break;
      }
      case 0x10:
        messageType = AttrType.Bool;
        messageValue = varint(p, end) ? 1 : 0;
        p = after;
        break;
      case 0x18:
        messageType = AttrType.Int;
        messageValue = varint(p, end);
        p = after;
        break;
      case 0x21:
        if (end - p < 8) {
          fail(end);
          return;
        }
        messageType = AttrType.Double;
        messageValue = load<u64>(p);
        p += 8;
        break;
      case 0x2a:
      case 0x32:
      case 0x3a: {
        const length = lengthAt(p, end);
        if (malformed) return;
        p = after + length;
        messageType = tag == 0x2a ? AttrType.Array : tag == 0x32 ? AttrType.KvList : AttrType.Bytes;
        messageValue = internMessage(from, <u32>(end - from));
        break;
      }
      default:
        p = skip(tag, p, end);
    }
    if (malformed) return;
  }
}

/** Reads string `id`, a message of repeated Span.Link in field 1, into rows of links from `link` and of attributes from `attr` on. */
export function readLinks(id: u32, link: u32, attr: u32): bool {
  begin();
  linksBehind = link;
  attrsBehind = attr;
  const length = hold(id);
  let p = at(MESSAGE);
  const end = p + length;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a) {
      const size = lengthAt(p, end);
      p = after;
      if (malformed) return false;
      readLink(p, p + size);
      p += size;
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return false;
  }
  return true;
}

function readLink(from: usize, end: usize): void {
  const row = linksBehind;
  ensureLinks(row + 1);
  const firstAttr = attrsBehind;
  let traceId: u32 = 0;
  let spanId: u32 = 0;
  let state: u32 = 0;
  let dropped: u32 = 0;
  let flags: u32 = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a || tag == 0x12 || tag == 0x1a || tag == 0x22) {
      const size = lengthAt(p, end);
      p = after;
      if (malformed) return;
      if (tag == 0x22) {
        readAttr(p, p + size);
      } else {
        const text: u32 = size ? intern(STRINGS, p, size) : 0;
        if (tag == 0x0a) traceId = text;
        else if (tag == 0x12) spanId = text;
        else state = text;
      }
      p += size;
    } else if (tag == 0x28) {
      dropped = <u32>varint(p, end);
      p = after;
    } else {
      if (tag == 0x35 && end - p >= 4) flags = load<u32>(p);
      p = skip(tag, p, end);
    }
    if (malformed) return;
  }
  const at4 = (<usize>row) << 2;
  store<u32>(at(Column.LinkTraceId) + at4, traceId);
  store<u32>(at(Column.LinkSpanId) + at4, spanId);
  store<u32>(at(Column.LinkState) + at4, state);
  store<u32>(at(Column.LinkAttrStart) + at4, firstAttr);
  store<u32>(at(Column.LinkAttrCount) + at4, attrsBehind - firstAttr);
  store<u32>(at(Column.LinkDropped) + at4, dropped);
  store<u32>(at(Column.LinkFlags) + at4, flags);
  linksBehind = row + 1;
}

function readAttr(from: usize, end: usize): void {
  const row = attrsBehind;
  ensureAttrs(row + 1);
  let key: u32 = 0;
  messageType = AttrType.None;
  messageValue = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a || tag == 0x12) {
      const size = lengthAt(p, end);
      p = after;
      if (malformed) return;
      if (tag == 0x0a) key = size ? intern(STRINGS, p, size) : 0;
      else anyValue(p, p + size);
      p += size;
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return;
  }
  store<u32>(at(Column.AttrKey) + ((<usize>row) << 2), key);
  store<u8>(at(Column.AttrType) + row, <u8>messageType);
  store<u64>(at(Column.AttrValue) + ((<usize>row) << 3), messageValue);
  attrsBehind = row + 1;
}
