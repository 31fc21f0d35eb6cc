// Answers in the JSON of Prometheus' query API. Samples are as they were counted: none is made up between them.
import type { MetricsPart } from "./metrics_queries.ts";
import type { Series } from "./metrics_types.ts";
import { labelNames, labelText, numberText } from "./prometheus_labels.ts";
import type { PrometheusRange } from "./prometheus_request.ts";

/** Samples by series. What lies outside of the range, because the grid of the intervals is wider, is left out. */
export function matrixJson(part: MetricsPart, { startMs, endMs }: PrometheusRange): Uint8Array {
  const { series, timesMs } = part;
  const names = labelNames(series);
  const result: string[] = [];
  for (const each of series) {
    const values: [number, string][] = [];
    for (const [interval, value] of each.values.entries()) {
      const timeMs = timesMs[interval]!;
      if (Number.isNaN(value) || timeMs < startMs || timeMs > endMs) continue;
      values.push([timeMs / 1000, numberText(value)]);
    }
    if (values.length > 0) result.push(JSON.stringify({ metric: metricOf(each, names), values }));
  }
  return resultJson("matrix", `[${result.join(",")}]`, part.partial);
}

/** One value of each series. */
export function vectorJson({ series, partial }: MetricsPart, timeMs: number): Uint8Array {
  const names = labelNames(series);
  const result = series.map((each) => ({
    metric: metricOf(each, names),
    value: [timeMs / 1000, numberText(each.values[0]!)],
  }));
  return resultJson("vector", JSON.stringify(result), partial);
}

export function scalarJson(timeMs: number, value: number): Uint8Array {
  return resultJson("scalar", JSON.stringify([timeMs / 1000, numberText(value)]), null);
}

export function successJson(data: unknown): Uint8Array {
  return Buffer.from(JSON.stringify({ status: "success", data }));
}

export function errorJson(errorType: string, error: string): Uint8Array {
  return Buffer.from(JSON.stringify({ status: "error", errorType, error }));
}

function resultJson(
  resultType: string,
  result: string, // JSON
  partial: string | null,
): Uint8Array {
  const warnings = partial === null ? "" : `,"warnings":${JSON.stringify([partial])}`;
  return Buffer.from(
    `{"status":"success","data":{"resultType":"${resultType}","result":${result}}${warnings}}`,
  );
}

function metricOf({ labels }: Series, names: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(labels.map((label) => [names.get(label.key)!, labelText(label)]));
}
