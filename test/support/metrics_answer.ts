// Series as the metrics endpoints answer them, and the grid that a range query comes to.
import type { Series } from "../../src/query/metrics_types.ts";
import type { LabelValue } from "../../src/search/labels.ts";
import type { MetricsJson } from "../conformance/metrics_checks.ts";
import type { AnyValueJson } from "../conformance/semantic_checks.ts";
import type { OracleGrid } from "./metrics_oracle.ts";

/** Of a range query: whole steps, and one more in front. */
export function rangeGrid(startNanos: bigint, endNanos: bigint, stepNanos: bigint): OracleGrid {
  const down = (time: bigint) => time - (time % stepNanos);
  return {
    startNanos: down(startNanos) - stepNanos,
    endNanos: down(endNanos + stepNanos - 1n),
    stepNanos,
    isInstant: false,
  };
}

export function instantGrid(startNanos: bigint, endNanos: bigint): OracleGrid {
  return { startNanos, endNanos, stepNanos: endNanos - startNanos, isInstant: true };
}

export function metricsJson(series: Series[], { startNanos, stepNanos, isInstant }: OracleGrid): MetricsJson {
  return {
    series: series.map(({ labels, values }) => {
      const labelsJson = labels.map(({ key, value }) => ({ key, value: anyValue(value) }));
      if (isInstant) return { labels: labelsJson, value: values[0]! };
      const samples = Array.from(values, (value, i) => ({
        timestampMs: String((startNanos + stepNanos * BigInt(i + 1)) / 1_000_000n),
        value,
      }));
      return { labels: labelsJson, samples: samples.filter(({ value }) => !Number.isNaN(value)) };
    }),
  };
}

function anyValue(label: LabelValue): AnyValueJson {
  switch (label.type) {
    case "string":
      return { stringValue: label.value };
    case "int":
      return { intValue: String(label.value) };
    case "double":
      return { doubleValue: label.value };
    case "bool":
      return { boolValue: label.value };
  }
}
