import { describe, expect, test } from "bun:test";
import { defaultConfig } from "../config/defaults.ts";
import { print } from "../traceql/index.ts";
import { instantRequest, parseMetricsParams, parseStep, rangeRequest } from "./metrics_request.ts";
import { InvalidRequest } from "./query_errors.ts";

const second = 1_000_000_000n;
/** 2023-11-14T22:13:20Z */
const now = 1_700_000_000_000;

type Change = (config: ReturnType<typeof defaultConfig>) => void;

function requestOf(params: Record<string, string>, change: Change = () => {}, make = rangeRequest) {
  const config = defaultConfig();
  change(config);
  return make(
    parseMetricsParams((name) => params[name]),
    ["team"],
    config,
    now,
  );
}
const rate = { q: "{} | rate()", start: "1000", end: "1020", step: "10s" };
const refusal = (params: Record<string, string>, change?: Change) => {
  try {
    requestOf(params, change);
  } catch (error) {
    if (error instanceof InvalidRequest) return error.message;
    throw error;
  }
  return null;
};

test("reads the parameters", () => {
  const { query, ...rest } = requestOf({
    q: "{ status = error } | rate() by (name)",
    query: "{ }",
    start: "1000",
    end: "1970-01-01T00:17:00.000000001Z",
    step: "10",
    exemplars: "7",
    maxSeries: "3",
    mode: "recent",
    skip_ast_transformations: "all",
  });
  expect(print(query)).toBe("{ status = error } | rate() by (name)");
  expect(rest).toEqual({
    tenants: ["team"],
    startNanos: 990n * second,
    endNanos: 1030n * second,
    stepNanos: 10n * second,
    isInstant: false,
    exemplars: 7,
    seriesMax: 3,
  });
});

test("`query` stands for `q`, and empty parameters say nothing", () => {
  const empty = { start: "", end: "", since: "", step: "", exemplars: "", maxSeries: "" };
  const { query, ...rest } = requestOf({ query: "{} | rate()", q: "", ...empty });
  expect(print(query)).toBe("{ true } | rate()");
  const { query: _, ...defaults } = requestOf({ q: "{} | rate()" });
  expect(rest).toEqual(defaults);
  expect(rest).toMatchObject({ stepNanos: 15n * second, exemplars: 100, seriesMax: 0 });
});

test("an instant query is one interval, without exemplars", () => {
  const { query, ...rest } = requestOf(
    { ...rate, q: "{} | rate() with (exemplars=5)" },
    undefined,
    instantRequest,
  );
  expect(print(query)).toContain("rate()");
  expect(rest).toEqual({
    tenants: ["team"],
    startNanos: 1000n * second,
    endNanos: 1020n * second,
    stepNanos: 20n * second,
    isInstant: true,
    exemplars: 0,
    seriesMax: 0,
  });
});

test("parseStep() takes seconds and durations", () => {
  for (const [text, nanos] of [
    ["10", 10n * second],
    ["0.035", 35_000_000n],
    [".5", second / 2n],
    ["1.5s", 1_500_000_000n],
    ["1m30s", 90n * second],
    ["1d", 86_400n * second],
    ["100ms", 100_000_000n],
    ["1ns", 1n],
    ["0", 0n],
    ["-1m", -60n * second],
    ["+5", 5n * second],
    ["abc", undefined],
    ["", undefined],
    ["-", undefined],
    ["1e3", undefined],
    ["5x", undefined],
    ["1s\n", undefined],
  ] as const) {
    expect([text, parseStep(text)]).toEqual([text, nanos]);
  }
});

describe("exemplars", () => {
  const exemplars = (hints: string, asked = "", max = 100) =>
    requestOf({ ...rate, q: `{} | rate() ${hints}`, exemplars: asked }, (config) => {
      config.query_frontend.metrics.max_exemplars = max;
    }).exemplars;

  test("are the configured number at most, and by default", () => {
    expect(exemplars("", "")).toBe(100);
    expect(exemplars("", "0")).toBe(100);
    expect(exemplars("", "7")).toBe(7);
    expect(exemplars("", "500")).toBe(100);
    expect(exemplars("", "", 3)).toBe(3);
    expect(exemplars("", "7", 0)).toBe(0);
  });

  test("may be given by a hint, which counts more", () => {
    expect(exemplars("with (exemplars=false)", "7")).toBe(0);
    expect(exemplars("with (exemplars=true)", "7")).toBe(7);
    expect(exemplars("with (exemplars=true)")).toBe(100);
    expect(exemplars("with (exemplars=0)", "7")).toBe(0);
    expect(exemplars("with (exemplars=12)", "7")).toBe(12);
    expect(exemplars("with (exemplars=1200)", "7")).toBe(100);
    // The first of a fitting type, of the last list.
    expect(exemplars('with (exemplars="x", sample=true, exemplars=4, exemplars=5)')).toBe(4);
    expect(exemplars("with (exemplars=4) with (exemplars=6)")).toBe(6);
  });
});

test("series are as many as the request or the configuration allows, whichever is less", () => {
  const seriesMax = (asked: string, max: number) =>
    requestOf({ ...rate, maxSeries: asked }, (config) => {
      config.query_frontend.metrics.max_response_series = max;
    }).seriesMax;
  expect(seriesMax("", 0)).toBe(0);
  expect(seriesMax("5", 0)).toBe(5);
  expect(seriesMax("", 9)).toBe(9);
  expect(seriesMax("5", 9)).toBe(5);
  expect(seriesMax("50", 9)).toBe(9);
});

test("refuses what is wrong in Tempo's words", () => {
  for (const [params, message] of [
    [{ start: "x" }, `could not parse 'start' parameter: cannot parse "x" to a valid timestamp`],
    [{ end: "x" }, `could not parse 'end' parameter: cannot parse "x" to a valid timestamp`],
    [{ since: "x" }, `could not parse 'since' parameter: not a valid duration string: "x"`],
    [{ step: "abc" }, 'cannot parse "abc" to a valid duration'],
    [{ step: "0" }, "step of 0s is too small, minimum step for given range is 2ms"],
    [{ exemplars: "-1" }, 'invalid exemplars: strconv.ParseUint: parsing "-1": invalid syntax'],
    [{ maxSeries: "x" }, 'invalid maxSeries: strconv.ParseUint: parsing "x": invalid syntax'],
    [{ end: "1000" }, "end must be greater than start"],
  ] as const) {
    expect(refusal({ ...rate, ...params })).toBe(message);
  }
  expect(refusal({ ...rate, q: "{ }" })).toStartWith("not a metrics query");
  expect(refusal({ ...rate, q: "{ } | count() > 1" })).toStartWith("not a metrics query");
  expect(refusal({ ...rate, q: "{" })).toStartWith("parse error at line 1, col 2: ");
  expect(refusal({ ...rate, q: "" })).toStartWith("parse error at line 1, col 1: ");
  expect(refusal({ ...rate, q: "{} | quantile_over_time(duration, 2)" })).toStartWith(
    "quantile must be between 0 and 1: 2",
  );
  expect(
    refusal({ ...rate, q: "{ .a = 1 } | rate()" }, (config) => {
      config.query_frontend.max_query_expression_size_bytes = 18;
    }),
  ).toStartWith("TraceQL expression exceeds the configured maximum size of 18 bytes");
});
