// A syntax tree to text. What is printed parses to an equal tree; memberships, which no query can say, aside.

import type {
  Attribute,
  FieldExpression,
  Hint,
  Logical,
  MetricsFunction,
  MetricsStage,
  Query,
  ScalarExpression,
  SecondStage,
  SpansetExpression,
  Stage,
} from "./ast.ts";
import { needsQuotes, quoteName } from "./lex_name.ts";
import { printLiteral } from "./print_literal.ts";

/** One line, canonical names, single spaces, brackets around every nested operation. */
export function print(query: Query): string {
  const stages = query.stages.map(printStage);
  if (query.metrics !== null) stages.push(printMetrics(query.metrics));
  const hints = query.hints.length === 0 ? "" : ` with (${query.hints.map(printHint).join(", ")})`;
  return stages.join(" | ") + hints;
}

export function printStage(stage: Stage): string {
  switch (stage.kind) {
    case "filter":
    case "operation":
      return printSpanset(stage);
    case "scalarFilter":
      return `${nestedScalar(stage.left)} ${stage.op} ${nestedScalar(stage.right)}`;
    case "group":
      return `by(${printField(stage.expression)})`;
    case "coalesce":
      return "coalesce()";
    case "select":
      return `select(${stage.attributes.map(printAttribute).join(", ")})`;
  }
}

// ---- span sets

export function printSpanset(node: SpansetExpression): string {
  if (node.kind === "filter") return `{ ${printField(node.expression)} }`;
  if (node.kind === "pipeline") return node.stages.map(printStage).join(" | ");
  // Beside a pipeline in brackets a filter needs brackets too.
  const brackets = hasPipeline(node);
  return `${nestedSpanset(node.left, brackets)} ${node.op} ${nestedSpanset(node.right, brackets)}`;
}

function nestedSpanset(node: SpansetExpression, brackets: boolean): string {
  const text = printSpanset(node);
  return node.kind === "filter" && !brackets ? text : `(${text})`;
}

function hasPipeline(node: SpansetExpression): boolean {
  if (node.kind === "operation") return hasPipeline(node.left) || hasPipeline(node.right);
  return node.kind === "pipeline";
}

// ---- expressions on fields

export function printField(node: FieldExpression): string {
  return field(node, chain);
}

/** The text that names a value in results, as the key of a group: as `printField`, with chains in pairs. */
export function printKey(node: FieldExpression): string {
  return field(node, pairs);
}

type PrintLogical = (operands: string[], op: string) => string;

function chain(operands: string[], op: string): string {
  return operands.join(` ${op} `);
}

/** `((a && b) && c) && d` */
function pairs(operands: string[], op: string): string {
  const open = "(".repeat(operands.length - 2);
  return (
    open +
    operands.map((operand, i) => (i > 0 && i < operands.length - 1 ? `${operand})` : operand)).join(` ${op} `)
  );
}

function field(node: FieldExpression, logical: PrintLogical): string {
  switch (node.kind) {
    case "literal":
      return printLiteral(node);
    case "attribute":
    case "intrinsic":
      return printAttribute(node);
    case "unary":
      return node.op + nested(node.operand, logical);
    case "existence":
      return `${nested(node.operand, logical)} ${node.exists ? "!=" : "="} nil`;
    case "comparison":
      return `${nested(node.left, logical)} ${node.op} ${nested(node.right, logical)}`;
    case "arithmetic": {
      const left = nested(node.left, logical);
      // A minus binds weaker than these: -1 * 2 is -(1 * 2).
      const minus = left.startsWith("-") && node.op !== "+" && node.op !== "-";
      return `${minus ? `(${left})` : left} ${node.op} ${nested(node.right, logical)}`;
    }
    case "logical":
      return logical(printOperands(node, logical), node.op);
    case "membership":
      return `${printAttribute(node.attribute)} ${node.op} [${node.values.map(printLiteral).join(", ")}]`;
  }
}

function printOperands(node: Logical, logical: PrintLogical): string[] {
  return node.operands.map((operand) => nested(operand, logical));
}

function nested(node: FieldExpression, logical: PrintLogical): string {
  const text = field(node, logical);
  return isAtom(node) ? text : `(${text})`;
}

function isAtom(node: FieldExpression): boolean {
  if (node.kind === "unary") return node.op === "-" && node.operand.kind === "literal";
  return node.kind === "literal" || node.kind === "attribute" || node.kind === "intrinsic";
}

/** `span.foo`, `.foo`, `span."a b"`, `name`, `span:id`: the name that results use, however a query spelled it. */
export function printAttribute(attribute: Attribute): string {
  if (attribute.kind === "intrinsic") return attribute.name;
  const { parent, scope, name } = attribute;
  const prefix = `${parent ? "parent." : ""}${scope === "none" ? (parent ? "" : ".") : `${scope}.`}`;
  const wouldMean = parent && scope === "none" ? /^(?:span|resource)\./ : prefix === "." ? /^[0-9]/ : null;
  return prefix + (needsQuotes(name) || wouldMean?.test(name) ? quoteName(name) : name);
}

// ---- scalars

export function printScalar(node: ScalarExpression): string {
  switch (node.kind) {
    case "literal":
      return printLiteral(node);
    case "aggregate":
      return node.function === "count" ? "count()" : `${node.function}(${printField(node.operand)})`;
    case "scalarOperation":
      return `${nestedScalar(node.left)} ${node.op} ${nestedScalar(node.right)}`;
    case "scalarPipeline":
      return `(${[...node.stages.map(printStage), printScalar(node.aggregate)].join(" | ")})`;
  }
}

function nestedScalar(node: ScalarExpression): string {
  return node.kind === "scalarOperation" ? `(${printScalar(node)})` : printScalar(node);
}

// ---- metrics

export function printMetrics(node: MetricsStage): string {
  return [printFunction(node.function), ...node.secondStages.map(printSecondStage)].join(" ");
}

function printFunction(node: MetricsFunction): string {
  switch (node.kind) {
    case "countOverTime":
      return `${node.function}()${printBy(node.by)}`;
    case "fieldOverTime":
      return `${node.function}(${printAttribute(node.attribute)})${printBy(node.by)}`;
    case "quantileOverTime":
      return `quantile_over_time(${[printAttribute(node.attribute), ...node.quantiles.map(printQuantile)].join(", ")})${printBy(node.by)}`;
    case "compare": {
      const window = node.window === null ? [] : [node.window.start, node.window.end];
      return `compare(${[printSpanset(node.selection), node.topN, ...window].join(", ")})`;
    }
  }
}

function printBy(attributes: Attribute[]): string {
  return attributes.length === 0 ? "" : ` by (${attributes.map(printAttribute).join(", ")})`;
}

function printSecondStage(stage: SecondStage): string {
  if (stage.kind === "ranking") return `| ${stage.function}(${stage.limit})`;
  return `${stage.op} ${printLiteral(stage.value)}`;
}

function printHint(hint: Hint): string {
  return `${hint.name}=${printLiteral(hint.value)}`;
}

/** Whole numbers beyond 64 bits are written as floats, since the language has no such integer. */
function printQuantile(value: number): string {
  return Number.isSafeInteger(value) || !Number.isInteger(value) ? String(value) : value.toExponential();
}
