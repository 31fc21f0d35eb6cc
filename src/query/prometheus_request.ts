// What a request of Prometheus' query API says, about TraceQL metrics instead of PromQL.
import { parseUint32, quoted } from "./go_numbers.ts";
import { type MetricsParams, parseStep } from "./metrics_request.ts";
import { InvalidRequest } from "./query_errors.ts";
import { parsePrometheusTime } from "./timestamp.ts";

/** First value of a parameter. */
type Param = (name: string) => string | undefined;

/** Unix milliseconds, both of which a sample may have. */
export interface PrometheusRange {
  startMs: number;
  endMs: number;
}

/**
 * How far an instant query looks back where `range` doesn't say: PromQL has that in the query, `rate(x[5m])`, and TraceQL
 * hasn't. Prometheus looks back as far for the last sample of a series.
 */
const lookBackNanos = 300_000_000_000n;
const nanosPerMs = 1_000_000n;

/**
 * The parameters of `/query_range`.
 *
 * @throws InvalidRequest
 */
export function parsePrometheusRange(param: Param): { params: MetricsParams; range: PrometheusRange } {
  const start = time(param, "start");
  const end = time(param, "end");
  if (end < start) {
    throw new InvalidRequest('invalid parameter "end": end timestamp must not be before start time');
  }
  const step = duration(param, "step");
  if (step <= 0n) {
    throw new InvalidRequest(
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  return {
    // A single point in time has an interval before it.
    params: {
      ...sharedParams(param),
      startNanos: end === start ? start - step : start,
      endNanos: end,
      stepNanos: step,
    },
    range: { startMs: Number((start + nanosPerMs - 1n) / nanosPerMs), endMs: Number(end / nanosPerMs) },
  };
}

/**
 * The parameters of `/query`.
 *
 * @param now unix milliseconds, for a request without `time`
 * @throws InvalidRequest
 */
export function parsePrometheusInstant(param: Param, now: number): { params: MetricsParams; timeMs: number } {
  const end = timeOr(param, now);
  const range = param("range") ? duration(param, "range") : lookBackNanos;
  return {
    params: { ...sharedParams(param), startNanos: end - range, endNanos: end, stepNanos: null },
    timeMs: Number(end / nanosPerMs),
  };
}

/**
 * The sum that Grafana asks for to see whether a data source works; null for any other query.
 *
 * @throws InvalidRequest
 */
export function parseHealthCheck(param: Param, now: number): { timeMs: number; value: number } | null {
  if (param("query")?.replace(/\s/g, "") !== "1+1") return null;
  return { timeMs: Number(timeOr(param, now) / nanosPerMs), value: 2 };
}

function sharedParams(param: Param) {
  return {
    query: param("query") ?? "",
    sinceNanos: null,
    exemplars: 0,
    seriesMax: param("limit") ? parseUint32("limit", param("limit")!) : 0,
  };
}

function timeOr(param: Param, now: number): bigint {
  return param("time") ? time(param, "time") : BigInt(now) * nanosPerMs;
}

function time(param: Param, name: string): bigint {
  const text = param(name) ?? "";
  const nanos = parsePrometheusTime(text);
  if (nanos === undefined) throw invalid(name, text, "timestamp");
  return nanos;
}

function duration(param: Param, name: string): bigint {
  const text = param(name) ?? "";
  const nanos = parseStep(text);
  if (nanos === undefined) throw invalid(name, text, "duration");
  return nanos;
}

function invalid(name: string, text: string, kind: string): InvalidRequest {
  return new InvalidRequest(`invalid parameter "${name}": cannot parse ${quoted(text)} to a valid ${kind}`);
}
