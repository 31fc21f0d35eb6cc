// Static checks of a query: what parses, but means nothing or is reserved.

import type {
  Query,
  ScalarExpression,
  ScalarFilter,
  SpansetExpression,
  SpansetFilter,
  Stage,
} from "./ast.ts";
import { shortened, TraceQLError } from "./errors.ts";
import { printField, printScalar, printStage } from "./print.ts";
import { isNumeric, operatorTakes, referencesSpan, typeOf } from "./types.ts";
import { validateAttribute, validateField } from "./validate_field.ts";
import { validateMetrics } from "./validate_metrics.ts";

/**
 * @param query as `parse` made it, or after `rewrite`
 * @throws TraceQLError with code "validate" at the first fault: from the inside out, left before right
 */
export function validate(query: Query): void {
  for (const stage of query.stages) validateStage(stage);
  if (query.metrics === null) return;
  if (query.metrics.function.kind === "compare") validateFilter(query.metrics.function.selection);
  validateMetrics(query.metrics);
}

function validateStage(stage: Stage): void {
  switch (stage.kind) {
    case "filter":
    case "operation":
      validateSpanset(stage);
      return;
    case "scalarFilter":
      validateScalarFilter(stage);
      return;
    case "group":
      validateField(stage.expression);
      if (!referencesSpan(stage.expression)) {
        const reason = `grouping field expressions must reference the span: ${shortened(printStage(stage))}`;
        throw TraceQLError.validate(reason, stage.position);
      }
      return;
    case "coalesce":
      return;
    case "select":
      for (const attribute of stage.attributes) validateAttribute(attribute);
  }
}

function validateSpanset(node: SpansetExpression): void {
  if (node.kind === "filter") {
    validateFilter(node);
    return;
  }
  if (node.kind === "pipeline") {
    for (const stage of node.stages) validateStage(stage);
    return;
  }
  validateSpanset(node.left);
  validateSpanset(node.right);
}

function validateFilter(node: SpansetFilter): void {
  validateField(node.expression);
  if (operatorTakes("!", typeOf(node.expression))) return;
  const reason = `span filter field expressions must resolve to a boolean: ${shortened(`{ ${printField(node.expression)} }`)}`;
  throw TraceQLError.validate(reason, node.position);
}

function validateScalarFilter({ left, right }: ScalarFilter): void {
  validateScalar(left);
  validateScalar(right);
  if (left.kind !== "aggregate") throw unsupported("lhs", left, "one aggregate");
  if (right.kind !== "literal") throw unsupported("rhs", right, "a number or a duration");
}

function unsupported(side: "lhs" | "rhs", node: ScalarExpression, expected: string): TraceQLError {
  const reason = `scalar filter ${side} of type (${node.kind}) not yet supported: ${shortened(printScalar(node))}`;
  return TraceQLError.validate(`${reason}, expecting ${expected}`, node.position);
}

function validateScalar(node: ScalarExpression): void {
  switch (node.kind) {
    case "literal":
      return;
    case "scalarOperation":
      validateScalar(node.left);
      validateScalar(node.right);
      return;
    case "scalarPipeline":
      for (const stage of node.stages) validateStage(stage);
      validateScalar(node.aggregate);
      return;
    case "aggregate": {
      if (node.function === "count") return;
      validateField(node.operand);
      const type = typeOf(node.operand);
      if (type !== "unknown" && !isNumeric(type)) {
        const reason = `aggregate field expressions must resolve to a number type: ${shortened(printScalar(node))}`;
        throw TraceQLError.validate(reason, node.position);
      }
      if (!referencesSpan(node.operand)) {
        const reason = `aggregate field expressions must reference the span: ${shortened(printScalar(node))}`;
        throw TraceQLError.validate(reason, node.position);
      }
    }
  }
}
