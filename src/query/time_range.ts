// The range of time that a request for search or tags is about, from what it says of it and what it leaves out.
import { parseDuration } from "../traceql/index.ts";
import { quoted } from "./go_numbers.ts";
import { InvalidRequest } from "./query_errors.ts";
import { notATimestamp, parseTimestamp } from "./timestamp.ts";

/** Unix seconds. */
export interface TimeRange {
  start: number;
  end: number;
}

export interface RangeRules {
  /** Unix milliseconds. */
  now: number;
  /** What is newer than this is left out, in milliseconds; 0: nothing is. */
  cutoffMs: number;
  /** How far a request goes back that says nothing of time, in milliseconds. */
  recentMs: number;
}

/**
 * @param start unix seconds, 0 or undefined if there is none; the same for `end`
 * @throws InvalidRequest
 */
export function rangeOf(
  start: number | undefined,
  end: number | undefined,
  { now, cutoffMs, recentMs }: RangeRules,
): TimeRange {
  const last = (now - cutoffMs) / 1000;
  const recentStart = Math.floor((now - recentMs) / 1000);
  // The second that is running counts: what was acknowledged in it can be found.
  if (!start && !end) return { start: recentStart, end: Math.ceil(last) };
  if (!start || !end) {
    throw new InvalidRequest(
      "error parsing date range: only one of start and end provided: must provide both or neither",
    );
  }
  if (end <= start) {
    throw new InvalidRequest(`http parameter start must be before end. received start=${start} end=${end}`);
  }
  if (cutoffMs === 0 || end <= last) return { start, end };
  const cut = Math.floor(last);
  return { start: start > cut ? recentStart : start, end: cut };
}

/**
 * What the parameter `since` asks for: the time until now.
 *
 * @param since as Prometheus writes durations, or Go: `3h`, `1d`, `1.5h`
 * @throws InvalidRequest
 */
export function rangeSince(since: string, rules: RangeRules): TimeRange {
  const nanoseconds = parseDuration(since);
  if (nanoseconds === undefined) {
    throw new InvalidRequest(
      `error parsing date range: could not parse 'since' parameter: not a valid duration string: ${quoted(since)}`,
    );
  }
  return rangeOf(undefined, undefined, { ...rules, recentMs: Number(nanoseconds) / 1e6 });
}

/**
 * Unix seconds, with their fraction, of any form of a timestamp.
 *
 * @throws InvalidRequest
 */
export function parseSeconds(name: string, text: string): number {
  const nanos = parseTimestamp(text);
  if (nanos === undefined) throw new InvalidRequest(`error parsing date range: ${notATimestamp(name, text)}`);
  return Number(nanos) / 1e9;
}
