// The splitter: checks an OTLP ExportTraceServiceRequest to its last byte and regroups its spans by trace id into one request per shard.
// Runs on the main thread in an instance of its own, over bytes; nothing is decoded into anything.

import { Column } from "./column_ids";
import { mixTraceId } from "./hash";
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
import { ATTR_BYTES, EVENT_BYTES, LINK_BYTES, SPAN_BYTES } from "./row_bytes";

export { columnAddress, reserveColumn } from "./memory";

/** Nesting of arrays and key-value lists in an attribute's value that is accepted. */
const VALUE_DEPTH_MAX: u32 = 64;

/** Results of splitRequest(). */
const OK: i32 = 0;
const MALFORMED: i32 = 1;
const BAD_TRACE_ID: i32 = 2;
const BAD_SPAN_ID: i32 = 3;

// Working columns, u32 pairs each: the splitter has no span batch, so it uses the numbers of the scratch columns.
const SPANS: i32 = Column.Scratch0; // start, length with header
const SHARDS: i32 = Column.Scratch1; // u8 by span
const SCOPES: i32 = Column.Scratch2; // by scope spans: first span, first other field, bytes of other fields
const GROUPS: i32 = Column.Scratch3; // by resource spans: first scope spans, first other field, bytes of other fields
const OTHERS: i32 = Column.Scratch4; // fields that are copied to every part: start, length with header
const PARTS: i32 = Column.Scratch5; // by shard: offset in Output, length, spans
const SIZES: i32 = Column.Scratch6; // u32 by scope spans: content length in the shard being written
const ROW: u32 = 12;

let spanCount: u32 = 0;
let rows: u32 = 0;
let scopeCount: u32 = 0;
let groupCount: u32 = 0;
let otherCount: u32 = 0;
let shardCount: u32 = 1;
let problem: i32 = OK;
let problemBits: u32 = 0;

/** Spans of the latest request, also of one that was refused. */
export function spanTotal(): u32 {
  return spanCount;
}

/** Bytes that the rows of the latest request take in a span batch: an event of two bytes on the wire takes twelve times as many there. */
export function rowBytes(): u32 {
  return rows;
}

/** Length in bits of the id that the latest request was refused for. */
export function badIdBits(): u32 {
  return problemBits;
}

/** Address of the table of parts: by shard the offset in the output, the length and the number of spans, u32 each. */
export function partTable(): usize {
  return at(PARTS);
}

function u32At(column: i32, index: u32): u32 {
  return load<u32>(at(column) + ((<usize>index) << 2));
}

/**
 * Splits the request at `from` into `shards` requests in the output column, described by the table of parts; a shard without spans gets a
 * part of length 0. Returns 0, or why the request is refused: 1 malformed bytes, 2 a bad trace id, 3 a bad span id.
 */
export function splitRequest(from: usize, length: u32, shards: u32): i32 {
  begin();
  problem = OK;
  spanCount = 0;
  rows = 0;
  scopeCount = 0;
  groupCount = 0;
  otherCount = 0;
  shardCount = shards;
  const end = from + length;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag >>> 3 == 1) {
      if (tag == 0x0a) {
        const size = lengthAt(p, end);
        p = after;
        if (!malformed) walkResourceSpans(p, p + size);
        p += size;
      } else {
        fail(end);
      }
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) break;
  }
  if (malformed) {
    spanCount = countSpans(from, end);
    return problem ? problem : MALFORMED;
  }
  writeParts();
  return OK;
}

/** Spans of a request that is refused, as far as it can be read: for the count of what was discarded. */
function countSpans(from: usize, end: usize): u32 {
  begin();
  return countFields(from, end, 0);
}

/** Counts the fields `resource_spans.scope_spans.spans`: their tags by depth are 0x0a, 0x12 and 0x12. */
function countFields(p: usize, end: usize, depth: u32): u32 {
  let count: u32 = 0;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag != (depth ? 0x12 : 0x0a)) {
      p = skip(tag, p, end);
      continue;
    }
    const size = lengthAt(p, end);
    p = after;
    if (malformed) break;
    count += depth == 2 ? 1 : countFields(p, p + size, depth + 1);
    p += size;
  }
  return count;
}

function refuse(code: i32, bytes: u32, end: usize): void {
  problem = code;
  problemBits = bytes << 3;
  fail(end);
}

function addOther(start: usize, end: usize): u32 {
  reserve(OTHERS, (otherCount + 1) << 3);
  const row = at(OTHERS) + ((<usize>otherCount) << 3);
  store<u32>(row, <u32>start);
  store<u32>(row, <u32>(end - start), 4);
  otherCount++;
  return <u32>(end - start);
}

function walkResourceSpans(from: usize, end: usize): void {
  // Two walks, so that the fields copied to every part stand together in OTHERS, before those of the scopes.
  const firstOther = otherCount;
  let otherBytes: u32 = 0;
  let p = from;
  while (p < end) {
    const start = p;
    const tag = tagAt(p, end);
    p = after;
    const field = tag >>> 3;
    if (field == 1) {
      if (tag != 0x0a) {
        fail(end);
        return;
      }
      const size = lengthAt(p, end);
      p = after;
      walkAttributed(p, p + size, 1, 2, 0);
      p += size;
    } else if (field == 3 && tag != 0x1a) {
      fail(end);
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return;
    if (field != 2) otherBytes += addOther(start, p);
    else if (tag != 0x12) fail(end);
  }
  reserve(GROUPS, (groupCount + 2) * ROW);
  const row = at(GROUPS) + groupCount * ROW;
  store<u32>(row, scopeCount);
  store<u32>(row, firstOther, 4);
  store<u32>(row, otherBytes, 8);
  groupCount++;
  p = from;
  while (p < end && !malformed) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x12) {
      const size = lengthAt(p, end);
      p = after;
      walkScopeSpans(p, p + size);
      p += size;
    } else {
      p = skip(tag, p, end);
    }
  }
  // The next row's start is this one's end.
  store<u32>(at(GROUPS) + groupCount * ROW, scopeCount);
}

function walkScopeSpans(from: usize, end: usize): void {
  const firstOther = otherCount;
  const firstSpan = spanCount;
  let otherBytes: u32 = 0;
  let p = from;
  while (p < end) {
    const start = p;
    const tag = tagAt(p, end);
    p = after;
    const field = tag >>> 3;
    if (field == 2) {
      if (tag != 0x12) {
        fail(end);
        return;
      }
      const size = lengthAt(p, end);
      p = after;
      if (malformed) return;
      walkSpan(p, p + size);
      p += size;
      if (malformed) return;
      reserve(SPANS, (spanCount + 1) << 3);
      const row = at(SPANS) + ((<usize>spanCount) << 3);
      store<u32>(row, <u32>start);
      store<u32>(row, <u32>(p - start), 4);
      spanCount++;
      rows += SPAN_BYTES;
      continue;
    }
    if (field == 1) {
      if (tag != 0x0a) {
        fail(end);
        return;
      }
      const size = lengthAt(p, end);
      p = after;
      walkAttributed(p, p + size, 3, 4, 0b110);
      p += size;
    } else if (field == 3 && tag != 0x1a) {
      fail(end);
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return;
    otherBytes += addOther(start, p);
  }
  reserve(SCOPES, (scopeCount + 2) * ROW);
  const row = at(SCOPES) + scopeCount * ROW;
  store<u32>(row, firstSpan);
  store<u32>(row, firstOther, 4);
  store<u32>(row, otherBytes, 8);
  scopeCount++;
  store<u32>(at(SCOPES) + scopeCount * ROW, spanCount);
}

function walkSpan(from: usize, end: usize): void {
  let traceId: usize = 0;
  let traceIdLength: u32 = 0;
  let spanIdLength: u32 = 0;
  let spanId: u64 = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    switch (tag) {
      case 0x4a: {
        const size = lengthAt(p, end);
        p = after;
        walkKeyValue(p, p + size, 0);
        rows += ATTR_BYTES;
        p += size;
        break;
      }
      case 0x0a:
        traceIdLength = lengthAt(p, end);
        traceId = after;
        p = traceId + traceIdLength;
        break;
      case 0x12:
        spanIdLength = lengthAt(p, end);
        spanId = spanIdLength == 8 ? load<u64>(after) : 0;
        p = after + spanIdLength;
        break;
      case 0x5a: {
        const size = lengthAt(p, end);
        p = after;
        walkEvent(p, p + size);
        rows += EVENT_BYTES;
        p += size;
        break;
      }
      case 0x6a: {
        const size = lengthAt(p, end);
        p = after;
        walkAttributed(p, p + size, 4, 5, 0b1110);
        rows += LINK_BYTES;
        p += size;
        break;
      }
      case 0x7a: {
        const size = lengthAt(p, end);
        p = after;
        walkStatus(p, p + size);
        p += size;
        break;
      }
      default:
        if (!spanFieldAllows(tag)) fail(end);
        p = skip(tag, p, end);
    }
    if (malformed) return;
  }
  if (traceIdLength != 16 || !(load<u64>(traceId) | load<u64>(traceId, 8))) {
    refuse(BAD_TRACE_ID, traceIdLength, end);
    return;
  }
  if (!spanId) {
    refuse(BAD_SPAN_ID, spanIdLength, end);
    return;
  }
  reserve(SHARDS, spanCount + 1);
  // Another part of the hash than the tables of the shards use.
  const hash = mixTraceId(load<u64>(traceId), load<u64>(traceId, 8)) >>> 32;
  store<u8>(at(SHARDS) + spanCount, <u8>((hash * <u64>shardCount) >>> 32));
}

/** False if the tag is that of a span's field with another wire type than the field has. */
function spanFieldAllows(tag: u32): bool {
  switch (tag >>> 3) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 9:
    case 11:
    case 13:
    case 15:
      return (tag & 7) == 2;
    case 6:
    case 10:
    case 12:
    case 14:
      return (tag & 7) == 0;
    case 7:
    case 8:
      return (tag & 7) == 1;
    case 16:
      return (tag & 7) == 5;
    default:
      return true;
  }
}

function walkStatus(p: usize, end: usize): void {
  while (p < end) {
    const tag = tagAt(p, end);
    const field = tag >>> 3;
    if ((field == 2 && tag != 0x12) || (field == 3 && tag != 0x18)) fail(end);
    p = skip(tag, after, end);
  }
}

function walkEvent(p: usize, end: usize): void {
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    const field = tag >>> 3;
    if (tag == 0x1a) {
      const size = lengthAt(p, end);
      p = after;
      walkKeyValue(p, p + size, 0);
      rows += ATTR_BYTES;
      p += size;
    } else {
      if (
        (field == 1 && tag != 0x09) ||
        (field == 2 && tag != 0x12) ||
        field == 3 ||
        (field == 4 && tag != 0x20)
      ) {
        fail(end);
      }
      p = skip(tag, p, end);
    }
    if (malformed) return;
  }
}

/** A message of attributes, a dropped count, and fields with a length: those whose bit (by field number) is set in `texts`. */
function walkAttributed(p: usize, end: usize, attributes: u32, dropped: u32, texts: u32): void {
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    const field = tag >>> 3;
    const wire = tag & 7;
    if (field == attributes) {
      if (wire != 2) {
        fail(end);
        return;
      }
      const size = lengthAt(p, end);
      p = after;
      walkKeyValue(p, p + size, 0);
      rows += ATTR_BYTES;
      p += size;
    } else {
      if (field == dropped && wire != 0) fail(end);
      else if (field < 32 && texts & (1 << field) && wire != 2) fail(end);
      p = skip(tag, p, end);
    }
    if (malformed) return;
  }
}

function walkKeyValue(p: usize, end: usize, depth: u32): void {
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a) {
      const size = lengthAt(p, end);
      p = after + size;
    } else if (tag == 0x12) {
      const size = lengthAt(p, end);
      p = after;
      walkValue(p, p + size, depth);
      p += size;
    } else {
      if (tag >>> 3 <= 2) fail(end);
      p = skip(tag, p, end);
    }
    if (malformed) return;
  }
}

function walkValue(p: usize, end: usize, depth: u32): void {
  if (depth > VALUE_DEPTH_MAX) {
    fail(end);
    return;
  }
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    switch (tag) {
      case 0x0a:
      case 0x3a: {
        const size = lengthAt(p, end);
        p = after + size;
        break;
      }
      case 0x10:
      case 0x18:
        varint(p, end);
        p = after;
        break;
      case 0x2a:
      case 0x32: {
        const size = lengthAt(p, end);
        p = after;
        walkList(p, p + size, tag == 0x32, depth + 1);
        p += size;
        break;
      }
      default: {
        const field = tag >>> 3;
        if (field <= 7 && tag != 0x21) fail(end);
        p = skip(tag, p, end);
      }
    }
    if (malformed) return;
  }
}

function walkList(p: usize, end: usize, keyed: bool, depth: u32): void {
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a) {
      const size = lengthAt(p, end);
      p = after;
      if (keyed) walkKeyValue(p, p + size, depth);
      else walkValue(p, p + size, depth);
      p += size;
    } else {
      if (tag >>> 3 == 1) fail(end);
      p = skip(tag, p, end);
    }
    if (malformed) return;
  }
}

/** Writes the parts one after the other to the output column. */
function writeParts(): void {
  reserve(PARTS, shardCount * ROW);
  reserve(SIZES, (scopeCount + 1) << 2);
  let offset: u32 = 0;
  for (let shard: u32 = 0; shard < shardCount; shard++) {
    const size = writePart(shard, offset);
    const row = at(PARTS) + shard * ROW;
    store<u32>(row, offset);
    store<u32>(row, size, 4);
    store<u32>(row, partSpans, 8);
    offset += size;
  }
}

let partSpans: u32 = 0;

function writePart(shard: u32, offset: u32): u32 {
  let out = offset;
  partSpans = 0;
  for (let group: u32 = 0; group < groupCount; group++) {
    const row = at(GROUPS) + group * ROW;
    const firstScope = load<u32>(row);
    const lastScope = load<u32>(row + ROW);
    const firstOther = load<u32>(row, 4);
    const otherBytes = load<u32>(row, 8);
    let content: u32 = 0;
    for (let scope = firstScope; scope < lastScope; scope++) content += scopeField(shard, scope);
    if (!content) continue;
    content += otherBytes;
    reserve(Column.Output, out + content + 16);
    let p = at(Column.Output) + out;
    store<u8>(p, 0x0a);
    p = putVarint(p + 1, content);
    p = copyOthers(p, firstOther, otherBytes);
    for (let scope = firstScope; scope < lastScope; scope++) {
      const scopeContent = u32At(SIZES, scope);
      if (!scopeContent) continue;
      const scopeRow = at(SCOPES) + scope * ROW;
      store<u8>(p, 0x12);
      p = putVarint(p + 1, scopeContent);
      p = copyOthers(p, load<u32>(scopeRow, 4), load<u32>(scopeRow, 8));
      const lastSpan = load<u32>(scopeRow + ROW);
      for (let span = load<u32>(scopeRow); span < lastSpan; span++) {
        if (load<u8>(at(SHARDS) + span) != shard) continue;
        const spanRow = at(SPANS) + ((<usize>span) << 3);
        const size = load<u32>(spanRow, 4);
        memory.copy(p, load<u32>(spanRow), size);
        p += size;
        partSpans++;
      }
    }
    out = <u32>(p - at(Column.Output));
  }
  return out - offset;
}

/** Size of a ScopeSpans field, header included, with the spans of one shard; 0 if it has none of them. Notes its content's in SIZES. */
function scopeField(shard: u32, scope: u32): u32 {
  const row = at(SCOPES) + scope * ROW;
  const lastSpan = load<u32>(row + ROW);
  let content: u32 = 0;
  for (let span = load<u32>(row); span < lastSpan; span++) {
    if (load<u8>(at(SHARDS) + span) == shard) content += load<u32>(at(SPANS) + ((<usize>span) << 3), 4);
  }
  if (content) content += load<u32>(row, 8);
  store<u32>(at(SIZES) + ((<usize>scope) << 2), content);
  return content ? 1 + varintSize(content) + content : 0;
}

/** Copies other fields from the `first` on until `bytes` bytes are copied. */
function copyOthers(p: usize, first: u32, bytes: u32): usize {
  const end = p + bytes;
  for (let other = first; p < end; other++) {
    const row = at(OTHERS) + ((<usize>other) << 3);
    const size = load<u32>(row, 4);
    memory.copy(p, load<u32>(row), size);
    p += size;
  }
  return p;
}
