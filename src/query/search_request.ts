// What a request for a search may say, over HTTP and gRPC alike, and what is searched for then.
import type { Config, QueryFrontendConfig } from "../config/config.ts";
import { printDuration } from "../config/duration.ts";
import { parse, type Query, TraceQLError, validate } from "../traceql/index.ts";
import { parseGoDuration, parseUint32 } from "./go_numbers.ts";
import { parseTags } from "./logfmt.ts";
import { InvalidRequest } from "./query_errors.ts";
import { checkQuerySize } from "./query_text.ts";
import type { SearchRequest } from "./search_types.ts";
import { tagQuery } from "./tag_query.ts";
import { rangeOf, rangeSince, type TimeRange } from "./time_range.ts";

export interface SearchParams {
  /** TraceQL; empty for a search by tags. */
  query: string;
  tags: ReadonlyMap<string, string>;
  /** Of the trace, in milliseconds; 0: no bound. Only of a search by tags. */
  minDurationMs: number;
  maxDurationMs: number;
  /** 0: the default. */
  limit: number;
  /** 0: the default. */
  spansPerSpanSet: number;
  /** Unix seconds; 0: none. */
  start: number;
  end: number;
  /** Instead of start and end; empty: none. */
  since: string;
}

/**
 * Reads the parameters of a URL. An empty one counts as not given; of others than these nothing is read.
 *
 * @param param gives the first value of a parameter
 * @throws InvalidRequest
 */
export function parseSearchParams(param: (name: string) => string | undefined): SearchParams {
  const given = <T>(name: string, none: T, read: (name: string, text: string) => T): T => {
    const text = param(name);
    return text ? read(name, text) : none;
  };
  return {
    start: given("start", 0, parseUint32),
    end: given("end", 0, parseUint32),
    since: param("since") ?? "",
    query: param("q") ?? "",
    tags: parseTags(param("tags") ?? ""),
    minDurationMs: given("minDuration", 0, parseGoDuration),
    maxDurationMs: given("maxDuration", 0, parseGoDuration),
    limit: given("limit", 0, parseLimit),
    spansPerSpanSet: given("spss", 0, parseSpansPerSpanSet),
  };
}

function parseLimit(name: string, text: string): number {
  if (/^[+-]?0+$|^-[0-9]+$/.test(text)) throw new InvalidRequest("invalid limit: must be a positive number");
  return parseUint32(name, text);
}

function parseSpansPerSpanSet(name: string, text: string): number {
  if (/^-[0-9]+$/.test(text)) throw new InvalidRequest("invalid spss: must be a non-negative number");
  return parseUint32(name, text);
}

/**
 * What to search for: the query checked, defaults filled in, everything held to the limits.
 *
 * @param now unix milliseconds
 * @throws InvalidRequest
 */
export function searchRequest(
  params: SearchParams,
  tenants: string[],
  config: Config,
  now: number,
): Omit<SearchRequest, "progress"> {
  const { query_frontend: frontend, overrides } = config;
  const { search } = frontend;
  const { query, tags, minDurationMs, maxDurationMs } = params;
  if (query !== "" && tags.size > 0) {
    throw new InvalidRequest("invalid request: can't specify tags and q in the same query");
  }
  if (maxDurationMs > 0 && maxDurationMs < minDurationMs) {
    throw new InvalidRequest("invalid maxDuration: must be greater than minDuration");
  }
  checkQuerySize(sizeOf(query, tags), frontend.max_query_expression_size_bytes);
  return {
    tenants,
    limit: limitOf(params.limit, search),
    spansPerSpanSet: spansPerSpanSetOf(params.spansPerSpanSet, search),
    ...searchRange(params, frontend, overrides.defaults.read.max_search_duration || search.max_duration, now),
    query: query === "" ? tagQuery(tags, minDurationMs, maxDurationMs) : parsed(query),
    spanSets: query !== "",
  };
}

function sizeOf(query: string, tags: ReadonlyMap<string, string>): number {
  let bytes = Buffer.byteLength(query);
  for (const [key, value] of tags) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  return bytes;
}

function parsed(text: string): Query {
  try {
    const query = parse(text);
    validate(query);
    return query;
  } catch (error) {
    if (error instanceof TraceQLError) throw new InvalidRequest(`invalid TraceQL query: ${error.message}`);
    throw error;
  }
}

type SearchLimits = QueryFrontendConfig["search"];

function limitOf(given: number, limits: SearchLimits): number {
  const { default_result_limit: standard, max_result_limit: max } = limits;
  const limit = given || standard;
  if (max > 0 && limit > max) throw new InvalidRequest(`limit ${limit} exceeds max limit ${max}`);
  return limit;
}

/** All spans, 0, only where the configuration sets no maximum. */
function spansPerSpanSetOf(given: number, limits: SearchLimits): number {
  const { default_spans_per_span_set: standard, max_spans_per_span_set: max } = limits;
  if (max > 0 && given > max) {
    throw new InvalidRequest(`spans per span set exceeds ${max}. received ${given}`);
  }
  return given || standard || max;
}

function searchRange(
  params: SearchParams,
  frontend: QueryFrontendConfig,
  durationMsMax: number,
  now: number,
): TimeRange {
  const rules = {
    now,
    cutoffMs: frontend.query_end_cutoff,
    recentMs: frontend.search.query_backend_after,
  };
  const range =
    params.since === "" ? rangeOf(params.start, params.end, rules) : rangeSince(params.since, rules);
  const given = params.since !== "" || params.start > 0;
  if (given && durationMsMax > 0 && (range.end - range.start) * 1000 > durationMsMax) {
    throw new InvalidRequest(
      `range specified by start and end exceeds ${printDuration(durationMsMax)}. received start=${range.start} end=${range.end}`,
    );
  }
  return range;
}
