// A search on a head: its traces are judged as far as they have come.

import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { FoundParts, SearchTerms } from "../jobs/search_job.ts";
import { foundParts } from "./found_parts.ts";
import { judgeGrowing } from "./judge.ts";

export function searchHead(batch: SpanBatch, { plan, ...wanted }: SearchTerms): FoundParts {
  const judged = judgeGrowing(batch, plan, wanted);
  const traces = batch.u32(Column.QueryTrace, batch.core.rankCount!());
  const ids = batch.u8(Column.TraceId, batch.traces * traceIdBytes);
  return foundParts(judged, ids, (ranks) => ranks.map((rank) => traces[rank]!));
}

/** Places of the ids, 16 bytes each, whose traces the batch has a span of. */
export function locateInHead(batch: SpanBatch, ids: Uint8Array): number[] {
  const address = batch.give(ids);
  const places: number[] = [];
  for (let i = 0; i < ids.length / traceIdBytes; i++) {
    if (batch.core.findTrace!(address + i * traceIdBytes) >= 0) places.push(i);
  }
  return places;
}
