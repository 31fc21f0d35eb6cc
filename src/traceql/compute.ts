// What operators make of two literals: the arithmetic and the comparisons of the language, on constants.

import type { ArithmeticOp, ComparisonOp, Literal, Numeric } from "./ast.ts";

/** The value without a place. */
export type Value = Literal extends infer L ? (L extends unknown ? Omit<L, "position"> : never) : never;

/** Null where the operator is not defined for the types, fails (a division by zero), or leaves the finite numbers. */
export function compute(op: ArithmeticOp, a: Literal, b: Literal): Value | null {
  if (!isNumber(a) || !isNumber(b)) return null;
  if (a.type === "int" && b.type === "int") {
    const value = computeInts(op, a.value, b.value);
    return value === null ? null : { kind: "literal", type: "int", value: BigInt.asIntN(64, value) };
  }
  const value = computeFloats(op, Number(a.value), Number(b.value));
  return Number.isFinite(value) ? { kind: "literal", type: "float", value } : null;
}

function computeInts(op: ArithmeticOp, a: bigint, b: bigint): bigint | null {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return b === 0n ? null : a / b;
    case "%":
      return b === 0n ? null : a % b;
    case "^":
      return b < 0n ? null : power(a, b);
  }
}

/** With 64 bit wrap-around at every step, so that no exponent takes long. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * factor);
    factor = BigInt.asIntN(64, factor * factor);
  }
  return result;
}

function computeFloats(op: ArithmeticOp, a: number, b: number): number {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
    case "^":
      return a ** b;
  }
}

export function negate(literal: Numeric): Value {
  const { kind } = literal;
  if (literal.type === "float") return { kind, type: "float", value: -literal.value };
  return { kind, type: literal.type, value: BigInt.asIntN(64, -literal.value) };
}

/** Null where the operator is not defined for the types, and for patterns, which are not matched here. */
export function compare(op: ComparisonOp, a: Literal, b: Literal): boolean | null {
  const order = orderOf(a, b);
  if (order === null) return null;
  const ordered = isNumber(a) || a.type === "string";
  switch (op) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return ordered ? order < 0 : null;
    case "<=":
      return ordered ? order <= 0 : null;
    case ">":
      return ordered ? order > 0 : null;
    case ">=":
      return ordered ? order >= 0 : null;
    default:
      return null;
  }
}

function orderOf(a: Literal, b: Literal): number | null {
  if (isNumber(a) && isNumber(b)) {
    if (a.type === "int" && b.type === "int") return a.value < b.value ? -1 : Number(a.value > b.value);
    return Number(a.value) - Number(b.value);
  }
  if (a.type !== b.type) return null;
  if (a.type === "string" && b.type === "string") return orderOfText(a.value, b.value);
  return Number(a.value !== b.value);
}

/** As the bytes of UTF-8 order it: by code points. */
function orderOfText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.codePointAt(i)! - b.codePointAt(i)!;
  }
  return a.length - b.length;
}

export function isNumber(literal: Literal): literal is Numeric {
  return literal.type === "int" || literal.type === "float" || literal.type === "duration";
}
