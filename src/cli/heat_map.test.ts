import { expect, test } from "bun:test";
import { coloursFor } from "./colours.ts";
import { heatMaps } from "./heat_map.ts";

const sheet = (count: number) => ({
  grid: { firstMs: Date.parse("2026-01-15T09:00:00Z"), stepMs: 60_000, count },
  units: { value: "count", attribute: "number" } as const,
  columns: 13,
  colours: coloursFor(false),
});

test("heatMaps() draws a map for each group, all on one scale", () => {
  const map = (name: string, ...counts: number[]) => ({
    labels: [{ key: "name", value: name }],
    buckets: [{ bound: 4, counts: Float64Array.from(counts) }],
  });
  const lines = heatMaps([map("a", ...Array(10).fill(80)), map("b", ...Array(10).fill(2))], sheet(10));
  // The fourth roots of 81 are the powers of 3.
  expect(lines.filter((line) => !/[└:]/.test(line))).toEqual([
    '{name="a"}',
    "4 ┤██████████",
    "",
    '{name="b"}',
    "4 ┤░░░░░░░░░░",
    "",
    "· 0  ░ 1–2  ▒ 3–8  ▓ 9–26  █ 27–80 spans",
  ]);
});

test("heatMaps() adds up intervals that share a column, and leaves out shades that stand for nothing", () => {
  const counts = Float64Array.from([1, 1, 0, 1, ...Array(16).fill(0)]);
  const lines = heatMaps([{ labels: [], buckets: [{ bound: 4, counts }] }], sheet(20));
  // Up to 2 spans: the fourth roots of 3 less 1 are 0.3, 0.7, 1.3.
  expect(lines[0]).toBe("4 ┤█▓········");
  expect(lines.at(-1)).toBe("· 0  ▓ 1  █ 2 spans");
});
