import { expect, test } from "bun:test";
import type { Unit } from "./quantity.ts";
import { placeOf, valueAxis } from "./value_axis.ts";

test("valueAxis() goes from round number to round number, zero among them", () => {
  const cases: [min: number, max: number, Unit, low: number, high: number, ticks: string[]][] = [
    [0, 4, "rate", 0, 4, ["0/s", "1/s", "2/s", "3/s", "4/s"]],
    [900, 1010, "number", 0, 1500, ["0", "500", "1000", "1500"]],
    [0, 0, "count", 0, 1, ["0", "1"]],
    [0, 2, "count", 0, 2, ["0", "1", "2"]],
    [0.001, 0.0031, "seconds", 0, 0.004, ["0s", "1ms", "2ms", "3ms", "4ms"]],
    [10, 200, "seconds", 0, 240, ["0s", "1m0s", "2m0s", "3m0s", "4m0s"]],
    [-3, 1, "number", -3, 1, ["-3", "-2", "-1", "0", "1"]],
    [-3, -2, "number", -3, 0, ["-3", "-2", "-1", "0"]],
  ];
  for (const [min, max, unit, low, high, ticks] of cases) {
    expect(valueAxis({ min, max }, unit)).toEqual({ low, high, ticks });
  }
});

test("placeOf() is never beyond the scale", () => {
  const axis = valueAxis({ min: -1, max: 3 }, "number");
  expect([-1, 1, 3, 3.0000001].map((value) => placeOf(value, axis))).toEqual([0, 0.5, 1, 1]);
});
