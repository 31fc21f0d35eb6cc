import { describe, expect, test } from "bun:test";
import type { Ranking, Threshold } from "../traceql/index.ts";
import { int, seriesOf, shown, stageOf, text } from "./metrics_fixture.ts";
import { ranked } from "./metrics_ranking.ts";
import { passing } from "./metrics_threshold.ts";
import type { Series } from "./metrics_types.ts";

const none = Number.NaN;

function rank(stage: string, series: Series[]): string[] {
  return shown(ranked(stageOf(`{} | rate() | ${stage}`).secondStages[0] as Ranking, series));
}

describe("topk() and bottomk()", () => {
  const named = [
    seriesOf([["k", text("a")]], 1, 5, 3),
    seriesOf([["k", text("b")]], 2, 6, 2),
    seriesOf([["k", text("c")]], 3, 1, 1),
    seriesOf([["k", text("d")]], 4, 2, 4),
  ];

  test("choose among the samples of each time", () => {
    expect(rank("topk(2)", named)).toEqual(['k="a": - 5 3', 'k="b": - 6 -', 'k="c": 3 - -', 'k="d": 4 - 4']);
    expect(rank("bottomk(1)", named)).toEqual(['k="a": 1 - -', 'k="c": - 1 1']);
  });

  test("leave few series as they are, and drop those without a sample", () => {
    expect(ranked(stageOf("{} | rate() | topk(4)").secondStages[0] as Ranking, named)).toBe(named);
    expect(rank("topk(1)", named)).toEqual(['k="b": - 6 -', 'k="d": 4 - 4']);
  });

  test("pass over missing samples, but not over zeros", () => {
    const series = [
      seriesOf([["k", text("a")]], none, 0),
      seriesOf([["k", text("b")]], 7, 1),
      seriesOf([["k", text("c")]], none, none),
    ];
    expect(rank("bottomk(1)", series)).toEqual(['k="a": - 0', 'k="b": 7 -']);
  });

  test("of equal texts keep the first and the last, of equal numbers the largest and the smallest", () => {
    const texts = ["b", "a", "c"].map((value) => seriesOf([["k", text(value)]], 1));
    expect(rank("topk(1)", texts)).toEqual(['k="a": 1']);
    expect(rank("bottomk(1)", texts)).toEqual(['k="c": 1']);
    const numbers = [9, 10, 2].map((value) => seriesOf([["k", int(value)]], 1));
    expect(rank("topk(1)", numbers)).toEqual(["k=10: 1"]);
    expect(rank("bottomk(1)", numbers)).toEqual(["k=2: 1"]);
    const bools = [true, false].map((value) => seriesOf([["k", { type: "bool", value }]], 1));
    expect(rank("topk(1)", bools)).toEqual(["k=true: 1"]);
    expect(rank("bottomk(1)", bools)).toEqual(["k=false: 1"]);
  });

  test("compare labels in their order", () => {
    const series = [
      seriesOf(
        [
          ["j", text("x")],
          ["k", int(1)],
        ],
        1,
      ),
      seriesOf(
        [
          ["j", text("x")],
          ["k", int(2)],
        ],
        1,
      ),
      seriesOf(
        [
          ["j", text("y")],
          ["k", int(3)],
        ],
        1,
      ),
    ];
    expect(rank("topk(1)", series)).toEqual(['j="x" k=2: 1']);
    expect(rank("bottomk(1)", series)).toEqual(['j="y" k=3: 1']);
  });
});

describe("thresholds", () => {
  const pass = (threshold: string, ...values: number[]) =>
    shown(
      passing(stageOf(`{} | rate() ${threshold}`).secondStages[0] as Threshold, [
        seriesOf([["k", text("a")]], ...values),
      ]),
    );

  test("keep the samples for which they hold", () => {
    expect(pass("> 2", 1, 2, 3)).toEqual(['k="a": - - 3']);
    expect(pass(">= 2", 1, 2, 3)).toEqual(['k="a": - 2 3']);
    expect(pass("< 2", 0, 2, 3)).toEqual(['k="a": 0 - -']);
    expect(pass("<= 2.0", 1, 2, 3)).toEqual(['k="a": 1 2 -']);
    expect(pass("= -1", 1, -1, 3)).toEqual(['k="a": - -1 -']);
    expect(pass("!= 2", 1, 2, none)).toEqual(['k="a": 1 - -']);
  });

  test("have durations in seconds", () => {
    expect(pass("> 500ms", 0.5, 0.6, 500)).toEqual(['k="a": - 0.6 500']);
  });

  test("drop series without a sample", () => {
    expect(pass("> 100", 1, 2, none)).toEqual([]);
    expect(pass("!= 100", none, none, none)).toEqual([]);
  });
});
