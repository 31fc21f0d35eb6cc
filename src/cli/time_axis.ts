// The time axis below a drawing: a line with marks at round local times, and the times below it.
import type { IntervalColumns } from "./interval_columns.ts";
import { clock, day } from "./local_time.ts";
import { dayMs, roundTime } from "./round_step.ts";
import type { TimeGrid } from "./time_grid.ts";

const minuteMs = 60_000;
/** From mark to mark, in columns: the longest time and space between. */
const distanceMin = 11;
const spaceMin = 2;

/**
 * The two lines.
 *
 * @param width columns of the drawing, at least 1
 * @param columnOf where an interval is drawn, by its number from 0; also asked for moments within one
 */
export function timeAxis(grid: TimeGrid, width: number, columnOf: (interval: number) => number): string[] {
  const lengthMs = grid.count * grid.stepMs;
  const stepMs = roundTime((lengthMs * distanceMin) / width);
  const line = Array.from({ length: width }, () => "─");
  let times = "";
  for (const unixMs of roundTimes(grid.firstMs, grid.firstMs + (grid.count - 1) * grid.stepMs, stepMs)) {
    const column = Math.min(columnOf((unixMs - grid.firstMs) / grid.stepMs), width - 1);
    const text = tickText(new Date(unixMs), stepMs);
    const from = Math.max(0, Math.min(column - Math.floor(text.length / 2), width - text.length));
    if (times !== "" && from < times.length + spaceMin) continue;
    line[column] = "┬";
    times = times.padEnd(from) + text;
  }
  return [line.join(""), times];
}

/** The same below columns that stand for whole intervals. */
export function timesBelow(grid: TimeGrid, { width, columnsEach, intervalsEach }: IntervalColumns): string[] {
  // A moment belongs to the interval that it is in, which ends at or after it.
  return timeAxis(grid, width, (at) => Math.floor(Math.ceil(at) / intervalsEach) * columnsEach);
}

/** Multiples of the step on the local clock, whatever it does meanwhile. */
function* roundTimes(fromMs: number, toMs: number, stepMs: number): Generator<number> {
  for (let local = Math.ceil(localTimeOf(fromMs) / stepMs) * stepMs; ; local += stepMs) {
    const unixMs = momentOf(new Date(local));
    if (unixMs > toMs) return;
    // A clock that is put forward does not show the times between.
    if (unixMs >= fromMs && localTimeOf(unixMs) === local) yield unixMs;
  }
}

/** What the local clock shows, as if it were UTC. */
function localTimeOf(unixMs: number): number {
  return unixMs - new Date(unixMs).getTimezoneOffset() * minuteMs;
}

/** The moment at which the local clock shows that. */
function momentOf(shown: Date): number {
  return new Date(
    shown.getUTCFullYear(),
    shown.getUTCMonth(),
    shown.getUTCDate(),
    shown.getUTCHours(),
    shown.getUTCMinutes(),
    shown.getUTCSeconds(),
    shown.getUTCMilliseconds(),
  ).getTime();
}

/** `10:05`, with seconds or milliseconds where the step has them; of midnights the day, as `01-15`. */
function tickText(moment: Date, stepMs: number): string {
  const time = clock(moment);
  if (stepMs < 1000) return time;
  if (stepMs < minuteMs) return time.slice(0, "10:05:12".length);
  if (stepMs >= dayMs || time === "00:00:00.000") return day(moment).slice("2026-".length);
  return time.slice(0, "10:05".length);
}
