// A metrics query on the heads of a shard.
import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { pickTraceIds, traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import type { MetricsTerms } from "../jobs/measure_job.ts";
import { type MeasureTarget, measureBatch } from "./measure.ts";

/**
 * Adds up the spans of a head.
 *
 * @returns ids of the split traces that may count when they are whole
 */
export function measureHead(
  batch: SpanBatch,
  terms: MetricsTerms,
  target: MeasureTarget,
): Uint8Array<ArrayBuffer> {
  const { open, exemplars } = measureBatch(batch, "growing", indexesOf(batch, terms.split), terms, target);
  const ids = batch.u8(Column.TraceId, batch.traces * traceIdBytes);
  for (const { trace, exemplar } of exemplars) target.sums.addExemplar(exemplar, traceIdAt(ids, trace));
  return pickTraceIds(ids, open);
}

/** Indexes of those traces that the batch has a span of. */
function indexesOf(batch: SpanBatch, ids: Uint8Array): Uint32Array {
  const address = batch.give(ids);
  const found: number[] = [];
  for (let i = 0; i < ids.length / traceIdBytes; i++) {
    const index = batch.core.findTrace!(address + i * traceIdBytes);
    if (index >= 0) found.push(index);
  }
  return Uint32Array.from(found);
}
