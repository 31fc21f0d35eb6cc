// Comparisons of series with a number: samples and exemplars for which they don't hold are left out.
import { holds } from "../search/operators.ts";
import type { Numeric, Threshold } from "../traceql/index.ts";
import type { Series } from "./metrics_types.ts";

/** Series without a sample disappear. */
export function passing({ op, value }: Threshold, series: Series[]): Series[] {
  const threshold = thresholdOf(value);
  return series.flatMap(({ labels, values, exemplars }) => {
    const kept = values.map((one) => (!Number.isNaN(one) && holds(op, one, threshold) ? one : Number.NaN));
    if (kept.every(Number.isNaN)) return [];
    return [{ labels, values: kept, exemplars: exemplars.filter((one) => holds(op, one.value, threshold)) }];
  });
}

/** Durations are compared as seconds. */
function thresholdOf({ type, value }: Numeric): number {
  return type === "duration" ? Number(value) / 1e9 : Number(value);
}
