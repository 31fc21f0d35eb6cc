import { expect, test } from "bun:test";
import { highest, summaryOf } from "./series.ts";

test("summaryOf() looks at the samples that there are", () => {
  const _ = Number.NaN;
  expect(summaryOf(Float64Array.of(_, 4, _, -2, 1, _))).toEqual({ last: 1, min: -2, max: 4, avg: 1 });
  expect(summaryOf(Float64Array.of(_, _))).toBeNull();
});

test("highest() keeps the order", () => {
  const same = (value: number) => value;
  expect(highest([1, 5, 2, 4], 2, same)).toEqual([5, 4]);
  expect(highest([1, 4, 5, 4], 2, same)).toEqual([4, 5]);
  expect(highest([1, 5], 0, same)).toEqual([1, 5]);
});
