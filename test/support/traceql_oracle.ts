// TraceQL row by row: a query over plain traces, evaluated as the language is defined, one span at a time and without any thought of
// speed. It owes nothing to the engine, which is held against it.
import {
  type Aggregate,
  type Attribute,
  type FieldExpression,
  parse,
  printDuration,
  printKey,
  type Query,
  rewrite,
  type ScalarFilter,
  type SpansetExpression,
  type SpansetOp,
  type Stage,
  validate,
} from "../../src/traceql/index.ts";
import { satisfying, Uses } from "./oracle_conditions.ts";
import { conjunction, Fields } from "./oracle_fields.ts";
import { type Collection, collectionOf, type Doubts, Reader } from "./oracle_reading.ts";
import { isRelated, relationOf } from "./oracle_relations.ts";
import type { OracleSpan, OracleTrace } from "./oracle_traces.ts";
import {
  compareValues,
  computeValues,
  isNumber,
  keyOf,
  literalValue,
  nil,
  type Scalar,
  type Value,
} from "./oracle_values.ts";

export type NamedValue = [key: string, value: Value];

export interface FoundSpan {
  id: string; // 16 hex digits
  startNanos: bigint;
  durationNanos: bigint;
  /** Null where the query doesn't mention names. */
  name: string | null;
  attributes: NamedValue[];
}

export interface FoundSpanSet {
  /** All of them, in the order of the trace. */
  spans: FoundSpan[];
  attributes: NamedValue[];
}

export interface FoundTrace {
  trace: OracleTrace;
  spanSets: FoundSpanSet[];
}

interface OracleAnswer {
  /** Newest first. */
  found: FoundTrace[];
  doubts: Doubts;
}

interface OracleOptions {
  /** Unix nanoseconds that a trace must overlap. */
  startNanos?: bigint;
  endNanos?: bigint;
}

/**
 * Where Tempo fails a query for a value that isn't there (a division by zero, `!` on a text, arithmetic with an array), the value is
 * missing here.
 *
 * @throws TraceQLError if the query is none
 */
export function searchTraces(text: string, traces: OracleTrace[], options: OracleOptions = {}): OracleAnswer {
  const query = parse(text);
  validate(query);
  return searchQuery(rewrite(query), traces, options);
}

/** @param query valid and rewritten */
export function searchQuery(query: Query, traces: OracleTrace[], options: OracleOptions = {}): OracleAnswer {
  const doubts: Doubts = new Set();
  const { startNanos, endNanos } = options;
  const found: FoundTrace[] = [];
  for (const trace of traces) {
    if (startNanos !== undefined && trace.endNanos < startNanos) continue;
    if (endNanos !== undefined && trace.startNanos > endNanos) continue;
    const { sets, uses, reader, fields } = judge(query, trace, doubts);
    if (sets.length === 0) continue;
    const report = new Report(query, uses, reader, fields);
    found.push({
      trace,
      spanSets: sets.map((set) => ({ ...set, spans: set.spans.map((span) => report.span(span)) })),
    });
  }
  found.sort((a, b) => Number(b.trace.startNanos - a.trace.startNanos));
  return { found, doubts };
}

interface SpanSet {
  spans: OracleSpan[];
  attributes: NamedValue[];
}

interface Judged {
  /** What the query's stages leave of the trace. */
  sets: SpanSet[];
  uses: Uses;
  reader: Reader;
  fields: Fields;
}

/** @param query valid and rewritten; of a metrics query the part before the metrics function counts */
export function judge(query: Query, trace: OracleTrace, doubts: Doubts): Judged {
  const uses = new Uses(query);
  const reader = new Reader(trace, doubts);
  const alone = query.stages.length === 1 && query.stages[0]!.kind === "filter";
  const fields = new Fields(uses, reader, alone, doubts);
  const sets = new Pipeline(fields).run(query.stages, [{ spans: trace.spans, attributes: [] }]);
  return { sets, uses, reader, fields };
}

class Pipeline {
  constructor(private readonly fields: Fields) {}

  run(stages: Stage[], sets: SpanSet[]): SpanSet[] {
    return stages
      .reduce((input, stage) => this.stage(stage, input), sets)
      .filter(({ spans }) => spans.length > 0);
  }

  private stage(stage: Stage, sets: SpanSet[]): SpanSet[] {
    switch (stage.kind) {
      case "filter":
      case "operation":
        return this.spanset(stage, sets).filter(({ spans }) => spans.length > 0);
      case "scalarFilter":
        return sets.flatMap((set) => this.scalarFilter(stage, set));
      case "group":
        return sets.flatMap((set) => this.group(stage.expression, set));
      case "coalesce":
        return [{ spans: union(sets), attributes: [] }];
      case "select":
        return sets;
    }
  }

  private spanset(node: SpansetExpression, sets: SpanSet[]): SpanSet[] {
    switch (node.kind) {
      case "filter":
        return sets.map((set) => ({
          ...set,
          spans: set.spans.filter((span) => this.fields.keeps(node.expression, span)),
        }));
      case "pipeline":
        return this.run(node.stages, sets);
      case "operation":
        return sets.map((set) => {
          const left = this.spanset(node.left, [set]).filter(({ spans }) => spans.length > 0);
          const right = this.spanset(node.right, [set]).filter(({ spans }) => spans.length > 0);
          return { ...set, spans: ordered(combine(node.op, union(left), union(right)), set.spans) };
        });
    }
  }

  private scalarFilter({ op, left, right }: ScalarFilter, set: SpanSet): SpanSet[] {
    if (left.kind !== "aggregate" || right.kind !== "literal")
      throw new Error("oracle: refused by validation");
    const value = this.aggregate(left, set.spans);
    if (value.type === "nil" || !compareValues(op, value, literalValue(right))) return [];
    const key = left.function === "count" ? "count()" : `${left.function}(${printKey(left.operand)})`;
    return [{ ...set, attributes: [...set.attributes, [key, value]] }];
  }

  private aggregate(node: Aggregate, spans: OracleSpan[]): Value {
    if (node.function === "count") return { type: "int", value: BigInt(spans.length) };
    const values = spans
      .map((span) => this.fields.evaluate(node.operand, span))
      .filter((value): value is Scalar => value.type !== "nil");
    const [first] = values;
    if (first === undefined) return nil;
    if (values.some((value) => !isNumber(value) || value.type !== first.type)) {
      this.fields.doubt("an aggregate over values of several types, or of one that is no number");
    }
    switch (node.function) {
      case "min":
        return values.reduce((least, value) => (compareValues("<", value, least) ? value : least));
      case "max":
        return values.reduce((most, value) => (compareValues(">", value, most) ? value : most));
      case "sum":
        return sumOf(values);
      case "avg": {
        const sum = sumOf(values);
        if (sum.type === "duration") return { type: "duration", value: sum.value / BigInt(values.length) };
        return computeValues("/", sum, { type: "float", value: values.length });
      }
    }
  }

  private group(expression: FieldExpression, set: SpanSet): SpanSet[] {
    const groups = new Map<string, { value: Value; spans: OracleSpan[] }>();
    for (const span of set.spans) {
      const value = this.fields.evaluate(expression, span);
      const group = groups.get(keyOf(value));
      if (group === undefined) groups.set(keyOf(value), { value, spans: [span] });
      else group.spans.push(span);
    }
    const key = `by(${printKey(expression)})`;
    return [...groups.values()].map(({ value, spans }) => ({
      spans,
      attributes: [...set.attributes, [key, value]],
    }));
  }
}

/** Of the first value's type; others are passed over. */
function sumOf(values: Scalar[]): Scalar {
  const same = values.filter(({ type }) => type === values[0]!.type);
  if (same[0]!.type === "duration") {
    const sum = same.reduce((total, value) => total + (value.value as bigint), 0n);
    return { type: "duration", value: BigInt.asIntN(64, sum) };
  }
  return same.reduce((total, value) => computeValues("+", total, value) as Scalar);
}

function union(sets: SpanSet[]): OracleSpan[] {
  return [...new Set(sets.flatMap(({ spans }) => spans))];
}

function ordered(spans: OracleSpan[], as: OracleSpan[]): OracleSpan[] {
  const wanted = new Set(spans);
  return as.filter((span) => wanted.has(span));
}

function combine(op: SpansetOp, left: OracleSpan[], right: OracleSpan[]): OracleSpan[] {
  if (op === "&&") return left.length > 0 && right.length > 0 ? [...left, ...right] : [];
  if (op === "||") return [...left, ...right];
  const { relation, form } = relationOf(op);
  const relates = (r: OracleSpan) => left.some((l) => isRelated(relation, l, r));
  switch (form) {
    case "plain":
      return right.filter(relates);
    case "negated":
      return right.filter((r) => !relates(r));
    case "union":
      return [...left.filter((l) => right.some((r) => isRelated(relation, l, r))), ...right.filter(relates)];
  }
}

/** Intrinsics that a result has fields for, or that say nothing of the span. */
const neverListed: ReadonlySet<string> = new Set([
  "name",
  "duration",
  "traceDuration",
  "rootName",
  "rootServiceName",
  "trace:id",
  "span:id",
]);
/** What select() finds where there is no event, and no link. */
const ofNone: Record<string, Value> = {
  "event:name": { type: "string", value: "" },
  "event:timeSinceStart": { type: "duration", value: 0n },
  "link:traceID": { type: "string", value: "" },
  "link:spanID": { type: "string", value: "0".repeat(16) },
};

class Report {
  constructor(
    private readonly query: Query,
    private readonly uses: Uses,
    private readonly reader: Reader,
    private readonly fields: Fields,
  ) {}

  span(span: OracleSpan): FoundSpan {
    const attributes: NamedValue[] = [];
    for (const [key, use] of this.uses.all) {
      const { attribute, conditions, free, selected } = use;
      if (attribute.kind === "intrinsic" && neverListed.has(attribute.name)) continue;
      const shown = this.values(span, attribute).map((value) =>
        free ? value : satisfying(value, conditions),
      );
      const value = shown.find(({ type }) => type !== "nil") ?? (selected ? ofNone[key] : undefined);
      if (value !== undefined) attributes.push([attribute.name, value]);
    }
    const { id, startNanos, durationNanos } = span;
    return { id, startNanos, durationNanos, name: this.uses.all.has("name") ? span.name : null, attributes };
  }

  private values(span: OracleSpan, attribute: Attribute): Value[] {
    const collection = collectionOf(attribute);
    if (collection === null) return [this.reader.read(span, attribute).value];
    return this.reader.members(span, attribute).filter((_, i) => this.supplies(span, collection, i));
  }

  /** Where one event has to satisfy all, its values are shown. */
  private supplies(span: OracleSpan, collection: Collection, index: number): boolean {
    const [only] = this.query.stages;
    if (this.query.stages.length > 1 || only?.kind !== "filter") return true;
    const conditions = conjunction(only.expression) ?? [];
    return conditions
      .filter(({ attribute }) => collectionOf(attribute) === collection)
      .every((condition) => this.fields.holdsFor(condition, span, index));
  }
}

/** As an OTLP AnyValue of an answer, in proto3 JSON. */
export function anyValue(value: Value): { [key: string]: unknown } {
  switch (value.type) {
    case "nil":
      return { stringValue: "nil" };
    case "array":
      return { arrayValue: { values: value.values.map(anyValue) } };
    case "int":
      return { intValue: String(value.value) };
    case "float":
      return { doubleValue: value.value };
    case "bool":
      return { boolValue: value.value };
    case "duration":
      return { stringValue: printDuration(value.value) };
    default:
      return { stringValue: value.value };
  }
}
