// For tests only: what was counted for a metrics query, and its series as lines of text.

import type { LabelValue } from "../search/labels.ts";
import { type MetricsStage, parse } from "../traceql/index.ts";
import type { MetricsGrid } from "./metrics_grid.ts";
import { bucketsMax, type Cells, type GroupKey, type MetricsGroup } from "./metrics_partial.ts";
import type { Series } from "./metrics_types.ts";

/** Three intervals of 10 s. */
export const grid: MetricsGrid = {
  startNanos: 100_000_000_000n,
  endNanos: 130_000_000_000n,
  stepNanos: 10_000_000_000n,
  isInstant: false,
};

export const text = (value: string) => ({ type: "string", value }) as const;
export const int = (value: number) => ({ type: "int", value: BigInt(value) }) as const;

export function stageOf(query: string): MetricsStage {
  return parse(query).metrics!;
}

interface Cell {
  /** Interval. */
  at: number;
  bucket?: number;
  count: number;
  value?: number;
}

export function cellsOf(...cells: Cell[]): Cells {
  return {
    slots: Uint32Array.from(cells, ({ at, bucket = 0 }) => at * bucketsMax + bucket),
    counts: Float64Array.from(cells, ({ count }) => count),
    values: Float64Array.from(cells, ({ value = 0 }) => value),
  };
}

export function groupOf(key: GroupKey, ...cells: Cell[]): MetricsGroup {
  return { key, cells: cellsOf(...cells) };
}

export function seriesOf(labels: [key: string, value: LabelValue][], ...values: number[]): Series {
  return {
    labels: labels.map(([key, value]) => ({ key, value })),
    values: Float64Array.from(values),
    exemplars: [],
  };
}

/** A line for each: `k="a" n=5: 1 - 0`, with a dash for no sample. */
export function shown(series: readonly Series[]): string[] {
  return series.map(({ labels, values }) => {
    const names = labels.map(
      ({ key, value }) => `${key}=${value.type === "string" ? `"${value.value}"` : value.value}`,
    );
    const samples = [...values].map((value) => (Number.isNaN(value) ? "-" : String(value)));
    return `${names.join(" ")}: ${samples.join(" ")}`;
  });
}
