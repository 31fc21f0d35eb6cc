import { expect, test } from "bun:test";
import { fromBinary } from "@bufbuild/protobuf";
import { SpanBatch } from "../batch/span_batch.ts";
import { attribute, field, id, request, type SpanFixture, span, text } from "../batch/wire_fixture.ts";
import { type TraceSearchMetadata, TraceSearchMetadataSchema } from "../gen/tempopb/tempo_pb.ts";
import { parse, validate } from "../traceql/index.ts";
import { planSearch } from "./plan.ts";
import { type ReportOptions, reportOrdered } from "./report.ts";

const everything: ReportOptions = { spansPerSpanSet: 0, spanSets: true, bytesMax: 1 << 20 };

function spanOf(one: Partial<SpanFixture>, strings: Record<string, string> = {}): Uint8Array {
  const attributes = Object.entries(strings).map(([key, value]) => field(9, attribute(key, text(1, value))));
  return span({ trace: id(16, 1), id: 1, start: 5_000_000n, end: 7_000_000n, fields: attributes, ...one });
}

function report(spans: Uint8Array[], text: string, options = everything): TraceSearchMetadata[] {
  const batch = SpanBatch.create();
  batch.decode(request(spans), 0);
  batch.order();
  const query = parse(text);
  validate(query);
  const summaries = reportOrdered(batch, planSearch(query), options);
  return summaries.map(({ message }) => fromBinary(TraceSearchMetadataSchema, message));
}

test("reportOrdered() shows a trace that ends before it starts as one that takes no time", () => {
  expect(report([spanOf({})], "{}")[0]!.durationMs).toBe(2);
  expect(report([spanOf({ end: 1n })], "{}")[0]!.durationMs).toBe(0);
});

test("reportOrdered() shows of each span its own attributes, where they fit", () => {
  const spans = [
    spanOf({ id: 1 }, { a: "x", b: "1" }),
    spanOf({ id: 2 }, { a: "y", b: "2" }),
    spanOf({ id: 3 }, { a: "x" }),
    spanOf({ id: 4, trace: id(16, 2) }, { a: "z", b: "4" }),
  ];
  const shown = (query: string, options = everything) =>
    report(spans, query, options).map(({ spanSets }) =>
      spanSets.map((set) =>
        set.spans.map(({ attributes }) =>
          attributes.map(({ key, value }) => `${key}=${value!.value.value}`).join(" "),
        ),
      ),
    );
  expect(shown("{} | select(span.a, span.b)")).toEqual([[["a=x b=1", "a=y b=2", "a=x"]], [["a=z b=4"]]]);
  expect(shown('{ span.a = "x" || span.b = "4" }')).toEqual([[["a=x", "a=x"]], [["b=4"]]]);
  expect(shown("{} | by(span.a) | select(span.b)", { ...everything, spansPerSpanSet: 1 })).toEqual([
    [["a=x b=1"], ["a=y b=2"]],
    [["a=z b=4"]],
  ]);
});
