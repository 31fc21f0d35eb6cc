// The batch back to OTLP: one trace as TracesData. Written from the last byte to the first, so that the length of every nested
// message is known when its header is written.

import { findTrace, spans } from "./batch";
import { AttrType, Column } from "./column_ids";
import { BLOBS, entryLength, entryStart, STRINGS } from "./dictionary";
import { at, capacity, reserve } from "./memory";
import { putVarint, varintSize } from "./protobuf";
import { dropRepeats } from "./repeats";

/** Room that one field with a number in it may take: tag and the longest varint. */
const FIELD_BYTES_MAX: u32 = 12;

/** Where the next byte goes, counted down from the end of Column.Output. */
let cursor: usize = 0;

/** Makes sure that `bytes` more bytes fit before the cursor. */
function room(bytes: u32): void {
  const base = at(Column.Output);
  if (cursor >= base + bytes) return;
  const oldCapacity = capacity(Column.Output);
  const used = <u32>(base + oldCapacity - cursor);
  reserve(Column.Output, (oldCapacity > bytes ? oldCapacity : bytes) * 2);
  const end = at(Column.Output) + capacity(Column.Output);
  // reserve() kept the bytes at their distance from the start; they belong to the end.
  memory.copy(end - used, at(Column.Output) + oldCapacity - used, used);
  cursor = end - used;
}

function tagByte(tag: u32): void {
  if (tag < 0x80) {
    store<u8>(--cursor, <u8>tag);
  } else {
    cursor -= 2;
    store<u8>(cursor, <u8>(tag | 0x80));
    store<u8>(cursor, <u8>(tag >> 7), 1);
  }
}

function number(tag: u32, value: u64): void {
  if (!value) return;
  room(FIELD_BYTES_MAX);
  cursor -= varintSize(value);
  putVarint(cursor, value);
  tagByte(tag);
}

function fixed64(tag: u32, value: u64): void {
  if (!value) return;
  room(FIELD_BYTES_MAX);
  cursor -= 8;
  store<u64>(cursor, value);
  tagByte(tag);
}

function fixed32(tag: u32, value: u32): void {
  if (!value) return;
  room(FIELD_BYTES_MAX);
  cursor -= 4;
  store<u32>(cursor, value);
  tagByte(tag);
}

/** Header of a message whose content ends at `end` (a distance from the end of the buffer) and starts at the cursor. */
function header(tag: u32, endDistance: u32): void {
  room(FIELD_BYTES_MAX);
  const length = distance() - endDistance;
  cursor -= varintSize(length);
  putVarint(cursor, length);
  tagByte(tag);
}

/** Bytes written so far. */
function distance(): u32 {
  return <u32>(at(Column.Output) + capacity(Column.Output) - cursor);
}

function bytes(tag: u32, from: usize, length: u32): void {
  room(length + FIELD_BYTES_MAX);
  cursor -= length;
  memory.copy(cursor, from, length);
  cursor -= varintSize(length);
  putVarint(cursor, length);
  tagByte(tag);
}

function text(tag: u32, id: u32): void {
  if (id) bytes(tag, entryStart(STRINGS, id), entryLength(STRINGS, id));
}

/** The content of an AnyValue that is a scalar or nothing. */
function scalar(type: u32, value: u64): void {
  room(FIELD_BYTES_MAX);
  if (type == <u32>AttrType.String) {
    bytes(0x0a, entryStart(STRINGS, <u32>value), entryLength(STRINGS, <u32>value));
  } else if (type == <u32>AttrType.Double) {
    cursor -= 8;
    store<u64>(cursor, value);
    tagByte(0x21);
  } else if (type != <u32>AttrType.None) {
    cursor -= varintSize(value);
    putVarint(cursor, value);
    tagByte(type == <u32>AttrType.Bool ? 0x10 : 0x18);
  }
}

function keyValue(tag: u32, key: u32, type: u32, value: u64): void {
  const end = distance();
  if (type >= <u32>AttrType.Array) {
    bytes(0x12, entryStart(BLOBS, <u32>value), entryLength(BLOBS, <u32>value));
  } else {
    scalar(type, value);
    header(0x12, end);
  }
  text(0x0a, key);
  header(tag, end);
}

function attributes(tag: u32, start: u32, count: u32): void {
  for (let i = start + count; i-- > start; ) {
    keyValue(
      tag,
      load<u32>(at(Column.AttrKey) + ((<usize>i) << 2)),
      load<u8>(at(Column.AttrType) + i),
      load<u64>(at(Column.AttrValue) + ((<usize>i) << 3)),
    );
  }
}

function event(i: u32): void {
  const end = distance();
  const row = (<usize>i) << 2;
  number(0x20, load<u32>(at(Column.EventDropped) + row));
  attributes(0x1a, load<u32>(at(Column.EventAttrStart) + row), load<u32>(at(Column.EventAttrCount) + row));
  text(0x12, load<u32>(at(Column.EventName) + row));
  fixed64(0x09, load<u64>(at(Column.EventTime) + ((<usize>i) << 3)));
  header(0x5a, end);
}

function link(tag: u32, i: u32): void {
  const end = distance();
  const row = (<usize>i) << 2;
  fixed32(0x35, load<u32>(at(Column.LinkFlags) + row));
  number(0x28, load<u32>(at(Column.LinkDropped) + row));
  attributes(0x22, load<u32>(at(Column.LinkAttrStart) + row), load<u32>(at(Column.LinkAttrCount) + row));
  text(0x1a, load<u32>(at(Column.LinkState) + row));
  text(0x12, load<u32>(at(Column.LinkSpanId) + row));
  text(0x0a, load<u32>(at(Column.LinkTraceId) + row));
  header(tag, end);
}

function span(i: u32): void {
  const end = distance();
  const row4 = (<usize>i) << 2;
  const row8 = (<usize>i) << 3;

  number(0x18, <u64>(<i64>load<i32>(at(Column.SpanStatus) + row4)));
  text(0x12, load<u32>(at(Column.SpanStatusMessage) + row4));
  header(0x7a, end);

  number(0x70, load<u32>(at(Column.SpanDroppedLinks) + row4));
  const firstLink = load<u32>(at(Column.SpanLinkStart) + row4);
  for (let k = load<u32>(at(Column.SpanLinkStart) + row4, 4); k-- > firstLink; ) link(0x6a, k);
  number(0x60, load<u32>(at(Column.SpanDroppedEvents) + row4));
  const firstEvent = load<u32>(at(Column.SpanEventStart) + row4);
  for (let k = load<u32>(at(Column.SpanEventStart) + row4, 4); k-- > firstEvent; ) event(k);
  number(0x50, load<u32>(at(Column.SpanDroppedAttrs) + row4));
  const firstAttr = load<u32>(at(Column.SpanAttrStart) + row4);
  for (let k = load<u32>(at(Column.SpanAttrStart) + row4, 4); k-- > firstAttr; ) {
    keyValue(
      0x4a,
      load<u32>(at(Column.SpanAttrKey) + ((<usize>k) << 2)),
      load<u8>(at(Column.SpanAttrType) + k),
      load<u64>(at(Column.SpanAttrValue) + ((<usize>k) << 3)),
    );
  }
  const start = load<u64>(at(Column.SpanStart) + row8);
  fixed64(0x41, start + load<u64>(at(Column.SpanDuration) + row8));
  fixed64(0x39, start);
  number(0x30, <u64>(<i64>load<i32>(at(Column.SpanKind) + row4)));
  text(0x2a, load<u32>(at(Column.SpanName) + row4));
  if (load<u64>(at(Column.SpanParent) + row8)) bytes(0x22, at(Column.SpanParent) + row8, 8);
  text(0x1a, load<u32>(at(Column.SpanState) + row4));
  bytes(0x12, at(Column.SpanId) + row8, 8);
  bytes(0x0a, at(Column.TraceId) + ((<usize>load<u32>(at(Column.SpanTrace) + row4)) << 4), 16);
  header(0x12, end);
}

function scope(i: u32): void {
  const end = distance();
  const row = (<usize>i) << 2;
  number(0x20, load<u32>(at(Column.ScopeDropped) + row));
  attributes(0x1a, load<u32>(at(Column.ScopeAttrStart) + row), load<u32>(at(Column.ScopeAttrCount) + row));
  text(0x12, load<u32>(at(Column.ScopeVersion) + row));
  text(0x0a, load<u32>(at(Column.ScopeName) + row));
  header(0x0a, end);
}

function resource(i: u32): void {
  const end = distance();
  const row = (<usize>i) << 2;
  number(0x10, load<u32>(at(Column.ResourceDropped) + row));
  attributes(
    0x0a,
    load<u32>(at(Column.ResourceAttrStart) + row),
    load<u32>(at(Column.ResourceAttrCount) + row),
  );
  header(0x0a, end);
}

function begin(): void {
  reserve(Column.Output, 1 << 12);
  cursor = at(Column.Output) + capacity(Column.Output);
}

/** Address of the message that was written last, in Output. */
export function messageStart(): usize {
  return cursor;
}

/** Writes the links of a span as a LinkSlice, which has them as its field 1. Returns its length. */
export function writeLinks(i: u32): u32 {
  begin();
  const row = (<usize>i) << 2;
  const first = load<u32>(at(Column.SpanLinkStart) + row);
  for (let k = load<u32>(at(Column.SpanLinkStart) + row, 4); k-- > first; ) link(0x0a, k);
  return distance();
}

/** Writes the AnyValue of a scalar, or of nothing. Returns its length. */
export function writeScalar(type: u32, value: u64): u32 {
  begin();
  scalar(type, value);
  return distance();
}

/** Lists the spans of a trace in Scratch0, in order of arrival. Returns their number. */
function listSpans(trace: u32): u32 {
  reserve(Column.Scratch0, 1 << 12);
  let found: u32 = 0;
  const column = at(Column.SpanTrace);
  const wanted = i32x4.splat(<i32>trace);
  const whole = spans & ~3;
  let i: u32 = 0;
  for (; i < whole; i += 4) {
    const hits = i32x4.bitmask(i32x4.eq(v128.load(column + ((<usize>i) << 2)), wanted));
    if (!hits) continue;
    reserve(Column.Scratch0, (found + 4) << 2);
    for (let k: u32 = 0; k < 4; k++) {
      if (hits & (1 << k)) store<u32>(at(Column.Scratch0) + (usize(found++) << 2), i + k);
    }
  }
  for (; i < spans; i++) {
    if (load<u32>(column + ((<usize>i) << 2)) != trace) continue;
    reserve(Column.Scratch0, (found + 1) << 2);
    store<u32>(at(Column.Scratch0) + (usize(found++) << 2), i);
  }
  return found;
}

/**
 * Writes one trace to Column.Output as TracesData: spans in order of arrival, neighbours of the same resource and scope together.
 * Returns its length, 0 if the trace has no span.
 */
export function assembleTrace(trace: u32): u32 {
  return writeListed(listSpans(trace));
}

function writeListed(count: u32): u32 {
  if (!count) return 0;
  begin();
  let i = count;
  while (i > 0) {
    const resourceEnd = distance();
    const ofResource = load<u32>(at(Column.SpanResource) + ((<usize>listed(i - 1)) << 2));
    while (i > 0 && load<u32>(at(Column.SpanResource) + ((<usize>listed(i - 1)) << 2)) == ofResource) {
      const scopeEnd = distance();
      const ofScope = load<u32>(at(Column.SpanScope) + ((<usize>listed(i - 1)) << 2));
      while (
        i > 0 &&
        load<u32>(at(Column.SpanScope) + ((<usize>listed(i - 1)) << 2)) == ofScope &&
        load<u32>(at(Column.SpanResource) + ((<usize>listed(i - 1)) << 2)) == ofResource
      ) {
        span(listed(i - 1));
        i--;
      }
      scope(ofScope);
      header(0x12, scopeEnd);
    }
    resource(ofResource);
    header(0x0a, resourceEnd);
  }
  const length = distance();
  memory.copy(at(Column.Output), cursor, length);
  return length;
}

function listed(i: u32): u32 {
  return load<u32>(at(Column.Scratch0) + ((<usize>i) << 2));
}

/** assembleTrace() of the trace with the 16-byte id at `id`, without repeats of its spans; 0 if the batch does not know it. */
export function assembleById(id: usize): u32 {
  const trace = findTrace(id);
  if (trace < 0) return 0;
  const count = listSpans(<u32>trace);
  return writeListed(dropRepeats(at(Column.Scratch0), count));
}
