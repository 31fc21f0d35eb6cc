// A block worker: its calls, and what it needs from the configuration and the store.
import { ReadCaches } from "../block/read_caches.ts";
import { compactJob } from "../compact/compact_job.ts";
import { withCache } from "../store/block_cache.ts";
import type { ChunkCache } from "../store/chunk_cache.ts";
import { openStore, type Store } from "../store/store.ts";
import { log } from "../telemetry/log.ts";
import { type ProfileCalls, profileHandlers } from "../telemetry/profile_calls.ts";
import { type CallContext, type CallHandlers, serveCalls } from "../threads/call.ts";
import type { BlockApi, BlockWorkerOptions, PackedReport } from "./api.ts";
import { metasOf } from "./block_refs.ts";
import { FilterMaker } from "./build_filter.ts";
import { findInBlocks } from "./find_trace.ts";
import { BlockTagLister } from "./list_tags.ts";
import { countHolders, locateTraces } from "./locate.ts";
import { measureBlocks, measureTraces } from "./measure_blocks.ts";
import { buffersOfMeasured, type Measured } from "./measure_job.ts";
import { packSummaries } from "./packed_summaries.ts";
import { metricsPlanOf, planOf } from "./query_text.ts";
import { reportRows, reportTraces } from "./report_traces.ts";
import { searchBlocks } from "./search_blocks.ts";
import { buffersOf, type Reported } from "./search_job.ts";
import { SplitTraces } from "./split_traces.ts";

/** Serves the calls of the pool until the worker is ended. */
export function serveBlocks(options: BlockWorkerOptions): void {
  log.configure(options.log);
  const uncached = openStore(options.config);
  const { store, cache } = withCache(uncached, options.blockCache);
  // With slots of its own for requests, or it would wait behind the many bloom filters that blocks without a filter cost.
  const filters = openStore(options.config);
  const handlers = blockHandlers({ store, uncached, filters, cache }, options);
  serveCalls<BlockApi>({ ...profileHandlers, ...handlers });
}

/** What blocks are read from. */
export interface WorkerStores {
  /** For queries. */
  store: Store;
  /** For merges: what is read once, and deleted then, is not kept. */
  uncached: Store;
  /** For the making of filters. */
  filters: Store;
  /** That the store is behind; null if there is none. */
  cache: ChunkCache | null;
}

/** What is done for each call. */
export function blockHandlers(
  { store, uncached, filters: filterStore, cache }: WorkerStores,
  options: Pick<BlockWorkerOptions, "caches" | "splitBytesMax">,
): Omit<CallHandlers<BlockApi>, keyof ProfileCalls> {
  const caches = new ReadCaches(options.caches);
  const tags = new BlockTagLister(store, caches);
  const filters = new FilterMaker(filterStore);
  const split = new SplitTraces(store, caches, options.splitBytesMax);
  return {
    findTrace: async ({ traceId, blocks, rows, searched }, context) => {
      const metas = metasOf(blocks);
      const found = await findInBlocks(store, caches, traceId, metas, rows, searched, context.signal);
      for (const trace of found.traces) context.transfer(trace.buffer);
      return found;
    },
    search: async ({ blocks, query, ...wanted }, context) => {
      const params = { ...wanted, plan: planOf(query), metas: metasOf(blocks) };
      const found = await searchBlocks(store, caches, params, context.signal);
      for (const buffer of [...buffersOf(found), found.places.buffer]) context.transfer(buffer);
      return found;
    },
    locate: async ({ blocks, ...wanted }, context) => {
      const params = { ...wanted, metas: metasOf(blocks) };
      const located = await locateTraces(store, caches, params, context.signal);
      context.transfer(located.buffer);
      return located;
    },
    countHolders: async ({ blocks, ...wanted }, context) => {
      const params = { ...wanted, metas: metasOf(blocks) };
      const counts = await countHolders(store, caches, params, context.signal);
      context.transfer(counts.buffer);
      return counts;
    },
    splitTraces: ({ blocks, live, searched }, context) =>
      split.of(metasOf(blocks), live, searched, context.signal),
    reportRows: async ({ blocks, query, ...wanted }, context) => {
      const params = { ...wanted, plan: planOf(query), metas: metasOf(blocks) };
      return packed(await reportRows(store, caches, params, context.signal), context);
    },
    reportTraces: ({ query, ...wanted }, context) =>
      packed(reportTraces(caches, { ...wanted, plan: planOf(query) }), context),
    measure: async ({ blocks, query, ...wanted }, context) => {
      const params = { ...wanted, plan: metricsPlanOf(query), metas: metasOf(blocks) };
      return moved(await measureBlocks(store, caches, params, context.signal), context);
    },
    measureTraces: ({ query, ...wanted }, context) =>
      moved(measureTraces(caches, { ...wanted, plan: metricsPlanOf(query) }), context),
    tagNames: ({ query, blocks }, context) =>
      tags.tagNames({ query, metas: metasOf(blocks) }, context.signal),
    tagValues: ({ query, blocks }, context) =>
      tags.tagValues({ query, metas: metasOf(blocks) }, context.signal),
    buildFilter: async ({ blocks }, context) => {
      const [meta] = metasOf(blocks);
      const built = await filters.make(meta!, context.signal);
      if ("bytes" in built) context.transfer(built.bytes.buffer);
      return built;
    },
    cacheStats: () => cache?.stats ?? null,
    retainCached: ({ blocks }) => {
      cache?.retain(blocks);
      return null;
    },
    compact: ({ blocks, ...wanted }, context) =>
      compactJob(uncached, { ...wanted, metas: metasOf(blocks) }, context.signal),
  };
}

function packed({ summaries, inspectedBytes }: Reported, context: CallContext): PackedReport {
  const all = packSummaries(summaries);
  for (const { buffer } of [all.times, all.messages, all.ends]) context.transfer(buffer);
  return { summaries: all, inspectedBytes };
}

/** Counted spans, whose buffers go with them. */
function moved(measured: Measured, context: CallContext): Measured {
  for (const buffer of buffersOfMeasured(measured)) context.transfer(buffer);
  return measured;
}
