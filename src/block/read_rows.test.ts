import { expect, test } from "bun:test";
import { intersectRows, joinRows, uniteRows } from "./read_rows.ts";

const ranges = (...edges: [number, number][]) => edges.map(([start, end]) => ({ start, end }));

test("intersectRows() keeps what is in both", () => {
  expect(intersectRows(ranges([0, 10], [20, 30]), ranges([5, 25], [29, 40]))).toEqual(
    ranges([5, 10], [20, 25], [29, 30]),
  );
  expect(intersectRows(ranges([0, 5]), ranges([5, 9]))).toEqual([]);
  expect(intersectRows([], ranges([0, 5]))).toEqual([]);
});

test("uniteRows() keeps what is in either", () => {
  expect(uniteRows(ranges([0, 5], [20, 30]), ranges([5, 7], [25, 40]))).toEqual(ranges([0, 7], [20, 40]));
  expect(uniteRows([], ranges([1, 2]))).toEqual(ranges([1, 2]));
  expect(uniteRows(ranges([1, 2]), [])).toEqual(ranges([1, 2]));
});

test("joinRows() joins ranges that touch and leaves out empty ones", () => {
  expect(joinRows(ranges([0, 0], [1, 3], [3, 4], [6, 9], [7, 8]))).toEqual(ranges([1, 4], [6, 9]));
});
