import { describe, expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { attribute, field, id, request, span, varintField } from "../batch/wire_fixture.ts";
import { parse, validate } from "../traceql/index.ts";
import { type Judged, judgeGrowing, judgeOrdered, type Wanted } from "./judge.ts";
import { planSearch, type SearchPlan } from "./plan.ts";

interface Fixture {
  trace: number;
  id: number;
  parent?: number;
  start?: number;
  end?: number;
  /** Names of attributes, each with the value 1. */
  has?: string[];
}

function bytesOf(...spans: Fixture[]): Uint8Array {
  return request(
    spans.map(({ trace, id: own, parent, start = 100, end = start, has = [] }) =>
      span({
        trace: id(16, trace),
        id: own,
        parent,
        start: BigInt(start),
        end: BigInt(end),
        fields: has.map((key) => field(9, attribute(key, varintField(3, 1n)))),
      }),
    ),
  );
}

function batchOf(...spans: Fixture[]): SpanBatch {
  const batch = SpanBatch.create();
  if (spans.length > 0) batch.decode(bytesOf(...spans), 0);
  return batch;
}

function planOf(text: string): SearchPlan {
  const query = parse(text);
  validate(query);
  return planSearch(query);
}

const always: Wanted = { window: { startNanos: 0n, endNanos: 2n ** 63n }, limit: 100, since: 0n };

/** Traces that match and those that are left open, each as "trace@start", by the order of their ids. */
function verdict(batch: SpanBatch, traces: Uint32Array, { matched, undecided }: Judged) {
  const named = ({ ranks, starts }: Judged["matched"]) =>
    [...ranks]
      .map((rank, i): [number, bigint] => [
        batch.u8(Column.TraceId, (traces[rank]! + 1) * 16).at(-1)!,
        starts[i]!,
      ])
      .sort(([a], [b]) => a - b)
      .map(([trace, start]) => `${trace}@${start}`);
  return { matched: named(matched), undecided: named(undecided) };
}

function growing(batch: SpanBatch, text: string, over: Partial<Wanted> = {}) {
  const judged = judgeGrowing(batch, planOf(text), { ...always, ...over });
  return verdict(batch, batch.u32(Column.QueryTrace, batch.core.rankCount!()), judged);
}

function ordered(batch: SpanBatch, text: string, over: Partial<Wanted> = {}) {
  batch.order();
  const judged = judgeOrdered(batch, planOf(text), { ...always, ...over });
  return verdict(batch, batch.u32(Column.OrderedTrace, batch.core.rankCount!()), judged);
}

describe.each([
  ["growing", growing],
  ["ordered", ordered],
] as const)("judging spans that are %s", (_, judge) => {
  const filter = "{ span.a = 1 }";
  const structure = "{ span.a = 1 } > { span.b = 1 }";

  test("finds nothing in nothing", () => {
    for (const text of ["{}", filter, structure, "{} | count() = 0"]) {
      expect(judge(batchOf(), text)).toEqual({ matched: [], undecided: [] });
    }
  });

  test("decides filters of every part by itself", () => {
    const batch = batchOf({ trace: 1, id: 1, start: 50, has: ["a"] }, { trace: 2, id: 2, has: ["b"] });
    expect(judge(batch, filter)).toEqual({ matched: ["1@50"], undecided: [] });
    expect(judge(batch, "{ span.a = 1 } || { span.b = 1 } | select(name)")).toEqual({
      matched: ["1@50", "2@100"],
      undecided: [],
    });
    expect(judge(batch, "{ span.a = 1 } | { span.b = 1 }")).toEqual({ matched: [], undecided: [] });
  });

  test("leaves open what has a span that one of a match must have", () => {
    const batch = batchOf(
      { trace: 1, id: 1, has: ["a"] },
      { trace: 1, id: 2, parent: 1, has: ["b"] },
      { trace: 2, id: 3, has: ["a"] },
      { trace: 3, id: 4, has: ["c"] },
    );
    expect(judge(batch, structure)).toEqual({ matched: ["1@100"], undecided: ["2@100"] });
    expect(judge(batch, "{ span.c = 1 } !> { span.a = 1 }")).toEqual({
      matched: ["1@100", "2@100"],
      undecided: [],
    });
    expect(judge(batch, "{ span.c = 1 } | count() > 1")).toEqual({ matched: [], undecided: ["3@100"] });
    expect(judge(batch, "({ span.a = 1 } | count() > 1) || ({ span.c = 1 } | count() > 1)")).toEqual({
      matched: [],
      undecided: ["1@100", "2@100", "3@100"],
    });
  });

  test("leaves everything open of which the rest of the trace may decide", () => {
    const batch = batchOf({ trace: 1, id: 1, parent: 9 }, { trace: 2, id: 2, start: 100, end: 200 });
    expect(judge(batch, "{ traceDuration > 90ns }")).toEqual({ matched: ["2@100"], undecided: ["1@100"] });
    expect(judge(batch, "{ rootServiceName = `svc` }")).toEqual({ matched: ["2@100"], undecided: ["1@100"] });
    expect(judge(batch, "{ rootServiceName = `svc` && span.a = 1 }")).toEqual({ matched: [], undecided: [] });
  });

  test("takes what overlaps the window, both of its ends included", () => {
    const batch = batchOf(
      { trace: 1, id: 1, start: 100, end: 200, has: ["a"] },
      { trace: 1, id: 2, parent: 1, start: 250, end: 300, has: ["b"] },
    );
    const within = (startNanos: bigint, endNanos: bigint) => {
      const over = { window: { startNanos, endNanos } };
      return [judge(batch, filter, over), judge(batch, structure, over)].map(({ matched }) => matched.length);
    };
    expect(within(300n, 400n)).toEqual([1, 1]);
    expect(within(301n, 400n)).toEqual([0, 0]);
    expect(within(0n, 100n)).toEqual([1, 1]);
    expect(within(0n, 99n)).toEqual([0, 0]);
    expect(within(210n, 240n)).toEqual([1, 1]); // between two of its spans
    expect(within(-5n, 2n ** 70n)).toEqual([1, 1]);
  });

  test("has a trace begin with the first span that has a time", () => {
    const timed = [0, 30, 20].map((start, i) => ({ trace: 1, id: i + 1, start, end: 50, has: ["a"] }));
    const timeless = { trace: 2, id: 1, start: 0, end: 50, has: ["a"] };
    for (const spans of [timed, timed.toReversed()]) {
      for (const text of [filter, "{ span.a = 1 } | count() > 0"]) {
        expect(judge(batchOf(...spans, timeless), text).matched).toEqual(["1@20", "2@0"]);
      }
    }
  });

  test("takes of what matches the newest, and all that began with the last of them", () => {
    const starts = [30, 10, 30, 20, 40, 20];
    const batch = batchOf(...starts.map((start, i) => ({ trace: i + 1, id: i + 1, start, has: ["a"] })));
    const newest = (limit: number, since = 0n) => judge(batch, filter, { limit, since }).matched;
    expect(newest(1)).toEqual(["5@40"]);
    expect(newest(2)).toEqual(["1@30", "3@30", "5@40"]);
    expect(newest(3)).toEqual(["1@30", "3@30", "5@40"]);
    expect(newest(4)).toEqual(["1@30", "3@30", "4@20", "5@40", "6@20"]);
    expect(newest(Number.MAX_SAFE_INTEGER).length).toBe(6);
    expect(newest(100, 20n)).toEqual(["1@30", "3@30", "4@20", "5@40", "6@20"]);
    expect(newest(100, 41n)).toEqual([]);
  });

  test("leaves open as much as there is, but nothing that began before what is wanted", () => {
    const batch = batchOf(
      ...[10, 20, 30].map((start, i) => ({ trace: i + 1, id: i + 1, start, has: ["a"] })),
    );
    expect(judge(batch, structure, { limit: 1 }).undecided).toEqual(["1@10", "2@20", "3@30"]);
    expect(judge(batch, structure, { limit: 1, since: 20n }).undecided).toEqual(["2@20", "3@30"]);
  });

  test("chooses among many of any order", () => {
    const count = 500;
    // 7 has no factor in common with 500, so each number comes once.
    const starts = Array.from({ length: count }, (_, i) => 1000 + ((i * 7) % count));
    for (const all of [
      starts,
      starts.toSorted((a, b) => a - b),
      starts.toSorted((a, b) => b - a),
      starts.map(() => 5),
    ]) {
      const batch = batchOf(...all.map((start, i) => ({ trace: i + 1, id: i + 1, start, has: ["a"] })));
      const { matched } = judge(batch, filter, { limit: 10 });
      const found = matched.map((trace) => Number(trace.split("@")[1])).toSorted((a, b) => a - b);
      const oldest = all.toSorted((a, b) => b - a)[9]!;
      expect(found).toEqual(all.filter((start) => start >= oldest).toSorted((a, b) => a - b));
    }
  });

  test("counts a span once that was sent twice", () => {
    const twice = { trace: 1, id: 1, has: ["a"] };
    expect(judge(batchOf(twice, twice), "{} | count() = 1").matched).toEqual(["1@100"]);
  });

  test("says what it looked through", () => {
    const batch = batchOf({ trace: 1, id: 1, has: ["a"] }, { trace: 2, id: 2 }, { trace: 2, id: 3 });
    if (judge === ordered) batch.order();
    const judged = (judge === ordered ? judgeOrdered : judgeGrowing)(batch, planOf(filter), always);
    expect([judged.inspectedTraces, judged.inspectedSpans]).toEqual([2, 3]);
  });

  test("gives results that are no views on the batch", () => {
    const batch = batchOf({ trace: 1, id: 1, has: ["a"] });
    batch.order();
    const judged = (judge === ordered ? judgeOrdered : judgeGrowing)(batch, planOf(structure), always);
    for (const { ranks, starts } of [judged.matched, judged.undecided]) {
      expect([ranks.buffer.byteLength, starts.buffer.byteLength]).toEqual([
        ranks.byteLength,
        starts.byteLength,
      ]);
      expect(ranks.buffer).not.toBe(batch.core.memory.buffer);
    }
  });
});

describe("judgeGrowing()", () => {
  const structure = "{ span.a = 1 } > { span.b = 1 }";

  test("sees what has come since it was asked last", () => {
    const batch = batchOf({ trace: 1, id: 2, parent: 1, start: 50, has: ["b"] });
    expect(growing(batch, structure)).toEqual({ matched: [], undecided: [] }); // its root would have what is rarer
    expect(growing(batch, "{} | count() = 2")).toEqual({ matched: [], undecided: ["1@50"] });
    batch.decode(bytesOf({ trace: 2, id: 3, has: ["a"] }, { trace: 1, id: 1, start: 40, has: ["a"] }), 0);
    expect(growing(batch, structure)).toEqual({ matched: ["1@40"], undecided: ["2@100"] });
    expect(growing(batch, "{} | count() = 2")).toEqual({ matched: ["1@40"], undecided: ["2@100"] });
  });

  test("leaves the order alone in which a block is being written", () => {
    const spans = Array.from({ length: 200 }, (_, i) => ({
      trace: 1 + ((i * 7) % 20),
      id: i + 1,
      parent: i >= 20 ? i - 19 : 0,
      start: 100 + i,
      has: i % 3 === 0 ? ["a"] : ["b"],
    }));
    const batch = batchOf(...spans);
    const { traces } = batch.order();
    const columns = () =>
      [
        batch.u32(Column.OrderedTrace, traces),
        batch.u32(Column.OrderedSpanStart, traces + 1),
        batch.u32(Column.OrderedSpan, batch.spans),
        batch.i32(Column.NestedLeft, batch.spans),
        batch.i32(Column.NestedRight, batch.spans),
        batch.i32(Column.NestedParent, batch.spans),
        batch.u64(Column.TraceStart, traces),
        batch.u64(Column.TraceEnd, traces),
        batch.u64(Column.TraceDuration, traces),
        batch.u32(Column.TraceRootName, traces),
        batch.u32(Column.TraceStatsStart, traces + 1),
        batch.u32(Column.StatsSpans, traces),
      ].map((column) => [...column].map(String));
    const before = columns();
    const counts = () => [batch.core.orderedTraces!(), batch.core.orderedSpans!()];
    const countsBefore = counts();
    for (const text of [
      "{}",
      structure,
      "{ rootServiceName = `svc` }",
      "{} | by(span.a) | count() > 1",
      "{ span.c = 1 } >> {}",
    ]) {
      growing(batch, text);
      expect([text, counts(), columns()]).toEqual([text, countsBefore, before]);
    }
  });

  test("judges as the whole does once all has come, in whatever order", () => {
    const spans = Array.from({ length: 60 }, (_, i) => ({
      trace: 1 + (i % 6),
      id: i + 1,
      parent: i >= 6 ? i - 5 : 0,
      start: 100 + i,
      has: [["a"], ["b"], []][i % 3]!,
    }));
    const forward = batchOf(...spans);
    const backward = batchOf(...spans.toReversed());
    for (const text of [
      "{ span.a = 1 }",
      structure,
      "{ span.b = 1 } >> {}",
      "{ span.a = 1 } | count() > 9",
      "{} !> { span.a = 1 }",
    ]) {
      const right = ordered(forward, text);
      expect([text, growing(forward, text)]).toEqual([text, right]);
      expect([text, growing(backward, text)]).toEqual([text, right]);
    }
  });
});
