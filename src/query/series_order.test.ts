import { describe, expect, test } from "bun:test";
import type { LabelValue } from "../search/labels.ts";
import { int, seriesOf, shown, text } from "./metrics_fixture.ts";
import type { Series } from "./metrics_types.ts";
import { inOrder, valueText } from "./series_order.ts";

const double = (value: number): LabelValue => ({ type: "double", value });

function order(...series: [key: string, value: LabelValue][][]): string[] {
  const all: Series[] = series.map((labels) => seriesOf(labels, 0));
  return shown(inOrder(all)).map((line) => line.slice(0, line.indexOf(": 0")));
}

describe("inOrder()", () => {
  test("puts fewer labels first, then goes by key and value", () => {
    expect(
      order(
        [
          ["a", text("x")],
          ["b", text("y")],
        ],
        [["b", text("z")]],
        [
          ["a", text("x")],
          ["b", text("x")],
        ],
        [["a", text("z")]],
      ),
    ).toEqual(['a="z"', 'b="z"', 'a="x" b="x"', 'a="x" b="y"']);
  });

  test("sorts numbers as texts, and types by their names", () => {
    const values = [text("a"), int(2), int(10), double(0.5), { type: "bool", value: true } as const];
    expect(order(...values.map((value): [string, LabelValue][] => [["k", value]]))).toEqual([
      "k=true",
      "k=0.5",
      "k=10",
      "k=2",
      'k="a"',
    ]);
  });

  test("has other letters than those of ASCII as numbers of bytes", () => {
    const values = ["l0", "é", "a", "Z"].map(text);
    expect(order(...values.map((value): [string, LabelValue][] => [["k", value]]))).toEqual([
      'k="Z"',
      'k="é"',
      'k="a"',
      'k="l0"',
    ]);
  });
});

test("valueText() is what Go's protobuf prints", () => {
  expect(valueText(text('a"\\\n\u007fé'))).toBe('string_value:"a\\"\\\\\\n\\177\\303\\251"');
  expect(valueText(int(-10))).toBe("int_value:-10");
  expect(
    [0.5, 1, 100_000, 1_048_576, 1.28e-7, 0.0001, 0.00001, 0, Number.POSITIVE_INFINITY].map((value) =>
      valueText(double(value)),
    ),
  ).toEqual(
    ["0.5", "1", "100000", "1.048576e+06", "1.28e-07", "0.0001", "1e-05", "0", "inf"].map(
      (digits) => `double_value:${digits}`,
    ),
  );
});
