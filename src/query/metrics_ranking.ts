// topk() and bottomk(): of the series that have a sample at a time some keep it, each time for itself.

import type { Label, LabelValue } from "../search/labels.ts";
import type { Ranking } from "../traceql/index.ts";
import type { Series } from "./metrics_types.ts";

/** Series without a sample disappear; the others stay in their order. */
export function ranked({ function: name, limit }: Ranking, series: Series[]): Series[] {
  const kept = Number(limit);
  if (series.length <= kept) return series;
  const sign = name === "topk" ? 1 : -1;
  const places = placesOf(series);
  const chosen = series.map(({ values }) => new Float64Array(values.length).fill(Number.NaN));
  const hasSample = new Set<number>();
  for (let i = 0; i < series[0]!.values.length; i++) {
    const valueAt = (at: number) => series[at]!.values[i]!;
    const best = [...series.keys()]
      .filter((at) => !Number.isNaN(valueAt(at)))
      .sort((a, b) => sign * (compareNumbers(valueAt(b), valueAt(a)) || places[a]! - places[b]!))
      .slice(0, kept);
    for (const at of best) {
      chosen[at]![i] = valueAt(at);
      hasSample.add(at);
    }
  }
  return series.flatMap((one, at) => (hasSample.has(at) ? [{ ...one, values: chosen[at]! }] : []));
}

/** A difference would be no number for two infinite ones. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** For each series its place among those of the same value, as topk() has them. */
function placesOf(series: Series[]): number[] {
  const order = [...series.keys()].sort((a, b) => compareLabels(series[a]!.labels, series[b]!.labels));
  const places: number[] = [];
  for (const [place, at] of order.entries()) places[at] = place;
  return places;
}

/** Label by label. What the language leaves open: of different keys or types the first in the alphabet, and fewer labels first. */
function compareLabels(a: readonly Label[], b: readonly Label[]): number {
  for (const [i, { key, value }] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    const order = compareTexts(key, other.key) || compareValues(value, other.value);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Of texts the first in the alphabet, of numbers and bools the largest. */
function compareValues(a: LabelValue, b: LabelValue): number {
  if (a.type !== b.type) return compareTexts(a.type, b.type);
  if (a.type === "string" && b.type === "string") return compareTexts(a.value, b.value);
  return a.value > b.value ? -1 : a.value < b.value ? 1 : 0;
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
