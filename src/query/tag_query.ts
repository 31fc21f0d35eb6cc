// A search by tags, the way to search before TraceQL, as the query that it stands for: of each tag some span of the trace
// has it, and the trace takes so long.
import type {
  Attribute,
  Comparison,
  ComparisonOp,
  FieldExpression,
  IntrinsicName,
  Literal,
  Query,
  Scope,
  SpansetFilter,
  SpansetOperation,
  StatusName,
} from "../traceql/index.ts";

/** Where the query's text would be, if it had one. */
const position = { offset: 0, line: 1, column: 1 };

const resourceNames = [
  "service.name",
  "cluster",
  "namespace",
  "pod",
  "container",
  "k8s.cluster.name",
  "k8s.namespace.name",
  "k8s.pod.name",
  "k8s.container.name",
];
/** Tags whose values need only occur in what a span has, in any case. */
const wellKnown: ReadonlyMap<string, Attribute> = new Map([
  ...resourceNames.map((name) => [name, attribute("resource", name)] as const),
  ["http.method", attribute("span", "http.method")],
  ["http.url", attribute("span", "http.url")],
  ["name", intrinsic("name")],
  ["root.name", intrinsic("rootName")],
  ["root.service.name", intrinsic("rootServiceName")],
]);

/** @param maxDurationMs 0: no bound; the same for `minDurationMs` */
export function tagQuery(
  tags: ReadonlyMap<string, string>,
  minDurationMs: number,
  maxDurationMs: number,
): Query {
  const filters = [...tags].map(([key, value]) => filter(tagCondition(key, value)));
  const durations: FieldExpression[] = [];
  if (minDurationMs > 0) durations.push(traceDuration(">=", minDurationMs));
  if (maxDurationMs > 0) durations.push(traceDuration("<=", maxDurationMs));
  if (durations.length > 0) filters.unshift(filter(joined("&&", durations)));
  const spanset = allOf(filters);
  return { kind: "query", stages: [spanset], metrics: null, hints: [], position };
}

/** As a balanced tree, which stays shallow however many there are. */
function allOf(filters: SpansetFilter[]): SpansetFilter | SpansetOperation {
  if (filters.length === 0) return filter(bool(true));
  if (filters.length === 1) return filters[0]!;
  const half = filters.length >> 1;
  return {
    kind: "operation",
    op: "&&",
    left: allOf(filters.slice(0, half)),
    right: allOf(filters.slice(half)),
    position,
  };
}

function tagCondition(key: string, value: string): FieldExpression {
  if (key === "status.code") return statusCondition(value);
  if (key === "error") return errorCondition(value);
  const known = wellKnown.get(key);
  if (known !== undefined) return compare(known, "=~", string(`(?is).*${quoteMeta(value)}.*`));
  const literals = literalsOf(value);
  return joined(
    "||",
    (["span", "resource"] as const).flatMap((scope) =>
      literals.map((literal) => compare(attribute(scope, key), "=", literal)),
    ),
  );
}

const statusCodes: readonly StatusName[] = ["unset", "ok", "error"];

function statusCondition(value: string): FieldExpression {
  const name = statusCodes.find((code, number) => code === value || String(number) === value);
  return name === undefined ? bool(false) : statusIs("=", name);
}

function errorCondition(value: string): FieldExpression {
  if (value !== "true" && value !== "false") return bool(false);
  return statusIs(value === "true" ? "=" : "!=", "error");
}

function statusIs(op: ComparisonOp, value: StatusName): Comparison {
  return compare(intrinsic("status"), op, { kind: "literal", type: "status", value, position });
}

/** What an attribute may hold that reads like the text. */
function literalsOf(text: string): Literal[] {
  const literals: Literal[] = [string(text)];
  if (/^-?\d{1,19}$/.test(text)) {
    const value = BigInt(text);
    if (BigInt.asIntN(64, value) === value) literals.push({ kind: "literal", type: "int", value, position });
  } else if (/^-?\d+\.\d+(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text))) {
    literals.push({ kind: "literal", type: "float", value: Number(text), position });
  } else if (text === "true" || text === "false") {
    literals.push(bool(text === "true"));
  }
  return literals;
}

function traceDuration(op: ComparisonOp, ms: number): Comparison {
  const value = BigInt(Math.round(ms * 1e6));
  return compare(intrinsic("traceDuration"), op, { kind: "literal", type: "duration", value, position });
}

function filter(expression: FieldExpression): SpansetFilter {
  return { kind: "filter", expression, position };
}

function joined(op: "&&" | "||", operands: FieldExpression[]): FieldExpression {
  return operands.length === 1 ? operands[0]! : { kind: "logical", op, operands, position };
}

function compare(left: Attribute, op: ComparisonOp, right: Literal): Comparison {
  return { kind: "comparison", op, left, right, position };
}

function attribute(scope: Scope, name: string): Attribute {
  return { kind: "attribute", parent: false, scope, name, position };
}

function intrinsic(name: IntrinsicName): Attribute {
  return { kind: "intrinsic", name, position };
}

function string(value: string): Literal {
  return { kind: "literal", type: "string", value, position };
}

function bool(value: boolean): Literal {
  return { kind: "literal", type: "bool", value, position };
}

/** The text as a pattern that only it matches. */
function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}
