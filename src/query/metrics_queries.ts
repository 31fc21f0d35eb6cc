// Metrics queries, as every protocol asks them: checked and held to the limits, in their turn and within their time, counted.
import type { Config } from "../config/config.ts";
import { QueryTooLarge } from "../search/query_error.ts";
import type { QueryMetrics } from "../telemetry/query_metrics.ts";
import { seriesBytes } from "./metrics_messages.ts";
import { instantRequest, type MetricsParams, rangeRequest } from "./metrics_request.ts";
import {
  type MetricsAnswer,
  type MetricsQuerier,
  type MetricsRequest,
  sampleTimesMs,
} from "./metrics_types.ts";
import { queryAnswers } from "./query_answers.ts";
import { QueryTurns } from "./query_turns.ts";
import { noSearchMetrics } from "./search_types.ts";

/** Bytes of the series of one answer as messages: room for as many samples as there can be, and as much for their labels. */
const answerBytesMax = 64 << 20;

/** At a time: what each may add up is a large part of the memory for queries. */
const runningMax = 2;

export interface MetricsQueriesDeps {
  querier: MetricsQuerier;
  config: Config;
  queries: QueryMetrics;
  /** Default: one with the limits of its own. */
  turns?: QueryTurns;
  /** Unix milliseconds. Default: the clock's. */
  now?: () => number;
}

/** A MetricsAnswer as clients get it. */
export interface MetricsPart extends MetricsAnswer {
  /** Of the samples, unix milliseconds, by interval. */
  timesMs: Float64Array;
}

export class MetricsQueries {
  readonly turns: QueryTurns;
  readonly #deps: MetricsQueriesDeps;

  constructor(deps: MetricsQueriesDeps) {
    this.#deps = deps;
    this.turns = deps.turns ?? new QueryTurns("metrics", { runningMax });
  }

  /**
   * @param progress whether what is counted so far is wanted meanwhile
   * @throws InvalidRequest
   */
  rangeRequest(params: MetricsParams, tenants: string[], progress: boolean): MetricsRequest {
    const { config, now = Date.now } = this.#deps;
    return { ...rangeRequest(params, tenants, config, now()), progress };
  }

  /** As rangeRequest() does. */
  instantRequest(params: MetricsParams, tenants: string[], progress: boolean): MetricsRequest {
    const { config, now = Date.now } = this.#deps;
    return { ...instantRequest(params, tenants, config, now()), progress };
  }

  /**
   * Answers of no more series than the request wants. Call it in a turn.
   *
   * @param client aborted when the client goes away
   * @throws QueryTimeout, QueryCanceled, QueryTooLarge, and what the querier throws
   */
  async *answers(request: MetricsRequest, client: AbortSignal): AsyncGenerator<MetricsPart, void, void> {
    const { querier, config, queries } = this.#deps;
    const { tenants } = request;
    if (request.endNanos <= request.startNanos) {
      yield nothing;
      return;
    }
    const timesMs = sampleTimesMs(request);
    const query = {
      op: "metrics",
      tenants,
      client,
      msMax: config.querier.search.query_timeout,
      queries,
    } as const;
    for await (const answer of queryAnswers(query, (signal) => querier.metrics(request, signal))) {
      const fitting = cut(answer, request.seriesMax);
      checkSize(fitting);
      yield { ...fitting, timesMs };
    }
  }

  /** The whole answer at once. Call it in a turn. Throws as `answers` does. */
  async whole(request: MetricsRequest, client: AbortSignal): Promise<MetricsPart> {
    for await (const answer of this.answers(request, client)) if (answer.final) return answer;
    throw new Error("the metrics query ended without an answer");
  }
}

/** Of a range that query_end_cutoff leaves nothing of. */
const nothing: MetricsPart = {
  series: [],
  timesMs: new Float64Array(0),
  metrics: noSearchMetrics,
  partial: null,
  final: true,
};

function cut(answer: MetricsAnswer, seriesMax: number): MetricsAnswer {
  if (seriesMax === 0 || answer.series.length <= seriesMax) return answer;
  // The warning is Tempo's: its own values may come from truncated parts. Here they are whole.
  const message = `Response exceeds maximum series limit of ${seriesMax}, a partial response is returned. Warning: the accuracy of each individual value is not guaranteed.`;
  return {
    ...answer,
    series: answer.series.slice(0, seriesMax),
    partial: answer.partial === null ? message : `${message} ${answer.partial}`,
  };
}

function checkSize({ series }: MetricsAnswer): void {
  const bytes = series.reduce((sum, each) => sum + seriesBytes(each), 0);
  if (bytes <= answerBytesMax) return;
  throw new QueryTooLarge(
    `the answer would take ${bytes} bytes, more than the ${answerBytesMax} that it may: ask for a larger step, fewer groups, or fewer series by maxSeries`,
  );
}
