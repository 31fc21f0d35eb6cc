import { expect, test } from "bun:test";
import { coloursFor } from "./colours.ts";
import { useUtc } from "./command_fixture.ts";
import { instantChart, rangeChart } from "./metrics_chart.ts";

useUtc();

const sheet = {
  grid: { firstMs: Date.parse("2026-01-15T23:30:00Z"), stepMs: 1_800_000, count: 3 },
  units: { value: "count", attribute: "seconds" } as const,
  columns: 80,
  colours: coloursFor(false),
};
const named = (name: string, ...values: number[]) => ({
  labels: [{ key: "name", value: name }],
  values: Float64Array.from(values),
});
const bucket = (name: string, bound: number, ...counts: number[]) => ({
  labels: [
    { key: "name", value: name },
    { key: "__bucket", value: bound },
  ],
  values: Float64Array.from(counts),
});
const isLineChart = (lines: readonly string[]) => lines.some((line) => line.startsWith("SERIES"));

test("rangeChart() names the time that it is of", () => {
  const title = (stepMs: number) =>
    rangeChart([named("a", 1, 2, 3)], { ...sheet, grid: { ...sheet.grid, stepMs } }, 10, false).lines[0];
  expect(title(1_800_000)).toBe("2026-01-15 23:30:00 to 2026-01-16 00:30:00, step 30m0s");
  expect(title(250)).toBe("2026-01-15 23:30:00 to 23:30:00.500, step 250ms");
});

test("rangeChart() draws lines together if there are few and they have colours", () => {
  const all = ["a", "b", "c", "d", "e", "f"].map((name, i) => named(name, i, 1, 2));
  const drawn = (count: number, limit: number, coloured: boolean) =>
    isLineChart(rangeChart(all.slice(0, count), sheet, limit, coloured).lines);
  expect(drawn(1, 10, false)).toBe(true);
  expect(drawn(2, 10, false)).toBe(false);
  expect(drawn(5, 10, true)).toBe(true);
  expect(drawn(6, 10, true)).toBe(false);
  expect(drawn(6, 5, true)).toBe(true);
});

test("both charts show the histograms with most spans, whole", () => {
  const all = [
    bucket("few", 1, 4, 0, 0),
    bucket("many", 1, 3, 1, 0),
    bucket("many", 2, 2, 0, 0),
    bucket("some", 1, 3, 1, 1),
  ];
  const note = "2 of 3 histograms, those with the most spans; 1 not shown, -limit=0 shows all";
  const range = rangeChart(all, sheet, 2, false);
  expect(range.lines.filter((line) => line.startsWith("{"))).toEqual(['{name="many"}', '{name="some"}']);
  expect(range.note).toBe(note);
  const instant = instantChart(all, sheet, 2);
  expect(instant.lines.slice(1).map((line) => line.replace(/ +\S+$/, ""))).toEqual([
    '{name="many"} ≤ 1s      3',
    '{name="many"} ≤ 2s      2',
    '{name="some"} ≤ 1s      3',
  ]);
  expect(instant.note).toBe(note);
});
