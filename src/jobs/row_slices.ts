// Rows of a row group, cut into pieces that a batch has room for.
import type { RowRange } from "../block/read_plan.ts";

/** Spans that are judged or shown at a time: their columns and vectors take some 100 bytes each. */
const sliceSpansMax = 1 << 17;

/** Cuts row ranges into pieces of so many spans, going by the average of the group. */
export function* slicesOf(
  rows: readonly RowRange[],
  { rows: groupRows, spans }: { rows: number; spans: number },
  spansMax = sliceSpansMax,
): Generator<RowRange[]> {
  const rowsMax = Math.max(1, Math.floor((spansMax * groupRows) / Math.max(spans, 1)));
  let slice: RowRange[] = [];
  let count = 0;
  for (const range of rows) {
    let { start } = range;
    while (start < range.end) {
      const end = Math.min(range.end, start + rowsMax - count);
      slice.push({ start, end });
      count += end - start;
      start = end;
      if (count < rowsMax) continue;
      yield slice;
      slice = [];
      count = 0;
    }
  }
  if (slice.length > 0) yield slice;
}

/** Rows in the file of rows by their place among those that were read, which ascend. */
export function rowsOf(rows: readonly RowRange[], places: Uint32Array): Uint32Array {
  const found = new Uint32Array(places.length);
  let range = 0;
  let first = 0; // place of the range's first row
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    while (place >= first + rows[range]!.end - rows[range]!.start) {
      first += rows[range]!.end - rows[range]!.start;
      range++;
    }
    found[i] = rows[range]!.start + place - first;
  }
  return found;
}

/** @param rows ascending */
export function rangesOf(rows: readonly number[]): RowRange[] {
  const ranges: RowRange[] = [];
  for (const row of rows) {
    const last = ranges.at(-1);
    if (last?.end === row) last.end++;
    else ranges.push({ start: row, end: row + 1 });
  }
  return ranges;
}
