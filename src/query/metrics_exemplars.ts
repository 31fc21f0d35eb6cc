// Exemplars of a group as those of its series.

import type { Label } from "../search/labels.ts";
import { intervalOf, type MetricsGrid } from "./metrics_grid.ts";
import type { Exemplar } from "./metrics_types.ts";

interface Found {
  startNanos: bigint;
  labels: Label[];
}

/** Those with a value, by time. Of an instant query there are none. */
export function exemplarsOf<T extends Found>(
  { isInstant }: MetricsGrid,
  found: readonly T[],
  measure: (exemplar: T) => number | null,
): Exemplar[] {
  if (isInstant) return [];
  return found
    .flatMap((exemplar) => {
      const value = measure(exemplar);
      if (value === null || Number.isNaN(value)) return [];
      return [{ labels: exemplar.labels, timestampMs: Number(exemplar.startNanos / 1_000_000n), value }];
    })
    .sort((a, b) => a.timestampMs - b.timestampMs);
}

/** An exemplar of what counts spans has no value of its own: it is given that of its interval. */
export function valueAt(grid: MetricsGrid, values: Float64Array): (exemplar: Found) => number | null {
  return ({ startNanos }) => {
    const interval = intervalOf(grid, startNanos);
    return interval === null ? null : values[interval]!;
  };
}

/** Which of some series has the overall value that is nearest to an exemplar's; the first of several. */
export function nearest(overall: readonly number[], value: number): number {
  const distances = overall.map((one) => Math.abs(one - value));
  return distances.indexOf(Math.min(...distances));
}
