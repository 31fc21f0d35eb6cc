// The answers of /api/metrics/query_range and /api/metrics/query, read from their JSON.
import type { Attribute } from "./attribute.ts";
import { attributesOf } from "./attribute_json.ts";
import { double, integer, list, object, text } from "./json_fields.ts";

export interface MetricsAnswer {
  series: MetricsSeries[];
  /** Why the answer is not whole, as far as the server says so; null if it is. */
  partial: string | null;
}

export interface MetricsSeries {
  labels: Attribute[];
  /** None in the answer of an instant query. */
  samples: Sample[];
  /** Of an instant query. */
  value: number;
}

export interface Sample {
  /** The end of the interval that it is of. */
  unixMs: number;
  value: number;
}

/**
 * The series of an answer, in its order.
 *
 * @throws SyntaxError if the text is no JSON
 */
export function readMetricsAnswer(json: string): MetricsAnswer {
  const answer = object(JSON.parse(json));
  return {
    series: list(answer.series).map(readSeries),
    partial: answer.status === "PARTIAL" ? text(answer.message) : null,
  };
}

function readSeries(given: unknown): MetricsSeries {
  const { labels, samples, value } = object(given);
  return {
    labels: attributesOf(labels),
    samples: list(samples).map((entry) => {
      const sample = object(entry);
      return { unixMs: Number(integer(sample.timestampMs)), value: double(sample.value) };
    }),
    value: double(value),
  };
}
