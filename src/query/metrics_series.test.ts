import { describe, expect, test } from "bun:test";
import { cellsOf, grid, groupOf, int, shown, stageOf, text } from "./metrics_fixture.ts";
import type { MetricsGroup, PartialExemplar } from "./metrics_partial.ts";
import { metricsSeries } from "./metrics_series.ts";

function answer(query: string, groups: MetricsGroup[], where = grid): string[] {
  return shown(metricsSeries(stageOf(query), { groups, exemplars: [] }, where));
}

const instant = { ...grid, stepNanos: 30_000_000_000n, isInstant: true };

describe("metricsSeries()", () => {
  test("counts spans, with zeros where there are none", () => {
    const groups = [groupOf([], { at: 0, count: 4 }, { at: 2, count: 1 })];
    expect(answer("{} | count_over_time()", groups)).toEqual(['__name__="count_over_time": 4 0 1']);
  });

  test("divides a rate by the seconds of a step, or of an instant query's whole time", () => {
    expect(answer("{} | rate()", [groupOf([], { at: 0, count: 4 })])).toEqual(['__name__="rate": 0.4 0 0']);
    expect(answer("{} | rate()", [groupOf([], { at: 0, count: 60 })], instant)).toEqual([
      '__name__="rate": 2',
    ]);
  });

  test("gives zeros where no span was counted, but not by attributes", () => {
    expect(answer("{} | count_over_time()", [])).toEqual(['__name__="count_over_time": 0 0 0']);
    expect(answer("{} | rate()", [], instant)).toEqual(['__name__="rate": 0']);
    expect(answer("{} | rate() by (name)", [])).toEqual([]);
    expect(answer("{} | max_over_time(duration)", [])).toEqual([]);
    expect(answer("{} | histogram_over_time(duration)", [])).toEqual([]);
    expect(answer("{} | quantile_over_time(duration, .5)", [])).toEqual([]);
  });

  test("adds up slots that come again", () => {
    const twice = groupOf([], { at: 1, count: 2 }, { at: 1, count: 3 });
    expect(answer("{} | count_over_time()", [twice])).toEqual(['__name__="count_over_time": 0 5 0']);
  });

  test("gives the smallest, the largest, the sum and the mean of values, and no sample without a value", () => {
    const parts = (first: number, second: number) => [
      groupOf([], { at: 0, count: 2, value: first }, { at: 2, count: 1, value: 0 }),
      groupOf([], { at: 0, count: 2, value: second }),
    ];
    expect(answer("{} | min_over_time(.a)", parts(-3, 5))).toEqual(['__name__="min_over_time": -3 - 0']);
    expect(answer("{} | max_over_time(.a)", parts(-3, 5))).toEqual(['__name__="max_over_time": 5 - 0']);
    expect(answer("{} | sum_over_time(.a)", parts(-3, 5))).toEqual(['__name__="sum_over_time": 2 - 0']);
    expect(answer("{} | avg_over_time(.a)", parts(-3, 5))).toEqual(['__name__="avg_over_time": 0.5 - 0']);
  });

  test("has durations in seconds", () => {
    const groups = [groupOf([], { at: 0, count: 2, value: 3e9 })];
    expect(answer("{} | min_over_time(duration)", groups)).toEqual(['__name__="min_over_time": 3 - -']);
    expect(answer("{} | avg_over_time(traceDuration)", groups)).toEqual([
      '__name__="avg_over_time": 1.5 - -',
    ]);
  });

  test("leaves out groups of which no span has a value", () => {
    const groups = [groupOf([text("a")], { at: 0, count: 1, value: 7 }), groupOf([text("b")])];
    expect(answer("{} | max_over_time(.a) by (name)", groups)).toEqual(['name="a": 7 - -']);
    expect(answer("{} | histogram_over_time(.a)", [groupOf([])])).toEqual([]);
    expect(answer("{} | quantile_over_time(.a, .5)", [groupOf([])])).toEqual([]);
  });

  test("labels with every attribute that is there, in the order of the list, by its canonical name", () => {
    const groups = [
      groupOf([int(200), text("GET"), { type: "status", value: 2 }], { at: 0, count: 1 }),
      groupOf([null, text("GET"), { type: "status", value: 0 }], { at: 0, count: 2 }),
      groupOf([null, null, { type: "status", value: 7 }], { at: 0, count: 3 }),
    ];
    expect(answer('{} | count_over_time() by (span."a b", span:name, status)', groups)).toEqual([
      'status="status(7)": 3 0 0',
      'name="GET" status="unset": 2 0 0',
      'span."a b"=200 name="GET" status="error": 1 0 0',
    ]);
  });

  test("labels with values of every type", () => {
    const key = [
      { type: "kind", value: 2 },
      { type: "duration", value: 1_500_000_000n },
      { type: "double", value: 0.5 },
      { type: "bool", value: false },
      { type: "int", value: -1n },
    ] as const;
    const [series] = metricsSeries(
      stageOf("{} | count_over_time() by (kind, duration, .f, .b, .n)"),
      { groups: [groupOf(key, { at: 0, count: 1 })], exemplars: [] },
      grid,
    );
    expect(series!.labels).toEqual([
      { key: "kind", value: { type: "string", value: "server" } },
      { key: "duration", value: { type: "string", value: "1.5s" } },
      { key: ".f", value: { type: "double", value: 0.5 } },
      { key: ".b", value: { type: "bool", value: false } },
      { key: ".n", value: { type: "int", value: -1n } },
    ]);
  });

  test("labels a group without any of the attributes by the first one, as nil", () => {
    const groups = [groupOf([null, null], { at: 0, count: 1 })];
    expect(answer("{} | count_over_time() by (.a, .b)", groups)).toEqual(['.a="nil": 1 0 0']);
    expect(answer("{} | sum_over_time(.n) by (.a, .b)", groups)).toEqual(['.a="nil": 0 - -']);
    const buckets = [groupOf([null, null], { at: 0, bucket: 2, count: 1 })];
    expect(answer("{} | histogram_over_time(.n) by (.a, .b)", buckets)).toEqual(["__bucket=4: 1 0 0"]);
    expect(answer("{} | quantile_over_time(.n, .5) by (.a, .b)", buckets)).toEqual(["p=0.5: 4 0 0"]);
  });

  test("joins what has no value with the text that stands for it", () => {
    const groups = [groupOf([null], { at: 0, count: 1 }), groupOf([text("nil")], { at: 0, count: 2 })];
    expect(answer("{} | count_over_time() by (.a)", groups)).toEqual(['.a="nil": 3 0 0']);
  });

  test("gives a series of a histogram for each bucket, in seconds for durations", () => {
    const groups = [
      groupOf([text("a")], { at: 0, bucket: 20, count: 2 }, { at: 2, bucket: 21, count: 1 }),
      groupOf([text("b")], { at: 1, bucket: 20, count: 5 }),
    ];
    expect(answer("{} | histogram_over_time(duration) by (name)", groups)).toEqual([
      'name="a" __bucket=0.001048576: 2 0 0',
      'name="a" __bucket=0.002097152: 0 0 1',
      'name="b" __bucket=0.001048576: 0 5 0',
    ]);
    expect(answer("{} | histogram_over_time(.bytes) by (name)", groups.slice(1))).toEqual([
      'name="b" __bucket=1048576: 0 5 0',
    ]);
  });

  test("gives a series for each quantile, with zeros where nothing was measured", () => {
    // Buckets up to 128, 256 and 512 ns, a span in each: half of three, rounded up, are the two lower buckets.
    const groups = [groupOf([], ...[7, 8, 9].map((bucket) => ({ at: 1, bucket, count: 1 })))];
    expect(answer("{} | quantile_over_time(duration, 1, .5)", groups)).toEqual([
      "p=0.5: 0 2.56e-7 0",
      "p=1: 0 5.12e-7 0",
    ]);
  });

  test("applies the second stages in their order", () => {
    const groups = [7, 5, 3].map((count) => groupOf([text(`n${count}`)], { at: 0, count }));
    // Of three zeros the first two are kept, and of those the last.
    expect(answer("{} | count_over_time() by (name) | topk(2) | bottomk(1)", groups)).toEqual([
      'name="n5": 5 0 0',
    ]);
    expect(answer("{} | count_over_time() by (name) > 3 < 7", groups)).toEqual(['name="n5": 5 - -']);
  });
});

describe("exemplars", () => {
  const exemplar = (seconds: number, value: number | null, group = 0): PartialExemplar => ({
    group,
    startNanos: BigInt(seconds) * 1_000_000_000n + 1_999_999n,
    value,
    labels: [{ key: "trace:id", value: text(`t${seconds}`) }],
  });
  const found = (query: string, groups: MetricsGroup[], exemplars: PartialExemplar[], where = grid) =>
    metricsSeries(stageOf(query), { groups, exemplars }, where).map((series) =>
      series.exemplars.map(({ timestampMs, value, labels }) => [timestampMs, value, labels[0]!.value.value]),
    );

  test("have of counts and rates the value of their interval, and come by time", () => {
    const groups = [groupOf([], { at: 0, count: 4 }, { at: 2, count: 1 })];
    expect(found("{} | rate()", groups, [exemplar(125, null), exemplar(105, null)])).toEqual([
      [
        [105_001, 0.4, "t105"],
        [125_001, 0.1, "t125"],
      ],
    ]);
    expect(found("{} | rate()", groups, [exemplar(105, null)], { ...grid, isInstant: true })).toEqual([[]]);
  });

  test("go with their group, and have their own value where one is measured", () => {
    const groups = ["a", "b"].map((name) => groupOf([text(name)], { at: 0, count: 1, value: 9 }));
    const exemplars = [exemplar(101, 3, 1), exemplar(102, null, 1), exemplar(103, 4, 0)];
    expect(found("{} | max_over_time(.n) by (name)", groups, exemplars)).toEqual([
      [[103_001, 4, "t103"]],
      [[101_001, 3, "t101"]],
    ]);
    expect(found("{} | max_over_time(duration)", groups.slice(1), [exemplar(101, 5e8)])).toEqual([
      [[101_001, 0.5, "t101"]],
    ]);
  });

  test("go with the bucket of a histogram that they are counted in", () => {
    const groups = [groupOf([], { at: 0, bucket: 7, count: 3 }, { at: 0, bucket: 8, count: 5 })];
    const exemplars = [exemplar(101, 128), exemplar(102, 129), exemplar(103, 1)];
    expect(found("{} | histogram_over_time(duration)", groups, exemplars)).toEqual([
      [[101_001, 3, "t101"]],
      [[102_001, 5, "t102"]],
    ]);
  });

  test("go with the quantile that is nearest to them over all intervals", () => {
    const groups = [
      groupOf(
        [],
        { at: 0, bucket: 4, count: 9 },
        { at: 1, bucket: 10, count: 1 },
        { at: 2, bucket: 4, count: 9 },
      ),
    ];
    // Of 19 values 18 are up to 16, so are half of them; the largest is up to 1024.
    const exemplars = [exemplar(101, 20), exemplar(112, 900), exemplar(121, 15)];
    expect(found("{} | quantile_over_time(.n, .5, 1)", groups, exemplars)).toEqual([
      [
        [101_001, 20, "t101"],
        [121_001, 15, "t121"],
      ],
      [[112_001, 900, "t112"]],
    ]);
  });

  test("are filtered by thresholds like samples", () => {
    const groups = [groupOf([], { at: 0, count: 2, value: 9 })];
    const exemplars = [exemplar(101, 3), exemplar(102, 9)];
    expect(found("{} | max_over_time(.n) > 5", groups, exemplars)).toEqual([[[102_001, 9, "t102"]]]);
  });
});

test("cells of several groups stay apart", () => {
  const groups = [int(1), text("1")].map((value, i) => ({
    key: [value],
    cells: cellsOf({ at: i, count: 1 }),
  }));
  expect(answer("{} | count_over_time() by (.a)", groups)).toEqual([".a=1: 1 0 0", '.a="1": 0 1 0']);
});
