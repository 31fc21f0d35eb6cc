// The whole server in one process: its parts, put together in the order in which a span meets them, and taken apart again.
import { accessSync, constants, mkdirSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { compactorOf } from "./compact/configured.ts";
import type { Config } from "./config/config.ts";
import type { Listen } from "./config/listen.ts";
import { printConfig } from "./config/print.ts";
import type { LookupBlock } from "./filter/block_filters.ts";
import { blockFiltersOf } from "./filter/configured.ts";
import { Ingest } from "./ingest/ingest.ts";
import { BlockPool } from "./jobs/block_pool.ts";
import { MetricsEngine } from "./query/metrics_engine.ts";
import { MetricsQueries } from "./query/metrics_queries.ts";
import type { MetricsQuerier } from "./query/metrics_types.ts";
import { RememberedTags } from "./query/remembered_tags.ts";
import { type SearchBlockList, SearchEngine } from "./query/search_engine.ts";
import { SearchQueries } from "./query/search_queries.ts";
import type { Searcher, TagLister } from "./query/search_types.ts";
import { storedLookup, storedMetrics, storedSearch, storedTags } from "./query/stored_queries.ts";
import { SourcesTagLister } from "./query/tag_lister.ts";
import { TagQueries } from "./query/tag_queries.ts";
import {
  type FindTraceRequest,
  type FoundTrace,
  type TraceCandidates,
  TraceFinder,
} from "./query/trace_finder.ts";
import { freeSpaceOf, retentionOf } from "./retention/configured.ts";
import { Schedule } from "./schedule/schedule.ts";
import {
  freeSpaceTask,
  scheduleCache,
  scheduleCompaction,
  scheduleIndex,
  scheduleTasks,
} from "./schedule/tasks.ts";
import { debugRoutes } from "./server/debug_routes.ts";
import { metricsRoutes } from "./server/metrics_routes.ts";
import { prometheusRoutes } from "./server/prometheus_routes.ts";
import { searchRoutes } from "./server/search_routes.ts";
import { type RunningServer, startServer } from "./server/server.ts";
import { type Service, statusRoutes } from "./server/status_routes.ts";
import { tagRoutes } from "./server/tag_routes.ts";
import { singleTenant, type TenantHeader, tenantsOf } from "./server/tenant.ts";
import { traceRoutes } from "./server/trace_routes.ts";
import { hasBlockCache, takeBlockCache } from "./store/block_cache.ts";
import { BlockList, endMsOf } from "./store/block_list.ts";
import { pastGoneBlocks, streamPastGoneBlocks } from "./store/block_list_gone.ts";
import { BlockListPoll, pollOptionsOf } from "./store/block_list_poll.ts";
import { totalsOf } from "./store/block_list_totals.ts";
import { FolderLock } from "./store/folder_lock.ts";
import { openStore, placeOfStore } from "./store/store.ts";
import { registerBlockCacheMetrics } from "./telemetry/block_cache_metrics.ts";
import { registerBuildInfo } from "./telemetry/build_info.ts";
import { registerFilterMetrics } from "./telemetry/filter_metrics.ts";
import { IngestMetrics } from "./telemetry/ingest_metrics.ts";
import { log } from "./telemetry/log.ts";
import { metrics } from "./telemetry/metrics.ts";
import { registerProcessMetrics } from "./telemetry/process_metrics.ts";
import { profiledWorker } from "./telemetry/profile_calls.ts";
import { QueryMetrics } from "./telemetry/query_metrics.ts";
import { RetentionMetrics } from "./telemetry/retention_metrics.ts";
import { registerScheduleMetrics } from "./telemetry/schedule_metrics.ts";
import { StoreMetrics } from "./telemetry/store_metrics.ts";

/** Compacted blocks are looked into for so many polls more: a reader elsewhere may not know their successor yet. */
const COMPACTED_POLLS = 2;

export interface Running {
  /** What listens where. */
  readonly listens: readonly Listen[];
  /** Begins the graceful end: not ready, no new connections, everything in memory into blocks. */
  shutdown(): void;
  /** Resolves when all of it has ended. */
  readonly stopped: Promise<void>;
}

/**
 * Starts the server.
 *
 * @throws (as rejection) Error if a port, the store or a worker can't be had; nothing is left running
 */
export async function serve(config: Config): Promise<Running> {
  const forgetProcess = registerProcessMetrics(metrics);
  registerBuildInfo(metrics);

  const { backend, local, wal, blocklist_poll: pollMs } = config.storage.trace;
  if (backend === "local") usable("storage.trace.local.path", local.path);
  usable("storage.trace.wal.path", wal.path);
  if (hasBlockCache(config)) usable("storage.trace.block_cache.path", config.storage.trace.block_cache.path);
  const store = openStore(config);
  const blocks = new BlockList(store, { compactedMsMax: COMPACTED_POLLS * pollMs });
  const pool = new BlockPool(config);
  const poll = new BlockListPoll(store, blocks, pollOptionsOf(config));
  const storeMetrics = new StoreMetrics(() => ({
    tenants: totalsOf(blocks),
    polls: poll.stats,
    pool: pool.stats,
  }));
  const listStart = performance.now();
  await poll.run();
  storeMetrics.pollDone((performance.now() - listStart) / 1000);

  const retention = retentionOf(config, store, blocks);
  // Of the last block that was written: a full disk costs nothing that is as new.
  let lastWrittenMs = Number.POSITIVE_INFINITY;
  const freeSpace = freeSpaceOf(config, retention, () => Math.min(lastWrittenMs, Date.now()));
  const retentionMetrics = new RetentionMetrics(() => ({
    ...retention.stats,
    disk: freeSpace && { freeBytes: freeSpace.freeBytes, reserveBytes: local.reserve_bytes },
  }));
  const schedule = new Schedule();
  registerScheduleMetrics(() => schedule.status());

  const walLock = FolderLock.take(wal.path, "storage.trace.wal.path");
  let cacheLock: FolderLock | null;
  try {
    cacheLock = takeBlockCache(config, pool.workersMax);
  } catch (error) {
    walLock.release();
    throw error;
  }
  const ingest = await Ingest.start({
    config,
    addBlock: (meta) => {
      blocks.add(meta);
      lastWrittenMs = endMsOf(meta);
    },
    cutDone: (cut) => ingestMetrics.cutDone(cut),
    cutFailed: () => {
      ingestMetrics.cutFailed();
      // Perhaps there is no space for the block, which the shard will try to write again.
      if (freeSpace) void schedule.runNow(freeSpaceTask);
    },
  }).catch((error) => {
    walLock.release();
    cacheLock?.release();
    throw error;
  });
  const ingestMetrics = new IngestMetrics(() => ingest.stats());
  scheduleTasks(schedule, {
    config,
    ingest,
    poll,
    polled: (seconds) => storeMetrics.pollDone(seconds),
    retention,
    retained: (seconds) => retentionMetrics.done(seconds),
    freeSpace,
  });
  const compactor = compactorOf(config, store, blocks, pool, () => ingest.isBusy);
  scheduleCompaction(schedule, config, compactor);
  const filters = blockFiltersOf({
    store,
    blocks,
    pool,
    bytesMax: ingest.memory.filterBytesMax,
    folder: wal.path,
  });
  registerFilterMetrics(() => filters.stats);
  scheduleIndex(schedule, filters);
  if (cacheLock !== null) {
    registerBlockCacheMetrics(() => pool.cacheStats());
    scheduleCache(schedule, pool, () => blocks.all());
  }

  const reread = (tenant: string) => poll.reread(tenant);
  const mayHold: TraceCandidates<LookupBlock> = {
    candidates: (tenant, range, traceId, signal) =>
      filters.mayHold(blocks.candidates(tenant, range), traceId, signal),
  };
  const finder = new TraceFinder(ingest, mayHold, storedLookup(pool), {
    queryTimeoutMs: config.querier.trace_by_id.query_timeout,
  });
  let stopping = false;
  let server: RunningServer | undefined;
  const readiness = () => readinessOf(ingest, stopping);
  const stopped = Promise.withResolvers<void>();

  const shutdown = () => {
    if (stopping) return;
    stopping = true;
    end().then(stopped.resolve, (error: Error) => {
      log.error("shutdown failed", { error });
      stopped.resolve();
    });
  };
  const end = async () => {
    log.info("shutting down");
    await wait(config.shutdown_delay);
    await takeApart();
    log.info("stopped");
  };
  const takeApart = async () => {
    await schedule.stop();
    await server?.stop();
    await ingest.stop();
    walLock.release();
    await pool.close();
    cacheLock?.release();
    forgetProcess();
  };

  try {
    const queries = new QueryMetrics(config.multitenancy_enabled ? undefined : singleTenant);
    const tenants = (header: TenantHeader) => tenantsOf(header, config);
    const api = traceRoutes({
      finder: measuredFinder(
        {
          find: (request, signal) =>
            pastGoneBlocks(request.tenants, reread, () => finder.find(request, signal)),
        },
        queries,
      ),
      tenantsOf: tenants,
      maxBytesPerTrace: () => config.overrides.defaults.global.max_bytes_per_trace,
    });
    const liveBlocks: SearchBlockList = {
      candidates: (tenant, range) => blocks.view().candidates(tenant, range),
    };
    const filtered = store.remote ? filters : null;
    const searchEngine = new SearchEngine(ingest, liveBlocks, storedSearch(pool), filtered);
    const searcher: Searcher = {
      search: (request, signal) =>
        streamPastGoneBlocks(request.tenants, reread, () =>
          searchEngine.search(request, signal, blocks.view()),
        ),
    };
    const search = new SearchQueries({
      searcher,
      config,
      queries,
    });
    const { query_timeout: queryTimeoutMs } = config.querier.search;
    const tagLister = new SourcesTagLister(ingest, liveBlocks, new RememberedTags(storedTags(pool)), {
      queryTimeoutMs,
    });
    const lister: TagLister = {
      tagNames: (request, signal) =>
        pastGoneBlocks(request.tenants, reread, () => tagLister.tagNames(request, signal)),
      tagValues: (request, signal) =>
        pastGoneBlocks(request.tenants, reread, () => tagLister.tagValues(request, signal)),
    };
    const tags = new TagQueries({
      lister,
      config,
      queries,
    });
    const stored = storedMetrics(pool);
    const { cellsMax } = ingest.memory;
    const querier: MetricsQuerier = {
      metrics: (request, signal) =>
        streamPastGoneBlocks(request.tenants, reread, () =>
          new MetricsEngine({ live: ingest, list: blocks.view(), stored, cellsMax }).metrics(request, signal),
        ),
    };
    const measured = new MetricsQueries({
      querier,
      config,
      queries,
    });
    const debug = debugRoutes({
      workers: () => [...ingest.workers.map(profiledWorker), ...pool.workers.map(profiledWorker)],
    });
    const status = statusRoutes({
      readiness,
      services: () => servicesOf(readiness().ready, stopping),
      routes: () => server?.routes ?? [],
      printConfig: (mode) => printConfig(config, mode),
      scheduler: () => ({
        tasks: schedule.status(),
        tenants: totalsOf(blocks).map((totals) => ({
          ...totals,
          outstanding:
            compactor.status().tenants.find(({ tenant }) => tenant === totals.tenant)?.outstanding ?? null,
        })),
      }),
      apiPrefix: config.http_api_prefix,
    });
    server = await startServer(config, {
      sink: ingest,
      apiRoutes: [
        api,
        searchRoutes({ search, tenantsOf: tenants }),
        tagRoutes({ tags, tenantsOf: tenants }),
        metricsRoutes({ metrics: measured, tenantsOf: tenants }),
        prometheusRoutes({ metrics: measured, tenantsOf: tenants }),
      ],
      querier: { search, tags, metrics: measured, tenantsOf: tenants },
      routes: [status, debug],
      ready: () => readiness().ready,
      grpcReflection: config.server.grpc_reflection_enabled,
      receiveBytesMax: ingest.memory.receiveBytesMax,
      flush: (tenant) => ingest.flush(tenant),
      shutdown,
    });
  } catch (error) {
    await takeApart();
    throw error;
  }
  log.info("rubato is listening", {
    ...Object.fromEntries(addresses(server.listens)),
    blocks: placeOfStore(config),
    wal: wal.path,
  });
  return { listens: server.listens, shutdown, stopped: stopped.promise };
}

/**
 * Makes a folder for data if it is missing.
 *
 * @throws Error naming the key if it can't be written to: better now than at the first span
 */
function usable(key: string, path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`${key}: ${path} can't be used: ${(cause as Error).message}`, { cause });
  }
}

/** The start-up line's fields: where each service is. */
function addresses(listens: readonly Listen[]): [string, string][] {
  return listens.flatMap(({ host, port, services }) =>
    services.map((service): [string, string] => [
      service.replace("-", "_"),
      `${host.includes(":") ? `[${host}]` : host || "*"}:${port}`,
    ]),
  );
}

function readinessOf(ingest: Ingest, stopping: boolean): { ready: boolean; reasons: string[] } {
  if (stopping) return { ready: false, reasons: ["Application is stopping"] };
  if (ingest.state === "ready") return { ready: true, reasons: [] };
  return { ready: false, reasons: ["LiveStore not ready: reading the write-ahead log back"] };
}

/** The parts of this one process under the names that Tempo's services have. */
function servicesOf(ready: boolean, stopping: boolean): Service[] {
  const state = stopping ? "Stopping" : "Running";
  return [
    { name: "server", state },
    { name: "distributor", state },
    { name: "live-store", state: stopping ? "Stopping" : ready ? "Running" : "Starting" },
    { name: "store", state },
    { name: "querier", state },
    { name: "query-frontend", state },
  ];
}

/** Counts the lookups and the bytes read for them. */
function measuredFinder(finder: Pick<TraceFinder<LookupBlock>, "find">, queries: QueryMetrics) {
  return {
    async find(request: FindTraceRequest, signal: AbortSignal): Promise<FoundTrace> {
      const done = queries.begin(request.tenants.join("|"), "traces");
      let inspectedBytes = 0;
      try {
        const found = await finder.find(request, signal);
        inspectedBytes = found.inspectedBytes;
        return found;
      } finally {
        done(signal.aborted ? "canceled" : "completed", inspectedBytes);
      }
    },
  };
}
