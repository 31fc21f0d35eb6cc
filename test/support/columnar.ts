// The engine's search, without a server around it: requests into a batch, the batch in order, and what a query finds there.
import { toBinary } from "@bufbuild/protobuf";
import { SpanBatch } from "../../src/batch/span_batch.ts";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
} from "../../src/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import { judgeGrowing, judgeOrdered, type Wanted } from "../../src/search/judge.ts";
import { planSearch } from "../../src/search/plan.ts";
import { reportOrdered, type Summary } from "../../src/search/report.ts";
import { reportParts } from "../../src/search/report_parts.ts";
import type { Query } from "../../src/traceql/index.ts";
import { decodeProto } from "../conformance/proto_reader.ts";
import type { SearchJson, TraceJson } from "../conformance/semantic_checks.ts";

const everything: Wanted = { window: { startNanos: 0n, endNanos: 2n ** 63n }, limit: 1_000_000, since: 0n };
const whole = { spansPerSpanSet: 0, spanSets: true, bytesMax: Number.POSITIVE_INFINITY };

let batch: SpanBatch | null = null;

/** The one batch that there is, with these spans: the last one's are gone. A batch of its own for each would cost more than the rest. */
export function batchOf(requests: readonly ExportTraceServiceRequest[]): SpanBatch {
  batch ??= SpanBatch.create();
  batch.reset();
  for (const request of requests) batch.decode(toBinary(ExportTraceServiceRequestSchema, request), 0);
  return batch;
}

/** @param batch in order */
export function searchOrdered(batch: SpanBatch, query: Query): SearchJson {
  return answer(reportOrdered(batch, planSearch(query), whole));
}

/** Of the spans of all parts together; those that are in two of them count once. */
export function searchParts(parts: readonly ExportTraceServiceRequest[], query: Query): SearchJson {
  const bytes = parts.map((part) => toBinary(ExportTraceServiceRequestSchema, part));
  return answer(reportParts(batchOf([]), bytes, planSearch(query), everything.window, whole));
}

function answer(summaries: readonly Summary[]): SearchJson {
  return {
    traces: summaries.map(
      ({ message }) => decodeProto("TraceSearchMetadata", message) as unknown as TraceJson,
    ),
  };
}

/** Traces that match, of a batch in order. */
export function matchesOrdered(batch: SpanBatch, query: Query): number {
  return judgeOrdered(batch, planSearch(query), everything).matched.ranks.length;
}

/** Traces that match, of a batch that grows, and those that may yet. */
export function matchesGrowing(batch: SpanBatch, query: Query): { matched: number; undecided: number } {
  const { matched, undecided } = judgeGrowing(batch, planSearch(query), everything);
  return { matched: matched.ranks.length, undecided: undecided.ranks.length };
}
