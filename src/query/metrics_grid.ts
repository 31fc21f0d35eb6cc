// The intervals of a metrics query: open on the left, closed on the right.
import type { MetricsRequest } from "./metrics_types.ts";

export type MetricsGrid = Pick<MetricsRequest, "startNanos" | "endNanos" | "stepNanos" | "isInstant">;

/** Null outside of the grid. */
export function intervalOf({ startNanos, endNanos, stepNanos }: MetricsGrid, nanos: bigint): number | null {
  if (nanos <= startNanos || nanos > endNanos) return null;
  return Number((nanos - startNanos - 1n) / stepNanos);
}

/** That rates are of. */
export function secondsOf({ startNanos, endNanos, stepNanos, isInstant }: MetricsGrid): number {
  return Number(isInstant ? endNanos - startNanos : stepNanos) / 1e9;
}
