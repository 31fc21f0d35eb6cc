// The type that an expression has by its form, before any span is seen.

import type { ArithmeticOp, ComparisonOp, FieldExpression, Literal, LogicalOp } from "./ast.ts";
import { intrinsicTypes } from "./intrinsics.ts";

/** unknown: an attribute's, which each span decides. */
export type StaticType = Literal["type"] | "nil" | "unknown";

export function typeOf(node: FieldExpression): StaticType {
  switch (node.kind) {
    case "literal":
      return node.type;
    case "attribute":
      return "unknown";
    case "intrinsic":
      return intrinsicTypes[node.name];
    case "unary":
      return node.op === "!" ? "bool" : typeOf(node.operand);
    case "arithmetic": {
      const left = typeOf(node.left);
      return left === "unknown" ? typeOf(node.right) : left;
    }
    case "comparison":
    case "logical":
    case "existence":
    case "membership":
      return "bool";
  }
}

export function isNumeric(type: StaticType): boolean {
  return type === "int" || type === "float" || type === "duration";
}

/** Whether values of the two types may be operands of one operator at all. */
export function typesMatch(a: StaticType, b: StaticType): boolean {
  if (a === b || a === "unknown" || b === "unknown" || a === "nil" || b === "nil") return true;
  return isNumeric(a) && isNumeric(b);
}

export type FieldOp = ArithmeticOp | ComparisonOp | LogicalOp | "!";

/** Whether the operator is defined for an operand of that type. */
export function operatorTakes(op: FieldOp, type: StaticType): boolean {
  if (type === "unknown" || type === "nil") return true;
  switch (op) {
    case "=":
    case "!=":
      return true;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return isNumeric(type) || type === "string";
    case "=~":
    case "!~":
      return type === "string";
    case "&&":
    case "||":
    case "!":
      return type === "bool";
    default:
      return isNumeric(type);
  }
}

/** The same for a message. */
export function operandsOf(op: FieldOp): string {
  if (operatorTakes(op, "status")) return "operands of any type";
  if (operatorTakes(op, "bool")) return "booleans";
  if (!operatorTakes(op, "int")) return "strings";
  return operatorTakes(op, "string") ? "numbers or strings" : "numbers";
}

/** Whether any part of it is read from the span. */
export function referencesSpan(node: FieldExpression): boolean {
  switch (node.kind) {
    case "literal":
      return false;
    case "attribute":
    case "intrinsic":
    case "membership":
      return true;
    case "unary":
    case "existence":
      return referencesSpan(node.operand);
    case "arithmetic":
    case "comparison":
      return referencesSpan(node.left) || referencesSpan(node.right);
    case "logical":
      return node.operands.some(referencesSpan);
  }
}
