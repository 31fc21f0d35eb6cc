// How two spans of a trace are related, for the TraceQL oracle. Spans outside of the tree are related to none.
import type { SpansetOp, StructuralOp } from "../../src/traceql/index.ts";
import type { OracleSpan } from "./oracle_traces.ts";

type Form = "plain" | "negated" | "union";

export function relationOf(op: Exclude<SpansetOp, "&&" | "||">): { relation: StructuralOp; form: Form } {
  if (op.startsWith("!")) return { relation: op.slice(1) as StructuralOp, form: "negated" };
  if (op.startsWith("&")) return { relation: op.slice(1) as StructuralOp, form: "union" };
  return { relation: op as StructuralOp, form: "plain" };
}

/** Whether left is right's parent, ancestor, child, descendant or sibling. */
export function isRelated(relation: StructuralOp, left: OracleSpan, right: OracleSpan): boolean {
  if (left === right || left.left === 0 || right.left === 0) return false;
  switch (relation) {
    case ">":
      return right.parent === left;
    case ">>":
      return isAncestor(left, right);
    case "<":
      return left.parent === right;
    case "<<":
      return isAncestor(right, left);
    case "~":
      return left.parentLeft === right.parentLeft;
  }
}

function isAncestor(above: OracleSpan, span: OracleSpan): boolean {
  for (let at = span.parent; at !== null; at = at.parent) if (at === above) return true;
  return false;
}
