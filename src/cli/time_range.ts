// The stretch of time that a query asks about.
import { parseDuration } from "../traceql/index.ts";
import { CommandError } from "./command_error.ts";
import type { Option } from "./options.ts";
import { printable } from "./printable.ts";

export const timeOptions = {
  since: { value: "DURATION", help: "how far back to look, such as 15m, 6h or 2d; default 1h" },
  start: {
    value: "TIME",
    help: "instead of -since: 2026-01-15T10:00, with Z or an offset if not local, or Unix seconds",
  },
  end: { value: "TIME", help: "default now" },
} as const satisfies Record<string, Option>;

export interface TimeRange {
  /** Unix seconds. */
  start: number;
  end: number;
}

const sinceDefault = "1h";
const nanosPerSecond = 1_000_000_000n;

/**
 * Reads the options of `timeOptions`. Whole seconds, rounded so that the range is never shorter than what was asked.
 *
 * @throws CommandError about a time or duration that is none, or a range without length
 */
export function timeRange(
  values: Partial<Record<keyof typeof timeOptions, string>>,
  nowMs: number,
): TimeRange {
  if (values.since !== undefined && values.start !== undefined)
    throw CommandError.usage("-since and -start exclude each other");
  const end = Math.ceil(values.end === undefined ? nowMs / 1000 : unixSeconds("end", values.end));
  const start =
    values.start === undefined
      ? end - seconds(values.since ?? sinceDefault)
      : Math.floor(unixSeconds("start", values.start));
  if (start >= end) throw CommandError.usage("-start must be before -end");
  if (start < 0) throw CommandError.usage("the range begins before 1970");
  return { start, end };
}

function seconds(since: string): number {
  const nanoseconds = parseDuration(since);
  if (nanoseconds === undefined || nanoseconds === 0n)
    throw CommandError.usage(`-since: expected a duration such as 90m or 2d, found "${printable(since)}"`);
  return Number((nanoseconds + nanosPerSecond - 1n) / nanosPerSecond);
}

const isoTime = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

function unixSeconds(option: string, text: string): number {
  if (/^\d{1,12}(?:\.\d+)?$/.test(text)) return Number(text);
  // A date by itself would be read as one of UTC.
  const whole = text.length === 10 ? `${text}T00:00` : text.replace(" ", "T");
  const ms = isoTime.test(text) ? Date.parse(whole) : Number.NaN;
  if (Number.isNaN(ms))
    throw CommandError.usage(
      `-${option}: expected a time such as 2026-01-15T10:00, found "${printable(text)}"`,
    );
  return ms / 1000;
}
