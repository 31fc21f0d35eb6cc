import { expect, test } from "bun:test";
import { onGrid, timeGrid } from "./time_grid.ts";

test("timeGrid() begins and ends at multiples of the step around the range", () => {
  expect(timeGrid({ start: 65, end: 130 }, 30_000)).toEqual({ firstMs: 60_000, stepMs: 30_000, count: 4 });
  expect(timeGrid({ start: 60, end: 120 }, 30_000)).toEqual({ firstMs: 60_000, stepMs: 30_000, count: 3 });
  expect(timeGrid({ start: 60, end: 61 }, 3_600_000)).toEqual({ firstMs: 0, stepMs: 3_600_000, count: 2 });
});

test("onGrid() puts samples in their intervals, and leaves out what is of none", () => {
  const grid = { firstMs: 60_000, stepMs: 30_000, count: 4 };
  const samples = [
    { unixMs: 30_000, value: 1 },
    { unixMs: 60_000, value: 2 },
    { unixMs: 120_001, value: 0 },
    { unixMs: 150_000, value: Infinity },
    { unixMs: 180_000, value: 3 },
  ];
  expect([...onGrid(samples, grid)]).toEqual([2, Number.NaN, 0, Number.NaN]);
});
