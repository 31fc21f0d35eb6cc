// A search's job on stored blocks: which traces match.

import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { pickTraceIds, traceIdBytes } from "../batch/trace_ids.ts";
import { isBlockVersion } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { RowRange } from "../block/read_plan.ts";
import { foundParts } from "../search/found_parts.ts";
import { judgeOrdered } from "../search/judge.ts";
import { QueryTooLarge } from "../search/query_error.ts";
import type { Store } from "../store/store.ts";
import { groupsOfShare } from "./block_shares.ts";
import { eachBlock } from "./each_block.ts";
import { NewestStarts } from "./newest_starts.ts";
import { rowsOf, slicesOf } from "./row_slices.ts";
import {
  joinArrays,
  joinFound,
  type Parts,
  type SearchBlocksParams,
  type StoredParts,
} from "./search_job.ts";

/** Traces that one job may leave undecided, 24 bytes each. */
const undecidedMax = 1 << 21;

/**
 * Judges the traces of blocks.
 *
 * @throws ParquetError of a damaged block: an answer without its traces would look like a whole one; QueryTooLarge
 */
export async function searchBlocks(
  store: Store,
  caches: ReadCaches,
  params: SearchBlocksParams,
  signal: AbortSignal,
): Promise<StoredParts> {
  const found: StoredParts[] = [];
  const newest = new NewestStarts(params.limit, params.since);
  let inspectedBytes = 0;
  let undecided = 0;
  await eachBlock(store, caches, params.metas, signal, async (reader, place, breathe) => {
    if (!isBlockVersion(reader.meta.format)) return;
    for (const group of groupsOfShare(reader.meta, await reader.rowGroups(), params.share)) {
      const window = { ...params.window, startNanos: later(params.window.startNanos, newest.since) };
      const rows = await reader.candidateRows(group, params.plan.necessary, window);
      for (const slice of slicesOf(rows, await reader.groupSize(group))) {
        await breathe();
        const parts = await searchSlice(reader, caches, group, slice, place, params, newest.since);
        newest.add(parts.matched);
        found.push(parts);
        undecided += parts.undecided.starts.length;
        if (undecided > undecidedMax) {
          throw new QueryTooLarge(
            `more than ${undecidedMax} traces would have to be put together to be judged: search a shorter time`,
          );
        }
      }
    }
    inspectedBytes += reader.bytesRead;
  });
  const places = found.map((parts) => parts.places);
  const all = {
    ...joinFound(found),
    places: joinArrays(places, (length) => new Uint32Array(length)),
    inspectedBytes,
  };
  return newest.since > params.since ? withoutOlder(all, newest.since) : all;
}

/** Leaves out what was found before enough was known that began later. */
function withoutOlder(found: StoredParts, since: bigint): StoredParts {
  const { ids, starts } = found.matched;
  const kept = [...starts.keys()].filter((i) => starts[i]! >= since);
  const places = new Uint32Array(kept.length * 3);
  for (const [i, from] of kept.entries()) places.set(found.places.subarray(from * 3, from * 3 + 3), i * 3);
  const matched = { ids: pickTraceIds(ids, kept), starts: starts.filter((start) => start >= since) };
  return { ...found, matched, places };
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
    const judged = judgeOrdered(batch, plan, { window, limit, since, mayBeSplit: split?.length !== 0 });
    const { ranks } = judged.matched;
    const matchedRows = rowsOf(rows, ranks);
    const places = new Uint32Array(ranks.length * 3);
    for (const [i, row] of matchedRows.entries()) places.set([place, group, row], i * 3);
    const any = ranks.length + judged.undecided.ranks.length > 0;
    const ids = any ? await reader.traceIds(group) : new Uint8Array(0);
    const found = foundParts(judged, ids, (some) => rowsOf(rows, some));
    if (split !== null) found.undecided = among(batch, found.undecided, split);
    return { ...found, places };
  } finally {
    caches.giveBatch(batch);
  }
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
