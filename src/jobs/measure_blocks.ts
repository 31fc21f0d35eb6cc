// A metrics query's jobs: counts the spans of blocks, and those of traces that were put together.
import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { pickTraceIds, traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import { isBlockVersion } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { RowRange } from "../block/read_plan.ts";
import { type MeasureTarget, measureBatch, targetOf } from "../search/measure.ts";
import type { Store } from "../store/store.ts";
import { garbage } from "../threads/garbage.ts";
import { groupsOfShare } from "./block_shares.ts";
import { eachBlock } from "./each_block.ts";
import type { MeasureBlocksParams, Measured, MeasureTracesParams } from "./measure_job.ts";
import { slicesOf } from "./row_slices.ts";
import { joinArrays } from "./search_job.ts";

/** Spans that are compared at a time: all that there is of them is read, a kilobyte each. */
const comparedSpansMax = 1 << 15;

/** @throws ParquetError of a damaged block: an answer without its spans would look like a whole one */
export async function measureBlocks(
  store: Store,
  caches: ReadCaches,
  params: MeasureBlocksParams,
  signal: AbortSignal,
): Promise<Measured> {
  const target = targetOf(params);
  const spansMax = params.plan.compare === null ? undefined : comparedSpansMax;
  const open: Uint8Array<ArrayBuffer>[] = [];
  const inspected = { inspectedTraces: 0, inspectedSpans: 0, inspectedBytes: 0 };
  await eachBlock(store, caches, params.metas, signal, async (reader, _, breathe) => {
    if (!isBlockVersion(reader.meta.format)) return;
    for (const group of groupsOfShare(reader.meta, await reader.rowGroups(), params.share)) {
      const rows = await reader.candidateRows(group, params.plan.necessary, params.grid);
      for (const slice of slicesOf(rows, await reader.groupSize(group), spansMax)) {
        await breathe();
        const batch = caches.takeBatch();
        try {
          open.push(await measureSlice(reader, batch, group, slice, params, target));
          inspected.inspectedTraces += batch.traces;
          inspected.inspectedSpans += batch.spans;
        } finally {
          caches.giveBatch(batch);
        }
      }
    }
    inspected.inspectedBytes += reader.bytesRead;
  });
  return {
    part: target.sums.finish(),
    open: joinArrays(open, (length) => new Uint8Array(length)),
    ...inspected,
  };
}

/** @returns ids of the split traces that may count when they are whole */
async function measureSlice(
  reader: BlockReader,
  batch: SpanBatch,
  group: number,
  rows: readonly RowRange[],
  params: MeasureBlocksParams,
  target: MeasureTarget,
): Promise<Uint8Array<ArrayBuffer>> {
  await reader.readRowGroup(batch, group, { rows, projection: params.plan.projection });
  let known: Uint8Array | null = null;
  const ids = async (): Promise<Uint8Array> => {
    known ??= idsOfRows(await reader.traceIds(group), rows);
    return known;
  };
  const elsewhere = params.split.length === 0 ? none : splitAmong(batch, await ids(), params.split);
  const { open, exemplars } = measureBatch(batch, "stored", elsewhere, params, target);
  for (const { trace, exemplar } of exemplars)
    target.sums.addExemplar(exemplar, traceIdAt(await ids(), trace));
  // A new list each time: its buffer may be moved to another thread.
  return open.length === 0 ? new Uint8Array(0) : pickTraceIds(await ids(), open);
}

const none = new Uint32Array(0);

/** @param ids of all rows */
function idsOfRows(ids: Uint8Array, rows: readonly RowRange[]): Uint8Array {
  const parts = rows.map(({ start, end }) => ids.subarray(start * traceIdBytes, end * traceIdBytes));
  return joinArrays(parts, (length) => new Uint8Array(length));
}

/** Places of the split traces among others. */
function splitAmong(batch: SpanBatch, ids: Uint8Array, split: Uint8Array): Uint32Array {
  batch.core.wantIds!(batch.give(split), split.length / traceIdBytes);
  const count = batch.core.wantedIds!(batch.give(ids), ids.length / traceIdBytes);
  return batch.u32(Column.Output, count).slice();
}

/** Counts the spans of traces whose parts are put together. */
export function measureTraces(caches: ReadCaches, params: MeasureTracesParams): Measured {
  const target = targetOf(params);
  const batch = caches.takeBatch();
  try {
    // Values were cut when they came in.
    for (const part of params.parts) batch.decode(part, 0);
    batch.order();
    const { exemplars } = measureBatch(batch, "ordered", none, params, target);
    const ids = batch.u8(Column.TraceId, batch.traces * traceIdBytes);
    for (const { trace, exemplar } of exemplars) target.sums.addExemplar(exemplar, traceIdAt(ids, trace));
    return {
      part: target.sums.finish(),
      open: new Uint8Array(0),
      inspectedTraces: batch.traces,
      inspectedSpans: batch.spans,
      inspectedBytes: 0,
    };
  } finally {
    garbage.add(params.parts.reduce((sum, { length }) => sum + length, 0));
    caches.giveBatch(batch);
  }
}
