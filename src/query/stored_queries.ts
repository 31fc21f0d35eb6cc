// What queries ask of stored blocks, as jobs of the block workers: each block's go to the worker that reads it.
import type { BlockMeta } from "../block/meta.ts";
import type { LookupBlock } from "../filter/block_filters.ts";
import type { PackedReport } from "../jobs/api.ts";
import type { BlockPool } from "../jobs/block_pool.ts";
import { type BlockRefs, refsOf } from "../jobs/block_refs.ts";
import { unpackSummaries } from "../jobs/packed_summaries.ts";
import type { Reported } from "../jobs/search_job.ts";
import type { StoredMetrics } from "./metrics_engine.ts";
import type { StoredSearch } from "./search_engine.ts";
import type { StoredTags } from "./tag_lister.ts";
import type { BlockFinder } from "./trace_finder.ts";

/** What is asked of the pool. */
export type AskedPool = Pick<BlockPool, "workersMax" | "workerOf" | "call" | "find">;

/** Lookups by id, in the blocks that may have it. */
export function storedLookup(pool: AskedPool): BlockFinder<LookupBlock> {
  return {
    find(tenant, traceId, found, signal) {
      const metas = found.map(({ meta }) => meta);
      const rows = found.map((block) => block.rows);
      return pool.find(tenant, traceId, metas, signal, null, rows);
    },
  };
}

export function storedSearch(pool: AskedPool): StoredSearch {
  return {
    workers: pool.workersMax,
    workerOf: (meta) => pool.workerOf(meta),
    search: (worker, { metas, ...wanted }, signal) =>
      pool.call(worker, "search", { ...wanted, blocks: refsOf(metas) }, signal),
    // Always the same one, which keeps what it knows.
    splitTraces: (metas, live, searched, signal) =>
      pool.call(0, "splitTraces", { blocks: refsOf(metas), live, searched }, signal),
    async reportRows(worker, { metas, ...wanted }, signal) {
      const params = { ...wanted, blocks: refsOf(metas) };
      return unpacked(await pool.call(worker, "reportRows", params, signal));
    },
    async reportTraces(params, signal) {
      const buffers = params.parts.map(({ buffer }) => buffer as ArrayBuffer);
      return unpacked(await pool.call(null, "reportTraces", params, signal, buffers));
    },
    find: (tenant, traceId, metas, searched, signal) => pool.find(tenant, traceId, metas, signal, searched),
    async locate(ids, metas, searched, signal) {
      const located = await byWorker(pool, metas, async (worker, own, blocks) => {
        const pairs = await pool.call(worker, "locate", { ids, blocks, searched }, signal);
        return Array.from({ length: pairs.length / 2 }, (_, i): [number, number] => [
          pairs[i * 2]!,
          own[pairs[i * 2 + 1]!]!,
        ]);
      });
      return located.flat();
    },
    countHolders: (ids, metas, searched, signal) =>
      byWorker(pool, metas, (worker, _, blocks) =>
        pool.call(worker, "countHolders", { ids, blocks, searched }, signal),
      ),
  };
}

/** The same with what metrics queries ask. */
export function storedMetrics(pool: AskedPool): StoredMetrics {
  return {
    ...storedSearch(pool),
    measure: (worker, { metas, ...wanted }, signal) =>
      pool.call(worker, "measure", { ...wanted, blocks: refsOf(metas) }, signal),
    measureTraces(params, signal) {
      const buffers = params.parts.map(({ buffer }) => buffer as ArrayBuffer);
      return pool.call(null, "measureTraces", params, signal, buffers);
    },
  };
}

/** The same for listings of tags. */
export function storedTags(pool: AskedPool): StoredTags {
  return {
    tagNames: (query, metas, signal) =>
      byWorker(pool, metas, (worker, _, blocks) => pool.call(worker, "tagNames", { query, blocks }, signal)),
    tagValues: (query, metas, signal) =>
      byWorker(pool, metas, (worker, _, blocks) => pool.call(worker, "tagValues", { query, blocks }, signal)),
  };
}

function unpacked({ summaries, inspectedBytes }: PackedReport): Reported {
  return { summaries: unpackSummaries(summaries), inspectedBytes };
}

/** Asks every worker that has some of the blocks, which are given by their places as well. */
function byWorker<Result>(
  pool: AskedPool,
  metas: readonly BlockMeta[],
  ask: (worker: number, places: readonly number[], blocks: BlockRefs) => Promise<Result>,
): Promise<Result[]> {
  const places: number[][] = Array.from({ length: pool.workersMax }, () => []);
  for (const [place, meta] of metas.entries()) places[pool.workerOf(meta)]!.push(place);
  const asked = places.flatMap((own, worker) =>
    own.length === 0 ? [] : [ask(worker, own, refsOf(own.map((place) => metas[place]!)))],
  );
  return Promise.all(asked);
}
