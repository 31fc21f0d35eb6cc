// Checks on expressions: types that fit, patterns that compile, nothing that is reserved.

import type { Attribute, Comparison, Existence, FieldExpression, Literal, Logical } from "./ast.ts";
import { type Position, shortened, TraceQLError } from "./errors.ts";
import { printField } from "./print.ts";
import { regexProblem } from "./regex.ts";
import { type FieldOp, operandsOf, operatorTakes, type StaticType, typeOf, typesMatch } from "./types.ts";

/** @throws TraceQLError at the first fault: from the inside out, left before right */
export function validateField(node: FieldExpression): void {
  switch (node.kind) {
    case "literal":
      return;
    case "attribute":
    case "intrinsic":
      validateAttribute(node);
      return;
    case "unary": {
      validateField(node.operand);
      const type = typeOf(node.operand);
      if (operatorTakes(node.op, type)) return;
      throw refused(
        `illegal operation for the given type: ${shown(node)}`,
        `${node.op} takes ${operandsOf(node.op)}`,
        node.position,
      );
    }
    case "existence":
      validateExistence(node);
      return;
    case "logical":
      validateLogical(node);
      return;
    case "arithmetic":
      validateField(node.left);
      validateField(node.right);
      validatePair(node, typeOf(node.left), node.op, typeOf(node.right));
      return;
    case "comparison":
      validateField(node.left);
      validateField(node.right);
      validatePair(node, typeOf(node.left), node.op, typeOf(node.right));
      validatePattern(node);
      return;
    case "membership":
      validateAttribute(node.attribute);
      if (!node.op.startsWith("MATCH")) return;
      for (const value of node.values) validateRegex(value);
  }
}

export function validateAttribute(node: Attribute): void {
  if (node.kind === "intrinsic" && node.name === "parent") {
    throw TraceQLError.validate("intrinsic (parent) not yet supported", node.position);
  }
  if (node.kind === "attribute" && node.parent) {
    throw TraceQLError.validate("parent not yet supported", node.position);
  }
}

function validateExistence(node: Existence): void {
  const { operand } = node;
  validateField(operand);
  if (node.exists) return;
  const isService =
    operand.kind === "attribute" && operand.scope === "resource" && operand.name === "service.name";
  if (operand.kind !== "intrinsic" && !isService) return;
  const which = isService ? "resource.service.name" : "intrinsics";
  const reason = `${shown(operand)}=nil is not valid because ${which} cannot be nil`;
  throw TraceQLError.validate(reason, node.position);
}

function validateLogical(node: Logical): void {
  for (const [index, operand] of node.operands.entries()) {
    validateField(operand);
    if (index === 0) continue;
    const left = index === 1 ? typeOf(node.operands[0]!) : "bool";
    const type = typeOf(operand);
    if (typesMatch(left, type) && operatorTakes(node.op, left) && operatorTakes(node.op, type)) continue;
    const upTo: Logical = { ...node, operands: node.operands.slice(0, index + 1) };
    validatePair(upTo, left, node.op, type);
  }
}

function validatePair(node: FieldExpression, left: StaticType, op: FieldOp, right: StaticType): void {
  if (!typesMatch(left, right)) {
    throw refused(
      `binary operations must operate on the same type: ${shown(node)}`,
      `found ${left} and ${right}`,
      node.position,
    );
  }
  if (!operatorTakes(op, left) || !operatorTakes(op, right)) {
    throw refused(
      `illegal operation for the given types: ${shown(node)}`,
      `${op} takes ${operandsOf(op)}`,
      node.position,
    );
  }
}

function validatePattern({ op, right }: Comparison): void {
  if (op !== "=~" && op !== "!~") return;
  if (right.kind !== "literal") {
    const reason = `invalid type for =~ or !~: ${shown(right)}`;
    throw refused(reason, "the pattern is to be a string", right.position);
  }
  validateRegex(right);
}

function validateRegex(literal: Literal): void {
  const problem = literal.type === "string" ? regexProblem(literal.value) : null;
  if (problem !== null) throw TraceQLError.validate(`invalid regex: ${shortened(problem)}`, literal.position);
}

function refused(reason: string, detail: string, position: Position): TraceQLError {
  return TraceQLError.validate(`${reason}: ${detail}`, position);
}

function shown(node: FieldExpression): string {
  return shortened(printField(node));
}
