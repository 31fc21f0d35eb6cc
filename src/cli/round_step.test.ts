import { expect, test } from "bun:test";
import { roundNumber, roundTime } from "./round_step.ts";

test("roundNumber() goes up to 1, 2 or 5 and zeros", () => {
  const cases = [
    [1, 1],
    [1.01, 2],
    [2.5, 5],
    [5.1, 10],
    [0.3, 0.5],
    [0.1 + 0.2, 0.5],
    [0.1 * 3 - 0.1, 0.2],
    [1999, 2000],
    [6e-7, 1e-6],
  ] as const;
  for (const [least, step] of cases) expect(roundNumber(least)).toBe(step);
  expect(roundNumber(0)).toBeGreaterThan(0);
});

test("roundTime() goes up to what clocks and calendars show", () => {
  const cases = [
    [0.2, 1],
    [56_250, 60_000],
    [60_000, 60_000],
    [60_001, 120_000],
    [3_600_001, 7_200_000],
    [86_400_001, 172_800_000],
    [1000 * 86_400_000, 3 * 364 * 86_400_000],
  ] as const;
  for (const [least, step] of cases) expect(roundTime(least)).toBe(step);
});
