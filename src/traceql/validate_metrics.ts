// Static checks of metrics functions. Their attributes are not looked at: a reserved one has no values, and that is all.

import type { MetricsFunction, MetricsStage } from "./ast.ts";
import { TraceQLError } from "./errors.ts";

/** Labels of a series; a function that needs one for its buckets or quantiles leaves one less for `by`. */
export const metricsLabelsMax = 5;

export function validateMetrics({ function: call, secondStages }: MetricsStage): void {
  validateFunction(call);
  for (const stage of secondStages) {
    if (call.kind === "compare") {
      throw TraceQLError.validate("compare() cannot be followed by a second stage", stage.position);
    }
    if (stage.kind === "ranking" && stage.limit <= 0n) {
      throw TraceQLError.validate(
        `limit must be greater than 0: ${stage.function}(${stage.limit})`,
        stage.position,
      );
    }
  }
}

function validateFunction(call: MetricsFunction): void {
  const { position } = call;
  if (call.kind === "compare") {
    const { topN, window } = call;
    if (topN <= 0n) throw TraceQLError.validate("compare() top number must be greater than 0", position);
    if (window === null) return;
    if (window.start <= 0n || window.end <= 0n) {
      throw TraceQLError.validate("compare() timestamps must be positive unix nanoseconds", position);
    }
    if (window.end <= window.start) {
      throw TraceQLError.validate("compare() end timestamp must be after the start timestamp", position);
    }
    return;
  }
  const labelsMax = takesLabel(call) ? metricsLabelsMax - 1 : metricsLabelsMax;
  if (call.by.length > labelsMax) {
    const reason = `metrics group by ${call.by.length} values not yet supported, at most ${labelsMax}`;
    throw TraceQLError.validate(reason, call.by[labelsMax]!.position);
  }
  if (call.kind !== "quantileOverTime") return;
  for (const quantile of call.quantiles) {
    if (quantile > 1) throw TraceQLError.validate(`quantile must be between 0 and 1: ${quantile}`, position);
  }
}

function takesLabel(call: Exclude<MetricsFunction, { kind: "compare" }>): boolean {
  if (call.kind === "quantileOverTime") return true;
  return call.function === "avg_over_time" || call.function === "histogram_over_time";
}
