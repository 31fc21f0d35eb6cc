import { expect, test } from "bun:test";
import { quantityText, type Unit, unitsOf } from "./quantity.ts";

test("quantityText() shows three digits that count, with the unit", () => {
  const cases: [number, Unit, string][] = [
    [0, "count", "0"],
    [9999, "count", "9999"],
    [12_345, "count", "12.3k"],
    [999_999, "count", "1M"],
    [2.5e9, "number", "2.5G"],
    [3e15, "number", "3000000000000000"],
    [-12_345, "number", "-12.3k"],
    [0.012345, "number", "0.0123"],
    [1.005e-9, "number", "1e-9"],
    [0, "rate", "0/s"],
    [12.345, "rate", "12.3/s"],
    [0, "seconds", "0s"],
    [0.001048576, "seconds", "1.05ms"],
    [125.4, "seconds", "2m5s"],
    [-0.5, "seconds", "-500ms"],
    [1e12, "seconds", "1Ts"],
    [Infinity, "seconds", "Infinitys"],
  ];
  for (const [value, unit, text] of cases) expect(quantityText(value, unit)).toBe(text);
});

test("unitsOf() knows what the function counts, and the type of its attribute", () => {
  const cases: [string, Unit, Unit][] = [
    ["{} | rate()", "rate", "number"],
    ["{} | count_over_time() by (name)", "count", "number"],
    ["{} | compare({ status = error })", "count", "number"],
    ["{} | avg_over_time(duration)", "seconds", "seconds"],
    ["{} | max_over_time(span.size) | topk(3)", "number", "number"],
    ["{} | quantile_over_time(event:timeSinceStart, .9)", "seconds", "seconds"],
    ["{} | histogram_over_time(trace:duration)", "count", "seconds"],
    ["{} | histogram_over_time(span.size)", "count", "number"],
    ["{}", "number", "number"],
    ["{} | of_another_version()", "number", "number"],
  ];
  for (const [query, value, attribute] of cases) expect(unitsOf(query)).toEqual({ value, attribute });
});
