import { expect, test } from "bun:test";
import { barTable } from "./bar_table.ts";
import { coloursFor } from "./colours.ts";

const sheet = { units: { value: "number", attribute: "number" }, colours: coloursFor(false) } as const;

test("barTable() draws at least an eighth for what is not 0, and a negative value by its size", () => {
  const bars = [8000, -4000, 1, 0].map((value) => ({ label: "a", value }));
  expect(barTable(bars, { ...sheet, columns: null })).toEqual([
    "SERIES  VALUE",
    `a        8000  ${"█".repeat(40)}`,
    `a       -4000  ${"█".repeat(20)}`,
    "a           1  ▏",
    "a           0",
  ]);
});

test("barTable() leaves labels half of the width", () => {
  const bars = [{ label: "a label of more than half", value: 1 }];
  expect(barTable(bars, { ...sheet, columns: 40 })).toEqual([
    "SERIES                VALUE",
    `a label of more tha…      1  ${"█".repeat(11)}`,
  ]);
});
