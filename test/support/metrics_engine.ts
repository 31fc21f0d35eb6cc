// The engine of metrics, without a server around it: requests into a batch, and what is counted there.

import { traceIdAt, traceIdBytes } from "../../src/batch/trace_ids.ts";
import type { ExportTraceServiceRequest } from "../../src/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import { seriesOfPart } from "../../src/query/metrics_answer.ts";
import type { MetricsRequest, Series } from "../../src/query/metrics_types.ts";
import { type BatchKind, measureBatch, targetOf } from "../../src/search/measure.ts";
import { planMetrics } from "../../src/search/metrics_plan.ts";
import type { Query } from "../../src/traceql/index.ts";
import { Column } from "../../wasm/column_ids.ts";
import { batchOf } from "./columnar.ts";

const cellsMax = 1 << 16;

/**
 * What the engine makes of the spans.
 *
 * @param query valid and rewritten, with a metrics stage
 * @param exemplars how many are wanted
 * @param kind as the spans lie in a block, or in a head
 */
export function engineSeries(
  requests: readonly ExportTraceServiceRequest[],
  query: Query,
  grid: Pick<MetricsRequest, "startNanos" | "endNanos" | "stepNanos" | "isInstant">,
  exemplars: number,
  kind: BatchKind = "ordered",
): Series[] {
  const plan = planMetrics(query);
  const batch = batchOf(requests);
  if (kind === "ordered") batch.order();
  const terms = { plan, grid, cellsMax, exemplars };
  const target = targetOf(terms);
  const measured = measureBatch(batch, kind, new Uint32Array(0), terms, target);
  const ids = batch.u8(Column.TraceId, batch.traces * traceIdBytes);
  for (const { trace, exemplar } of measured.exemplars)
    target.sums.addExemplar(exemplar, traceIdAt(ids, trace));
  return seriesOfPart(query, target.sums.finish(), { ...grid, exemplars }).series;
}
