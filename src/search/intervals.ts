// The intervals that spans are counted in: open on the left, closed on the right, one after the other.

/** Unix nanoseconds. */
export interface Intervals {
  startNanos: bigint;
  /** Of the last one, which may be shorter than the others. */
  endNanos: bigint;
  stepNanos: bigint;
}

/** How many there are. */
export function intervalsOf({ startNanos, endNanos, stepNanos }: Intervals): number {
  return Number((endNanos - startNanos + stepNanos - 1n) / stepNanos);
}
