// A search's jobs on stored blocks: which traces match, which blocks hold a trace, and what is shown of those that were chosen.

import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { pickTraceIds, traceIdBytes } from "../batch/trace_ids.ts";
import { isBlockVersion } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { RowRange } from "../block/read_plan.ts";
import { foundParts } from "../search/found_parts.ts";
import { type JudgedTraces, judgeOrdered } from "../search/judge.ts";
import { reportOrdered } from "../search/report.ts";
import { reportParts } from "../search/report_parts.ts";
import type { Store } from "../store/store.ts";
import { eachBlock } from "./each_block.ts";
import {
  joinArrays,
  joinFound,
  type Parts,
  type Reported,
  type ReportRowsParams,
  type ReportTracesParams,
  type SearchBlocksParams,
  type StoredParts,
} from "./search_job.ts";

/** Spans that are judged at a time: their columns and vectors take some 100 bytes each. */
const sliceSpansMax = 1 << 17;

/** Judges the traces of blocks. @throws ParquetError of a damaged block: an answer without its traces would look like a whole one */
export async function searchBlocks(
  store: Store,
  caches: ReadCaches,
  params: SearchBlocksParams,
  signal: AbortSignal,
): Promise<StoredParts> {
  const found: StoredParts[] = [];
  const newest = new NewestStarts(params.limit, params.since);
  let inspectedBytes = 0;
  await eachBlock(store, caches, params.metas, signal, async (reader, place, breathe) => {
    if (!isBlockVersion(reader.meta.format)) return;
    const groups = await reader.rowGroups();
    for (let group = 0; group < groups; group++) {
      const window = { ...params.window, startNanos: later(params.window.startNanos, newest.since) };
      const rows = await reader.candidateRows(group, params.plan.necessary, window);
      for (const slice of slicesOf(rows, await reader.groupSize(group))) {
        await breathe();
        const parts = await searchSlice(reader, caches, group, slice, place, params, newest.since);
        newest.add(parts);
        found.push(parts);
      }
    }
    inspectedBytes += reader.bytesRead;
  });
  const places = found.map((parts) => parts.places);
  return {
    ...joinFound(found),
    places: joinArrays(places, (length) => new Uint32Array(length)),
    inspectedBytes,
  };
}

async function searchSlice(
  reader: BlockReader,
  caches: ReadCaches,
  group: number,
  rows: readonly RowRange[],
  place: number,
  { plan, window, limit, split }: SearchBlocksParams,
  since: bigint,
): Promise<StoredParts> {
  const batch = caches.takeBatch();
  try {
    await reader.readRowGroup(batch, group, { rows, projection: plan.judge });
    const judged = judgeOrdered(batch, plan, { window, limit, since });
    const { ranks } = judged.matched;
    const matchedRows = rowsOf(rows, ranks);
    const places = new Uint32Array(ranks.length * 3);
    for (const [i, row] of matchedRows.entries()) places.set([place, group, row], i * 3);
    const undecided = split?.length === 0 ? none() : judged.undecided;
    const any = ranks.length + undecided.ranks.length > 0;
    const ids = any ? await reader.traceIds(group) : new Uint8Array(0);
    const found = foundParts({ ...judged, undecided }, ids, (some) => rowsOf(rows, some));
    if (split !== null) found.undecided = among(batch, found.undecided, split);
    return { ...found, places };
  } finally {
    caches.giveBatch(batch);
  }
}

function none(): JudgedTraces {
  return { ranks: new Uint32Array(0), starts: new BigUint64Array(0) };
}

/** Of some parts those whose traces are among others. */
function among(batch: SpanBatch, parts: Parts, others: Uint8Array): Parts {
  const count = parts.starts.length;
  if (count === 0) return parts;
  batch.core.wantIds!(batch.give(others), others.length / traceIdBytes);
  const kept = batch.core.wantedIds!(batch.give(parts.ids), count);
  const places = batch.u32(Column.Output, kept);
  return {
    ids: pickTraceIds(parts.ids, places),
    starts: BigUint64Array.from(places, (place) => parts.starts[place]!),
  };
}

function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** Cuts row ranges into pieces of so many spans, going by the average of the group. */
function* slicesOf(
  rows: readonly RowRange[],
  { rows: groupRows, spans }: { rows: number; spans: number },
): Generator<RowRange[]> {
  const rowsMax = Math.max(1, Math.floor((sliceSpansMax * groupRows) / Math.max(spans, 1)));
  let slice: RowRange[] = [];
  let count = 0;
  for (const range of rows) {
    let { start } = range;
    while (start < range.end) {
      const end = Math.min(range.end, start + rowsMax - count);
      slice.push({ start, end });
      count += end - start;
      start = end;
      if (count < rowsMax) continue;
      yield slice;
      slice = [];
      count = 0;
    }
  }
  if (slice.length > 0) yield slice;
}

/** Rows in the file of rows by their place among those that were read, which ascend. */
function rowsOf(rows: readonly RowRange[], places: Uint32Array): Uint32Array {
  const found = new Uint32Array(places.length);
  let range = 0;
  let first = 0; // place of the range's first row
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    while (place >= first + rows[range]!.end - rows[range]!.start) {
      first += rows[range]!.end - rows[range]!.start;
      range++;
    }
    found[i] = rows[range]!.start + place - first;
  }
  return found;
}

/** When the oldest of the `limit` newest traces began, going by their parts. */
class NewestStarts {
  readonly #limit: number;
  /** By id. Of a trace in several blocks one part counts. */
  readonly #starts = new Map<string, bigint>();
  since: bigint;

  constructor(limit: number, since: bigint) {
    this.#limit = limit;
    this.since = since;
  }

  add({ matched: { ids, starts } }: StoredParts): void {
    for (const [i, start] of starts.entries()) {
      const id = Buffer.from(ids.buffer, i * traceIdBytes, traceIdBytes).toString("latin1");
      if (start >= this.since && !this.#starts.has(id)) this.#starts.set(id, start);
    }
    if (this.#starts.size < this.#limit) return;
    const newest = BigUint64Array.from(this.#starts.values()).sort().slice(-this.#limit);
    this.since = later(this.since, newest[0]!);
    for (const [id, start] of this.#starts) if (start < this.since) this.#starts.delete(id);
  }
}

/** Shows traces that lie in one block whole. */
export async function reportRows(
  store: Store,
  caches: ReadCaches,
  { plan, options, metas, blockRows }: ReportRowsParams,
  signal: AbortSignal,
): Promise<Reported> {
  const reported: Reported = { summaries: [], inspectedBytes: 0 };
  await eachBlock(store, caches, metas, signal, async (reader, place, breathe) => {
    for (const { group, rows } of blockRows[place]!) {
      await breathe();
      const batch = caches.takeBatch();
      try {
        await reader.readRowGroup(batch, group, { rows: rangesOf(rows), projection: plan.report });
        reported.summaries.push(...reportOrdered(batch, plan, options));
      } finally {
        caches.giveBatch(batch);
      }
    }
    reported.inspectedBytes += reader.bytesRead;
  });
  return reported;
}

function rangesOf(rows: readonly number[]): RowRange[] {
  const ranges: RowRange[] = [];
  for (const row of rows) {
    const last = ranges.at(-1);
    if (last?.end === row) last.end++;
    else ranges.push({ start: row, end: row + 1 });
  }
  return ranges;
}

/** Shows traces that lie in several places. */
export function reportTraces({ plan, options, window, parts }: ReportTracesParams): Reported {
  return { summaries: reportParts(parts, plan, window, options), inspectedBytes: 0 };
}
