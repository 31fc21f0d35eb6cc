// A valid query to an equal one that is quicker to run: constants folded, trace ids as they are stored, lists for `||`.

import type {
  Aggregate,
  Arithmetic,
  Comparison,
  FieldExpression,
  Literal,
  Logical,
  Query,
  ScalarExpression,
  SpansetExpression,
  SpansetFilter,
  Stage,
  Unary,
} from "./ast.ts";
import { compare, compute, isNumber, negate } from "./compute.ts";
import { joinComparisons } from "./membership.ts";

export interface RewriteOptions {
  /** Leave `a = 1 || a = 2` as it is; what Tempo calls `or_to_in`. */
  keepLists?: boolean;
}

/** @returns a new tree, which shares with the old one what did not change */
export function rewrite(query: Query, options: RewriteOptions = {}): Query {
  const stages = query.stages.map((stage) => rewriteStage(stage, options));
  let { metrics } = query;
  if (metrics?.function.kind === "compare") {
    const selection = rewriteFilter(metrics.function.selection, options);
    metrics = { ...metrics, function: { ...metrics.function, selection } };
  }
  return { ...query, stages, metrics };
}

function rewriteStage(stage: Stage, options: RewriteOptions): Stage {
  switch (stage.kind) {
    case "filter":
      return rewriteFilter(stage, options);
    case "operation":
      return {
        ...stage,
        left: rewriteSpanset(stage.left, options),
        right: rewriteSpanset(stage.right, options),
      };
    case "scalarFilter":
      return {
        ...stage,
        left: rewriteScalar(stage.left, options),
        right: rewriteScalar(stage.right, options),
      };
    case "group":
      return { ...stage, expression: rewriteField(stage.expression, options) };
    case "coalesce":
    case "select":
      return stage;
  }
}

function rewriteSpanset(node: SpansetExpression, options: RewriteOptions): SpansetExpression {
  if (node.kind !== "pipeline") return rewriteStage(node, options) as SpansetExpression;
  return { ...node, stages: node.stages.map((stage) => rewriteStage(stage, options)) };
}

function rewriteFilter(node: SpansetFilter, options: RewriteOptions): SpansetFilter {
  return { ...node, expression: rewriteField(node.expression, options) };
}

function rewriteScalar(node: ScalarExpression, options: RewriteOptions): ScalarExpression {
  switch (node.kind) {
    case "literal":
      return node;
    case "aggregate":
      return rewriteAggregate(node, options);
    case "scalarOperation":
      return { ...node, left: rewriteScalar(node.left, options), right: rewriteScalar(node.right, options) };
    case "scalarPipeline":
      return {
        ...node,
        stages: node.stages.map((stage) => rewriteStage(stage, options)),
        aggregate: rewriteAggregate(node.aggregate, options),
      };
  }
}

function rewriteAggregate(node: Aggregate, options: RewriteOptions): Aggregate {
  return node.function === "count" ? node : { ...node, operand: rewriteField(node.operand, options) };
}

export function rewriteField(node: FieldExpression, options: RewriteOptions = {}): FieldExpression {
  switch (node.kind) {
    case "literal":
    case "attribute":
    case "intrinsic":
    case "membership":
      return node;
    case "unary":
      return foldUnary({ ...node, operand: rewriteField(node.operand, options) });
    case "existence": {
      const operand = rewriteField(node.operand, options);
      if (operand.kind === "literal") return boolLiteral(node.exists, node);
      return { ...node, operand };
    }
    case "arithmetic":
      return foldArithmetic({
        ...node,
        left: rewriteField(node.left, options),
        right: rewriteField(node.right, options),
      });
    case "comparison":
      return foldComparison({
        ...node,
        left: rewriteField(node.left, options),
        right: rewriteField(node.right, options),
      });
    case "logical": {
      const operands = node.operands.map((operand) => rewriteField(operand, options));
      const folded = foldLogical({ ...node, operands });
      return folded.kind !== "logical" || options.keepLists ? folded : joinComparisons(folded);
    }
  }
}

function foldUnary(node: Unary): FieldExpression {
  const { op, operand, position } = node;
  if (operand.kind !== "literal") return node;
  if (op === "-" && isNumber(operand)) return { ...negate(operand), position };
  if (op === "!" && operand.type === "bool") return boolLiteral(!operand.value, node);
  return node;
}

function foldArithmetic(node: Arithmetic): FieldExpression {
  const { op, left, right, position } = node;
  if (left.kind !== "literal" || right.kind !== "literal") return node;
  const value = compute(op, left, right);
  return value === null ? node : { ...value, position };
}

function foldComparison(node: Comparison): FieldExpression {
  const left = isTraceId(node.right) ? withoutZeros(node.left) : node.left;
  const right = isTraceId(node.left) ? withoutZeros(node.right) : node.right;
  if (left.kind === "literal" && right.kind === "literal") {
    const value = compare(node.op, left, right);
    if (value !== null) return boolLiteral(value, node);
  }
  return { ...node, left, right };
}

function isTraceId(node: FieldExpression): boolean {
  return node.kind === "intrinsic" && node.name === "trace:id";
}

/** Trace ids are compared without leading zeros. */
function withoutZeros(node: FieldExpression): FieldExpression {
  if (node.kind !== "literal" || node.type !== "string") return node;
  return { ...node, value: node.value.replace(/^0+/, "") };
}

/** The constants at the front become one, which is then alone or the first operand. */
function foldLogical(node: Logical): FieldExpression {
  const { op, operands } = node;
  let constant: boolean | null = null;
  let folded = 0;
  for (const operand of operands) {
    if (operand.kind !== "literal" || operand.type !== "bool") break;
    const { value } = operand;
    constant = constant === null ? value : op === "&&" ? constant && value : constant || value;
    folded++;
  }
  if (constant === null || folded === 1) return flattened(node);
  const first = boolLiteral(constant, operands[0]!);
  return folded === operands.length ? first : { ...node, operands: [first, ...operands.slice(folded)] };
}

/** Folding may have brought a chain of the same operator to the front. */
function flattened(node: Logical): Logical {
  const [first, ...rest] = node.operands as [FieldExpression, ...FieldExpression[]];
  if (first.kind !== "logical" || first.op !== node.op) return node;
  return { ...node, operands: [...first.operands, ...rest] };
}

function boolLiteral(value: boolean, { position }: FieldExpression): Literal {
  return { kind: "literal", type: "bool", value, position };
}
