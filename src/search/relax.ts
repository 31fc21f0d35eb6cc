// What of a filter can be told of a span alone, without the rest of its trace.
import type { FieldExpression, IntrinsicName } from "../traceql/index.ts";

const ofTrace: ReadonlySet<IntrinsicName> = new Set([
  "traceDuration",
  "rootName",
  "rootServiceName",
  "nestedSetLeft",
  "nestedSetRight",
  "nestedSetParent",
  "span:childCount",
] satisfies IntrinsicName[]);

/** Whether the value depends on spans of the trace beside the one at hand. */
export function isOfTrace(node: FieldExpression): boolean {
  switch (node.kind) {
    case "literal":
    case "attribute":
      return false;
    case "intrinsic":
      return ofTrace.has(node.name);
    case "unary":
    case "existence":
      return isOfTrace(node.operand);
    case "arithmetic":
    case "comparison":
      return isOfTrace(node.left) || isOfTrace(node.right);
    case "logical":
      return node.operands.some(isOfTrace);
    case "membership":
      return isOfTrace(node.attribute);
  }
}

/**
 * A filter that holds wherever this one may hold, and asks nothing of the whole trace.
 *
 * @returns null if that is any span
 */
export function relax(node: FieldExpression): FieldExpression | null {
  if (node.kind === "literal" && node.type === "bool" && node.value) return null;
  if (!isOfTrace(node)) return node;
  if (node.kind !== "logical") return null;
  const operands = node.operands.map(relax);
  if (node.op === "||") {
    return operands.includes(null) ? null : { ...node, operands: operands as FieldExpression[] };
  }
  const kept = operands.filter((operand) => operand !== null);
  if (kept.length < 2) return kept[0] ?? null;
  return { ...node, operands: kept };
}
