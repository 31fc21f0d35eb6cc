// Traces whose parts lie in several places: joined, judged as a whole, and shown.
import type { SpanBatch } from "../batch/span_batch.ts";
import type { SearchPlan } from "./plan.ts";
import type { TimeWindow } from "./projection.ts";
import { type ReportOptions, reportOrdered, type Summary } from "./report.ts";

/**
 * @param batch empty
 * @param parts OTLP TracesData; spans that are in two of them count once
 * @returns those that match and overlap the window
 */
export function reportParts(
  batch: SpanBatch,
  parts: readonly Uint8Array[],
  plan: SearchPlan,
  window: TimeWindow,
  options: ReportOptions,
): Summary[] {
  // Values were cut when they came in.
  for (const part of parts) batch.decode(part, 0);
  batch.order();
  return reportOrdered(batch, plan, options).filter(
    ({ startNanos, endNanos }) => startNanos <= window.endNanos && endNanos >= window.startNanos,
  );
}
