import { afterEach, beforeEach, expect, test } from "bun:test";
import { timeAxis, timesBelow } from "./time_axis.ts";

let zone: string | undefined;
beforeEach(() => {
  zone = process.env.TZ;
});
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const minuteMs = 60_000;

/** A column for each interval, the first of which ends at the given time. */
function axis(first: string, stepMs: number, count: number): string[] {
  return timeAxis({ firstMs: Date.parse(first), stepMs, count }, count, Math.round);
}

test("timeAxis() marks round local times, and midnights by their day", () => {
  process.env.TZ = "Asia/Kathmandu"; // 5:45 ahead
  expect(axis("2026-01-15T17:47:00Z", minuteMs, 40)).toEqual([
    "─────────────┬──────────────┬───────────",
    "           23:45          01-16",
  ]);
});

test("timeAxis() leaves out times that the clock jumps over, and goes on with those that it shows", () => {
  process.env.TZ = "Europe/Berlin"; // from 02:00 to 03:00 at 01:00Z
  // In steps of two hours; 04:00 is three hours after midnight.
  expect(axis("2026-03-28T23:00:00Z", 10 * minuteMs, 40)).toEqual([
    "┬─────────────────┬───────────┬─────────",
    "03-29           04:00       06:00",
  ]);
});

test("timeAxis() shows seconds and milliseconds where steps have them", () => {
  process.env.TZ = "UTC";
  expect(axis("2026-01-15T09:00:01Z", 1000, 30)[1]).toBe("          09:00:15    09:00:30");
  expect(axis("2026-01-15T09:00:00Z", 10, 30)[1]).toBe("09:00:00.000  09:00:00.200");
});

test("timesBelow() finds the column of the interval that a moment is in", () => {
  process.env.TZ = "UTC";
  const grid = { firstMs: Date.parse("2026-01-15T09:00:30Z"), stepMs: minuteMs, count: 12 };
  // 09:10 is in the interval that ends at 09:10:30, the eleventh.
  expect(timesBelow(grid, { width: 24, columnsEach: 2, intervalsEach: 1 })[0]!.indexOf("┬")).toBe(20);
});
