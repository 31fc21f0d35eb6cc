import { describe, expect, test } from "bun:test";
import { SpanBatch } from "../batch/span_batch.ts";
import { attribute, field, id, message, request, span, text } from "../batch/wire_fixture.ts";
import { seriesOfPart } from "../query/metrics_answer.ts";
import { parse } from "../traceql/index.ts";
import { type BatchKind, measureBatch, targetOf } from "./measure.ts";
import { planMetrics } from "./metrics_plan.ts";

const second = 1_000_000_000n;
const trace = id(16, 1);
const none = new Uint32Array(0);

interface Counted {
  /** By the text of the labels' values. */
  values: Record<string, number>;
  /** Labels of the exemplars. */
  exemplars: string[][];
  isCut: boolean;
}

function counted(batch: SpanBatch, text: string, kind: BatchKind = "growing", exemplars = 0): Counted {
  const query = parse(text);
  const grid = { startNanos: 0n, endNanos: 1000n * second, stepNanos: 1000n * second, isInstant: false };
  const terms = { plan: planMetrics(query), grid, cellsMax: 1 << 18, exemplars };
  const target = targetOf(terms);
  for (const { exemplar } of measureBatch(batch, kind, none, terms, target).exemplars) {
    target.sums.addExemplar(exemplar, trace);
  }
  const { series, isCut } = seriesOfPart(query, target.sums.finish(), { ...grid, exemplars });
  const named = series.map(({ labels, values }) => [
    labels.map(({ value }) => value.value).join(),
    values[0]!,
  ]);
  return {
    values: Object.fromEntries(named),
    exemplars: series.flatMap((one) =>
      one.exemplars.map(({ labels }) => labels.map(({ key, value }) => `${key}=${value.value}`)),
    ),
    isCut,
  };
}

/** A trace of a root with two children, and one of two roots. */
function twoTrees(): SpanBatch {
  const batch = SpanBatch.create();
  const at = (trace: number, spanId: number, name: string, parent?: number) =>
    span({ trace: id(16, trace), id: spanId, parent, name, start: second, end: 3n * second });
  batch.decode(request([at(1, 1, "root"), at(1, 2, "child", 1), at(1, 3, "child", 1)]), 0);
  batch.decode(request([at(2, 4, "root"), at(2, 5, "root")]), 0);
  return batch;
}

describe("spans of a head", () => {
  test("are told from roots without an order, whatever they are grouped by", () => {
    const roots = "{ nestedSetParent < 0 } | count_over_time()";
    const others = "{ !(nestedSetParent < 0) } | count_over_time() by (rootName)";
    expect(counted(twoTrees(), roots).values).toEqual({ count_over_time: 3 });
    expect(counted(twoTrees(), others).values).toEqual({ root: 2 });
    const ordered = twoTrees();
    ordered.order();
    expect(counted(ordered, others, "ordered").values).toEqual({ root: 2 });
  });

  test("show as exemplars nothing of their trees that no order was made for", () => {
    const batch = twoTrees();
    // What this leaves behind is not that of the spans that come next.
    expect(counted(batch, "{ } >> { } | count_over_time()").values).toEqual({ count_over_time: 2 });
    batch.reset();
    batch.decode(request([span({ trace, id: 9, name: "late", start: second, end: 2n * second })]), 0);
    const selected = "{ } | select(traceDuration, rootName, name) | rate()";
    expect(counted(batch, selected, "growing", 10).exemplars).toEqual([["trace:id=1", "name=late"]]);
    const filtered = "{ nestedSetParent < 0 } | rate()";
    expect(counted(batch, filtered, "growing", 10).exemplars).toEqual([["trace:id=1"]]);
  });
});

test("keys that there is no room for are left out, and the answer says so", () => {
  const batch = SpanBatch.create();
  const long = "x".repeat(2000);
  const spans = Array.from({ length: 8000 }, (_, i) =>
    span({
      trace: id(16, i + 1),
      id: i + 1,
      start: second,
      end: second,
      fields: [field(9, attribute("a", text(1, `${long}${i}`)))],
    }),
  );
  batch.decode(message(request(spans)), 0);
  const { values, isCut } = counted(batch, "{ } | count_over_time() by (span.a)");
  expect(isCut).toBe(true);
  // 8 MiB of keys, each of 5 bytes and its text of 2,001 to 2,004 bytes.
  const shown = Object.keys(values).length;
  expect([shown >= 4170, shown <= 4180]).toEqual([true, true]);
  // Groups that are the same for all spans take no room for each.
  expect(counted(batch, "{ } | count_over_time()").values).toEqual({ count_over_time: 8000 });
});
