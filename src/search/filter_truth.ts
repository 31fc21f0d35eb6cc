// Which spans pass the filters of stages that ask nothing of the rest of their trace.
import type { FieldExpression, SpansetExpression, Stage } from "../traceql/index.ts";
import { absentIn } from "./absence.ts";
import type { Evaluator } from "./evaluate.ts";

/** Truth by span: whether it passes all filters. With nothing but filters a trace matches if it has such a span. */
export function filterTruth(evaluator: Evaluator, stages: readonly Stage[]): number {
  let all: number | null = null;
  for (const stage of stages) {
    if (stage.kind !== "filter" && stage.kind !== "operation") continue;
    all = evaluator.vectors.and(all, spansetTruth(evaluator, stage), evaluator.spans);
  }
  if (all !== null) return all;
  const every = evaluator.vectors.truth(evaluator.spans);
  evaluator.batch.core.fillTruth!(every, evaluator.spans, 1);
  return every;
}

function spansetTruth(evaluator: Evaluator, node: SpansetExpression): number {
  if (node.kind === "pipeline") return filterTruth(evaluator, node.stages);
  if (node.kind === "filter") {
    const absent = absentIn(node);
    return absent ? evaluator.truthsOfAbsence(absent) : evaluator.truths(node.expression);
  }
  // Of all operations the union alone asks nothing of the whole trace.
  const any = spansetTruth(evaluator, node.left);
  return evaluator.vectors.or(any, spansetTruth(evaluator, node.right), evaluator.spans);
}

/** Truth by span: whether it fits what one span of a match must. */
export function driverTruth(evaluator: Evaluator, drivers: readonly FieldExpression[]): number {
  let any: number | null = null;
  for (const driver of drivers) any = evaluator.vectors.or(any, evaluator.truths(driver), evaluator.spans);
  return any!;
}
