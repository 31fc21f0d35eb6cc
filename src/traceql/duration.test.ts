import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseDuration, printDuration } from "./duration.ts";

describe("printDuration()", () => {
  // As Go's time.Duration prints them.
  const cases: [bigint, string][] = [
    [0n, "0s"],
    [1n, "1ns"],
    [1_100n, "1.1µs"],
    [20_000_000n, "20ms"],
    [1_500_000_000n, "1.5s"],
    [3_600_000_000_000n, "1h0m0s"],
    [-90_000_000_000n, "-1m30s"],
    [2n ** 63n - 1n, "2562047h47m16.854775807s"],
  ];
  for (const [value, text] of cases) test(text, () => expect(printDuration(value)).toBe(text));

  test("prints what parseDuration() reads", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (value) => {
        expect(parseDuration(printDuration(value))).toBe(value);
      }),
      { seed: 19, numRuns: 300 },
    );
  });
});

test("parseDuration() refuses what fits into no 64 bits", () => {
  expect(parseDuration("292y")).toBe(292n * 365n * 86_400_000_000_000n);
  expect(parseDuration("293y")).toBeUndefined();
  expect(parseDuration(`${"9".repeat(100_000)}s`)).toBeUndefined();
});
