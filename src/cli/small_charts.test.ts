import { expect, test } from "bun:test";
import { coloursFor } from "./colours.ts";
import { smallCharts } from "./small_charts.ts";

const rowsOf = (...values: number[]) =>
  smallCharts([{ labels: [], values: Float64Array.from(values) }], {
    grid: { firstMs: 0, stepMs: 1000, count: values.length },
    units: { value: "number", attribute: "number" },
    columns: 15,
    colours: coloursFor(false),
  }).slice(1, 3);

test("smallCharts() shows the highest of intervals that share a column", () => {
  // 20 intervals in 12 columns: two in each.
  expect(rowsOf(0, 5, 5, 0, 0, 0, ...Array(13).fill(2), 5)).toEqual(["5 ┤██       █", "0 ┤██·▇▇▇▇▇▇█"]);
});

test("smallCharts() begins at the lowest value where that is below 0", () => {
  // From -1 to 1 in 16 eighths; a zero is in the middle then.
  expect(rowsOf(-1, 0, 1, Number.NaN, 0.5)).toEqual([" 1 ┤    ██  ▄▄", "-1 ┤▁▁████  ██"]);
});
