// Values of what spans, scopes, events and traces have without an attribute. All of them are strings.

import { scopes, spans, traces } from "./batch";
import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { firstService, isLinkedChild, orderedTraces } from "./order";
import { noteString } from "./tags_distinct";
import { markReferred } from "./tags_owners";

function u32At(column: i32, index: u32): u32 {
  return load<u32>(at(column) + ((<usize>index) << 2));
}

/**
 * Notes the values of a column.
 *
 * @param column SpanName, SpanStatusMessage, ScopeName, ScopeVersion or EventName
 * @param spansWanted address of a byte by span, not 0 for those that count; 0: all
 */
export function listTagField(column: i32, spansWanted: usize): void {
  if (column == Column.ScopeName || column == Column.ScopeVersion) {
    markReferred(Column.SpanScope, scopes, spansWanted);
    for (let scope: u32 = 0; scope < scopes; scope++) {
      if (load<u8>(at(Column.Scratch0) + scope)) noteString(u32At(column, scope));
    }
    return;
  }
  for (let span: u32 = 0; span < spans; span++) {
    if (spansWanted && !load<u8>(spansWanted + span)) continue;
    if (column != Column.EventName) {
      noteString(u32At(column, span));
      continue;
    }
    const last = u32At(Column.SpanEventStart, span + 1);
    for (let event = u32At(Column.SpanEventStart, span); event < last; event++) {
      noteString(u32At(Column.EventName, event));
    }
  }
}

/**
 * Notes the names of the roots of traces, or of the roots' services: the empty string for a trace without root.
 *
 * @param column TraceRootName or TraceRootService
 * @param spansWanted as above: traces count that have such a span
 * @param stored whether the column is filled, as it is for a batch that was read from a block
 */
export function listTagRoots(column: i32, spansWanted: usize, stored: bool): void {
  markReferred(Column.SpanTrace, traces, spansWanted);
  if (stored) {
    for (let rank: u32 = 0; rank < orderedTraces(); rank++) {
      if (load<u8>(at(Column.Scratch0) + u32At(Column.OrderedTrace, rank))) noteString(u32At(column, rank));
    }
    return;
  }
  // The number of its root + 1 by trace: the last span without parent.
  reserve(Column.Scratch1, (traces + 1) << 2);
  memory.fill(at(Column.Scratch1), 0, traces << 2);
  for (let span: u32 = 0; span < spans; span++) {
    if (load<u64>(at(Column.SpanParent) + ((<usize>span) << 3))) continue;
    const trace = u32At(Column.SpanTrace, span);
    if (!load<u8>(at(Column.Scratch0) + trace) || isLinkedChild(span)) continue;
    store<u32>(at(Column.Scratch1) + ((<usize>trace) << 2), span + 1);
  }
  for (let trace: u32 = 0; trace < traces; trace++) {
    if (!load<u8>(at(Column.Scratch0) + trace)) continue;
    const root = u32At(Column.Scratch1, trace);
    if (!root) noteString(0);
    else if (column == Column.TraceRootName) noteString(u32At(Column.SpanName, root - 1));
    else noteString(firstService(u32At(Column.SpanResource, root - 1)));
  }
}
