// Which spans a listing counts: those that all conditions of some group hold for.
import type { SpanBatch } from "../batch/span_batch.ts";
import type { Attribute, Condition, ConditionGroup, FieldExpression, Literal } from "../traceql/index.ts";
import { printAttribute } from "../traceql/index.ts";
import { Evaluator } from "./evaluate.ts";
import { loadsOf } from "./loads.ts";
import { isOfTrace } from "./relax.ts";

/** The groups as one expression. */
export function filterOf(groups: readonly ConditionGroup[]): FieldExpression {
  return joined(
    "||",
    groups.map((group) => joined("&&", group.map(expressionOf))),
  );
}

/** Attributes and intrinsics that the groups ask for. */
export function attributesOf(groups: readonly ConditionGroup[]): Attribute[] {
  return groups.flatMap((group) => group.map(({ attribute }) => attribute));
}

function expressionOf(condition: Condition): FieldExpression {
  const { attribute } = condition;
  const { position } = attribute;
  if (condition.kind === "existence") {
    return { kind: "existence", exists: condition.exists, operand: attribute, position };
  }
  return { kind: "comparison", op: condition.op, left: attribute, right: condition.value, position };
}

function joined(op: "&&" | "||", operands: FieldExpression[]): FieldExpression {
  const first = operands[0]!;
  return operands.length === 1 ? first : { kind: "logical", op, operands, position: first.position };
}

/**
 * Evaluates a filter.
 *
 * @param stored whether the batch was read from a block, whose traces are whole and in order
 * @returns the address of a byte by span, not 0 for those that it holds for; valid until the next evaluation
 */
export function matchingSpans(batch: SpanBatch, filter: FieldExpression, stored: boolean): number {
  const ordered = !stored && isOfTrace(filter);
  if (ordered) batch.core.orderForQuery!(0);
  const { position } = filter;
  const loads = loadsOf([{ kind: "filter", expression: filter, position }]);
  const evaluator = new Evaluator(batch, { loads: loads, subjects: [] }, ordered);
  return evaluator.reader.address(evaluator.truths(filter));
}

/** Values that are known without a look at the data, and the groups for which that takes one; null for all data. */
interface TargetSplit {
  literals: Literal[];
  groups: ConditionGroup[] | null;
}

/** A group that says what the target equals has that value and no other. */
export function splitByTarget(target: Attribute, groups: readonly ConditionGroup[] | null): TargetSplit {
  if (groups === null) return { literals: [], groups: null };
  const printed = printAttribute(target);
  const literals: Literal[] = [];
  const others: ConditionGroup[] = [];
  for (const group of groups) {
    const equals = group.filter(
      (condition) =>
        condition.kind === "comparison" &&
        condition.op === "=" &&
        printAttribute(condition.attribute) === printed,
    ) as Extract<Condition, { kind: "comparison" }>[];
    if (equals.length > 0) literals.push(...equals.map(({ value }) => value));
    else others.push(group);
  }
  return { literals, groups: others };
}
