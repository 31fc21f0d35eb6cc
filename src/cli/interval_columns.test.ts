import { expect, test } from "bun:test";
import { intervalColumns, valuesByColumn } from "./interval_columns.ts";

test("intervalColumns() keeps intervals of one width", () => {
  expect(intervalColumns(10, 44)).toEqual({ width: 40, columnsEach: 4, intervalsEach: 1 });
  expect(intervalColumns(10, 10)).toEqual({ width: 10, columnsEach: 1, intervalsEach: 1 });
  expect(intervalColumns(11, 10)).toEqual({ width: 6, columnsEach: 1, intervalsEach: 2 });
});

test("valuesByColumn() repeats a value, or joins those that there are", () => {
  const _ = Number.NaN;
  const wide = { width: 4, columnsEach: 2, intervalsEach: 1 };
  expect([...valuesByColumn(Float64Array.of(1, _), wide, Math.max)]).toEqual([1, 1, _, _]);
  const narrow = { width: 3, columnsEach: 1, intervalsEach: 2 };
  const sum = (a: number, b: number) => a + b;
  expect([...valuesByColumn(Float64Array.of(1, 2, _, 3, _), narrow, sum)]).toEqual([3, 3, _]);
});
