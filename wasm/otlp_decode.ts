// OTLP into the batch: one walk over an ExportTraceServiceRequest that appends its spans to the columns. Field numbers are those of
// opentelemetry/proto/trace/v1/trace.proto. Equal resources and scopes (by their bytes) are decoded once.

import {
  addTrace,
  attrs,
  ensureAttrs,
  ensureEvents,
  ensureLinks,
  ensureResources,
  ensureScopes,
  ensureSpanAttrs,
  ensureSpans,
  events,
  links,
  resources,
  scopes,
  setAttrs,
  setCounts,
  setResources,
  setScopes,
  spanAttrs,
  spans,
} from "./batch";
import { AttrType, Column } from "./column_ids";
import { BLOBS, blobs, entryLength, entryStart, intern, STRINGS } from "./dictionary";
import { at, reserve } from "./memory";
import { after, begin, fail, lengthAt, malformed, skip, tagAt, varint } from "./protobuf";

const SERVICE_NAME: usize = memory.data<u8>([115, 101, 114, 118, 105, 99, 101, 46, 110, 97, 109, 101]);
const SERVICE_NAME_LENGTH: u32 = 12;

/** Ids of the keys that stood at the first positions of the latest span: attributes mostly come in the same order. */
const KEY_CACHE_SIZE: u32 = 64;
const KEY_CACHE: usize = memory.data(64 * 4);

/** How many attribute keys and values were cut, by scope: resource, instrumentation scope, span, event, link. */
const TRUNCATED: usize = memory.data(5 * 4);

let attributeBytesMax: u32 = 0;

// Row counts while a request is being decoded; published by setCounts() when all of it was good.
let spanRow: u32 = 0;
let spanAttrRow: u32 = 0;
let eventRow: u32 = 0;
let linkRow: u32 = 0;
let attrRow: u32 = 0;

// What attribute() found.
let attrKey: u32 = 0;
let attrType: u32 = 0;
let attrValue: u64 = 0;

/** Attributes cut so far in this batch's instance: scope 0 resource, 1 instrumentation, 2 span, 3 event, 4 link. */
export function truncatedCount(scope: u32): u32 {
  return load<u32>(TRUNCATED + ((<usize>scope) << 2));
}

/**
 * Appends the ExportTraceServiceRequest at `from` to the batch. Attribute keys and string values are cut to `attributeMax` bytes (0: never).
 * Returns the number of spans, or -1 if the bytes are malformed, and then has added none.
 */
export function decodeRequest(from: usize, length: u32, attributeMax: u32): i32 {
  begin();
  attributeBytesMax = attributeMax ? attributeMax : 0xffffffff;
  spanRow = spans;
  spanAttrRow = spanAttrs;
  eventRow = events;
  linkRow = links;
  attrRow = attrs;
  let p = from;
  const end = from + length;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a) {
      const size = lengthAt(p, end);
      p = after;
      decodeResourceSpans(p, p + size);
      p += size;
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return -1;
  }
  const added = spanRow - spans;
  setCounts(spanRow, resources, scopes, spanAttrRow, attrRow, eventRow, linkRow);
  return <i32>added;
}

/** Content of the last field with this length-delimited tag: its address, or 0; its length is then in `foundLength`. */
function lastField(p: usize, end: usize, wanted: u32): usize {
  let found: usize = 0;
  foundLength = 0;
  while (p < end) {
    const tag = tagAt(p, end);
    if (tag == wanted) {
      const size = lengthAt(after, end);
      found = after;
      foundLength = size;
      p = found + size;
    } else {
      p = skip(tag, after, end);
    }
  }
  return found;
}

let foundLength: u32 = 0;

function decodeResourceSpans(from: usize, end: usize): void {
  const found = lastField(from, end, 0x0a);
  if (malformed) return;
  const resource = decodeResource(found, foundLength);
  let p = from;
  while (p < end && !malformed) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x12) {
      const size = lengthAt(p, end);
      p = after;
      decodeScopeSpans(p, p + size, resource);
      p += size;
    } else {
      p = skip(tag, p, end);
    }
  }
}

function decodeScopeSpans(from: usize, end: usize, resource: u32): void {
  const found = lastField(from, end, 0x0a);
  if (malformed) return;
  const scope = decodeScope(found, foundLength);
  let p = from;
  while (p < end && !malformed) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x12) {
      const size = lengthAt(p, end);
      p = after;
      decodeSpan(p, p + size, resource, scope);
      p += size;
    } else {
      p = skip(tag, p, end);
    }
  }
}

/** Id of a raw message in the blob dictionary, its rows in the maps to resources and scopes made ready. */
function internBlob(from: usize, length: u32): u32 {
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

function decodeResource(from: usize, length: u32): u32 {
  const blob = internBlob(from, length);
  const known = load<u32>(at(Column.BlobResource) + ((<usize>blob) << 2));
  if (known) return known - 1;
  const firstAttr = attrRow;
  let dropped: u32 = 0;
  let service: u32 = 0;
  let p = from;
  const end = from + length;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a) {
      const size = lengthAt(p, end);
      p = after;
      attribute(p, p + size, 0, KEY_CACHE_SIZE);
      pushAttr();
      p += size;
      if (attrType == <u32>AttrType.String && isServiceName(attrKey)) service = <u32>attrValue;
    } else if (tag == 0x10) {
      dropped = <u32>varint(p, end);
      p = after;
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return 0;
  }
  const resource = resources;
  ensureResources(resource + 1);
  const row = (<usize>resource) << 2;
  store<u32>(at(Column.ResourceAttrStart) + row, firstAttr);
  store<u32>(at(Column.ResourceAttrCount) + row, attrRow - firstAttr);
  store<u32>(at(Column.ResourceService) + row, service);
  store<u32>(at(Column.ResourceDropped) + row, dropped);
  setResources(resource + 1);
  setAttrs(attrRow);
  store<u32>(at(Column.BlobResource) + ((<usize>blob) << 2), resource + 1);
  return resource;
}

/** True if the key is `service.name`. */
export function isServiceName(key: u32): bool {
  return (
    entryLength(STRINGS, key) == SERVICE_NAME_LENGTH &&
    memory.compare(entryStart(STRINGS, key), SERVICE_NAME, SERVICE_NAME_LENGTH) == 0
  );
}

function decodeScope(from: usize, length: u32): u32 {
  const blob = internBlob(from, length);
  const known = load<u32>(at(Column.BlobScope) + ((<usize>blob) << 2));
  if (known) return known - 1;
  const firstAttr = attrRow;
  let name: u32 = 0;
  let version: u32 = 0;
  let dropped: u32 = 0;
  let p = from;
  const end = from + length;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a || tag == 0x12 || tag == 0x1a) {
      const size = lengthAt(p, end);
      p = after;
      if (tag == 0x0a) name = intern(STRINGS, p, size);
      else if (tag == 0x12) version = intern(STRINGS, p, size);
      else {
        attribute(p, p + size, 1, KEY_CACHE_SIZE);
        pushAttr();
      }
      p += size;
    } else if (tag == 0x20) {
      dropped = <u32>varint(p, end);
      p = after;
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return 0;
  }
  const scope = scopes;
  ensureScopes(scope + 1);
  const row = (<usize>scope) << 2;
  store<u32>(at(Column.ScopeName) + row, name);
  store<u32>(at(Column.ScopeVersion) + row, version);
  store<u32>(at(Column.ScopeAttrStart) + row, firstAttr);
  store<u32>(at(Column.ScopeAttrCount) + row, attrRow - firstAttr);
  store<u32>(at(Column.ScopeDropped) + row, dropped);
  setScopes(scope + 1);
  setAttrs(attrRow);
  store<u32>(at(Column.BlobScope) + ((<usize>blob) << 2), scope + 1);
  return scope;
}

function decodeSpan(from: usize, end: usize, resource: u32, scope: u32): void {
  const span = spanRow;
  ensureSpans(span + 1);
  let traceId: usize = 0;
  let spanId: u64 = 0;
  let parent: u64 = 0;
  let name: u32 = 0;
  let state: u32 = 0;
  let kind: i32 = 0;
  let status: i32 = 0;
  let statusMessage: u32 = 0;
  let start: u64 = 0;
  let finish: u64 = 0;
  let droppedAttrs: u32 = 0;
  let droppedEvents: u32 = 0;
  let droppedLinks: u32 = 0;
  let position: u32 = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    switch (tag) {
      case 0x4a: {
        const size = lengthAt(p, end);
        p = after;
        attribute(p, p + size, 2, position);
        position++;
        const row = spanAttrRow;
        ensureSpanAttrs(row + 1);
        store<u32>(at(Column.SpanAttrKey) + ((<usize>row) << 2), attrKey);
        store<u8>(at(Column.SpanAttrType) + row, <u8>attrType);
        store<u64>(at(Column.SpanAttrValue) + ((<usize>row) << 3), attrValue);
        spanAttrRow = row + 1;
        p += size;
        break;
      }
      case 0x0a: {
        const size = lengthAt(p, end);
        traceId = size == 16 ? after : 0;
        p = after + size;
        break;
      }
      case 0x12: {
        const size = lengthAt(p, end);
        spanId = size == 8 ? load<u64>(after) : 0;
        p = after + size;
        break;
      }
      case 0x22: {
        const size = lengthAt(p, end);
        parent = shortId(after, size);
        p = after + size;
        break;
      }
      case 0x1a: {
        const size = lengthAt(p, end);
        p = after;
        state = intern(STRINGS, p, size);
        p += size;
        break;
      }
      case 0x2a: {
        const size = lengthAt(p, end);
        p = after;
        name = intern(STRINGS, p, size);
        p += size;
        break;
      }
      case 0x30:
        kind = <i32>varint(p, end);
        p = after;
        break;
      case 0x39:
        if (end - p < 8) {
          fail(end);
        } else {
          start = load<u64>(p);
          p += 8;
        }
        break;
      case 0x41:
        if (end - p < 8) {
          fail(end);
        } else {
          finish = load<u64>(p);
          p += 8;
        }
        break;
      case 0x50:
        droppedAttrs = <u32>varint(p, end);
        p = after;
        break;
      case 0x5a: {
        const size = lengthAt(p, end);
        p = after;
        decodeEvent(p, p + size);
        p += size;
        break;
      }
      case 0x60:
        droppedEvents = <u32>varint(p, end);
        p = after;
        break;
      case 0x6a: {
        const size = lengthAt(p, end);
        p = after;
        decodeLink(p, p + size);
        p += size;
        break;
      }
      case 0x70:
        droppedLinks = <u32>varint(p, end);
        p = after;
        break;
      case 0x7a: {
        const size = lengthAt(p, end);
        p = after;
        const statusEnd = p + size;
        while (p < statusEnd) {
          const statusTag = tagAt(p, statusEnd);
          p = after;
          if (statusTag == 0x12) {
            const messageSize = lengthAt(p, statusEnd);
            p = after;
            statusMessage = intern(STRINGS, p, messageSize);
            p += messageSize;
          } else if (statusTag == 0x18) {
            status = <i32>varint(p, statusEnd);
            p = after;
          } else {
            p = skip(statusTag, p, statusEnd);
          }
        }
        break;
      }
      default:
        p = skip(tag, p, end);
    }
    if (malformed) return;
  }
  if (!traceId || !spanId) {
    fail(end);
    return;
  }
  const row4 = (<usize>span) << 2;
  const row8 = (<usize>span) << 3;
  store<u32>(at(Column.SpanTrace) + row4, addTrace(traceId));
  store<u32>(at(Column.SpanResource) + row4, resource);
  store<u32>(at(Column.SpanScope) + row4, scope);
  store<u64>(at(Column.SpanId) + row8, spanId);
  store<u64>(at(Column.SpanParent) + row8, parent);
  store<u32>(at(Column.SpanName) + row4, name);
  store<i32>(at(Column.SpanKind) + row4, kind);
  store<i32>(at(Column.SpanStatus) + row4, status);
  store<u32>(at(Column.SpanStatusMessage) + row4, statusMessage);
  store<u32>(at(Column.SpanState) + row4, state);
  store<u64>(at(Column.SpanStart) + row8, start);
  store<u64>(at(Column.SpanDuration) + row8, finish - start);
  store<u32>(at(Column.SpanDroppedAttrs) + row4, droppedAttrs);
  store<u32>(at(Column.SpanDroppedEvents) + row4, droppedEvents);
  store<u32>(at(Column.SpanDroppedLinks) + row4, droppedLinks);
  store<u32>(at(Column.SpanAttrStart) + row4, spanAttrRow, 4);
  store<u32>(at(Column.SpanEventStart) + row4, eventRow, 4);
  store<u32>(at(Column.SpanLinkStart) + row4, linkRow, 4);
  spanRow = span + 1;
}

/** A parent id as a number. Ids that are not 8 bytes long are cut or filled up with zeros. */
function shortId(from: usize, length: u32): u64 {
  if (length == 8) return load<u64>(from);
  let id: u64 = 0;
  const bytes: u32 = length < 8 ? length : 8;
  for (let i: u32 = 0; i < bytes; i++) id |= (<u64>load<u8>(from + i)) << ((<u64>i) << 3);
  return id;
}

function decodeEvent(from: usize, end: usize): void {
  const row = eventRow;
  ensureEvents(row + 1);
  const firstAttr = attrRow;
  let time: u64 = 0;
  let name: u32 = 0;
  let dropped: u32 = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x09) {
      if (end - p < 8) {
        fail(end);
        return;
      }
      time = load<u64>(p);
      p += 8;
    } else if (tag == 0x12) {
      const size = lengthAt(p, end);
      p = after;
      name = intern(STRINGS, p, size);
      p += size;
    } else if (tag == 0x1a) {
      const size = lengthAt(p, end);
      p = after;
      attribute(p, p + size, 3, KEY_CACHE_SIZE);
      pushAttr();
      p += size;
    } else if (tag == 0x20) {
      dropped = <u32>varint(p, end);
      p = after;
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return;
  }
  const row4 = (<usize>row) << 2;
  store<u64>(at(Column.EventTime) + ((<usize>row) << 3), time);
  store<u32>(at(Column.EventName) + row4, name);
  store<u32>(at(Column.EventAttrStart) + row4, firstAttr);
  store<u32>(at(Column.EventAttrCount) + row4, attrRow - firstAttr);
  store<u32>(at(Column.EventDropped) + row4, dropped);
  eventRow = row + 1;
}

function decodeLink(from: usize, end: usize): void {
  const row = linkRow;
  ensureLinks(row + 1);
  const firstAttr = attrRow;
  let traceId: u32 = 0;
  let spanId: u32 = 0;
  let state: u32 = 0;
  let dropped: u32 = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a || tag == 0x12 || tag == 0x1a || tag == 0x22) {
      const size = lengthAt(p, end);
      p = after;
      if (tag == 0x0a) traceId = intern(STRINGS, p, size);
      else if (tag == 0x12) spanId = intern(STRINGS, p, size);
      else if (tag == 0x1a) state = intern(STRINGS, p, size);
      else {
        attribute(p, p + size, 4, KEY_CACHE_SIZE);
        pushAttr();
      }
      p += size;
    } else if (tag == 0x28) {
      dropped = <u32>varint(p, end);
      p = after;
    } else {
      p = skip(tag, p, end);
    }
    if (malformed) return;
  }
  const row4 = (<usize>row) << 2;
  store<u32>(at(Column.LinkTraceId) + row4, traceId);
  store<u32>(at(Column.LinkSpanId) + row4, spanId);
  store<u32>(at(Column.LinkState) + row4, state);
  store<u32>(at(Column.LinkAttrStart) + row4, firstAttr);
  store<u32>(at(Column.LinkAttrCount) + row4, attrRow - firstAttr);
  store<u32>(at(Column.LinkDropped) + row4, dropped);
  // Blocks don't keep flags, so what is in memory doesn't either: an answer must not change when its spans are stored.
  store<u32>(at(Column.LinkFlags) + row4, 0);
  linkRow = row + 1;
}

/** Appends what attribute() found to the attributes that are not a span's. */
function pushAttr(): void {
  const row = attrRow;
  ensureAttrs(row + 1);
  store<u32>(at(Column.AttrKey) + ((<usize>row) << 2), attrKey);
  store<u8>(at(Column.AttrType) + row, <u8>attrType);
  store<u64>(at(Column.AttrValue) + ((<usize>row) << 3), attrValue);
  attrRow = row + 1;
}

/** Reads a KeyValue into attrKey, attrType and attrValue. `position` is the place in the span, for the cache of keys. */
function attribute(from: usize, end: usize, scope: u32, position: u32): void {
  let key: usize = 0;
  let keyLength: u32 = 0;
  let value: usize = 0;
  let valueLength: u32 = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    if (tag == 0x0a) {
      keyLength = lengthAt(p, end);
      key = after;
      p = key + keyLength;
    } else if (tag == 0x12) {
      valueLength = lengthAt(p, end);
      value = after;
      p = value + valueLength;
    } else {
      p = skip(tag, p, end);
    }
  }
  if (malformed) return;
  attrKey = internKey(key, cut(key, keyLength, scope), position);
  anyValue(value, value + valueLength, scope);
}

function internKey(key: usize, length: u32, position: u32): u32 {
  if (position >= KEY_CACHE_SIZE) return intern(STRINGS, key, length);
  const cached = KEY_CACHE + ((<usize>position) << 2);
  const last = load<u32>(cached);
  if (last && entryLength(STRINGS, last) == length) {
    const known = entryStart(STRINGS, last);
    let i: u32 = 0;
    while (i + 8 <= length && load<u64>(known + i) == load<u64>(key + i)) i += 8;
    if (i + 8 > length) {
      while (i < length && load<u8>(known + i) == load<u8>(key + i)) i++;
      if (i == length) return last;
    }
  }
  const id = intern(STRINGS, key, length);
  store<u32>(cached, id);
  return id;
}

/** Forgets the keys of the latest span: ids are about to change their meaning. */
export function resetKeyCache(): void {
  memory.fill(KEY_CACHE, 0, KEY_CACHE_SIZE << 2);
}

/** Length after the cut to the limit for attributes, which leaves no half of a UTF-8 character behind. */
function cut(from: usize, length: u32, scope: u32): u32 {
  return length <= attributeBytesMax ? length : cutText(from, scope);
}

function cutText(from: usize, scope: u32): u32 {
  const counter = TRUNCATED + ((<usize>scope) << 2);
  store<u32>(counter, load<u32>(counter) + 1);
  let length = attributeBytesMax;
  const shortest = length > 3 ? length - 3 : 0;
  while (length > shortest && (load<u8>(from + length) & 0xc0) == 0x80) length--;
  // Bytes that are no UTF-8 at all are cut at the limit.
  return (load<u8>(from + length) & 0xc0) == 0x80 ? attributeBytesMax : length;
}

/** Reads an AnyValue; of several values the last one counts, as in every protobuf oneof. */
function anyValue(from: usize, end: usize, scope: u32): void {
  attrType = AttrType.None;
  attrValue = 0;
  let p = from;
  while (p < end) {
    const tag = tagAt(p, end);
    p = after;
    switch (tag) {
      case 0x0a: {
        const size = lengthAt(p, end);
        p = after;
        attrType = AttrType.String;
        attrValue = intern(STRINGS, p, cut(p, size, scope));
        p += size;
        break;
      }
      case 0x10:
        attrType = AttrType.Bool;
        attrValue = varint(p, end) ? 1 : 0;
        p = after;
        break;
      case 0x18:
        attrType = AttrType.Int;
        attrValue = varint(p, end);
        p = after;
        break;
      case 0x21:
        if (end - p < 8) {
          fail(end);
          return;
        }
        attrType = AttrType.Double;
        attrValue = load<u64>(p);
        p += 8;
        break;
      case 0x2a:
      case 0x32:
      case 0x3a: {
        const size = lengthAt(p, end);
        p = after + size;
        if (malformed) return;
        attrType = tag == 0x2a ? AttrType.Array : tag == 0x32 ? AttrType.KvList : AttrType.Bytes;
        attrValue = internBlob(from, <u32>(end - from));
        break;
      }
      default:
        p = skip(tag, p, end);
    }
    if (malformed) return;
  }
}
