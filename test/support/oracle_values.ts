// The values of the TraceQL oracle and what operators make of them, one value at a time, as the language defines it.
import { RE2JS } from "re2js";
import type { ArithmeticOp, ComparisonOp, KindName, Literal, StatusName } from "../../src/traceql/index.ts";

export type Scalar =
  | { type: "int"; value: bigint }
  | { type: "float"; value: number }
  | { type: "duration"; value: bigint }
  | { type: "string"; value: string }
  | { type: "bool"; value: boolean }
  | { type: "status"; value: StatusName }
  | { type: "kind"; value: KindName };

/** Two elements or more, all of one type: one alone is a scalar, none is nil. */
export interface ArrayValue {
  type: "array";
  values: Scalar[];
}

export type Value = Scalar | ArrayValue | { type: "nil" };

export const nil: Value = { type: "nil" };
const no: Value = { type: "bool", value: false };

export function bool(value: boolean): Value {
  return { type: "bool", value };
}

export function isTrue(value: Value): boolean {
  return value.type === "bool" && value.value;
}

export function literalValue(literal: Literal): Scalar {
  return { type: literal.type, value: literal.value } as Scalar;
}

/** As it is read back: an empty array is nothing, and one element is that element. */
export function arrayOf(values: Scalar[]): Value {
  if (values.length === 0) return nil;
  return values.length === 1 ? values[0]! : { type: "array", values };
}

export function elementsOf(value: Value): Scalar[] {
  if (value.type === "nil") return [];
  return value.type === "array" ? value.values : [value];
}

export function isNumber(value: Value): value is Extract<Scalar, { type: "int" | "float" | "duration" }> {
  return value.type === "int" || value.type === "float" || value.type === "duration";
}

function orderOf(a: Scalar, b: Scalar): number | null {
  if (isNumber(a) && isNumber(b)) {
    if (a.type === "int" && b.type === "int") return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
    const [x, y] = [Number(a.value), Number(b.value)];
    return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN;
  }
  if (a.type === "string" && b.type === "string") {
    return Buffer.compare(Buffer.from(a.value), Buffer.from(b.value));
  }
  return null;
}

/** False where a type doesn't fit. */
export function compareScalars(op: ComparisonOp, a: Scalar, b: Scalar): boolean {
  if (op === "=~" || op === "!~") {
    if (a.type !== "string" || b.type !== "string") return false;
    return matches(b.value, a.value) === (op === "=~");
  }
  const order = orderOf(a, b);
  if (order === null) {
    if (a.type !== b.type) return false;
    return op === "=" ? a.value === b.value : op === "!=" && a.value !== b.value;
  }
  switch (op) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

export function isNegative(op: ComparisonOp): boolean {
  return op === "!=" || op === "!~";
}

/** Of an array any element decides, or every one for the negative operators. */
export function compareValues(op: ComparisonOp, a: Value, b: Value): boolean {
  if (a.type === "nil" || b.type === "nil") return false;
  if (a.type === "array" && b.type === "array") return false;
  const holds = (x: Scalar, y: Scalar) => compareScalars(op, x, y);
  const [left, right] = [elementsOf(a), elementsOf(b)];
  const pairs = left.flatMap((x) => right.map((y) => [x, y] as const));
  return isNegative(op) ? pairs.every(([x, y]) => holds(x, y)) : pairs.some(([x, y]) => holds(x, y));
}

const compiled = new Map<string, RE2JS>();

/** RE2, anchored at both ends, a dot for every character. */
export function matches(pattern: string, text: string): boolean {
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    regex = RE2JS.compile(pattern, RE2JS.DOTALL);
    compiled.set(pattern, regex);
  }
  return regex.matches(text);
}

export function computeValues(op: ArithmeticOp, a: Value, b: Value): Value {
  if (a.type === "array" || b.type === "array") return nil;
  if (a.type === "nil" || b.type === "nil") return nil;
  if (!isNumber(a) || !isNumber(b)) return no;
  if (a.type === "int" && b.type === "int") return computeInts(op, a.value, b.value);
  return { type: "float", value: computeFloats(op, Number(a.value), Number(b.value)) };
}

/** Where there is no such int, no value. */
function computeInts(op: ArithmeticOp, a: bigint, b: bigint): Value {
  if ((op === "/" || op === "%") && b === 0n) return nil;
  if (op === "^" && b < 0n) return nil;
  return { type: "int", value: BigInt.asIntN(64, exactly(op, a, b)) };
}

function exactly(op: ArithmeticOp, a: bigint, b: bigint): bigint {
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
    case "^": {
      let power = 1n;
      for (let i = b; i > 0n; i >>= 1n, a = BigInt.asIntN(64, a * a))
        if (i & 1n) power = BigInt.asIntN(64, power * a);
      return power;
    }
  }
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

export function negate(value: Value): Value {
  if (!isNumber(value)) return nil;
  if (value.type === "float") return { type: "float", value: -value.value };
  return { type: value.type, value: BigInt.asIntN(64, -value.value) };
}

/** Equal for values of the same type that are equal, and only those. */
export function keyOf(value: Value): string {
  if (value.type === "nil") return "nil";
  if (value.type === "array") return `[${value.values.map(keyOf).join(",")}]`;
  return `${value.type}:${JSON.stringify(String(value.value))}`;
}
