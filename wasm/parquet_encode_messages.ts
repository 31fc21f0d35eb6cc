// What vParquet3 keeps as protobuf: the links of a span, and the value of an event's attribute. Both become strings of the batch.

import { attrs } from "./batch";
import { AttrType, Column } from "./column_ids";
import { BLOBS, entryLength, entryStart, intern, STRINGS } from "./dictionary";
import { at, reserve } from "./memory";
import { messageStart, writeLinks, writeScalar } from "./otlp_assemble";

/** Writes the links of the spans [from, to), from the first span of the batch on. */
export function internLinks(from: u32, to: u32): void {
  reserve(Column.Encode10, to << 2);
  for (let span = from; span < to; span++) {
    const row = (<usize>span) << 2;
    const hasLinks =
      load<u32>(at(Column.SpanLinkStart) + row) != load<u32>(at(Column.SpanLinkStart) + row, 4);
    const length = hasLinks ? writeLinks(span) : 0;
    store<u32>(at(Column.Encode10) + row, length ? intern(STRINGS, messageStart(), length) : 0);
  }
}

/** Writes the values of the attributes of the events [from, to). */
export function internEventValues(from: u32, to: u32): void {
  reserve(Column.Encode11, attrs << 2);
  for (let event = from; event < to; event++) {
    const start = load<u32>(at(Column.EventAttrStart) + ((<usize>event) << 2));
    const end = start + load<u32>(at(Column.EventAttrCount) + ((<usize>event) << 2));
    for (let attr = start; attr < end; attr++) {
      store<u32>(at(Column.Encode11) + ((<usize>attr) << 2), internValue(attr));
    }
  }
}

function internValue(attr: u32): u32 {
  const type: u32 = load<u8>(at(Column.AttrType) + attr);
  const value = load<u64>(at(Column.AttrValue) + ((<usize>attr) << 3));
  if (type >= <u32>AttrType.Array) {
    return intern(STRINGS, entryStart(BLOBS, <u32>value), entryLength(BLOBS, <u32>value));
  }
  const length = writeScalar(type, value);
  return intern(STRINGS, messageStart(), length);
}
