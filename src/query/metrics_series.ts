// The series of a metrics query, from what was counted: labels, rates, means and quantiles, zeros where nothing was counted, and the
// second stages.

import { intervalsOf } from "../search/intervals.ts";
import type { Label } from "../search/labels.ts";
import {
  type Attribute,
  type CountOverTime,
  type FieldOverTime,
  intrinsicTypes,
  type MetricsFunction,
  type MetricsStage,
  type QuantileOverTime,
} from "../traceql/index.ts";
import { countsByBucket, type Values, valuesOf } from "./metrics_cells.ts";
import { exemplarsOf, nearest, valueAt } from "./metrics_exemplars.ts";
import { type MetricsGrid, secondsOf } from "./metrics_grid.ts";
import { keyLabels, type LabeledGroup, labeledGroups, missingLabel, textLabel } from "./metrics_labels.ts";
import type { GroupKey, MetricsPartial, PartialExemplar } from "./metrics_partial.ts";
import { bucketOf, bucketsByInterval, bucketsOverall, quantileOf } from "./metrics_quantile.ts";
import { ranked } from "./metrics_ranking.ts";
import { passing } from "./metrics_threshold.ts";
import type { Series } from "./metrics_types.ts";
import { inOrder } from "./series_order.ts";

type GroupedFunction = Exclude<MetricsFunction, { kind: "compare" }>;

const nanosPerSecond = 1e9;

/** @param stage no compare() */
export function metricsSeries(stage: MetricsStage, partial: MetricsPartial, grid: MetricsGrid): Series[] {
  const { function: first, secondStages } = stage;
  if (first.kind === "compare") throw new Error("metrics: compare() has groups of its own");
  const groups = labeledGroups(partial.groups, ({ key }) => labelsOf(first, key), partial.exemplars);
  // Without any span there is a count all the same.
  if (first.kind === "countOverTime" && first.by.length === 0 && groups.length === 0) {
    groups.push({ labels: labelsOf(first, []), cells: [], exemplars: [] });
  }
  const series = groups
    .flatMap((group) => seriesOf(first, group, grid))
    .filter(({ values }) => values.some((value) => !Number.isNaN(value)));
  return secondStages.reduce(
    (input, second) => (second.kind === "ranking" ? ranked(second, input) : passing(second, input)),
    inOrder(series),
  );
}

/** Those of the group; a series of a bucket or a quantile has one more. */
function labelsOf(first: GroupedFunction, key: GroupKey): Label[] {
  const labels = keyLabels(first.by, key);
  if (labels.length > 0 || first.kind === "quantileOverTime" || first.function === "histogram_over_time") {
    return labels;
  }
  // Some label there has to be.
  const [attribute] = first.by;
  return [attribute === undefined ? textLabel("__name__", first.function) : missingLabel(attribute)];
}

function seriesOf(first: GroupedFunction, group: LabeledGroup, grid: MetricsGrid): Series[] {
  switch (first.kind) {
    case "countOverTime":
      return [countSeries(first, group, grid)];
    case "fieldOverTime":
      if (first.function === "histogram_over_time") return histogramSeries(first, group, grid);
      return [valueSeries(first.function, unitOf(first.attribute), group, grid)];
    case "quantileOverTime":
      return quantileSeries(first, group, grid);
  }
}

function countSeries({ function: name }: CountOverTime, group: LabeledGroup, grid: MetricsGrid): Series {
  const intervals = intervalsOf(grid);
  const counts = countsByBucket(group.cells, intervals).get(0) ?? new Float64Array(intervals);
  const seconds = secondsOf(grid);
  const values = name === "rate" ? counts.map((count) => count / seconds) : counts;
  return {
    labels: group.labels,
    values,
    exemplars: exemplarsOf(grid, group.exemplars, valueAt(grid, values)),
  };
}

const combine = {
  min_over_time: Math.min,
  max_over_time: Math.max,
  sum_over_time: (a: number, b: number) => a + b,
  avg_over_time: (a: number, b: number) => a + b,
};

function valueSeries(
  name: keyof typeof combine,
  unit: number,
  group: LabeledGroup,
  grid: MetricsGrid,
): Series {
  const found = valuesOf(group.cells, intervalsOf(grid), combine[name]);
  const values = name === "avg_over_time" ? means(found) : found.values;
  return {
    labels: group.labels,
    values: values.map((value) => value / unit),
    exemplars: exemplarsOf(grid, group.exemplars, ownValue(unit)),
  };
}

function ownValue(unit: number): (exemplar: PartialExemplar) => number | null {
  return ({ value }) => (value === null ? null : value / unit);
}

function means({ counts, values }: Values): Float64Array {
  return values.map((value, i) => value / counts[i]!);
}

function histogramSeries({ attribute }: FieldOverTime, group: LabeledGroup, grid: MetricsGrid): Series[] {
  const unit = unitOf(attribute);
  const exemplars = Map.groupBy(group.exemplars, ({ value }) => (value === null ? null : bucketOf(value)));
  return [...countsByBucket(group.cells, intervalsOf(grid))].map(([bucket, counts]) => ({
    labels: [...group.labels, doubleLabel("__bucket", 2 ** bucket / unit)],
    values: counts,
    exemplars: exemplarsOf(grid, exemplars.get(bucket) ?? [], valueAt(grid, counts)),
  }));
}

function quantileSeries(
  { attribute, quantiles }: QuantileOverTime,
  group: LabeledGroup,
  grid: MetricsGrid,
): Series[] {
  const unit = unitOf(attribute);
  const intervals = intervalsOf(grid);
  const counts = countsByBucket(group.cells, intervals);
  if (counts.size === 0) return [];
  const ps = [...new Set(quantiles)];
  const values = ps.map(() => new Float64Array(intervals));
  for (const [i, buckets] of bucketsByInterval(group.cells)) {
    for (const [k, p] of ps.entries()) values[k]![i] = quantileOf(p, buckets) / unit;
  }
  const overall = ps.map((p) => quantileOf(p, bucketsOverall(counts)) / unit);
  const exemplars = Map.groupBy(group.exemplars, ({ value }) =>
    value === null ? null : nearest(overall, value / unit),
  );
  return ps.map((p, k) => ({
    labels: [...group.labels, doubleLabel("p", p)],
    values: values[k]!,
    exemplars: exemplarsOf(grid, exemplars.get(k) ?? [], ownValue(unit)),
  }));
}

function doubleLabel(key: string, value: number): Label {
  return { key, value: { type: "double", value } };
}

/**
 * Nanoseconds, of what is a duration, for one of the answer, which has seconds. No attribute is a duration, and an intrinsic is one for
 * all spans or for none.
 */
function unitOf(attribute: Attribute): number {
  return attribute.kind === "intrinsic" && intrinsicTypes[attribute.name] === "duration" ? nanosPerSecond : 1;
}
