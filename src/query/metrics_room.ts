// How many series an answer has room for: each has a number for every interval, whether spans were counted in it or not.
import type { Compare, MetricsFunction } from "../traceql/index.ts";
import { sumOf } from "./metrics_cells.ts";
import { bucketsMax, type CompareGroup, type MetricsGroup } from "./metrics_partial.ts";

/** Numbers of all series of an answer, 8 bytes each here and some forty as JSON: 5,000 series of 260 intervals. */
export const samplesMax = 1_300_000;

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

/**
 * How many values of each attribute a comparison shows, and of which attributes: of too many those that come first by name.
 *
 * @param intervals of the answer
 */
export function comparedRoom(
  groups: readonly CompareGroup[],
  { topN }: Compare,
  intervals: number,
): { groups: CompareGroup[]; topN: bigint; isCut: boolean } {
  const attributes = [...new Set(groups.map(({ attribute }) => attribute))].sort();
  // Both sides have a series for each value, and one for all.
  const seriesMax = Math.max(sides * 2, Math.floor(samplesMax / intervals));
  const shown = new Set(attributes.slice(0, Math.floor(seriesMax / (sides * 2))));
  const valuesMax = Math.floor(seriesMax / (sides * Math.max(1, shown.size))) - 1;
  const values = Map.groupBy(groups, ({ attribute, side }) => `${side} ${attribute}`);
  const most = Math.max(0, ...[...values.values()].map(({ length }) => length));
  return {
    groups: groups.filter(({ attribute }) => shown.has(attribute)),
    topN: topN > BigInt(valuesMax) ? BigInt(valuesMax) : topN,
    isCut: shown.size < attributes.length || (topN > BigInt(valuesMax) && most > valuesMax),
  };
}

const sides = 2;
