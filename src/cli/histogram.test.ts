import { expect, test } from "bun:test";
import { histogramsOf } from "./histogram.ts";

const series = (name: string, bound: number | bigint, ...counts: number[]) => ({
  labels: [
    { key: "name", value: name },
    { key: "__bucket", value: bound },
  ],
  values: Float64Array.from(counts),
});

test("histogramsOf() puts buckets together by their other labels, and fills in powers of two between them", () => {
  const found = histogramsOf([series("b", 4, 1, 2), series("a", 16n, 5, Number.NaN), series("a", 2, 3, 4)])!;
  expect(found.map(({ labels }) => labels[0]!.value)).toEqual(["a", "b"]);
  expect(found[0]!.buckets.map(({ bound, counts }) => [bound, ...counts])).toEqual([
    [2, 3, 4],
    [4, 0, Number.NaN],
    [8, 0, Number.NaN],
    [16, 5, Number.NaN],
  ]);
});

test("histogramsOf() leaves buckets as they are that no powers of two lead to", () => {
  const bounds = (...of: number[]) =>
    histogramsOf(of.map((bound) => series("a", bound, 1)))![0]!.buckets.map(({ bound }) => bound);
  expect(bounds(1e300, 1e-300)).toEqual([1e-300, 1e300]);
  expect(bounds(3, 0, -1)).toEqual([-1, 0, 3]);
  // 2.097152 ms, rounded up by whoever wrote it.
  expect(bounds(0.001048576, 0.0020972)).toEqual([0.001048576, 0.0020972]);
});

test("histogramsOf() is null of series without buckets", () => {
  expect(histogramsOf([{ labels: [{ key: "p", value: 0.9 }], values: Float64Array.of(1) }])).toBeNull();
  expect(histogramsOf([series("a", Infinity, 1)])).toBeNull();
});
