// Pipelines: span sets and their operators, scalar filters, and the stages between pipes.

import type {
  Aggregate,
  AggregateName,
  ArithmeticOp,
  OrderOp,
  ScalarExpression,
  SpansetExpression,
  SpansetFilter,
  SpansetOp,
  Stage,
} from "./ast.ts";
import { type Position, TraceQLError } from "./errors.ts";
import { parseAttributeList } from "./parse_attribute.ts";
import { parseField } from "./parse_field.ts";
import { parseSignedNumber } from "./parse_literal.ts";
import { binding } from "./precedence.ts";
import type { TokenStream } from "./token_stream.ts";

/**
 * What stands between two pipes. Span set expressions come in two sorts that do not mix: `plain` ones are stages of a
 * pipeline, `wrapped` ones combine pipelines in brackets; a plain one in brackets is both.
 */
export type Element =
  | { type: "spanset"; node: SpansetExpression; plain: boolean; wrapped: boolean }
  | { type: "scalar"; node: ScalarExpression }
  | { type: "stage"; node: Exclude<Stage, SpansetExpression> };

const spansetOps: ReadonlyMap<string, number> = new Map<SpansetOp, number>([
  ...(["&&", "||"] as const).map((op): [SpansetOp, number] => [op, binding.logical]),
  ...([">", ">>", "<", "<<", "~"] as const).flatMap((op): [SpansetOp, number][] => [
    [op, binding.comparison],
    [`!${op}`, binding.comparison],
    [`&${op}`, binding.comparison],
  ]),
]);
const scalarOps: ReadonlyMap<string, number> = new Map<ArithmeticOp, number>([
  ["+", binding.sum],
  ["-", binding.sum],
  ["*", binding.product],
  ["/", binding.product],
  ["%", binding.product],
  ["^", binding.power],
]);
export const orderOps: ReadonlySet<string> = new Set<OrderOp>(["=", "!=", "<", "<=", ">", ">="]);
const aggregateNames: ReadonlySet<string> = new Set(["count", "min", "max", "avg", "sum"]);

const expectedSpanset = '"{" or "("';
const expectedStage = '"{", "(", by, select, or an aggregate such as count()';
const expectedLaterStage = `${expectedStage}, coalesce()`;

/** @param first whether it opens a pipeline: coalesce() cannot */
export function parseElement(tokens: TokenStream, first: boolean): Element {
  const { position } = tokens.peek();
  if (tokens.takeWord("by")) {
    tokens.expect("(");
    const expression = parseField(tokens);
    tokens.expect(")", 'an operator or ")"');
    return { type: "stage", node: tokens.made({ kind: "group", expression, position }, expression) };
  }
  if (tokens.takeWord("select")) {
    const attributes = parseAttributeList(tokens);
    return { type: "stage", node: tokens.made({ kind: "select", attributes, position }) };
  }
  if (!first && tokens.takeWord("coalesce")) {
    tokens.expect("(");
    tokens.expect(")");
    return { type: "stage", node: tokens.made({ kind: "coalesce", position }) };
  }
  return parseOperators(tokens, 0, first ? expectedStage : expectedLaterStage);
}

/** The stage that an element is, at a place where it stands between pipes. */
export function stageOf(tokens: TokenStream, element: Element): Stage {
  if (element.type === "stage") return element.node;
  if (element.type === "scalar") throw tokens.unexpected("a comparison such as > 2 after an aggregate");
  if (element.node.kind === "pipeline" || !element.plain) {
    throw TraceQLError.parse(
      "syntax error: a pipeline in parentheses is no stage of another pipeline",
      element.node.position,
    );
  }
  return element.node;
}

function parseOperators(tokens: TokenStream, minimum: number, expected: string): Element {
  tokens.enter();
  let left = parseOperand(tokens, expected);
  for (;;) {
    const token = tokens.peek();
    if (token.type !== "operator") break;
    const level = levelBetween(left, token.text);
    if (level === undefined || level < minimum) break;
    tokens.next();
    left =
      left.type === "spanset"
        ? joinSpansets(tokens, left, token.text as SpansetOp, level)
        : joinScalars(tokens, left, token.text, level);
  }
  tokens.leave();
  return left;
}

function levelBetween(left: Element, operator: string): number | undefined {
  if (left.type === "spanset") return spansetOps.get(operator);
  if (left.type === "stage") return undefined;
  return orderOps.has(operator) ? binding.comparison : scalarOps.get(operator);
}

function joinSpansets(
  tokens: TokenStream,
  left: Element & { type: "spanset" },
  op: SpansetOp,
  level: number,
): Element {
  const behind = tokens.peek();
  const right = parseOperators(tokens, level + 1, expectedSpanset);
  if (right.type !== "spanset") throw tokens.unexpected(expectedSpanset, behind);
  const plain = left.plain && right.plain;
  const wrapped = left.wrapped && right.wrapped;
  if (!plain && !wrapped) {
    throw TraceQLError.parse(
      `syntax error: ${op} between a span set and a pipeline in parentheses, expecting both in parentheses`,
      behind.position,
    );
  }
  const { position } = left.node;
  const node = tokens.made(
    { kind: "operation" as const, op, left: left.node, right: right.node, position },
    left.node,
    right.node,
  );
  return { type: "spanset", node, plain, wrapped };
}

function joinScalars(
  tokens: TokenStream,
  left: Element & { type: "scalar" | "stage" },
  op: string,
  level: number,
): Element {
  const behind = tokens.peek();
  const expected = "a number, a duration or an aggregate";
  // Only ^ is right associative.
  const right = parseOperators(tokens, op === "^" ? level : level + 1, expected);
  if (left.type !== "scalar" || right.type !== "scalar") throw tokens.unexpected(expected, behind);
  const operands = { left: left.node, right: right.node, position: left.node.position };
  if (orderOps.has(op)) {
    const filter = { kind: "scalarFilter" as const, op: op as OrderOp, ...operands };
    return { type: "stage", node: tokens.made(filter, left.node, right.node) };
  }
  const operation = { kind: "scalarOperation" as const, op: op as ArithmeticOp, ...operands };
  return { type: "scalar", node: tokens.made(operation, left.node, right.node) };
}

function parseOperand(tokens: TokenStream, expected: string): Element {
  const token = tokens.peek();
  if (tokens.at("operator", "{")) {
    return { type: "spanset", node: parseFilter(tokens), plain: true, wrapped: false };
  }
  if (tokens.take("(")) return parseBracketed(tokens, token.position);
  if (token.type === "word" && aggregateNames.has(token.text)) {
    return { type: "scalar", node: parseAggregate(tokens) };
  }
  const signed = tokens.at("operator", "-") ? tokens.peek(1) : token;
  if (signed.type === "int" || signed.type === "float" || signed.type === "duration") {
    return { type: "scalar", node: parseSignedNumber(tokens) };
  }
  throw tokens.unexpected(expected);
}

/** `{ expression }` */
export function parseFilter(tokens: TokenStream): SpansetFilter {
  const { position } = tokens.peek();
  tokens.expect("{");
  if (tokens.take("}")) {
    const expression = tokens.made({
      kind: "literal" as const,
      type: "bool" as const,
      value: true,
      position,
    });
    return tokens.made({ kind: "filter", expression, position }, expression);
  }
  const expression = parseField(tokens);
  tokens.expect("}", 'an operator or "}"');
  return tokens.made({ kind: "filter", expression, position }, expression);
}

function parseAggregate(tokens: TokenStream): Aggregate {
  const { position, text } = tokens.next();
  tokens.expect("(");
  if (text === "count") {
    tokens.expect(")");
    return tokens.made({ kind: "aggregate", function: "count", position });
  }
  const operand = parseField(tokens);
  tokens.expect(")", 'an operator or ")"');
  return tokens.made({ kind: "aggregate", function: text as AggregateName, operand, position }, operand);
}

/** Behind "(": a span set expression, a scalar one, a pipeline, or a pipeline that ends in an aggregate. */
function parseBracketed(tokens: TokenStream, position: Position): Element {
  const first = parseElement(tokens, true);
  if (first.type !== "stage" && tokens.take(")")) {
    return first.type === "scalar" ? first : { ...first, wrapped: true };
  }
  const stages = [stageOf(tokens, first)];
  while (tokens.take("|")) {
    const element = parseElement(tokens, false);
    if (element.type === "scalar" && element.node.kind === "aggregate" && tokens.take(")")) {
      const aggregate = element.node;
      const scalar = { kind: "scalarPipeline" as const, stages, aggregate, position };
      return { type: "scalar", node: tokens.made(scalar, ...stages, aggregate) };
    }
    stages.push(stageOf(tokens, element));
  }
  tokens.expect(")", '"|" or ")"');
  const pipeline = tokens.made({ kind: "pipeline" as const, stages, position }, ...stages);
  return { type: "spanset", node: pipeline, plain: false, wrapped: true };
}
