import { expect, test } from "bun:test";
import { timeRange } from "./time_range.ts";

const nowMs = Date.parse("2026-01-15T10:00:00.250Z");
const now = 1768471201; // the next whole second

test("timeRange() is the last hour, or what was asked, in whole seconds", () => {
  const local = new Date(2026, 0, 15, 9, 30).getTime() / 1000;
  const localDay = new Date(2026, 0, 14).getTime() / 1000;
  const cases: [Parameters<typeof timeRange>[0], number, number][] = [
    [{}, now - 3600, now],
    [{ since: "90m" }, now - 5400, now],
    [{ since: "1d12h" }, now - 129_600, now],
    [{ since: "1500ms" }, now - 2, now],
    [{ end: "1768400000" }, 1768396400, 1768400000],
    [{ end: "1768400000.5", since: "10s" }, 1768399991, 1768400001],
    [{ start: "1768400000.9" }, 1768400000, now],
    [{ start: "2026-01-15T09:30:00Z" }, 1768469400, now],
    [{ start: "2026-01-15T10:30+01:00", end: "2026-01-15T09:40:00.1Z" }, 1768469400, 1768470001],
    [{ start: "2026-01-15 09:30", end: String(local + 1) }, local, local + 1],
    [{ start: "2026-01-14", end: String(localDay + 1) }, localDay, localDay + 1],
  ];
  for (const [values, start, end] of cases) expect(timeRange(values, nowMs)).toEqual({ start, end });
});

test("timeRange() refuses what is no time, and what is no range", () => {
  const cases: [Parameters<typeof timeRange>[0], string][] = [
    [{ since: "1 hour" }, '-since: expected a duration such as 90m or 2d, found "1 hour"'],
    [{ since: "0s" }, "-since: expected a duration"],
    [{ since: "100y" }, "the range begins before 1970"],
    [{ since: "1h", start: "1768400000" }, "-since and -start exclude each other"],
    [{ start: "yesterday" }, '-start: expected a time such as 2026-01-15T10:00, found "yesterday"'],
    [{ start: "2026-13-01" }, "-start: expected a time"],
    [{ end: "2026-01-15T25:00" }, "-end: expected a time"],
    [{ start: "1768400000", end: "1768400000" }, "-start must be before -end"],
  ];
  for (const [values, message] of cases) expect(() => timeRange(values, nowMs)).toThrow(message);
});
