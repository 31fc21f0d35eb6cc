// Resources and scopes that say the same in other bytes (attributes in another order, an empty service name or none) become one, so
// that a trace lists each once.

import { resources, scopes, spans } from "./batch";
import { AttrType, Column } from "./column_ids";
import { entryLength, entryStart, STRINGS } from "./dictionary";
import { mix } from "./hash";
import { at, reserve } from "./memory";

/** More attributes than these are compared in their order only. */
const UNORDERED_MAX: u32 = 256;
// service.name
const SERVICE_NAME: usize = memory.data<u8>([115, 101, 114, 118, 105, 99, 101, 46, 110, 97, 109, 101]);
const SERVICE_NAME_LENGTH: u32 = 12;

function u32At(column: i32, row: u32): u32 {
  return load<u32>(at(column) + ((<usize>row) << 2));
}

/** Makes the spans of equal resources, and of equal scopes, share one. Returns how many were merged away. */
export function mergeEqualResources(): u32 {
  const ofResources = merge(resources, true);
  if (ofResources) rename(Column.SpanResource);
  const ofScopes = merge(scopes, false);
  if (ofScopes) rename(Column.SpanScope);
  return ofResources + ofScopes;
}

/** Scratch1: by row the first row equal to it. Returns how many rows are not the first. */
function merge(rows: u32, ofResources: bool): u32 {
  const slots: u32 = 1 << (33 - <u32>clz(rows | 1));
  reserve(Column.Scratch0, slots << 2);
  reserve(Column.Scratch1, (rows + 1) << 2);
  reserve(Column.Scratch2, (rows + 1) << 2);
  const table = at(Column.Scratch0);
  const first = at(Column.Scratch1);
  const hashes = at(Column.Scratch2);
  memory.fill(table, 0, slots << 2);
  let merged: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const hash = hashOf(row, ofResources);
    store<u32>(hashes + ((<usize>row) << 2), hash);
    store<u32>(first + ((<usize>row) << 2), row);
    let slot = hash & (slots - 1);
    while (true) {
      const entry = load<u32>(table + ((<usize>slot) << 2));
      if (!entry) {
        store<u32>(table + ((<usize>slot) << 2), row + 1);
        break;
      }
      if (load<u32>(hashes + ((<usize>(entry - 1)) << 2)) == hash && equal(entry - 1, row, ofResources)) {
        store<u32>(first + ((<usize>row) << 2), entry - 1);
        merged++;
        break;
      }
      slot = (slot + 1) & (slots - 1);
    }
  }
  return merged;
}

function rename(column: i32): void {
  const indexes = at(column);
  const first = at(Column.Scratch1);
  for (let span: u32 = 0; span < spans; span++) {
    const row = indexes + ((<usize>span) << 2);
    store<u32>(row, load<u32>(first + ((<usize>load<u32>(row)) << 2)));
  }
}

/** True if the attribute says nothing: an empty service name. */
function isEmptyService(attr: u32): bool {
  if (load<u8>(at(Column.AttrType) + attr) != <u8>AttrType.String) return false;
  if (load<u32>(at(Column.AttrValue) + ((<usize>attr) << 3))) return false;
  const key = u32At(Column.AttrKey, attr);
  return (
    entryLength(STRINGS, key) == SERVICE_NAME_LENGTH &&
    memory.compare(entryStart(STRINGS, key), SERVICE_NAME, SERVICE_NAME_LENGTH) == 0
  );
}

function attrHash(attr: u32): u64 {
  const key = <u64>u32At(Column.AttrKey, attr) | ((<u64>load<u8>(at(Column.AttrType) + attr)) << 32);
  return mix(mix(key) ^ load<u64>(at(Column.AttrValue) + ((<usize>attr) << 3)));
}

function attrStart(row: u32, ofResources: bool): u32 {
  return u32At(ofResources ? Column.ResourceAttrStart : Column.ScopeAttrStart, row);
}

function attrEnd(row: u32, ofResources: bool): u32 {
  return (
    attrStart(row, ofResources) + u32At(ofResources ? Column.ResourceAttrCount : Column.ScopeAttrCount, row)
  );
}

/** A hash that does not depend on the order of the attributes. */
function hashOf(row: u32, ofResources: bool): u32 {
  let h: u64 = u32At(ofResources ? Column.ResourceDropped : Column.ScopeDropped, row);
  if (!ofResources) {
    h ^= ((<u64>u32At(Column.ScopeName, row)) << 32) | <u64>u32At(Column.ScopeVersion, row);
    h *= 0x9e3779b97f4a7c15;
  }
  const end = attrEnd(row, ofResources);
  for (let attr = attrStart(row, ofResources); attr < end; attr++) {
    if (!ofResources || !isEmptyService(attr)) h += attrHash(attr);
  }
  h ^= h >>> 32;
  return <u32>((h * 0xff51afd7ed558ccd) >>> 32);
}

function equal(a: u32, b: u32, ofResources: bool): bool {
  if (ofResources) {
    if (u32At(Column.ResourceDropped, a) != u32At(Column.ResourceDropped, b)) return false;
  } else if (
    u32At(Column.ScopeDropped, a) != u32At(Column.ScopeDropped, b) ||
    u32At(Column.ScopeName, a) != u32At(Column.ScopeName, b) ||
    u32At(Column.ScopeVersion, a) != u32At(Column.ScopeVersion, b)
  ) {
    return false;
  }
  return sameInOrder(a, b, ofResources) || (has(a, b, ofResources) && has(b, a, ofResources));
}

/** True if the attributes are the same, one by one: as nearly always. */
function sameInOrder(a: u32, b: u32, ofResources: bool): bool {
  const start = attrStart(a, ofResources);
  const end = attrEnd(a, ofResources);
  const otherStart = attrStart(b, ofResources);
  if (end - start != attrEnd(b, ofResources) - otherStart) return false;
  for (let attr = start; attr < end; attr++) {
    if (!sameAttr(attr, otherStart + (attr - start))) return false;
  }
  return true;
}

/** True if every attribute of `a` is there as often in `b`. */
function has(a: u32, b: u32, ofResources: bool): bool {
  const start = attrStart(a, ofResources);
  const end = attrEnd(a, ofResources);
  const otherStart = attrStart(b, ofResources);
  const otherEnd = attrEnd(b, ofResources);
  for (let attr = start; attr < end; attr++) {
    if (ofResources && isEmptyService(attr)) continue;
    const opposite = otherStart + (attr - start);
    if (end - start == otherEnd - otherStart && sameAttr(attr, opposite)) continue;
    if (end - start > UNORDERED_MAX) return false;
    if (occurrences(attr, start, end) != occurrences(attr, otherStart, otherEnd)) return false;
  }
  return true;
}

function occurrences(attr: u32, from: u32, to: u32): u32 {
  let found: u32 = 0;
  for (let other = from; other < to; other++) found += u32(sameAttr(attr, other));
  return found;
}

function sameAttr(a: u32, b: u32): bool {
  return (
    u32At(Column.AttrKey, a) == u32At(Column.AttrKey, b) &&
    load<u8>(at(Column.AttrType) + a) == load<u8>(at(Column.AttrType) + b) &&
    load<u64>(at(Column.AttrValue) + ((<usize>a) << 3)) == load<u64>(at(Column.AttrValue) + ((<usize>b) << 3))
  );
}
