// What a request for TraceQL metrics may say, over HTTP and gRPC alike, and what is counted then.
import type { Config } from "../config/config.ts";
import { type Hint, parse, parseDuration, type Query, TraceQLError, validate } from "../traceql/index.ts";
import { parseUint32, quoted } from "./go_numbers.ts";
import { type AskedRange, instantGrid, rangeGrid } from "./metrics_range.ts";
import type { MetricsRequest } from "./metrics_types.ts";
import { InvalidRequest } from "./query_errors.ts";
import { checkQuerySize } from "./query_text.ts";
import { notATimestamp, parseTimestamp } from "./timestamp.ts";

export interface MetricsParams extends AskedRange {
  /** TraceQL. */
  query: string;
  /** 0: the default. */
  exemplars: number;
  /** Series; 0: as many as the configuration allows. */
  seriesMax: number;
}

/**
 * Reads the parameters of a URL. An empty one counts as not given; of others than these nothing is read.
 *
 * @param param gives the first value of a parameter
 * @throws InvalidRequest
 */
export function parseMetricsParams(param: (name: string) => string | undefined): MetricsParams {
  const given = <T>(name: string, none: T, read: (name: string, text: string) => T): T => {
    const text = param(name);
    return text ? read(name, text) : none;
  };
  return {
    query: param("q") || (param("query") ?? ""),
    startNanos: given("start", null, timestamp),
    endNanos: given("end", null, timestamp),
    sinceNanos: given("since", null, since),
    stepNanos: given("step", null, (_, text) => step(text)),
    exemplars: given("exemplars", 0, parseUint32),
    seriesMax: given("maxSeries", 0, parseUint32),
  };
}

function timestamp(name: string, text: string): bigint {
  const nanos = parseTimestamp(text);
  if (nanos === undefined) throw new InvalidRequest(notATimestamp(name, text));
  return nanos;
}

function since(name: string, text: string): bigint {
  const nanos = parseDuration(text);
  if (nanos === undefined) {
    throw new InvalidRequest(
      `could not parse '${name}' parameter: not a valid duration string: ${quoted(text)}`,
    );
  }
  return nanos;
}

function step(text: string): bigint {
  const nanos = parseStep(text);
  if (nanos === undefined) throw new InvalidRequest(`cannot parse ${quoted(text)} to a valid duration`);
  return nanos;
}

/** Nanoseconds of a number of seconds or a duration, either with a sign; undefined if it is neither. */
export function parseStep(text: string): bigint | undefined {
  const [, sign, size] = /^([+-]?)(.*)$/s.exec(text)!;
  const isNumber = /^(\d+\.?\d*|\.\d+)$/.test(size!);
  if (isNumber && !Number.isFinite(Number(size) * 1e9)) return undefined;
  const nanos = isNumber ? BigInt(Math.round(Number(size) * 1e9)) : parseDuration(size!);
  return nanos === undefined || sign !== "-" ? nanos : -nanos;
}

/**
 * What to count over a range: the query checked, defaults filled in, everything held to the limits.
 *
 * @param now unix milliseconds
 * @throws InvalidRequest
 */
export function rangeRequest(
  params: MetricsParams,
  tenants: string[],
  config: Config,
  now: number,
): Omit<MetricsRequest, "progress"> {
  const query = metricsQuery(params.query, config);
  return {
    tenants,
    query,
    ...rangeGrid(params, config, now),
    isInstant: false,
    exemplars: exemplarsOf(params.exemplars, query.hints, config),
    seriesMax: seriesMaxOf(params.seriesMax, config),
  };
}

/**
 * The same for an instant query, which has no use for step and exemplars.
 *
 * @throws InvalidRequest
 */
export function instantRequest(
  params: MetricsParams,
  tenants: string[],
  config: Config,
  now: number,
): Omit<MetricsRequest, "progress"> {
  return {
    tenants,
    query: metricsQuery(params.query, config),
    ...instantGrid(params, config, now),
    isInstant: true,
    exemplars: 0,
    seriesMax: seriesMaxOf(params.seriesMax, config),
  };
}

function metricsQuery(text: string, config: Config): Query {
  checkQuerySize(Buffer.byteLength(text), config.query_frontend.max_query_expression_size_bytes);
  try {
    const query = parse(text);
    validate(query);
    if (query.metrics !== null) return query;
  } catch (error) {
    if (error instanceof TraceQLError) throw new InvalidRequest(error.message);
    throw error;
  }
  throw new InvalidRequest("not a metrics query: it has to end in a function of metrics such as rate()");
}

/** Of several hints the first one of a fitting type counts, and more than the request. */
function exemplarsOf(given: number, hints: readonly Hint[], config: Config): number {
  const max = config.query_frontend.metrics.max_exemplars;
  const wanted = Math.min(given || max, max);
  for (const { name, value } of hints) {
    if (name !== "exemplars") continue;
    if (value.type === "bool") return value.value ? wanted : 0;
    if (value.type === "int") return Math.min(Number(value.value), max);
  }
  return wanted;
}

function seriesMaxOf(given: number, config: Config): number {
  const max = config.query_frontend.metrics.max_response_series;
  return max > 0 ? Math.min(given || max, max) : given;
}
