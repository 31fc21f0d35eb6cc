// How large a row group gets.

import { Column } from "./column_ids";
import { at } from "./memory";
import { orderedTraces } from "./order";

// Estimated bytes in the file, as Tempo counts them to cut its row groups.
const TRACE_BYTES: u32 = 7 + 16;
const RESOURCE_BYTES: u32 = 31;
const SCOPE_BYTES: u32 = 6;
const SPAN_BYTES: u32 = 45 + 16;
const ATTRIBUTE_BYTES: u32 = 7;
const EVENT_BYTES: u32 = 14;
const LINK_BYTES: u32 = 5 + 24;

function u32At(column: i32, row: u32): u32 {
  return load<u32>(at(column) + ((<usize>row) << 2));
}

/** The rank behind the row group that begins at `from`: cut behind the trace that takes the estimate over `bytesMax`. */
export function rowGroupEnd(from: u32, bytesMax: f64): u32 {
  const end = orderedTraces();
  let bytes: f64 = 0;
  for (let rank = from; rank < end; rank++) {
    bytes += traceBytes(rank);
    if (bytes > bytesMax) return rank + 1;
  }
  return end;
}

function traceBytes(rank: u32): f64 {
  let bytes: f64 = TRACE_BYTES;
  let lastResource: u32 = 0xffffffff;
  let lastScope: u32 = 0xffffffff;
  const end = u32At(Column.OrderedSpanStart, rank + 1);
  for (let place = u32At(Column.OrderedSpanStart, rank); place < end; place++) {
    const span = u32At(Column.OrderedSpan, place);
    const resource = u32At(Column.SpanResource, span);
    const scope = u32At(Column.SpanScope, span);
    if (resource != lastResource)
      bytes += <f64>(RESOURCE_BYTES + ATTRIBUTE_BYTES * u32At(Column.ResourceAttrCount, resource));
    if (resource != lastResource || scope != lastScope) {
      bytes += <f64>(SCOPE_BYTES + ATTRIBUTE_BYTES * u32At(Column.ScopeAttrCount, scope));
    }
    lastResource = resource;
    lastScope = scope;
    bytes += <f64>(
      (SPAN_BYTES +
        ATTRIBUTE_BYTES * (u32At(Column.SpanAttrStart, span + 1) - u32At(Column.SpanAttrStart, span)) +
        EVENT_BYTES * (u32At(Column.SpanEventStart, span + 1) - u32At(Column.SpanEventStart, span)) +
        LINK_BYTES * (u32At(Column.SpanLinkStart, span + 1) - u32At(Column.SpanLinkStart, span)))
    );
  }
  return bytes;
}
