// The intervals that a metrics query counts in: from when to when, and how long each of them is.
import type { Config } from "../config/config.ts";
import { printDuration as printMs } from "../config/duration.ts";
import { printDuration } from "../traceql/index.ts";
import { InvalidRequest } from "./query_errors.ts";

/** What a request says of time, in unix nanoseconds; null where it says nothing. */
export interface AskedRange {
  startNanos: bigint | null;
  endNanos: bigint | null;
  /** How far it goes back without a start. */
  sinceNanos: bigint | null;
  stepNanos: bigint | null;
}

/** As in MetricsRequest. Empty where query_end_cutoff leaves nothing of it. */
export interface MetricsRange {
  startNanos: bigint;
  endNanos: bigint;
  stepNanos: bigint;
}

const nanosPerMs = 1_000_000n;
const second = 1000n * nanosPerMs;
const minute = 60n * second;
const hour = 60n * minute;
const sinceDefault = hour;
const int64Max = 2n ** 63n - 1n;
/** Intervals where the configuration sets no limit. */
const intervalsMaxAtMost = 1_000_000;

/**
 * @param now unix milliseconds
 * @throws InvalidRequest
 */
export function rangeGrid(asked: AskedRange, config: Config, now: number): MetricsRange {
  const { start, end } = boundsOf(asked, config, now);
  const step = asked.stepNanos ?? defaultStep(end - start);
  checkStep(step, end - start, config.query_frontend.metrics.max_intervals || intervalsMaxAtMost);
  // One interval more: the first sample is at the start that was asked for, and counts what lies before it.
  const first = floorTo(start, step) - step;
  const last = floorTo(end + step - 1n, step);
  return {
    startNanos: first < 0n ? 0n : first,
    endNanos: smaller(last, floorTo(cutoffOf(config, now), step)),
    stepNanos: step,
  };
}

/**
 * The same for an instant query: one interval.
 *
 * @throws InvalidRequest
 */
export function instantGrid(asked: AskedRange, config: Config, now: number): MetricsRange {
  const { start, end } = boundsOf(asked, config, now);
  const endNanos = smaller(end, cutoffOf(config, now));
  return { startNanos: start, endNanos, stepNanos: endNanos - start };
}

function boundsOf(asked: AskedRange, config: Config, now: number): { start: bigint; end: bigint } {
  const nowNanos = BigInt(Math.ceil(now)) * nanosPerMs;
  const end = asked.endNanos ?? nowNanos;
  const since = asked.sinceNanos ?? sinceDefault;
  const start = asked.startNanos ?? smaller(end, nowNanos) - since;
  if (end <= start) throw new InvalidRequest("end must be greater than start");
  const { metrics } = config.query_frontend;
  const msMax = config.overrides.defaults.read.max_metrics_duration || metrics.max_duration;
  if (msMax > 0 && Number(end - start) > msMax * 1e6) {
    throw new InvalidRequest(
      `metrics query time range exceeds the maximum allowed duration of ${printMs(msMax)}`,
    );
  }
  if (end <= 0n || end > int64Max) throw new InvalidRequest("end is not a time that a span can have");
  return { start: start < 0n ? 0n : start, end };
}

/** Rougher steps, the longer the range is: about 240 intervals, and round ones. */
const granularities = [hour, 5n * minute, minute, 15n * second, 5n * second, second];
const finest = 50n * nanosPerMs;

export function defaultStep(range: bigint): bigint {
  const exact = range / 240n;
  if (range < minute) return exact > finest ? floorTo(exact, finest) : finest;
  const granularity = granularities.find((each) => exact > each);
  return granularity === undefined ? second : floorTo(exact, granularity);
}

function checkStep(step: bigint, range: bigint, intervalsMax: number): void {
  const max = BigInt(intervalsMax);
  if (step > 0n && range <= step * max) return;
  const least = (range + max - 1n) / max;
  throw new InvalidRequest(
    `step of ${printDuration(step)} is too small, minimum step for given range is ${printDuration(least)}`,
  );
}

/** What is newer is left out. */
function cutoffOf({ query_frontend: { query_end_cutoff: ms } }: Config, now: number): bigint {
  return ms === 0 ? int64Max : BigInt(Math.floor(now - ms)) * nanosPerMs;
}

function floorTo(nanos: bigint, step: bigint): bigint {
  return nanos - (nanos % step);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
