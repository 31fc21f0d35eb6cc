// TraceQL metrics row by row: what a query counts and measures of plain traces, one span and one interval at a time, as the language
// defines it. It owes nothing to the engine, which is held against it. Exemplars, whose choice is free, it has none.
import type { Series } from "../../src/query/metrics_types.ts";
import type { Label } from "../../src/search/labels.ts";
import {
  type Attribute,
  type MetricsFunction,
  parse,
  printAttribute,
  type Query,
  rewrite,
  validate,
} from "../../src/traceql/index.ts";
import { countsOfCompare } from "./oracle_compare.ts";
import type { Fields } from "./oracle_fields.ts";
import { compareLabels, labelValue, textLabel } from "./oracle_labels.ts";
import { powerOfTwo, quantile } from "./oracle_quantile.ts";
import type { Doubts } from "./oracle_reading.ts";
import { type OracleSeries, secondStage, withSamples } from "./oracle_second_stages.ts";
import type { OracleSpan, OracleTrace } from "./oracle_traces.ts";
import { nil, type Value } from "./oracle_values.ts";
import { judge } from "./traceql_oracle.ts";

/** Intervals (start, start + step], (start + step, start + 2 step] and so on. */
export interface OracleGrid {
  /** Unix nanoseconds. */
  startNanos: bigint;
  endNanos: bigint;
  stepNanos: bigint;
  isInstant: boolean;
}

interface OracleMetrics {
  series: Series[];
  doubts: Doubts;
}

/** @throws TraceQLError if the query is none */
export function metricsOf(text: string, traces: OracleTrace[], grid: OracleGrid): OracleMetrics {
  const query = parse(text);
  validate(query);
  return metricsOfQuery(rewrite(query), traces, grid);
}

/** @param query valid and rewritten, with a metrics stage */
export function metricsOfQuery(query: Query, traces: OracleTrace[], grid: OracleGrid): OracleMetrics {
  const doubts: Doubts = new Set();
  const intervals = edgesOf(grid).length;
  const { function: first, secondStages } = query.metrics!;
  const series =
    first.kind === "compare"
      ? countsOfCompare(first, query, countedSpans(query, traces, grid, doubts), intervals, doubts)
      : firstStage(first, countedSpans(query, traces, grid, doubts), grid, intervals);
  const left = secondStages.reduce(secondStage, withSamples(series));
  return { series: left.sort((a, b) => compareLabels(a.labels, b.labels)).map(plain(intervals)), doubts };
}

/** The right edges of the intervals. */
function edgesOf({ startNanos, endNanos, stepNanos, isInstant }: OracleGrid): bigint[] {
  if (isInstant) return [endNanos];
  const edges: bigint[] = [];
  for (let edge = startNanos + stepNanos; edge <= endNanos; edge += stepNanos) edges.push(edge);
  return edges;
}

/** A span that the query keeps, in an interval. */
export interface CountedSpan {
  span: OracleSpan;
  trace: OracleTrace;
  interval: number;
  fields: Fields;
}

export function countedSpans(
  query: Query,
  traces: OracleTrace[],
  grid: OracleGrid,
  doubts: Doubts,
): CountedSpan[] {
  const edges = edgesOf(grid);
  return traces.flatMap((trace) => {
    const { sets, fields } = judge(query, trace, doubts);
    return sets.flatMap(({ spans }) =>
      spans.flatMap((span) => {
        if (span.startNanos <= grid.startNanos) return [];
        const interval = edges.findIndex((edge) => span.startNanos <= edge);
        return interval < 0 ? [] : [{ span, trace, interval, fields }];
      }),
    );
  });
}

/** What is measured of a span, null where that is no number. */
interface Measured {
  interval: number;
  value: { seconds: boolean; value: bigint | number } | null;
}

function firstStage(
  first: Exclude<MetricsFunction, { kind: "compare" }>,
  counted: CountedSpan[],
  grid: OracleGrid,
  intervals: number,
): OracleSeries[] {
  const groups = new Map<string, { labels: Label[]; spans: Measured[] }>();
  const groupOf = (labels: Label[]) => {
    const key = JSON.stringify(labels, (_, value) => (typeof value === "bigint" ? `${value}` : value));
    const group = groups.get(key) ?? { labels, spans: [] };
    groups.set(key, group);
    return group;
  };
  for (const { span, interval, fields } of counted) {
    const group = groupOf(labelsOf(first, (attribute) => readOf(attribute, span, fields)));
    const value = first.kind === "countOverTime" ? nil : readOf(first.attribute, span, fields);
    group.spans.push({ interval, value: numberOf(value) });
  }
  if (first.kind === "countOverTime" && first.by.length === 0) groupOf(labelsOf(first, () => nil));
  return [...groups.values()].flatMap(({ labels, spans }) => {
    const byInterval = Array.from({ length: intervals }, (_, i) =>
      spans.filter(({ interval }) => interval === i),
    );
    return seriesOf(first, labels, byInterval, secondsOf(grid));
  });
}

/** An attribute of the parent is none that a span has. */
export function readOf(attribute: Attribute, span: OracleSpan, fields: Fields): Value {
  if (attribute.kind === "attribute" ? attribute.parent : attribute.name === "parent") return nil;
  return fields.evaluate(attribute, span);
}

function labelsOf(
  first: Exclude<MetricsFunction, { kind: "compare" }>,
  read: (attribute: Attribute) => Value,
): Label[] {
  const labels = first.by.flatMap((attribute): Label[] => {
    const value = labelValue(read(attribute));
    return value === null ? [] : [{ key: printAttribute(attribute), value }];
  });
  const hasBucket = first.kind === "quantileOverTime" || first.function === "histogram_over_time";
  if (labels.length > 0 || hasBucket) return labels;
  if (first.by.length === 0) return [textLabel("__name__", first.function)];
  return [textLabel(printAttribute(first.by[0]!), "nil")];
}

function numberOf(value: Value): Measured["value"] {
  switch (value.type) {
    case "int":
      return { seconds: false, value: value.value };
    case "float":
      return Number.isNaN(value.value) ? null : { seconds: false, value: value.value };
    case "duration":
      return { seconds: true, value: value.value };
    default:
      return null;
  }
}

function secondsOf({ startNanos, endNanos, stepNanos, isInstant }: OracleGrid): number {
  return Number(isInstant ? endNanos - startNanos : stepNanos) / 1e9;
}

function seriesOf(
  first: Exclude<MetricsFunction, { kind: "compare" }>,
  labels: Label[],
  byInterval: Measured[][],
  seconds: number,
): OracleSeries[] {
  switch (first.kind) {
    case "countOverTime": {
      const divisor = first.function === "rate" ? seconds : 1;
      return [{ labels, samples: samples(byInterval, (spans) => spans.length / divisor) }];
    }
    case "quantileOverTime": {
      const bounds = byInterval.map((spans) => spans.flatMap(boundOf));
      if (bounds.flat().length === 0) return [];
      return [...new Set(first.quantiles)].map((q) => ({
        labels: [...labels, { key: "p", value: { type: "double", value: q } }],
        samples: samples(bounds, (some) => quantile(q, some)),
      }));
    }
    case "fieldOverTime": {
      if (first.function === "histogram_over_time") {
        const bounds = byInterval.map((spans) => spans.flatMap(boundOf));
        return [...new Set(bounds.flat())].map((bound) => ({
          labels: [...labels, { key: "__bucket", value: { type: "double", value: bound } }],
          samples: samples(bounds, (some) => some.filter((one) => one === bound).length),
        }));
      }
      const over = measures[first.function];
      return [{ labels, samples: samples(byInterval, (spans) => over(spans.flatMap(plainNumber))) }];
    }
  }
}

function plainNumber({ value }: Measured): number[] {
  if (value === null) return [];
  return [value.seconds ? Number(value.value) / 1e9 : Number(value.value)];
}

/** The bound of a value's bucket, as it is shown: only whole numbers of two or more have one. */
function boundOf({ value }: Measured): number[] {
  if (value === null || typeof value.value !== "bigint" || value.value < 2n) return [];
  const bound = Number(powerOfTwo(value.value));
  return [value.seconds ? bound / 1e9 : bound];
}

type Measure = (values: number[]) => number | null;
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const measures: Record<"min_over_time" | "max_over_time" | "sum_over_time" | "avg_over_time", Measure> = {
  min_over_time: (values) => (values.length === 0 ? null : Math.min(...values)),
  max_over_time: (values) => (values.length === 0 ? null : Math.max(...values)),
  sum_over_time: (values) => (values.length === 0 ? null : sum(values)),
  avg_over_time: (values) => (values.length === 0 ? null : sum(values) / values.length),
};

function samples<T>(byInterval: T[][], sampleOf: (spans: T[]) => number | null): Map<number, number> {
  const found = new Map<number, number>();
  for (const [interval, spans] of byInterval.entries()) {
    const sample = sampleOf(spans);
    if (sample !== null && !Number.isNaN(sample)) found.set(interval, sample);
  }
  return found;
}

function plain(intervals: number): (series: OracleSeries) => Series {
  return ({ labels, samples }) => ({
    labels,
    values: Float64Array.from({ length: intervals }, (_, i) => samples.get(i) ?? Number.NaN),
    exemplars: [],
  });
}
