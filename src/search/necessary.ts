// From a filter to what must hold of a trace's spans for it, in the terms that stored statistics and dictionaries understand.
import type { Attribute, ComparisonOp, FieldExpression, Literal, MembershipOp } from "../traceql/index.ts";
import { matchOf } from "./match_cache.ts";
import type { Necessary } from "./projection.ts";

const maybe: Necessary = { kind: "maybe" };
const never: Necessary = { kind: "never" };

export function necessaryOf(node: FieldExpression): Necessary {
  switch (node.kind) {
    case "literal":
      return node.type === "bool" && node.value ? maybe : never;
    case "attribute":
      return existence(node);
    case "logical": {
      const parts = node.operands.map(necessaryOf);
      return node.op === "&&" ? everyNecessary(parts) : anyNecessary(parts);
    }
    case "existence":
      return node.exists && isAttribute(node.operand) ? existence(node.operand) : maybe;
    case "comparison":
      if (isAttribute(node.left) && node.right.kind === "literal") {
        return comparison(node.left, node.op, node.right);
      }
      if (isAttribute(node.right) && node.left.kind === "literal") {
        return comparison(node.right, mirrored(node.op), node.left);
      }
      return maybe;
    case "membership": {
      const { op, isAny } = memberOps[node.op];
      const parts = node.values.map((value) => comparison(node.attribute, op, value));
      return isAny ? anyNecessary(parts) : everyNecessary(parts);
    }
    default:
      return maybe;
  }
}

function existence(attribute: Attribute): Necessary {
  return isService(attribute) ? maybe : { kind: "existence", attribute };
}

/** A resource without a service's name has an empty one, which stands in no statistics. */
function isService(attribute: Attribute): boolean {
  return (
    attribute.kind === "attribute" && attribute.scope === "resource" && attribute.name === "service.name"
  );
}

function comparison(attribute: Attribute, op: ComparisonOp, value: Literal): Necessary {
  if (isService(attribute) && value.type === "string" && matchOf(op, value.value).test(nothing)) return maybe;
  return { kind: "comparison", attribute, op, value };
}

const nothing = new Uint8Array(0);

/** The comparison that a list stands for, and whether one of its values is enough. */
export const memberOps: Record<MembershipOp, { op: ComparisonOp; isAny: boolean }> = {
  IN: { op: "=", isAny: true },
  "NOT IN": { op: "!=", isAny: false },
  "MATCH ANY": { op: "=~", isAny: true },
  "MATCH NONE": { op: "!~", isAny: false },
};

const mirrors: Partial<Record<ComparisonOp, ComparisonOp>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

/** `4 < .b` is `.b > 4`. */
export function mirrored(op: ComparisonOp): ComparisonOp {
  return mirrors[op] ?? op;
}

export function isAttribute(node: FieldExpression): node is Attribute {
  return node.kind === "attribute" || node.kind === "intrinsic";
}

export function everyNecessary(parts: readonly Necessary[]): Necessary {
  if (parts.some(({ kind }) => kind === "never")) return never;
  const of = parts.filter(({ kind }) => kind !== "maybe");
  if (of.length < 2) return of[0] ?? maybe;
  return { kind: "all", of };
}

export function anyNecessary(parts: readonly Necessary[]): Necessary {
  if (parts.some(({ kind }) => kind === "maybe")) return maybe;
  const of = parts.filter(({ kind }) => kind !== "never");
  if (of.length < 2) return of[0] ?? never;
  return { kind: "any", of };
}
