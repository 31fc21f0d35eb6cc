// compare(), by the TraceQL oracle: which values the attributes of selected spans have, and those of the others.
import type { Label } from "../../src/search/labels.ts";
import { type AttributeField, type Compare, printAttribute, type Query } from "../../src/traceql/index.ts";
import type { CountedSpan } from "./metrics_oracle.ts";
import { Uses } from "./oracle_conditions.ts";
import { Fields } from "./oracle_fields.ts";
import { compareBytes, labelValue, textLabel, textOf } from "./oracle_labels.ts";
import { type Doubts, Reader } from "./oracle_reading.ts";
import type { OracleSeries } from "./oracle_second_stages.ts";
import type { Attributes, OracleSpan, OracleTrace } from "./oracle_traces.ts";
import type { Value } from "./oracle_values.ts";

export function countsOfCompare(
  stage: Compare,
  query: Query,
  counted: CountedSpan[],
  intervals: number,
  doubts: Doubts,
): OracleSeries[] {
  const { selection, baseline } = sidesOf(stage, query, counted, doubts);
  return [
    ...seriesOfSide("selection", selection, Number(stage.topN), intervals),
    ...seriesOfSide("baseline", baseline, Number(stage.topN), intervals),
  ];
}

export function sidesOf(
  { selection, window }: Compare,
  query: Query,
  counted: CountedSpan[],
  doubts: Doubts,
): Record<"selection" | "baseline", CountedSpan[]> {
  const uses = new Uses({ ...query, stages: [selection] });
  const isSelected = ({ span, trace }: CountedSpan) => {
    const fields = new Fields(uses, new Reader(trace, doubts), false, doubts);
    if (!fields.keeps(selection.expression, span)) return false;
    return window === null || (span.startNanos > window.start && span.startNanos <= window.end);
  };
  const sides = Object.groupBy(counted, (one) => (isSelected(one) ? "selection" : "baseline"));
  return { selection: sides.selection ?? [], baseline: sides.baseline ?? [] };
}

function seriesOfSide(side: string, counted: CountedSpan[], topN: number, intervals: number): OracleSeries[] {
  const seen = counted.flatMap(({ span, trace, interval }) =>
    comparedLabels(span, trace).map((label) => ({ label, interval })),
  );
  return [...Map.groupBy(seen, ({ label }) => label.key)].flatMap(([key, ofAttribute]) => {
    const values = [...Map.groupBy(ofAttribute, ({ label }) => textOf(label.value))];
    values.sort(([a, one], [b, other]) => other.length - one.length || compareBytes(a, b));
    const series = (type: string, label: Label, spans: { interval: number }[]): OracleSeries => ({
      labels: [textLabel("__meta_type", type), label],
      samples: new Map(
        Array.from({ length: intervals }, (_, i) => [
          i,
          spans.filter(({ interval }) => interval === i).length,
        ]),
      ),
    });
    return [
      series(`${side}_total`, textLabel(key, "nil"), ofAttribute),
      ...values.slice(0, topN).map(([, spans]) => series(side, spans[0]!.label, spans)),
    ];
  });
}

/** One for each attribute that the span has. Those of events and links, of which it may have many, Tempo doesn't compare. */
export function comparedLabels(span: OracleSpan, trace: OracleTrace): Label[] {
  const text = (value: string): Value => ({ type: "string", value });
  const intrinsics: [string, Value][] = [
    ["name", text(span.name)],
    ["kind", { type: "kind", value: span.kind }],
    ["status", { type: "status", value: span.status }],
    ["statusMessage", text(span.statusMessage)],
    ["rootName", text(trace.rootName)],
    ["rootServiceName", text(trace.rootServiceName)],
    ["instrumentation:name", text(span.scope.name)],
    ["instrumentation:version", text(span.scope.version)],
  ];
  const lists: [AttributeField["scope"], Attributes][] = [
    ["span", span.attributes],
    ["resource", span.resource],
    ["instrumentation", span.scope.attributes],
  ];
  const attributes = lists.flatMap(([scope, list]) =>
    [...list]
      .filter(([, value]) => value.type !== "nil")
      .map(([name, value]): [string, Value] => [printedName(scope, name), value]),
  );
  return [...intrinsics, ...attributes].map(([key, value]) => ({
    key,
    value: labelValue(value) ?? { type: "string", value: "nil" },
  }));
}

function printedName(scope: AttributeField["scope"], name: string): string {
  const position = { offset: 0, line: 1, column: 1 };
  return printAttribute({ kind: "attribute", parent: false, scope, name, position });
}
