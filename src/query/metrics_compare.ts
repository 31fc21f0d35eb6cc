// The series of compare(): for each attribute its most frequent values in the selection and in the baseline, and how many spans of
// each have them.

import { intervalsOf } from "../search/intervals.ts";
import type { Label } from "../search/labels.ts";
import { labelValue } from "../search/labels.ts";
import type { Compare } from "../traceql/index.ts";
import { countsByBucket, sumOf } from "./metrics_cells.ts";
import { exemplarsOf, valueAt } from "./metrics_exemplars.ts";
import type { MetricsGrid } from "./metrics_grid.ts";
import { labeledGroups, labelText, noValue, textLabel } from "./metrics_labels.ts";
import type { Cells, CompareExemplar, CompareGroup, ComparePartial, CompareSide } from "./metrics_partial.ts";
import type { Series } from "./metrics_types.ts";
import { inOrder, valueText } from "./series_order.ts";

const sides: readonly CompareSide[] = ["baseline", "selection"];

interface ValueCells {
  label: Label;
  cells: Cells[];
}

export function compareSeries({ topN }: Compare, partial: ComparePartial, grid: MetricsGrid): Series[] {
  return inOrder(sides.flatMap((side) => seriesOfSide(side, Number(topN), partial, grid)));
}

function seriesOfSide(
  side: CompareSide,
  topN: number,
  { groups, exemplars }: ComparePartial,
  grid: MetricsGrid,
): Series[] {
  const intervals = intervalsOf(grid);
  const ofSide = groups.filter((group) => group.side === side);
  const shown = [...Map.groupBy(ofSide, ({ attribute }) => attribute)].map(([attribute, all]) => ({
    total: totalOf(attribute, all, side, intervals),
    largest: largest(comparedValues(all), topN),
  }));
  const own = byLabel(
    exemplars.filter((exemplar) => exemplar.side === side),
    new Set(shown.flatMap((one) => one.largest.map(({ label }) => labelText(label)))),
  );
  return shown.flatMap((one) => [
    one.total,
    ...one.largest.map(({ label, cells }) => {
      const values = countsByBucket(cells, intervals).get(0) ?? new Float64Array(intervals);
      const exemplars = exemplarsOf(grid, own.get(labelText(label)) ?? [], valueAt(grid, values));
      return { labels: [textLabel("__meta_type", side), label], values, exemplars };
    }),
  ]);
}

/** A span belongs to a series for each of its attributes: its exemplar goes with the first of its labels that has one. */
function byLabel(exemplars: CompareExemplar[], known: ReadonlySet<string>): Map<string, CompareExemplar[]> {
  const found = Map.groupBy(exemplars, ({ labels }) => labels.map(labelText).find((text) => known.has(text)));
  return new Map([...found].flatMap(([text, some]) => (text === undefined ? [] : [[text, some]])));
}

/** The values that are counted by themselves. */
function comparedValues(groups: readonly CompareGroup[]): ValueCells[] {
  const counted = groups.flatMap((group) =>
    group.value === "others" ? [] : [{ ...group, value: group.value }],
  );
  return labeledGroups(counted, ({ attribute, value }) => [
    { key: attribute, value: value === null ? noValue : labelValue(value) },
  ]).map(({ labels, cells }) => ({ label: labels[0]!, cells }));
}

/** Of equal sums the first by the text of the value. */
function largest(values: ValueCells[], count: number): ValueCells[] {
  return values
    .map((one) => ({ one, sum: sumOfCells(one.cells), text: valueText(one.label.value) }))
    .sort((a, b) => b.sum - a.sum || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .slice(0, count)
    .map(({ one }) => one);
}

function sumOfCells(cells: readonly Cells[]): number {
  return cells.reduce((sum, { counts }) => sum + sumOf(counts), 0);
}

/** Of all values, those too that are too many to be shown. */
function totalOf(
  attribute: string,
  groups: readonly CompareGroup[],
  side: CompareSide,
  intervals: number,
): Series {
  const all = groups.map(({ cells }) => cells);
  const labels = [textLabel("__meta_type", `${side}_total`), { key: attribute, value: noValue }];
  const values = countsByBucket(all, intervals).get(0) ?? new Float64Array(intervals);
  return { labels, values, exemplars: [] };
}
