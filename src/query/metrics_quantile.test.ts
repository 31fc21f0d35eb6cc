import { describe, expect, test } from "bun:test";
import { bucketOf, quantileOf } from "./metrics_quantile.ts";

describe("quantileOf()", () => {
  const buckets = [
    { log2: 3, count: 2 },
    { log2: 5, count: 4 },
    { log2: 6, count: 4 },
  ];

  test("is the bound of a bucket that ends with the value looked for", () => {
    expect(quantileOf(0.2, buckets)).toBe(8); // 2 of 10
    expect(quantileOf(0.6, buckets)).toBe(32); // 6 of 10
    expect(quantileOf(1, buckets)).toBe(64);
  });

  test("interpolates exponentially from the bucket before that has spans", () => {
    expect(quantileOf(0.4, buckets)).toBe(2 ** (3 + 2 * (2 / 4))); // 4 of 10, of which 2 are in the bucket before
    expect(quantileOf(0.65, buckets)).toBe(2 ** (5 + 1 / 4)); // 6.5 of 10 is 7
  });

  test("interpolates in the first bucket from half of its bound", () => {
    expect(quantileOf(0, buckets)).toBe(2 ** (2 + 1 / 2)); // 1 of 10 at least
  });

  test("is 0 of nothing", () => {
    expect(quantileOf(0.5, [])).toBe(0);
  });
});

describe("bucketOf()", () => {
  test("is the smallest power of two that holds a value", () => {
    expect([2, 2.5, 3, 4, 5, 1024, 1025, 2 ** 62, 2 ** 63].map(bucketOf)).toEqual([
      1, 2, 2, 2, 3, 10, 11, 62, 63,
    ]);
  });

  test("is none below 2", () => {
    expect([1.9, 1, 0, -8, Number.NaN].map(bucketOf)).toEqual([null, null, null, null, null]);
  });
});
