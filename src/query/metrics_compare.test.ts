import { describe, expect, test } from "bun:test";
import type { GroupValue } from "../search/labels.ts";
import type { Compare } from "../traceql/index.ts";
import { compareSeries } from "./metrics_compare.ts";
import { cellsOf, grid, int, shown, stageOf, text } from "./metrics_fixture.ts";
import type { CompareExemplar, CompareGroup, CompareSide } from "./metrics_partial.ts";

/** Counts of the first interval and the second one. */
type Counts = [first: number, second: number];

function groups(
  attribute: string,
  value: GroupValue | null,
  sides: Partial<Record<CompareSide, Counts>>,
): CompareGroup[] {
  return Object.entries(sides).map(([side, counts]) => {
    const cells = counts.flatMap((count, at) => (count === 0 ? [] : [{ at, count }]));
    return { side: side as CompareSide, attribute, value, cells: cellsOf(...cells) };
  });
}

function compare(stage: string, found: CompareGroup[], exemplars: CompareExemplar[] = []) {
  return compareSeries(stageOf(`{} | ${stage}`).function as Compare, { groups: found, exemplars }, grid);
}

describe("compareSeries()", () => {
  test("counts the values of each side, and what has the attribute at all", () => {
    const found = [
      ...groups("span.a", text("x"), { baseline: [1, 2], selection: [3, 0] }),
      ...groups("span.a", int(5), { baseline: [0, 4] }),
      ...groups("status", { type: "status", value: 2 }, { selection: [3, 0] }),
    ];
    expect(shown(compare("compare({ status = error })", found))).toEqual([
      '__meta_type="baseline" span.a=5: 0 4 0',
      '__meta_type="baseline" span.a="x": 1 2 0',
      '__meta_type="baseline_total" span.a="nil": 1 6 0',
      '__meta_type="selection" span.a="x": 3 0 0',
      '__meta_type="selection" status="error": 3 0 0',
      '__meta_type="selection_total" span.a="nil": 3 0 0',
      '__meta_type="selection_total" status="nil": 3 0 0',
    ]);
  });

  test("shows the largest values of an attribute, of equal ones the first, and counts all", () => {
    const found = [
      ...groups("span.a", text("c"), { baseline: [1, 1] }),
      ...groups("span.a", text("b"), { baseline: [0, 2] }),
      ...groups("span.a", text("a"), { baseline: [1, 0] }),
      ...groups("span.b", text("a"), { baseline: [1, 0] }),
    ];
    expect(shown(compare("compare({ true }, 1)", found))).toEqual([
      '__meta_type="baseline" span.a="b": 0 2 0',
      '__meta_type="baseline" span.b="a": 1 0 0',
      '__meta_type="baseline_total" span.a="nil": 2 3 0',
      '__meta_type="baseline_total" span.b="nil": 1 0 0',
    ]);
  });

  test("shows ten values unless it is said", () => {
    const found = Array.from({ length: 12 }, (_, i) =>
      groups("span.a", int(i), { selection: [1, 0] }),
    ).flat();
    expect(compare("compare({ true })", found)).toHaveLength(11);
    expect(compare("compare({ true }, 12)", found)).toHaveLength(13);
  });

  test("shows arrays as nil", () => {
    const found = [...groups("span.a", null, { selection: [1, 0] })];
    expect(shown(compare("compare({ true })", found))).toEqual([
      '__meta_type="selection" span.a="nil": 1 0 0',
      '__meta_type="selection_total" span.a="nil": 1 0 0',
    ]);
  });

  test("gives an exemplar to the series of its side and of the first of its labels", () => {
    const found = [
      ...groups("span.a", text("x"), { baseline: [1, 2], selection: [3, 0] }),
      ...groups("span.b", text("y"), { selection: [4, 0] }),
    ];
    const exemplar = (side: CompareSide): CompareExemplar => ({
      side,
      startNanos: 105_000_000_000n,
      labels: [
        { key: "trace:id", value: text("t") },
        { key: "span.b", value: text("y") },
        { key: "span.a", value: text("x") },
      ],
    });
    const series = compare("compare({ true })", found, [exemplar("selection"), exemplar("baseline")]);
    const shownExemplars = series.flatMap(({ labels, exemplars }) =>
      exemplars.map(({ value, timestampMs }) => [labels[0]!.value.value, labels[1]!.key, value, timestampMs]),
    );
    expect(shownExemplars).toEqual([
      ["baseline", "span.a", 1, 105_000],
      ["selection", "span.b", 4, 105_000],
    ]);
  });
});
