// What an expression is for one span, by the TraceQL oracle.
import type { FieldExpression } from "../../src/traceql/index.ts";
import { type Condition, conditionOf, isAttribute, satisfies, type Uses } from "./oracle_conditions.ts";
import {
  type Collection,
  type Column,
  collectionOf,
  columnsOf,
  type Doubts,
  type Reader,
} from "./oracle_reading.ts";
import type { OracleSpan } from "./oracle_traces.ts";
import {
  bool,
  compareValues,
  computeValues,
  elementsOf,
  isNegative,
  isTrue,
  literalValue,
  negate,
  nil,
  type Value,
} from "./oracle_values.ts";

export class Fields {
  constructor(
    private readonly uses: Uses,
    private readonly reader: Reader,
    /** Whether the query is one filter and nothing else. */
    private readonly alone: boolean,
    private readonly doubts: Doubts,
  ) {}

  doubt(reason: string): void {
    this.doubts.add(reason);
  }

  /** Whether a filter with this expression keeps the span. */
  keeps(node: FieldExpression, span: OracleSpan): boolean {
    if (node.kind === "existence" && !node.exists && node.operand.kind === "attribute") {
      const { operand } = node;
      // A filter of nothing else looks for a recorded absence: for what has attributes, but not this one.
      if (operand.scope !== "none") {
        return this.reader
          .owners(span, operand)
          .some((own) => own.size > 0 && isAbsent(own.get(operand.name)));
      }
    }
    const kept = isTrue(this.evaluate(node, span));
    const conditions = conjunction(node);
    if (conditions === null || !kept) return kept;
    const together = collections.every((collection) => {
      const own = conditions.filter(({ attribute }) => collectionOf(attribute) === collection);
      return (
        own.length === 0 || span[collection].some((_, i) => own.every((one) => this.holdsFor(one, span, i)))
      );
    });
    if (together) return true;
    if (this.alone) return false;
    this.doubts.add("conditions on one event or link, in a query that has more than a filter");
    return true;
  }

  evaluate(node: FieldExpression, span: OracleSpan): Value {
    const condition = conditionOf(node);
    if (condition !== null) return bool(this.holds(condition, span));
    switch (node.kind) {
      case "literal":
        return literalValue(node);
      case "attribute":
      case "intrinsic":
        if (collectionOf(node) === null) return this.reader.read(span, node).value;
        return this.firstMember(node, span);
      case "unary":
        return this.unary(node.op, this.evaluate(node.operand, span));
      case "arithmetic":
        return computeValues(node.op, this.evaluate(node.left, span), this.evaluate(node.right, span));
      case "comparison":
        return bool(compareValues(node.op, this.evaluate(node.left, span), this.evaluate(node.right, span)));
      case "existence":
        return bool((this.evaluate(node.operand, span).type !== "nil") === node.exists);
      case "logical": {
        const [first, ...rest] = node.operands.map((operand) => this.evaluate(operand, span));
        return rest.reduce((left, right) => this.logical(node.op, left, right), first!);
      }
      case "membership":
        throw new Error("oracle: a membership is a condition");
    }
  }

  private unary(op: "-" | "!", operand: Value): Value {
    if (op === "-") return negate(operand);
    return operand.type === "bool" ? bool(!operand.value) : nil;
  }

  /** An operand that is no bool makes it false. */
  private logical(op: "&&" | "||", left: Value, right: Value): Value {
    if (left.type !== "bool" || right.type !== "bool") return bool(false);
    return bool(op === "&&" ? left.value && right.value : left.value || right.value);
  }

  private holds(condition: Condition, span: OracleSpan): boolean {
    const collection = collectionOf(condition.attribute);
    if (collection !== null) return span[collection].some((_, i) => this.holdsFor(condition, span, i));
    const { column, value } = this.reader.read(span, condition.attribute);
    return this.holdsValue(condition, column, value);
  }

  /** For one event or link. */
  holdsFor(condition: Condition, span: OracleSpan, index: number): boolean {
    const value = this.reader.members(span, condition.attribute)[index]!;
    return this.holdsValue(condition, columnsOf(condition.attribute)[0]!, value);
  }

  private holdsValue(condition: Condition, column: Column, value: Value): boolean {
    if (condition.kind === "existence") return (value.type !== "nil") === condition.exists;
    if (value.type === "array" && isNegative(condition.op) && this.uses.isWantedWhole(column)) {
      this.doubt("a negative condition on an array that is grouped by");
    }
    const seen = elementsOf(this.uses.visible(column, value));
    const holds = (element: (typeof seen)[number]) => satisfies(element, condition);
    return isNegative(condition.op) ? seen.length > 0 && seen.every(holds) : seen.some(holds);
  }

  private firstMember(node: FieldExpression, span: OracleSpan): Value {
    if (!isAttribute(node)) return nil;
    const values = this.reader.members(span, node).filter((value) => value.type !== "nil");
    if (values.length > 1) this.doubts.add("an expression over several events or links");
    return values[0] ?? nil;
  }
}

function isAbsent(value: Value | undefined): boolean {
  return value === undefined || value.type === "nil";
}

const collections: readonly Collection[] = ["events", "links"];

/** The conditions of an expression that is nothing but conditions joined by `&&`. */
export function conjunction(node: FieldExpression): Condition[] | null {
  if (node.kind !== "logical") {
    const condition = conditionOf(node);
    return condition === null ? null : [condition];
  }
  if (node.op !== "&&") return null;
  const parts = node.operands.map(conjunction);
  return parts.some((part) => part === null) ? null : parts.flatMap((part) => part!);
}
