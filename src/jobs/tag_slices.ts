// Row ranges in pieces: small ones first, since a few spans often have all that there is to be listed.
import type { RowRange } from "../block/read_plan.ts";

/** Spans of the first piece. */
const firstSpans = 1 << 13;
/** Each piece has this times the spans of the one before. */
const growth = 4;
/** Spans that are read at a time: what is listed of them takes some 50 bytes each. */
const spansMax = 1 << 18;

interface GroupSize {
  rows: number;
  spans: number;
}

/**
 * Cuts row ranges into pieces, going by the average number of spans in a row.
 *
 * @param all whether all of them will be read anyway, so that small pieces are of no use
 */
export function* growingSlices(
  ranges: readonly RowRange[],
  { rows, spans }: GroupSize,
  all: boolean,
): Generator<RowRange[]> {
  const rowsOf = (wanted: number): number => Math.max(1, Math.floor((wanted * rows) / Math.max(spans, 1)));
  let wanted = all ? spansMax : firstSpans;
  let slice: RowRange[] = [];
  let room = rowsOf(wanted);
  for (const range of ranges) {
    let { start } = range;
    while (start < range.end) {
      const end = Math.min(range.end, start + room);
      slice.push({ start, end });
      room -= end - start;
      start = end;
      if (room > 0) continue;
      yield slice;
      slice = [];
      wanted = Math.min(wanted * growth, spansMax);
      room = rowsOf(wanted);
    }
  }
  if (slice.length > 0) yield slice;
}
