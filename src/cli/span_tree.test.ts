import { expect, test } from "bun:test";
import { branchesMax, spanTree } from "./span_tree.ts";
import type { TraceSpan } from "./trace.ts";

function span(id: string, parentId: string, start: number, failed = false): TraceSpan {
  const details = () => {
    throw new Error("nobody asks for details here");
  };
  return {
    id,
    parentId,
    name: id,
    resource: 0,
    start: BigInt(start),
    end: BigInt(start + 1),
    failed,
    details,
  };
}

/** Depth and id of each row, then what is special about it. */
function drawn(spans: TraceSpan[], limit = 0): string[] {
  return spanTree(spans, limit).rows.map(
    ({ span, depth, hiddenBelow, lost }) =>
      `${".".repeat(depth)}${span.id}${hiddenBelow > 0 ? ` +${hiddenBelow}` : ""}${lost === null ? "" : ` ${lost}`}`,
  );
}

test("spanTree() puts children below their parents, by start", () => {
  const spans = [
    span("d", "b", 5),
    span("c", "a", 4),
    span("b", "a", 3),
    span("a", "", 2),
    span("e", "b", 4),
  ];
  expect(drawn(spans)).toEqual(["a", ".b", "..e", "..d", ".c"]);
  expect(spanTree(spans, 0).rows.map(({ branches, hasChildren }) => [branches, hasChildren])).toEqual([
    [[], true],
    [[true], true],
    [[true, true], false],
    [[true, false], false],
    [[false], false],
  ]);
});

test("spanTree() shows several roots and spans whose parent is missing", () => {
  const spans = [
    span("orphan", "gone", 1),
    span("child", "orphan", 2),
    span("root", "", 3),
    span("root 2", "", 4),
  ];
  expect(drawn(spans)).toEqual(["orphan orphan", ".child", "root", "root 2"]);
});

test("spanTree() breaks circles at their earliest span", () => {
  const spans = [
    span("root", "", 9),
    span("b", "a", 2),
    span("a", "b", 1),
    span("c", "b", 3),
    span("self", "self", 4),
  ];
  expect(drawn(spans)).toEqual(["self cycle", "root", "a cycle", ".b", "..c"]);
});

test("spanTree() keeps spans that share an id, and those without one", () => {
  const spans = [span("a", "", 1), span("b", "a", 2), span("b", "a", 3), span("", "b", 4), span("", "", 5)];
  expect(drawn(spans)).toEqual(["a", ".b", "..", ".b", ""]);
});

test("spanTree() leaves out the deepest spans above the limit and says where they were", () => {
  const spans = [
    span("root", "", 0),
    ...["a", "b", "c"].map((id, i) => span(id, "root", i + 1)),
    ...["a1", "a2", "b1"].map((id, i) => span(id, id[0]!, i + 5, id === "a2")),
    span("b1x", "b1", 9, true),
  ];
  expect(drawn(spans, 4)).toEqual(["root", ".a +2", ".b +2", ".c"]);
  expect(drawn(spans, 3)).toEqual(["root +1", ".a +2", ".b +2"]);
  expect(spanTree(spans, 4)).toMatchObject({ hidden: 4, hiddenFailed: 2 });
  expect(spanTree(spans, 100)).toMatchObject({ hidden: 0, hiddenFailed: 0 });
});

test("spanTree() takes a chain of a hundred thousand, and remembers the innermost branches", () => {
  const spans = Array.from({ length: 100_000 }, (_, i) => span(String(i), i === 0 ? "" : String(i - 1), i));
  const { rows } = spanTree(spans, 0);
  expect(rows).toHaveLength(100_000);
  expect(rows[99_999]).toMatchObject({ depth: 99_999, branches: Array(branchesMax).fill(false) });
});
