import { expect, test } from "bun:test";
import { shortDuration } from "./short_duration.ts";

test("shortDuration() keeps three digits, and whole seconds from a minute on", () => {
  const cases: [bigint, string][] = [
    [0n, "0s"],
    [7n, "7ns"],
    [999n, "999ns"],
    [1_234n, "1.23µs"],
    [446_979_497n, "447ms"],
    [44_697_949n, "44.7ms"],
    [4_469_794n, "4.47ms"],
    [999_499_999n, "999ms"],
    [999_500_000n, "1s"],
    [1_235_000_000n, "1.24s"],
    [59_960_000_000n, "1m0s"],
    [125_499_999_999n, "2m5s"],
    [3_600_000_000_000n, "1h0m0s"],
    [-12_345_678n, "-12.3ms"],
  ];
  for (const [nanoseconds, shown] of cases) expect(shortDuration(nanoseconds)).toBe(shown);
});
