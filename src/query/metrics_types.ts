// What the protocols ask of TraceQL metrics, and what they get: the seam between the routes and the engine.
import { intervalsOf } from "../search/intervals.ts";
import type { Label } from "../search/labels.ts";
import type { Query } from "../traceql/index.ts";
import type { SearchMetrics } from "./search_types.ts";

export interface MetricsRequest {
  /** One, or several whose spans are counted together. */
  tenants: string[];
  /** Valid, with a metrics stage. */
  query: Query;
  /**
   * Unix nanoseconds. A span counts if it began in (startNanos, endNanos]; the intervals are (t - step, t]. Of a range query both are
   * multiples of the step; an instant query is a single interval.
   */
  startNanos: bigint;
  endNanos: bigint;
  stepNanos: bigint;
  isInstant: boolean;
  /** Exemplars in all; 0: none. */
  exemplars: number;
  /** Series in the answer; 0: as many as the engine can hold. */
  seriesMax: number;
  /** Whether news of the work is wanted meanwhile, or only the whole answer. */
  progress: boolean;
}

export interface Exemplar {
  labels: Label[];
  /** Unix milliseconds. */
  timestampMs: number;
  value: number;
}

export interface Series {
  labels: Label[];
  /**
   * By interval of the grid: interval i is (startNanos + i * stepNanos, startNanos + (i + 1) * stepNanos], and its sample has the time of its
   * end, see sampleTimesMs(). NaN: no sample. No object is made for a sample: an answer may have a million. Of an instant query one value.
   */
  values: Float64Array;
  /** By time. None of an instant query. */
  exemplars: Exemplar[];
}

/** The times of the samples, Unix milliseconds, by interval. */
export function sampleTimesMs({ startNanos, endNanos, stepNanos }: MetricsRequest): Float64Array {
  const times = new Float64Array(intervalsOf({ startNanos, endNanos, stepNanos }));
  for (let i = 0; i < times.length; i++)
    times[i] = Number((startNanos + BigInt(i + 1) * stepNanos) / 1_000_000n);
  return times;
}

export interface MetricsAnswer {
  /** Of the last answer all series in their order, each with at least one sample; of one before, those that are whole already. */
  series: Series[];
  metrics: SearchMetrics;
  /** Why the answer is not whole; null: it is. */
  partial: string | null;
  /** Nothing follows. */
  final: boolean;
}

export interface MetricsQuerier {
  /**
   * @param signal aborted when nobody waits for the answer any more
   * @throws QueryTimeout, QueryCanceled, QueryTooLarge, and errors with the code "resource_exhausted" where a queue is full
   */
  metrics(request: MetricsRequest, signal: AbortSignal): AsyncGenerator<MetricsAnswer, void, void>;
}
