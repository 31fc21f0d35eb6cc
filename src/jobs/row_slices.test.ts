import { expect, test } from "bun:test";
import { rangesOf, rowsOf, slicesOf } from "./row_slices.ts";

test("slicesOf() cuts rows into pieces of some 131072 spans, going by the group's average", () => {
  // 4 * 131072 spans in 10 rows: 2.5 rows fit.
  const group = { rows: 10, spans: 524_288 };
  const ranges = [
    { start: 0, end: 3 },
    { start: 5, end: 7 },
  ];
  expect([...slicesOf(ranges, group)]).toEqual([
    [{ start: 0, end: 2 }],
    [
      { start: 2, end: 3 },
      { start: 5, end: 6 },
    ],
    [{ start: 6, end: 7 }],
  ]);
});

test("slicesOf() takes a row alone however many spans it has", () => {
  const slices = slicesOf([{ start: 0, end: 2 }], { rows: 2, spans: 10_000_000 });
  expect([...slices]).toEqual([[{ start: 0, end: 1 }], [{ start: 1, end: 2 }]]);
});

test("rangesOf() joins rows that follow one another, and rowsOf() finds them by their place", () => {
  const ranges = rangesOf([3, 4, 5, 9, 11, 12]);
  expect(ranges).toEqual([
    { start: 3, end: 6 },
    { start: 9, end: 10 },
    { start: 11, end: 13 },
  ]);
  expect([...rowsOf(ranges, Uint32Array.of(0, 2, 3, 5))]).toEqual([3, 5, 9, 12]);
});
