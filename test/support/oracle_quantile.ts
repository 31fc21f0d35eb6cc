// Buckets and quantiles, by the TraceQL oracle.

/** The smallest power of two that is not less. */
export function powerOfTwo(value: bigint): bigint {
  let power = 1n;
  while (power < value) power *= 2n;
  return power;
}

/** @param bounds the bound of each value's bucket */
export function quantile(q: number, bounds: number[]): number {
  if (bounds.length === 0) return 0;
  const sorted = bounds.toSorted((a, b) => a - b);
  const wanted = Math.max(1, Math.ceil(q * sorted.length));
  // The bucket of the value that is looked for, the values before it, and those in it.
  const bound = sorted[wanted - 1]!;
  const before = sorted.filter((one) => one < bound).length;
  const count = sorted.filter((one) => one === bound).length;
  if (before + count === wanted) return bound;
  const high = Math.log2(bound);
  const low = before === 0 ? high - 1 : Math.log2(sorted[before - 1]!);
  return 2 ** (low + ((high - low) * (wanted - before)) / count);
}
