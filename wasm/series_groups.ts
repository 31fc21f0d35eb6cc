// Groups of spans by the values of attributes. A group is a node of a tree: one level for each attribute, one node for each value of it
// among the spans of the node above.

import { spans } from "./batch";
import { Column } from "./column_ids";
import { entryLength, entryStart, STRINGS } from "./dictionary";
import { mix } from "./hash";
import { at, reserve } from "./memory";
import { elementType, isSingle, singleLength, singleStart } from "./query_array";
import { QueryType } from "./query_ids";
import { contentsOf, typesOf } from "./query_vectors";
import { NO_SLOT } from "./series_select";

const SLOTS_MIN: u32 = 1024;
/** Nodes that were asked for last, by some bits of what they were asked by: 8 bytes of value, 4 of parent and type, 4 of node + 1. */
const RECENT_MASK: u32 = 255;
const RECENT: usize = memory.data(256 * 16);

let nodeCount: u32 = 0;
/** First node of the last level. */
let firstGroup: u32 = 0;
let tableMask: u32 = 0;

/** One group of all spans. */
export function beginGroups(): void {
  reserve(Column.SeriesGroup, (spans + 1) << 2);
  memory.fill(at(Column.SeriesGroup), 0, spans << 2);
  beginNodes();
}

/** The root alone. */
export function beginNodes(): void {
  memory.fill(RECENT, 0, 256 * 16);
  nodeCount = 1;
  firstGroup = 0;
  growTable(SLOTS_MIN);
}

/** From here on what is added is the last level. */
export function beginLevel(): void {
  firstGroup = nodeCount;
}

/** Parts each group by the values of a vector, by span. */
export function groupBy(from: u32): void {
  beginLevel();
  const types = typesOf(from);
  const values = contentsOf(from, spans);
  const slots = at(Column.SeriesSlot);
  const groups = at(Column.SeriesGroup);
  for (let i: usize = 0; i < <usize>spans; i++) {
    if (load<u32>(slots + (i << 2)) == NO_SLOT) continue;
    const parent = load<u32>(groups + (i << 2));
    let type: u32 = load<u8>(types + i);
    let value: u64 = type ? load<u64>(values + (i << 3)) : 0;
    // Of arrays the language knows no order and no text: as keys they are nothing, but for those of one element.
    if (type == <u32>QueryType.Array && !isOneString(<u32>value)) {
      type = 0;
      value = 0;
    }
    // Few values mostly, in no order: they are found here without being hashed.
    const recent = RECENT + ((<usize>((<u32>value + parent * 17) & RECENT_MASK)) << 4);
    const packed = parent | (type << 28);
    let node = load<u32>(recent, 12);
    if (!node || load<u64>(recent) != value || load<u32>(recent, 8) != packed) {
      node = nodeOf(parent, type, value) + 1;
      store<u64>(recent, value);
      store<u32>(recent, packed, 8);
      store<u32>(recent, node, 12);
    }
    store<u32>(groups + (i << 2), node - 1);
  }
}

/** As groupBy(), by something that no span has. */
export function groupByNothing(): void {
  beginLevel();
  const slots = at(Column.SeriesSlot);
  const groups = at(Column.SeriesGroup);
  for (let i: usize = 0; i < <usize>spans; i++) {
    if (load<u32>(slots + (i << 2)) == NO_SLOT) continue;
    store<u32>(groups + (i << 2), nodeOf(load<u32>(groups + (i << 2)), QueryType.Nil, 0));
  }
}

/** Group of a span that is counted. */
export function groupOfSpan(span: u32): u32 {
  return groupOf(load<u32>(at(Column.SeriesGroup) + ((<usize>span) << 2)));
}

/** Its element is no string of the batch: it would be seen as that. */
function isOneString(blob: u32): bool {
  return elementType(blob) == <u32>QueryType.String && isSingle;
}

/**
 * The node below `parent` with this part of a key, which is added if it is new. Nodes are fewer than 2^28: a batch has no more spans.
 */
export function nodeOf(parent: u32, type: u32, value: u64): u32 {
  const table = at(Column.SeriesNodeTable);
  const parents = at(Column.SeriesNodeParent);
  const types = at(Column.SeriesNodeType);
  const values = at(Column.SeriesNodeValue);
  let slot = hashOf(parent, type, value) & tableMask;
  while (true) {
    const entry = load<u32>(table + ((<usize>slot) << 2));
    if (!entry) break;
    const node = <usize>entry - 1;
    if (
      load<u64>(values + (node << 3)) == value &&
      load<u32>(parents + (node << 2)) == parent &&
      <u32>load<u8>(types + node) == type
    ) {
      return <u32>node;
    }
    slot = (slot + 1) & tableMask;
  }
  const node = nodeCount++;
  reserve(Column.SeriesNodeParent, nodeCount << 2);
  reserve(Column.SeriesNodeType, nodeCount);
  reserve(Column.SeriesNodeValue, nodeCount << 3);
  store<u32>(at(Column.SeriesNodeParent) + ((<usize>node) << 2), parent);
  store<u8>(at(Column.SeriesNodeType) + node, <u8>type);
  store<u64>(at(Column.SeriesNodeValue) + ((<usize>node) << 3), value);
  store<u32>(at(Column.SeriesNodeTable) + ((<usize>slot) << 2), node + 1);
  if (nodeCount << 1 > tableMask) growTable((tableMask + 1) << 1);
  return node;
}

function hashOf(parent: u32, type: u32, value: u64): u32 {
  return <u32>mix(value ^ ((<u64>type) << 56) ^ (<u64>parent * 0x9e3779b97f4a7c15));
}

function growTable(slots: u32): void {
  reserve(Column.SeriesNodeTable, slots << 2);
  const table = at(Column.SeriesNodeTable);
  memory.fill(table, 0, slots << 2);
  tableMask = slots - 1;
  // The root is asked for by nobody.
  for (let node: usize = 1; node < <usize>nodeCount; node++) {
    const parent = load<u32>(at(Column.SeriesNodeParent) + (node << 2));
    const type = <u32>load<u8>(at(Column.SeriesNodeType) + node);
    let slot = hashOf(parent, type, load<u64>(at(Column.SeriesNodeValue) + (node << 3))) & tableMask;
    while (load<u32>(table + ((<usize>slot) << 2))) slot = (slot + 1) & tableMask;
    store<u32>(table + ((<usize>slot) << 2), <u32>node + 1);
  }
}

/** Groups of the last level. */
export function groupCount(): u32 {
  return nodeCount - firstGroup;
}

/** Number of a group among those of the last level. */
export function groupOf(node: u32): u32 {
  return node - firstGroup;
}

/**
 * The keys of all groups into the column Output, the end of each in SeriesKeyEnd. A key is a part for each level: a byte of QueryType; then, of
 * text, its length and its bytes; of ids of traces 16 bytes; of what has no value nothing; of all else 8 bytes.
 *
 * @param levels how many there are
 * @param bytesMax bytes of all keys: the groups from the first on that would take more are left out
 * @returns how many groups have a key
 */
export function writeGroupKeys(levels: u32, bytesMax: u32): u32 {
  const groups = groupCount();
  reserve(Column.SeriesKeyEnd, (groups + 1) << 2);
  reserve(Column.QueryWork0, (levels + 1) << 2);
  let end: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const path = at(Column.QueryWork0);
    let node = firstGroup + group;
    for (let level: i32 = <i32>levels - 1; level >= 0; level--) {
      store<u32>(path + ((<usize>level) << 2), node);
      node = load<u32>(at(Column.SeriesNodeParent) + ((<usize>node) << 2));
    }
    let bytes: u32 = 0;
    for (let level: u32 = 0; level < levels; level++) {
      bytes += partBytes(load<u32>(path + ((<usize>level) << 2)));
    }
    if (bytes > bytesMax - end) return group;
    for (let level: u32 = 0; level < levels; level++) {
      end = writePart(end, load<u32>(path + ((<usize>level) << 2)));
    }
    store<u32>(at(Column.SeriesKeyEnd) + ((<usize>group) << 2), end);
  }
  return groups;
}

function partBytes(node: u32): u32 {
  const type = <u32>load<u8>(at(Column.SeriesNodeType) + node);
  const value = <u32>load<u64>(at(Column.SeriesNodeValue) + ((<usize>node) << 3));
  switch (type) {
    case QueryType.Nil:
      return 1;
    case QueryType.String:
    case QueryType.LinkTraceId:
    case QueryType.LinkSpanId:
      return 5 + entryLength(STRINGS, value);
    case QueryType.Array:
      elementType(value);
      return 5 + singleLength;
    case QueryType.TraceId:
      return 17;
    default:
      return 9;
  }
}

function writePart(end: u32, node: u32): u32 {
  const type = <u32>load<u8>(at(Column.SeriesNodeType) + node);
  const value = load<u64>(at(Column.SeriesNodeValue) + ((<usize>node) << 3));
  switch (type) {
    case QueryType.Nil:
      return writeType(end, type);
    case QueryType.String:
    case QueryType.LinkTraceId:
    case QueryType.LinkSpanId:
      return writeBytes(end, type, entryStart(STRINGS, <u32>value), entryLength(STRINGS, <u32>value));
    case QueryType.Array:
      elementType(<u32>value);
      return writeBytes(end, QueryType.String, singleStart, singleLength);
    case QueryType.TraceId:
      return writeFixed(end, type, at(Column.TraceId) + ((<usize>value) << 4), 16);
    default:
      return writeFixed(end, type, at(Column.SeriesNodeValue) + ((<usize>node) << 3), 8);
  }
}

function writeType(end: u32, type: u32): u32 {
  reserve(Column.Output, end + 1);
  store<u8>(at(Column.Output) + end, <u8>type);
  return end + 1;
}

function writeBytes(end: u32, type: u32, from: usize, length: u32): u32 {
  const next = writeType(end, type);
  reserve(Column.Output, next + 4 + length);
  store<u32>(at(Column.Output) + next, length);
  memory.copy(at(Column.Output) + next + 4, from, length);
  return next + 4 + length;
}

function writeFixed(end: u32, type: u32, from: usize, length: u32): u32 {
  const next = writeType(end, type);
  reserve(Column.Output, next + length);
  memory.copy(at(Column.Output) + next, from, length);
  return next + length;
}
