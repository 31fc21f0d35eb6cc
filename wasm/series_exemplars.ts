// Which of the counted spans stand as examples for the others.

import { spans } from "./batch";
import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { QueryType } from "./query_ids";
import { contentsOf, typesOf } from "./query_vectors";
import { bucketBits, Fold } from "./series_ids";
import { firstSlot, gridStart, gridStep, lastSlot, NO_SLOT } from "./series_select";

/**
 * Picks spans, one of each trace at most, as many as are wanted of each bucket of time: u32 each in the column Output.
 *
 * @param wanted address of a byte for each bucket: how many are wanted still. Those that are picked are taken from it
 * @param bucketLow ns of a bucket, low and high word
 * @param values by span; only one with a number that counts is picked. 0xffffffff: any
 * @param fold what is done with them
 * @returns how many there are
 */
export function pickExemplars(
  wanted: usize,
  buckets: u32,
  bucketLow: u32,
  bucketHigh: u32,
  values: u32,
  fold: u32,
): u32 {
  const bucketNanos = <u64>bucketLow | ((<u64>bucketHigh) << 32);
  // Of the times that the batch has spans of.
  const first = (<u64>(firstSlot >>> bucketBits) * gridStep) / bucketNanos;
  const last = ((<u64>(lastSlot >>> bucketBits) + 1) * gridStep - 1) / bucketNanos;
  let left: u32 = 0;
  for (let i = first; i <= last && i < <u64>buckets; i++) left += <u32>load<u8>(wanted + <usize>i);
  reserve(Column.Output, (left + 1) << 2);
  const out = at(Column.Output);
  const slots = at(Column.SeriesSlot);
  const starts = at(Column.SpanStart);
  const traces = at(Column.SpanTrace);
  let count: u32 = 0;
  for (let i: usize = 0; i < <usize>spans && left; i++) {
    if (load<u32>(slots + (i << 2)) == NO_SLOT) continue;
    const bucket = (load<u64>(starts + (i << 3)) - gridStart - 1) / bucketNanos;
    if (bucket >= <u64>buckets || !load<u8>(wanted + <usize>bucket)) continue;
    if (values != 0xffffffff && !counts(values, i, fold)) continue;
    const trace = load<u32>(traces + (i << 2));
    let isKnown = false;
    for (let k: usize = 0; k < <usize>count && !isKnown; k++) {
      isKnown = load<u32>(traces + ((<usize>load<u32>(out + (k << 2))) << 2)) == trace;
    }
    if (isKnown) continue;
    store<u32>(out + (usize(count++) << 2), <u32>i);
    store<u8>(wanted + <usize>bucket, load<u8>(wanted + <usize>bucket) - 1);
    left--;
  }
  return count;
}

/** Whether the value of a span is one that is measured. */
function counts(values: u32, span: usize, fold: u32): bool {
  const type = <u32>load<u8>(typesOf(values) + span);
  if (type == <u32>QueryType.Double) return fold != <u32>Fold.Buckets;
  if (type != <u32>QueryType.Int && type != <u32>QueryType.Duration) return false;
  return fold != <u32>Fold.Buckets || load<i64>(contentsOf(values, spans) + (span << 3)) >= 2;
}
