// Names and values of tags, by the TraceQL oracle: those of every span, or of the spans that a filter keeps.
import {
  type Attribute,
  type FieldExpression,
  parse,
  printDuration,
  type Query,
  rewrite,
} from "../../src/traceql/index.ts";
import { Uses } from "./oracle_conditions.ts";
import { Fields } from "./oracle_fields.ts";
import { collectionOf, columnsOf, Reader } from "./oracle_reading.ts";
import type { OracleSpan, OracleTrace } from "./oracle_traces.ts";
import { elementsOf, type Scalar } from "./oracle_values.ts";

export const tagScopes = ["resource", "span", "event", "link", "instrumentation"] as const;
type TagScope = (typeof tagScopes)[number];

function attributesOf(span: OracleSpan, scope: TagScope) {
  switch (scope) {
    case "resource":
      return [span.resource];
    case "span":
      return [span.attributes];
    case "event":
      return span.events.map(({ attributes }) => attributes);
    case "link":
      return span.links.map(({ attributes }) => attributes);
    case "instrumentation":
      return [span.scope.attributes];
  }
}

/** As `scope.name`, sorted. */
export function tagNames(traces: OracleTrace[], scopes: readonly TagScope[], filter = "{}"): string[] {
  const names = new Set<string>();
  for (const { span } of kept(traces, filter)) {
    for (const scope of scopes) {
      for (const attributes of attributesOf(span, scope))
        for (const key of attributes.keys()) names.add(`${scope}.${key}`);
    }
  }
  return [...names].sort();
}

const typeNames: Record<Scalar["type"], string> = {
  int: "int",
  float: "float",
  string: "string",
  bool: "bool",
  duration: "duration",
  status: "keyword",
  kind: "keyword",
};

/** As `type value`, sorted. An element of an array is a value. */
export function tagValues(traces: OracleTrace[], attribute: Attribute, filter = "{}"): string[] {
  const values = new Set<string>();
  for (const { span, reader } of kept(traces, filter)) {
    const found =
      collectionOf(attribute) === null
        ? columnsOf(attribute).map((column) => reader.stored(span, column))
        : reader.members(span, attribute);
    for (const value of found.flatMap(elementsOf)) values.add(`${typeNames[value.type]} ${textOf(value)}`);
  }
  return [...values].sort();
}

function textOf(value: Scalar): string {
  if (value.type === "duration") return printDuration(value.value);
  const text = String(value.value);
  return value.type === "float" && /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function* kept(traces: OracleTrace[], filter: string): Generator<{ span: OracleSpan; reader: Reader }> {
  const query = rewrite(parse(filter));
  const expression = filterOf(query);
  const uses = new Uses(query);
  for (const trace of traces) {
    const reader = new Reader(trace);
    const fields = new Fields(uses, reader, true, new Set());
    for (const span of trace.spans) if (fields.keeps(expression, span)) yield { span, reader };
  }
}

function filterOf({ stages }: Query): FieldExpression {
  const [first] = stages;
  if (first?.kind !== "filter") throw new Error("oracle: tags are asked of one filter");
  return first.expression;
}
