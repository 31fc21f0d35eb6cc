// Quantiles estimated from the counts of power-of-two buckets.
import { sumOf } from "./metrics_cells.ts";
import { bucketsMax, type Cells } from "./metrics_partial.ts";

/** A bucket with spans: it holds values up to two to the power of its logarithm. */
export interface Bucket {
  log2: number;
  count: number;
}

/**
 * @param q 0 to 1
 * @param buckets in their order
 * @returns 0 if there are none
 */
export function quantileOf(q: number, buckets: readonly Bucket[]): number {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  // At least one value has to be looked at.
  const wanted = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const [i, { log2, count }] of buckets.entries()) {
    if (seen + count === wanted) return 2 ** log2;
    if (seen + count > wanted) {
      const below = i === 0 ? log2 - 1 : buckets[i - 1]!.log2;
      return 2 ** (below + (log2 - below) * ((wanted - seen) / count));
    }
    seen += count;
  }
  return 0;
}

/** Of every interval that has any. Only these are walked: there may be ten thousand without. */
export function bucketsByInterval(cells: readonly Cells[]): Map<number, Bucket[]> {
  const counts = new Map<number, number>();
  for (const { slots, counts: own } of cells) {
    for (let i = 0; i < slots.length; i++) counts.set(slots[i]!, (counts.get(slots[i]!) ?? 0) + own[i]!);
  }
  const found = new Map<number, Bucket[]>();
  for (const slot of Uint32Array.from(counts.keys()).sort()) {
    const interval = Math.floor(slot / bucketsMax);
    const bucket = { log2: slot % bucketsMax, count: counts.get(slot)! };
    const known = found.get(interval);
    if (known === undefined) found.set(interval, [bucket]);
    else known.push(bucket);
  }
  return found;
}

/** Of all intervals together. */
export function bucketsOverall(counts: ReadonlyMap<number, Float64Array>): Bucket[] {
  return [...counts].map(([log2, row]) => ({ log2, count: sumOf(row) }));
}

/** The bucket that a value is counted in; null for values that are left out. */
export function bucketOf(value: number): number | null {
  if (!(value >= 2)) return null;
  let log2 = 1;
  while (2 ** log2 < value) log2++;
  return log2;
}
