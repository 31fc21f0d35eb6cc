// How many series an answer has room for: each has a number for every interval, whether spans were counted in it or not.
import type { MetricsFunction } from "../traceql/index.ts";
import { sumOf } from "./metrics_cells.ts";
import { bucketsMax, type MetricsGroup } from "./metrics_partial.ts";

/** Numbers of all series of an answer, 8 bytes each here and up to forty as JSON. */
export const samplesMax = 1 << 21;

/**
 * The groups whose series there is room for: of too many those with the most spans.
 *
 * @param intervals of the answer
 */
export function fitting(
  groups: MetricsGroup[],
  first: MetricsFunction,
  intervals: number,
): { groups: MetricsGroup[]; isCut: boolean } {
  const sized = groups.map((group) => ({ group, samples: seriesOf(group, first) * intervals }));
  if (sized.reduce((sum, { samples }) => sum + samples, 0) <= samplesMax) return { groups, isCut: false };
  const largest = sized
    .map((one) => ({ ...one, spans: sumOf(one.group.cells.counts) }))
    .sort((a, b) => b.spans - a.spans);
  const kept: MetricsGroup[] = [];
  let room = samplesMax;
  for (const { group, samples } of largest) {
    room -= samples;
    if (room < 0) break;
    kept.push(group);
  }
  return { groups: kept, isCut: true };
}

/** Series that a group becomes. */
function seriesOf({ cells }: MetricsGroup, first: MetricsFunction): number {
  if (first.kind === "quantileOverTime") return first.quantiles.length;
  if (first.kind !== "fieldOverTime" || first.function !== "histogram_over_time") return 1;
  return new Set(cells.slots.map((slot) => slot % bucketsMax)).size;
}
