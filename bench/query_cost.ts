// What queries of stored blocks cost with nothing in memory: time, requests and bytes. They run in this thread, as they do in a block worker.
import type { LookupBlock } from "../src/filter/block_filters.ts";
import { refsOf } from "../src/jobs/block_refs.ts";
import { blockHandlers } from "../src/jobs/serve.ts";
import { type LiveSearch, SearchEngine } from "../src/query/search_engine.ts";
import { type AskedPool, storedLookup, storedSearch } from "../src/query/stored_queries.ts";
import type { BlockView } from "../src/store/block_list.ts";
import type { Store } from "../src/store/store.ts";
import { joinRanges } from "../src/store/store_range.ts";
import { parse } from "../src/traceql/index.ts";
import { generatedTenant } from "./generated_blocks.ts";

const rounds = 3;
const cacheBytes = 8 << 20;
const noHeads: LiveSearch = {
  search: async () => [],
  locate: async () => [],
  traceIds: async () => [],
  findAll: async () => [],
};

export interface QueryCost {
  /** The least of some runs. */
  ms: number;
  requests: number;
  bytes: number;
  found: number;
}

/** @param blocks that may have the trace */
export function costOfLookup(store: Store, blocks: LookupBlock[], traceId: Uint8Array): Promise<QueryCost> {
  return costOf(store, async (pool) => {
    const { signal } = new AbortController();
    const { traces } = await storedLookup(pool).find(generatedTenant, traceId, blocks, signal);
    return traces.length;
  });
}

export function costOfSearch(
  store: Store,
  view: BlockView,
  query: string,
  range: { start: number; end: number },
): Promise<QueryCost> {
  return costOf(store, async (pool) => {
    const engine = new SearchEngine(noHeads, view, storedSearch(pool));
    const request = {
      tenants: [generatedTenant],
      query: parse(query),
      ...range,
      limit: 20,
      spansPerSpanSet: 3,
      spanSets: true,
      progress: false,
    };
    let found = 0;
    for await (const { traces } of engine.search(request, new AbortController().signal))
      found = traces.length;
    return found;
  });
}

async function costOf(store: Store, ask: (pool: AskedPool) => Promise<number>): Promise<QueryCost> {
  const cost: QueryCost = { ms: Number.POSITIVE_INFINITY, requests: 0, bytes: 0, found: 0 };
  for (let round = 0; round < rounds; round++) {
    cost.requests = 0;
    cost.bytes = 0;
    const pool = poolOn(counted(store, cost));
    const startMs = performance.now();
    cost.found = await ask(pool);
    cost.ms = Math.min(cost.ms, performance.now() - startMs);
  }
  return cost;
}

/** One worker that has read nothing yet. */
function poolOn(store: Store): AskedPool {
  const caches = {
    footerBytes: cacheBytes,
    bloomBytes: cacheBytes,
    dictionaryBytes: cacheBytes,
    traceIdBytes: cacheBytes,
    pageBytes: cacheBytes,
    fileBytes: cacheBytes,
  };
  const handlers = blockHandlers(
    { store, uncached: store, filters: store, cache: null },
    { caches, splitBytesMax: cacheBytes },
  );
  return {
    workersMax: 1,
    workerOf: () => 0,
    call: async (_, method, params, signal) =>
      handlers[method as keyof typeof handlers](params as never, { signal, transfer: () => {} }) as never,
    find: async (_, traceId, metas, signal, searched = null, rows = []) =>
      handlers.findTrace(
        { traceId, blocks: refsOf(metas), rows: metas.map((_, place) => rows[place] ?? null), searched },
        { signal, transfer: () => {} },
      ),
  };
}

/** Counts reads as a remote store makes them. */
function counted(store: Store, cost: QueryCost): Store {
  const count = <T extends Uint8Array>(bytes: T): T => {
    cost.requests++;
    cost.bytes += bytes.length;
    return bytes;
  };
  return {
    remote: true,
    list: (prefix) => store.list(prefix),
    read: async (path) => count(await store.read(path)),
    readRange: async (path, offset, length) => count(await store.readRange(path, offset, length)),
    readRanges: async (path, ranges) => {
      const joined = joinRanges(ranges);
      cost.requests += joined.length;
      for (const { length } of joined) cost.bytes += length;
      return store.readRanges(path, ranges);
    },
    write: (path, bytes) => store.write(path, bytes),
    create: (path) => store.create(path),
    delete: (path) => store.delete(path),
    deleteAll: (prefix) => store.deleteAll(prefix),
    removeLeftovers: (beforeMs) => store.removeLeftovers(beforeMs),
    modified: (path) => store.modified(path),
    size: (path) => store.size(path),
    readTagged: (path) => store.readTagged(path),
    writeIf: (path, bytes, tag) => store.writeIf(path, bytes, tag),
  };
}
