// Whether a batch has spans of a time.

import { spans } from "./batch";
import { Column } from "./column_ids";
import { at } from "./memory";

const SECOND: u64 = 1_000_000_000;

/**
 * Tells whether some span overlaps a range of unix seconds, both ends included, as the metas of blocks count them. A span without
 * start does.
 *
 * @param end 0: no bound
 */
export function hasSpansWithin(start: u32, end: u32): bool {
  const from = <u64>start * SECOND;
  const to = end ? (<u64>end + 1) * SECOND - 1 : u64.MAX_VALUE;
  for (let span: u32 = 0; span < spans; span++) {
    const began = load<u64>(at(Column.SpanStart) + ((<usize>span) << 3));
    if (!began) return true;
    const ended = began + load<u64>(at(Column.SpanDuration) + ((<usize>span) << 3));
    // A span that ends before it starts counts where it starts.
    if (began <= to && max(began, ended) >= from) return true;
  }
  return false;
}
