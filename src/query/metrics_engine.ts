// TraceQL metrics over heads and stored blocks.
import type {
  MeasureBlocksParams,
  Measured,
  MeasuredHeads,
  MeasureTracesParams,
  MetricsTerms,
} from "../jobs/measure_job.ts";
import { MetricsRun } from "./metrics_run.ts";
import type { MetricsAnswer, MetricsQuerier, MetricsRequest } from "./metrics_types.ts";
import { untilDone } from "./progress_ticks.ts";
import type { Asked, LiveSearch, SearchBlockList, StoredSearch } from "./search_engine.ts";

/** Spans that are not in blocks yet. */
export interface LiveMetrics extends LiveSearch {
  /** One of each shard. */
  measure(tenant: string, terms: Asked<MetricsTerms>, signal: AbortSignal): Promise<MeasuredHeads[]>;
}

/** Jobs on stored blocks. */
export interface StoredMetrics extends StoredSearch {
  measure(worker: number, params: Asked<MeasureBlocksParams>, signal: AbortSignal): Promise<Measured>;
  measureTraces(params: Asked<MeasureTracesParams>, signal: AbortSignal): Promise<Measured>;
}

export interface MetricsSources {
  live: LiveMetrics;
  list: SearchBlockList;
  stored: StoredMetrics;
  /** Numbers, each of a group in an interval, that an answer may be made of. */
  cellsMax: number;
}

export class MetricsEngine implements MetricsQuerier {
  readonly #sources: MetricsSources;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
  }

  async *metrics(request: MetricsRequest, signal: AbortSignal): AsyncGenerator<MetricsAnswer, void, void> {
    // What is still under way when nobody wants the answer any more ends with this.
    const work = new AbortController();
    const run = new MetricsRun(request, AbortSignal.any([signal, work.signal]), this.#sources);
    try {
      const done = run.run();
      done.catch(() => {}); // seen below
      if (request.progress) {
        for await (const _ of untilDone(done)) {
          yield { series: [], metrics: run.metrics(), partial: null, final: false };
        }
      }
      yield { ...(await done), metrics: run.metrics(), final: true };
    } finally {
      work.abort();
    }
  }
}
