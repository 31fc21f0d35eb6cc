// How many spans of a batch differ: counted without putting them in order, so that what was ordered can be held against it.

import { spans } from "./batch";
import { Column } from "./column_ids";
import { mix } from "./hash";
import { at, reserve } from "./memory";

/** Spans that are no exact repeat of another one of their trace: by a hash of 64 bits of what makes a repeat. */
export function distinctSpans(): u32 {
  const slots: u32 = 1 << (32 - <u32>clz((spans << 1) | 255));
  reserve(Column.Scratch0, slots << 3);
  const table = at(Column.Scratch0);
  memory.fill(table, 0, (<usize>slots) << 3);
  const mask = slots - 1;
  let found: u32 = 0;
  for (let span: u32 = 0; span < spans; span++) {
    // 0 is a free slot.
    const hash = max<u64>(1, identity(<usize>span));
    let slot = <u32>(hash >>> 32) & mask;
    let entry = load<u64>(table + ((<usize>slot) << 3));
    while (entry && entry != hash) {
      slot = (slot + 1) & mask;
      entry = load<u64>(table + ((<usize>slot) << 3));
    }
    if (entry) continue;
    store<u64>(table + ((<usize>slot) << 3), hash);
    found++;
  }
  return found;
}

function identity(span: usize): u64 {
  const trace = <u64>load<u32>(at(Column.SpanTrace) + (span << 2));
  const name = <u64>load<u32>(at(Column.SpanName) + (span << 2));
  const kind = <u64>load<u32>(at(Column.SpanKind) + (span << 2));
  let h = mix((trace << 32) | name) + kind;
  h = mix(h ^ load<u64>(at(Column.SpanId) + (span << 3)));
  h = mix(h ^ load<u64>(at(Column.SpanParent) + (span << 3)));
  h = mix(h ^ load<u64>(at(Column.SpanStart) + (span << 3)));
  return mix(h ^ load<u64>(at(Column.SpanDuration) + (span << 3)));
}
