// What the TraceQL oracle found, as /api/search answers it.
import type { SearchJson, SpanSetJson } from "../conformance/semantic_checks.ts";
import { anyValue, type FoundSpanSet, type FoundTrace, type NamedValue } from "./traceql_oracle.ts";

const uint32Max = 0xffff_ffff;

interface AnswerLimits {
  limit: number; // traces
  spss: number; // spans of a span set
}

export function searchJson(found: FoundTrace[], { limit, spss }: AnswerLimits): SearchJson {
  const traces = found.slice(0, limit).map(({ trace, spanSets }) => ({
    traceID: trace.id.replace(/^0+/, ""),
    rootServiceName: trace.rootServiceName === "" ? "<root span not yet received>" : trace.rootServiceName,
    rootTraceName: trace.rootName,
    startTimeUnixNano: String(trace.startNanos),
    // One that ends before it starts takes no time.
    durationMs: Math.min(Math.max(Number(trace.durationNanos / 1_000_000n), 0), uint32Max),
    spanSets: spanSets.map((set) => spanSetJson(set, spss)),
    serviceStats: Object.fromEntries(trace.stats),
  }));
  return { traces };
}

function spanSetJson({ spans, attributes }: FoundSpanSet, spss: number): SpanSetJson {
  return {
    spans: spans.slice(0, spss).map((span) => ({
      spanID: span.id,
      ...(span.name === null ? {} : { name: span.name }),
      startTimeUnixNano: String(span.startNanos),
      durationNanos: String(BigInt.asUintN(64, span.durationNanos)),
      attributes: attributesJson(span.attributes),
    })),
    matched: spans.length,
    attributes: attributesJson(attributes),
  };
}

function attributesJson(attributes: NamedValue[]): SpanSetJson["attributes"] {
  return attributes.map(([key, value]) => ({ key, value: anyValue(value) }));
}
