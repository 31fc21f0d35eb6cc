// Expressions on the fields of a span: what stands in braces, by(…) and aggregates.

import type {
  ArithmeticOp,
  ComparisonOp,
  Existence,
  FieldExpression,
  Literal,
  Logical,
  LogicalOp,
} from "./ast.ts";
import type { Position } from "./errors.ts";
import { takeAttribute } from "./parse_attribute.ts";
import { takeLiteral } from "./parse_literal.ts";
import { binding } from "./precedence.ts";
import type { TokenStream } from "./token_stream.ts";

const expectedOperand = 'a value, an attribute, an intrinsic, "(", "-" or "!"';

/** @param minimum operators that bind weaker are left to the caller */
export function parseField(tokens: TokenStream, minimum = 0): FieldExpression {
  tokens.enter();
  let left = parseOperand(tokens);
  for (;;) {
    const operator = fieldOperator(tokens);
    if (operator === null || operator.level < minimum) break;
    tokens.next();
    left = parseRight(tokens, left, operator);
  }
  tokens.leave();
  return left;
}

type FieldOperator =
  | { kind: "logical"; op: LogicalOp; level: number }
  | { kind: "comparison"; op: ComparisonOp; level: number }
  | { kind: "arithmetic"; op: ArithmeticOp; level: number };

const fieldOperators: ReadonlyMap<string, FieldOperator> = new Map<string, FieldOperator>([
  ...(["&&", "||"] as const).map((op) => entry({ kind: "logical", op, level: binding.logical })),
  ...(["=", "!=", "<", "<=", ">", ">=", "=~", "!~"] as const).map((op) =>
    entry({ kind: "comparison", op, level: binding.comparison }),
  ),
  ...(["+", "-"] as const).map((op) => entry({ kind: "arithmetic", op, level: binding.sum })),
  ...(["*", "/", "%"] as const).map((op) => entry({ kind: "arithmetic", op, level: binding.product })),
  entry({ kind: "arithmetic", op: "^", level: binding.power }),
]);

function entry(operator: FieldOperator): [string, FieldOperator] {
  return [operator.op, operator];
}

function fieldOperator(tokens: TokenStream): FieldOperator | null {
  const token = tokens.peek();
  return token.type === "operator" ? (fieldOperators.get(token.text) ?? null) : null;
}

function parseRight(tokens: TokenStream, left: FieldExpression, operator: FieldOperator): FieldExpression {
  const { position } = left;
  if (operator.kind === "comparison") {
    const { op } = operator;
    if ((op === "=" || op === "!=") && tokens.takeWord("nil")) {
      return existence(tokens, op === "!=", left, position);
    }
    const right = parseField(tokens, binding.comparison + 1);
    return tokens.made({ kind: "comparison", op, left, right, position }, left, right);
  }
  if (operator.kind === "arithmetic") {
    const { op, level } = operator;
    // Only ^ is right associative.
    const right = parseField(tokens, op === "^" ? level : level + 1);
    return tokens.made({ kind: "arithmetic", op, left, right, position }, left, right);
  }
  return joined(tokens, operator.op, left, parseField(tokens, binding.logical + 1));
}

/** `left op right`; a left side that is a chain of this operator grows. */
function joined(tokens: TokenStream, op: LogicalOp, left: FieldExpression, right: FieldExpression): Logical {
  if (left.kind === "logical" && left.op === op) {
    left.operands.push(right);
    return tokens.grown(left, right);
  }
  return tokens.made({ kind: "logical", op, operands: [left, right], position: left.position }, left, right);
}

function parseOperand(tokens: TokenStream): FieldExpression {
  const { position } = tokens.peek();
  if (tokens.take("(")) {
    const inner = parseField(tokens);
    tokens.expect(")", 'an operator or ")"');
    return inner;
  }
  if (tokens.take("-")) {
    const operand = parseField(tokens, binding.sum + 1);
    return tokens.made({ kind: "unary", op: "-", operand, position }, operand);
  }
  if (tokens.take("!")) {
    const operand = parseField(tokens, binding.not + 1);
    return tokens.made({ kind: "unary", op: "!", operand, position }, operand);
  }
  if (tokens.takeWord("nil")) return parseNilLeft(tokens, position);
  const operand = takeLiteral(tokens) ?? takeAttribute(tokens);
  if (operand === null) throw tokens.unexpected(expectedOperand);
  return operand;
}

/** `nil = x`, behind the nil. */
function parseNilLeft(tokens: TokenStream, position: Position): Existence | Literal {
  const exists = tokens.take("!=");
  if (!exists) tokens.expect("=", '"=" or "!=" after nil');
  if (tokens.takeWord("nil")) {
    // Every comparison of nil with nil is false.
    return tokens.made({ kind: "literal", type: "bool", value: false, position });
  }
  return existence(tokens, exists, parseField(tokens, binding.comparison + 1), position);
}

function existence(
  tokens: TokenStream,
  exists: boolean,
  operand: FieldExpression,
  position: Position,
): Existence {
  return tokens.made({ kind: "existence", exists, operand, position }, operand);
}
