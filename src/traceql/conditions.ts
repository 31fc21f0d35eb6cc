// What a query, finished or not, asks of a span: for completion, which offers the names and values of such spans.

import type { Attribute, Comparison, ComparisonOp, FieldExpression, Literal } from "./ast.ts";
import { TraceQLError } from "./errors.ts";
import { parseLeniently } from "./lenient.ts";
import { printAttribute } from "./print.ts";
import { printLiteral } from "./print_literal.ts";
import { rewriteField } from "./rewrite.ts";

export type Condition =
  | { kind: "comparison"; attribute: Attribute; op: ComparisonOp; value: Literal }
  | { kind: "existence"; attribute: Attribute; exists: boolean };

/** All of its conditions hold for a span. None is empty, and none has a condition twice. */
export type ConditionGroup = Condition[];

export interface ConditionOptions {
  /** Groups that may come out; an unscoped target of the request halves what the caller allows. */
  groupsMax: number;
}

/**
 * The conditions of the query's first filter as an "or" of groups. Errors of the query never surface.
 *
 * @returns null where the query restricts nothing, or cannot be used
 * @throws TraceQLError with code "limit" if there are more groups than allowed
 */
export function extractConditions(text: string, { groupsMax }: ConditionOptions): ConditionGroup[] | null {
  const query = parseLeniently(text);
  const first = query?.stages[0];
  if (first?.kind !== "filter") return null;
  const expander = new Expander(groupsMax);
  const groups = expander.groupsOf(rewriteField(first.expression, { keepLists: true }));
  if (groups.size > groupsMax) {
    const reason = `maximum condition groups reached (limit: ${groupsMax}). Reduce the number of OR conditions in the query`;
    throw TraceQLError.limit(reason, first.position);
  }
  const found = [...groups.values()].map((group) => group.map((id) => expander.conditions[id]!));
  return found.some((group) => group.length === 0) ? null : found;
}

/**
 * Conditions of one group; further ones are left out, and more is offered than had to be. Together with the limit of
 * groups this bounds what expanding a long query costs.
 */
const groupConditionsMax = 256;

/** Numbers of conditions, ascending. */
type Group = number[];
/** By their text. */
type Groups = Map<string, Group>;

/** Multiplies "and" over "or". Stops soon after there are more groups than allowed. */
class Expander {
  readonly conditions: Condition[] = [];
  readonly #ids = new Map<string, number>();
  readonly #groupsMax: number;

  constructor(groupsMax: number) {
    this.#groupsMax = groupsMax;
  }

  groupsOf(node: FieldExpression): Groups {
    if (node.kind === "logical")
      return node.op === "||" ? this.#any(node.operands) : this.#all(node.operands);
    // Completion ignores negation: what is negated is what the query is about.
    if (node.kind === "unary" && node.op === "!") return this.groupsOf(node.operand);
    const condition = conditionOf(node);
    return groupsFrom([condition === null ? [] : [this.#idOf(condition)]]);
  }

  #any(operands: FieldExpression[]): Groups {
    const groups: Groups = new Map();
    for (const operand of operands) {
      for (const [key, group] of this.groupsOf(operand)) groups.set(key, group);
      if (groups.size > this.#groupsMax) break;
    }
    return groups;
  }

  #all(operands: FieldExpression[]): Groups {
    let groups = groupsFrom([[]]);
    const seen = new Set<string>();
    for (const operand of operands) {
      const right = this.groupsOf(operand);
      // The same once more asks for nothing new.
      const key = [...right.keys()].sort().join(";");
      if (seen.has(key)) continue;
      seen.add(key);
      groups = groupsFrom(this.#products(groups, right));
      if (groups.size > this.#groupsMax) break;
    }
    return groups;
  }

  *#products(left: Groups, right: Groups): Generator<Group> {
    for (const a of left.values()) for (const b of right.values()) yield union(a, b);
  }

  #idOf(condition: Condition): number {
    const key = keyOf(condition);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.conditions.push(condition) - 1;
    this.#ids.set(key, id);
    return id;
  }
}

function groupsFrom(groups: Iterable<Group>): Groups {
  const all: Groups = new Map();
  for (const group of groups) all.set(group.join(), group);
  return all;
}

function union(a: Group, b: Group): Group {
  const both = [...new Set([...a, ...b])].slice(0, groupConditionsMax);
  return both.sort((x, y) => x - y);
}

function keyOf(condition: Condition): string {
  const attribute = printAttribute(condition.attribute);
  if (condition.kind === "existence") return JSON.stringify([attribute, condition.exists]);
  return JSON.stringify([attribute, condition.op, printLiteral(condition.value)]);
}

function conditionOf(node: FieldExpression): Condition | null {
  if (node.kind === "existence") {
    const { operand, exists } = node;
    return isAttribute(operand) ? { kind: "existence", attribute: operand, exists } : null;
  }
  if (node.kind !== "comparison") return null;
  const { left, op, right } = node;
  if (isAttribute(left) && right.kind === "literal") {
    return { kind: "comparison", attribute: left, op, value: right };
  }
  if (isAttribute(right) && left.kind === "literal") {
    return { kind: "comparison", attribute: right, op: mirrored(op), value: left };
  }
  return null;
}

function isAttribute(node: FieldExpression): node is Attribute {
  return node.kind === "attribute" || node.kind === "intrinsic";
}

const mirrors: Partial<Record<ComparisonOp, ComparisonOp>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

/** `4 < .b` is `.b > 4`. */
function mirrored(op: Comparison["op"]): ComparisonOp {
  return mirrors[op] ?? op;
}
