import { describe, expect, test } from "bun:test";
import { defaultConfig } from "../config/defaults.ts";
import { type AskedRange, defaultStep, instantGrid, rangeGrid } from "./metrics_range.ts";
import { InvalidRequest } from "./query_errors.ts";

const second = 1_000_000_000n;
const ms = 1_000_000n;
const day = 86_400n * second;
/** 2023-11-14T22:13:20.5Z */
const now = 1_700_000_000_500;
const nowNanos = 1_700_000_000_500n * ms;

const nothing: AskedRange = { startNanos: null, endNanos: null, sinceNanos: null, stepNanos: null };
type Change = (config: ReturnType<typeof defaultConfig>) => void;

function configOf(change: Change = () => {}) {
  const config = defaultConfig();
  change(config);
  return config;
}
const grid = (asked: Partial<AskedRange>, change?: Change) =>
  rangeGrid({ ...nothing, ...asked }, configOf(change), now);
const interval = (asked: Partial<AskedRange>, change?: Change) =>
  instantGrid({ ...nothing, ...asked }, configOf(change), now);
const refusal = (ask: () => unknown) => {
  try {
    ask();
  } catch (error) {
    if (error instanceof InvalidRequest) return error.message;
    throw error;
  }
  return null;
};

test("defaultStep() is what the specification's table says", () => {
  for (const [range, step] of [
    [10n * second, 50n * ms],
    [30n * second, 100n * ms],
    [59n * second, 200n * ms],
    [60n * second, second],
    [300n * second, second],
    [900n * second, 3n * second],
    [1800n * second, 5n * second],
    [3600n * second, 15n * second],
    [3n * 3600n * second, 45n * second],
    [6n * 3600n * second, 60n * second],
    [12n * 3600n * second, 180n * second],
    [day, 300n * second],
    [2n * day, 600n * second],
    [7n * day, 2400n * second],
    [30n * day, 10_800n * second],
    [1n, 50n * ms],
  ] as const) {
    expect([range, defaultStep(range)]).toEqual([range, step]);
  }
});

describe("rangeGrid()", () => {
  test("widens the range to the step, and begins an interval before it", () => {
    expect(grid({ startNanos: 1003n * second, endNanos: 1017n * second, stepNanos: 10n * second })).toEqual({
      startNanos: 990n * second,
      endNanos: 1020n * second,
      stepNanos: 10n * second,
    });
    expect(grid({ startNanos: 1000n * second, endNanos: 1020n * second, stepNanos: 10n * second })).toEqual({
      startNanos: 990n * second,
      endNanos: 1020n * second,
      stepNanos: 10n * second,
    });
  });

  test("is exact to the nanosecond", () => {
    const start = 1_700_000_000_000_000_002n; // a multiple of 3, and 1
    expect(grid({ startNanos: start, endNanos: start + 6n, stepNanos: 3n })).toEqual({
      startNanos: 1_699_999_999_999_999_998n,
      endNanos: 1_700_000_000_000_000_010n,
      stepNanos: 3n,
    });
  });

  test("is the last hour where nothing is said", () => {
    expect(grid({})).toEqual({
      // 22:13:20.5 less an hour, in steps of 15 s, is 21:13:15, and one step before that.
      startNanos: 1_699_996_395n * second - 15n * second,
      endNanos: 1_700_000_010n * second,
      stepNanos: 15n * second,
    });
  });

  test("goes back from its end, or from now where that is in the future", () => {
    const since = { sinceNanos: 60n * second, stepNanos: second };
    expect(grid({ ...since, endNanos: 5000n * second })).toMatchObject({
      startNanos: 4939n * second,
      endNanos: 5000n * second,
    });
    expect(grid({ ...since, endNanos: nowNanos + 10n * second })).toMatchObject({
      startNanos: 1_699_999_939n * second,
      endNanos: 1_700_000_011n * second,
    });
  });

  test("does not begin before there were times", () => {
    expect(grid({ startNanos: -5n * second, endNanos: 10n * second, stepNanos: 10n * second })).toEqual({
      startNanos: 0n,
      endNanos: 10n * second,
      stepNanos: 10n * second,
    });
  });

  test("ends at the cutoff, on the step before it", () => {
    const cutoff: Change = (config) => {
      config.query_frontend.query_end_cutoff = 30_000;
    };
    const asked = { startNanos: nowNanos - 60n * second, endNanos: nowNanos, stepNanos: 20n * second };
    // 30 s ago was 22:12:50.5, which the steps of 20 s round to 22:12:40.
    expect(grid(asked, cutoff).endNanos).toBe(1_699_999_960n * second);
    expect(grid({ ...asked, startNanos: 100n * second, endNanos: 200n * second }, cutoff).endNanos).toBe(
      200n * second,
    );
    const none = grid({ ...asked, startNanos: nowNanos - second, stepNanos: second }, cutoff);
    expect(none.endNanos < none.startNanos).toBe(true);
  });
});

test("instantGrid() is one interval", () => {
  expect(interval({ startNanos: 1003n, endNanos: 1017n, stepNanos: 5n })).toEqual({
    startNanos: 1003n,
    endNanos: 1017n,
    stepNanos: 14n,
  });
  expect(interval({})).toEqual({
    startNanos: nowNanos - 3600n * second,
    endNanos: nowNanos,
    stepNanos: 3600n * second,
  });
  expect(
    interval({ sinceNanos: 60n * second }, (config) => {
      config.query_frontend.query_end_cutoff = 30_000;
    }),
  ).toEqual({
    startNanos: nowNanos - 60n * second,
    endNanos: nowNanos - 30n * second,
    stepNanos: 30n * second,
  });
});

describe("refused is", () => {
  const end = 1_000_000n * second;

  test("an end that is not after the start", () => {
    for (const ask of [grid, interval]) {
      for (const startNanos of [end, end + 1n]) {
        expect(refusal(() => ask({ startNanos, endNanos: end }))).toBe("end must be greater than start");
      }
      expect(refusal(() => ask({ sinceNanos: 0n }))).toBe("end must be greater than start");
      expect(refusal(() => ask({ startNanos: -5n, endNanos: 0n }))).toContain("not a time");
      expect(refusal(() => ask({ startNanos: 2n ** 63n, endNanos: 2n ** 63n + 5n }))).toContain("not a time");
    }
  });

  test("a step that makes too many intervals", () => {
    const range = { startNanos: end - 360n * second, endNanos: end };
    expect(refusal(() => grid({ ...range, stepNanos: 35n * ms }))).toBe(
      "step of 35ms is too small, minimum step for given range is 36ms",
    );
    expect(refusal(() => grid({ ...range, stepNanos: 36n * ms }))).toBeNull();
    expect(refusal(() => grid({ ...range, stepNanos: 0n }))).toBe(
      "step of 0s is too small, minimum step for given range is 36ms",
    );
    expect(refusal(() => grid({ ...range, stepNanos: -5n * second }))).toBe(
      "step of -5s is too small, minimum step for given range is 36ms",
    );
    const five: Change = (config) => {
      config.query_frontend.metrics.max_intervals = 5;
    };
    expect(refusal(() => grid({ ...range, stepNanos: 71n * second }, five))).toBe(
      "step of 1m11s is too small, minimum step for given range is 1m12s",
    );
    expect(refusal(() => grid({ ...range, stepNanos: 72n * second }, five))).toBeNull();
    const unlimited: Change = (config) => {
      config.query_frontend.metrics.max_intervals = 0;
    };
    expect(refusal(() => grid({ ...range, stepNanos: ms }, unlimited))).toBeNull();
    expect(refusal(() => grid({ ...range, stepNanos: 1n }, unlimited))).toContain("360µs");
  });

  test("a range longer than the configuration allows", () => {
    const week = { startNanos: end - 7n * day, endNanos: end };
    const tooLong = "metrics query time range exceeds the maximum allowed duration of 168h0m0s";
    for (const ask of [grid, interval]) {
      expect(refusal(() => ask(week))).toBeNull();
      expect(refusal(() => ask({ ...week, startNanos: week.startNanos - second }))).toBe(tooLong);
      expect(
        refusal(() =>
          ask(week, (config) => {
            config.overrides.defaults.read.max_metrics_duration = 86_400_000;
          }),
        ),
      ).toBe("metrics query time range exceeds the maximum allowed duration of 24h0m0s");
      expect(
        refusal(() =>
          ask({ startNanos: 0n, endNanos: end }, (config) => {
            config.query_frontend.metrics.max_duration = 0;
          }),
        ),
      ).toBeNull();
    }
  });
});
