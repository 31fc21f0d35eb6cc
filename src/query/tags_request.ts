// What a request for tag names or values may say, over HTTP and gRPC alike.
import type { Config } from "../config/config.ts";
import { type ConditionGroup, extractConditions, TraceQLError } from "../traceql/index.ts";
import { InvalidRequest } from "./query_errors.ts";
import type { TagScope } from "./search_types.ts";
import { parseSeconds, rangeOf, rangeSince, type TimeRange } from "./time_range.ts";

export interface TagsParams {
  /** TraceQL, finished or not; empty: none. */
  query: string;
  /** Unix seconds; 0: none. */
  start: number;
  end: number;
  /** Instead of start and end; empty: none. */
  since: string;
  /** Names per scope, or values; 0: all. */
  limit: number;
}

/**
 * Reads the parameters of a URL. An empty one counts as not given; of others than these nothing is read.
 *
 * @param param gives the first value of a parameter
 * @throws InvalidRequest
 */
export function parseTagsParams(param: (name: string) => string | undefined): TagsParams {
  const start = param("start");
  const end = param("end");
  return {
    start: start ? Math.floor(parseSeconds("start", start)) : 0,
    end: end ? Math.ceil(parseSeconds("end", end)) : 0,
    since: param("since") ?? "",
    query: param("q") ?? "",
    limit: limitOf(param("limit") ?? ""),
  };
}

/** What is no limit limits nothing. */
function limitOf(text: string): number {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 ? Number(text) : 0;
}

const scopes: ReadonlyMap<string, TagScope | "trace"> = new Map([
  ["", "none"],
  ["none", "none"],
  ["resource", "resource"],
  ["span", "span"],
  ["event", "event"],
  ["link", "link"],
  ["instrumentation", "instrumentation"],
  ["intrinsic", "intrinsic"],
  ["trace", "trace"],
]);

/**
 * @returns "trace" is a scope without attributes
 * @throws InvalidRequest
 */
export function parseScope(text: string): TagScope | "trace" {
  const scope = scopes.get(text);
  if (scope === undefined) throw new InvalidRequest(`invalid scope: ${text}`);
  return scope;
}

/**
 * @param now unix milliseconds
 * @throws InvalidRequest
 */
export function tagsRange(params: TagsParams, { query_frontend: frontend }: Config, now: number): TimeRange {
  const rules = {
    now,
    cutoffMs: frontend.query_end_cutoff,
    recentMs: frontend.search.query_backend_after,
  };
  return params.since === "" ? rangeOf(params.start, params.end, rules) : rangeSince(params.since, rules);
}

/** Groups of conditions where the configuration sets no limit. */
const groupsMaxAtMost = 10_000;

/**
 * What the query asks of the spans whose names or values are listed. A query that can't be used asks for nothing.
 *
 * @param unscoped whether the values of an attribute without a scope are wanted, which makes two groups of each
 * @throws InvalidRequest if there are more groups than allowed
 */
export function tagConditions(query: string, unscoped: boolean, config: Config): ConditionGroup[] | null {
  const bytesMax = config.query_frontend.max_query_expression_size_bytes;
  if (query === "" || (bytesMax > 0 && Buffer.byteLength(query) > bytesMax)) return null;
  const allowed = config.overrides.defaults.read.max_condition_groups_per_tag_query || groupsMaxAtMost;
  try {
    return extractConditions(query, { groupsMax: unscoped ? Math.floor(allowed / 2) : allowed });
  } catch (error) {
    if (error instanceof TraceQLError) throw new InvalidRequest(error.message);
    throw error;
  }
}
