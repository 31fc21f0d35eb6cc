// For tests only: metrics queries over an engine whose answers are given.
import type { Config } from "../config/config.ts";
import type { Label, LabelValue } from "../search/labels.ts";
import { Registry } from "../telemetry/metrics.ts";
import { QueryMetrics } from "../telemetry/query_metrics.ts";
import { MetricsQueries } from "./metrics_queries.ts";
import type { MetricsAnswer, MetricsRequest, Series } from "./metrics_types.ts";
import { QueryTurns } from "./query_turns.ts";
import { noSearchMetrics } from "./search_types.ts";

export function string(key: string, value: string): Label {
  return { key, value: { type: "string", value } };
}

/** @param labels strings, unless they say their type */
export function seriesOf(
  labels: Record<string, string | LabelValue>,
  values: number[],
  exemplars: Series["exemplars"] = [],
): Series {
  return {
    labels: Object.entries(labels).map(([key, value]) =>
      typeof value === "string" ? string(key, value) : { key, value },
    ),
    values: Float64Array.from(values),
    exemplars,
  };
}

export function answerOf(series: Series[], more: Partial<MetricsAnswer> = {}): MetricsAnswer {
  return { series, metrics: noSearchMetrics, partial: null, final: true, ...more };
}

export interface GivenMetrics {
  queries: MetricsQueries;
  /** What the engine was asked. */
  requests: MetricsRequest[];
  registry: Registry;
}

/**
 * @param answer what each request gets
 * @param now unix milliseconds
 */
export function givenMetrics(
  answer: (request: MetricsRequest, signal: AbortSignal) => AsyncGenerator<MetricsAnswer, void, void>,
  config: Config,
  now: number,
): GivenMetrics {
  const requests: MetricsRequest[] = [];
  const registry = new Registry();
  const queries = new MetricsQueries({
    querier: {
      metrics(request, signal) {
        requests.push(request);
        return answer(request, signal);
      },
    },
    config,
    queries: new QueryMetrics(undefined, registry),
    turns: new QueryTurns("metrics", {}, registry),
    now: () => now,
  });
  return { queries, requests, registry };
}

export async function* answering(answer: MetricsAnswer | Error): AsyncGenerator<MetricsAnswer, void, void> {
  if (answer instanceof Error) throw answer;
  yield answer;
}
