// Cells as arrays with a number for every interval.
import { bucketsMax, type Cells } from "./metrics_partial.ts";

/** The counts of all intervals for each bucket that has any, in the order of the buckets. */
export function countsByBucket(cells: readonly Cells[], intervals: number): Map<number, Float64Array> {
  const found = new Map<number, Float64Array>();
  for (const { slots, counts } of cells) {
    for (let i = 0; i < slots.length; i++) {
      const bucket = slots[i]! % bucketsMax;
      let row = found.get(bucket);
      if (row === undefined) {
        row = new Float64Array(intervals);
        found.set(bucket, row);
      }
      row[Math.floor(slots[i]! / bucketsMax)]! += counts[i]!;
    }
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

export interface Values {
  counts: Float64Array;
  values: Float64Array; // NaN where the count is 0
}

/** @param combine two values of one interval */
export function valuesOf(
  cells: readonly Cells[],
  intervals: number,
  combine: (a: number, b: number) => number,
): Values {
  const found = { counts: new Float64Array(intervals), values: new Float64Array(intervals).fill(Number.NaN) };
  for (const { slots, counts, values } of cells) {
    for (let i = 0; i < slots.length; i++) {
      const interval = Math.floor(slots[i]! / bucketsMax);
      const isFirst = found.counts[interval] === 0;
      found.values[interval] = isFirst ? values[i]! : combine(found.values[interval]!, values[i]!);
      found.counts[interval]! += counts[i]!;
    }
  }
  return found;
}

export function sumOf(numbers: Float64Array): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
