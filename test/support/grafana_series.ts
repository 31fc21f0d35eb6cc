// Metrics answers as Grafana's plugin reads them: series by the name that they get, samples by their times.
import { expect } from "bun:test";
import { strictProblems } from "../conformance/grafana_checks.ts";
import type { MetricsJson, SeriesJson } from "../conformance/metrics_checks.ts";
import type { Json } from "../conformance/placeholders.ts";
import type { AnyValueJson, AttributeJson } from "../conformance/semantic_checks.ts";

/** Time in seconds after the base, and value. */
export type Sample = [seconds: number, value: number];

/** Samples by the name of their series. Of two series with one name, the plugin would show only one. */
export function samplesByName(series: SeriesJson[] = [], base: number): Record<string, Sample[]> {
  const names = series.map(seriesName);
  expect(names).toEqual([...new Set(names)]);
  return Object.fromEntries(series.map((one, i) => [names[i]!, samplesOf(one, base)]));
}

function samplesOf({ samples = [] }: SeriesJson, base: number): Sample[] {
  return samples.map(({ timestampMs = 0, value = 0 }) => [
    (Number(timestampMs) - base * 1000) / 1000,
    Number(value),
  ]);
}

/** Of an instant query. */
export function valuesByName(series: SeriesJson[] = []): Record<string, number> {
  return Object.fromEntries(series.map((one) => [seriesName(one), Number(one.value ?? 0)]));
}

/** One label gives its bare value; several stand with their keys, and texts in quotes. */
export function seriesName({ labels = [] }: SeriesJson): string {
  if (labels.length === 1) return String(plain(labels[0]!.value));
  const shown = labels.map(({ key, value }) => {
    const it = plain(value);
    return `${key}=${typeof it === "string" ? JSON.stringify(it) : it}`;
  });
  return labels.length === 0 ? "" : `{${shown.sort().join(", ")}}`;
}

function plain(value: AnyValueJson | undefined): string | number | boolean | undefined {
  const number = value?.intValue ?? value?.doubleValue;
  return number === undefined ? (value?.stringValue ?? value?.boolValue) : Number(number);
}

/** The trace that an exemplar leads to. One with the value or the time 0 is not shown. */
export function exemplarTraces(series: SeriesJson[] = []): string[] {
  const traceOf = ({ key, value }: AttributeJson) => (key === "trace:id" ? [value?.stringValue ?? ""] : []);
  return series
    .flatMap(({ exemplars = [] }) => exemplars)
    .filter(({ value = 0, timestampMs = 0 }) => Number(value) !== 0 && Number(timestampMs) > 0)
    .flatMap(({ labels = [] }) => labels.flatMap(traceOf))
    .sort();
}

/** What the plugin holds after a stream of messages: by labels and time the last sample counts. */
export function mergedStream(messages: MetricsJson[], base: number): Record<string, Sample[]> {
  const merged = new Map<string, Map<number, number>>();
  for (const { series = [] } of messages) {
    for (const one of series) {
      const name = seriesName(one);
      const samples = merged.get(name) ?? new Map<number, number>();
      for (const [time, value] of samplesOf(one, base)) samples.set(time, value);
      merged.set(name, samples);
    }
  }
  return Object.fromEntries(
    [...merged].map(([name, samples]) => [name, [...samples].sort(([a], [b]) => a - b)]),
  );
}

/** Problems of the body of an instant query, which is decoded as strictly as a search. */
export function instantProblems(body: MetricsJson): string[] {
  const { series = [], metrics = {}, status = "COMPLETE", message = "", ...others } = body as Body;
  return [
    ...Object.keys(others).map((name) => `$.${name} is unknown`),
    ...series.flatMap(({ labels = [], value = 0, ...rest }) => [
      ...Object.keys(rest).map((name) => `$.series.${name} is unknown`),
      ...strictProblems(labels as unknown as Json, "Attribute*"),
      ...strictProblems(value, "number"),
    ]),
    ...strictProblems(metrics, "Metrics"),
    ...strictProblems(status, "string"),
    ...strictProblems(message, "string"),
  ];
}

type Body = MetricsJson & { message?: string };

/**
 * What Traces Drilldown reads of a comparison: of each series its kind, the one attribute that it is about, and the sum of its
 * samples.
 */
export function comparedSums(series: SeriesJson[] = []): Record<string, number> {
  return Object.fromEntries(
    series.map(({ labels = [], samples = [] }) => {
      expect(labels.map(({ key }) => key)).toEqual(["__meta_type", expect.any(String)]);
      const [meta, attribute] = labels as [AttributeJson, AttributeJson];
      const sum = samples.reduce((total, { value = 0 }) => total + Number(value), 0);
      return [`${plain(meta.value)} ${attribute.key}=${plain(attribute.value)}`, sum];
    }),
  );
}
