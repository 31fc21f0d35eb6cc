// The intervals that a range query answers about, and samples put in their places.
import type { Sample } from "./metrics_answer.ts";
import { roundTime } from "./round_step.ts";
import type { TimeRange } from "./time_range.ts";

export interface TimeGrid {
  /** The end of the first interval, in Unix milliseconds. A multiple of the step. */
  firstMs: number;
  stepMs: number;
  /** Of intervals, at least 2. */
  count: number;
}

/** What is further from zero has no scale that holds it. */
const drawnMax = 1e300;

/** As Tempo makes it: the start rounded down and the end rounded up to the step, both of them ends of intervals. */
export function timeGrid({ start, end }: TimeRange, stepMs: number): TimeGrid {
  const first = Math.floor((start * 1000) / stepMs);
  const last = Math.ceil((end * 1000) / stepMs);
  return { firstMs: first * stepMs, stepMs, count: last - first + 1 };
}

/** A round step that gives at most so many intervals, apart from those that the rounding adds. */
export function stepFor({ start, end }: TimeRange, intervalsMax: number): number {
  return roundTime(((end - start) * 1000) / intervalsMax);
}

/** By interval, NaN where there is no sample, or none that can be drawn. */
export function onGrid(samples: readonly Sample[], { firstMs, stepMs, count }: TimeGrid): Float64Array {
  const values = new Float64Array(count).fill(Number.NaN);
  for (const { unixMs, value } of samples) {
    const at = Math.round((unixMs - firstMs) / stepMs);
    if (at >= 0 && at < count && Math.abs(value) < drawnMax) values[at] = value;
  }
  return values;
}
