// Spans that were sent twice: the same id and kind in the same trace, and nothing that tells them apart.

import { Column } from "./column_ids";
import { mix } from "./hash";
import { at, reserve } from "./memory";

/**
 * Takes the repeats out of a list of spans, keeping the first of each in its place.
 *
 * @param list address of span indexes, u32 each; not in Scratch6
 * @returns how many are left
 */
export function dropRepeats(list: usize, count: u32): u32 {
  if (count < 2) return count;
  const slots: u32 = 1 << (32 - <u32>clz(count << 1));
  reserve(Column.Scratch6, slots << 2);
  const table = at(Column.Scratch6);
  memory.fill(table, 0, slots << 2);
  const mask = slots - 1;
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const span = load<u32>(list + ((<usize>i) << 2));
    let slot = contentHash(span) & mask;
    let entry = load<u32>(table + ((<usize>slot) << 2));
    while (entry && !isRepeat(load<u32>(list + ((<usize>entry - 1) << 2)), span)) {
      slot = (slot + 1) & mask;
      entry = load<u32>(table + ((<usize>slot) << 2));
    }
    if (entry) continue;
    store<u32>(list + ((<usize>kept) << 2), span);
    store<u32>(table + ((<usize>slot) << 2), ++kept);
  }
  return kept;
}

function u32At(column: i32, span: u32): u32 {
  return load<u32>(at(column) + ((<usize>span) << 2));
}

function u64At(column: i32, span: u32): u64 {
  return load<u64>(at(column) + ((<usize>span) << 3));
}

/** Of all that makes a repeat, one number inside the other, so that a trace of one id a thousand times takes no longer than another. */
function contentHash(span: u32): u32 {
  const kind = <u64>u32At(Column.SpanKind, span);
  const what = mix(u64At(Column.SpanStart, span) ^ ((<u64>u32At(Column.SpanName, span)) << 8) ^ kind);
  const where = mix(u64At(Column.SpanParent, span) ^ mix(u64At(Column.SpanDuration, span) ^ what));
  return <u32>mix(u64At(Column.SpanId, span) ^ where);
}

function isRepeat(a: u32, b: u32): bool {
  return (
    u64At(Column.SpanId, a) == u64At(Column.SpanId, b) &&
    u32At(Column.SpanTrace, a) == u32At(Column.SpanTrace, b) &&
    u32At(Column.SpanKind, a) == u32At(Column.SpanKind, b) &&
    u32At(Column.SpanName, a) == u32At(Column.SpanName, b) &&
    u64At(Column.SpanParent, a) == u64At(Column.SpanParent, b) &&
    u64At(Column.SpanStart, a) == u64At(Column.SpanStart, b) &&
    u64At(Column.SpanDuration, a) == u64At(Column.SpanDuration, b)
  );
}
