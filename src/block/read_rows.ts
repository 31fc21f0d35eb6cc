// Sets of rows as ranges that ascend and do not touch.
import type { RowRange } from "./read_plan.ts";

/** Rows that are in both. */
export function intersectRows(a: readonly RowRange[], b: readonly RowRange[]): RowRange[] {
  const found: RowRange[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const start = Math.max(a[i]!.start, b[k]!.start);
    const end = Math.min(a[i]!.end, b[k]!.end);
    if (start < end) found.push({ start, end });
    if (a[i]!.end < b[k]!.end) i++;
    else k++;
  }
  return found;
}

/** Rows that are in one of them at least. */
export function uniteRows(a: readonly RowRange[], b: readonly RowRange[]): RowRange[] {
  if (b.length === 0) return [...a];
  return joinRows([...a, ...b].sort((x, y) => x.start - y.start));
}

/** Joins ranges, which begin in ascending order, where they touch or overlap; empty ones go. */
export function joinRows(ranges: readonly RowRange[]): RowRange[] {
  const joined: RowRange[] = [];
  for (const { start, end } of ranges) {
    if (start >= end) continue;
    const before = joined.at(-1);
    if (before && start <= before.end) before.end = Math.max(before.end, end);
    else joined.push({ start, end });
  }
  return joined;
}
