// The way in: admits requests, splits them by trace id, hands the parts to the shards, and answers from what the shards hold.

import { availableParallelism } from "node:os";
import type { BlockMeta } from "../block/meta.ts";
import type { Config } from "../config/config.ts";
import { resolveMemoryBudget } from "../config/memory.ts";
import type { MeasuredHeads } from "../jobs/measure_job.ts";
import type { FirstTraces, FoundParts } from "../jobs/search_job.ts";
import type { TagsRange } from "../search/tags_heads.ts";
import type { NameLists, TagNamesQuery, TagValuesQuery, ValueLists } from "../search/tags_lists.ts";
import {
  type BlockWritten,
  type CutEvent,
  type CutFailed,
  requestBytesMax,
  type ShardApi,
} from "../shard/api.ts";
import type {
  CutDone,
  CutReason,
  IngestStats,
  ShardStats,
  TenantStats,
} from "../telemetry/ingest_metrics.ts";
import { log } from "../telemetry/log.ts";
import { CallError, type WorkerClient } from "../threads/call.ts";
import { type MemoryShares, memoryShares } from "./budget.ts";
import { IngestCounts } from "./ingest_counts.ts";
import { IngestError } from "./ingest_error.ts";
import { RateLimiter } from "./rate_limit.ts";
import { ShardWorker, type SpawnShard, spawnShard } from "./shard_worker.ts";
import { InvalidRequest, SHARDS_MAX, type SplitResult, Splitter } from "./splitter.ts";

export { IngestError } from "./ingest_error.ts";

/** The splitter's memory never shrinks, so it is replaced when a long request, or one of very small parts, has brought it to more. */
const splitterBytesMax = 32 << 20;
/** A shard that does not answer by then is left out of the statistics' news. */
const statsMsMax = 1000;
/** So long after a request spans are still coming in. */
const busyMs = 200;
/** Wait before a block is offered to the block list again. */
const listRetryMs = 1000;

export interface IngestDeps {
  config: Config;
  /** Makes a block known to queries. Its spans are held in memory until this returns or resolves. */
  addBlock(meta: BlockMeta): void | Promise<void>;
  cutDone?(cut: CutDone): void;
  cutFailed?(): void;
  /** Default: shards and block workers as configured, and the budget of the configuration or the machine. */
  memory?: MemoryShares;
  spawn?: SpawnShard;
}

/** Number of shard workers of a configuration. */
export function shardCount(config: Config): number {
  return Math.min(config.live_store.shards || availableParallelism(), SHARDS_MAX);
}

export type IngestState = "replaying" | "ready" | "stopping" | "stopped";

/** Calls that ask a shard about its heads, and may be made again of its successor. */
type Question = "measure" | "find" | "traceIds" | "findAll" | "search" | "locate" | "tagNames" | "tagValues";

export class Ingest {
  readonly memory: MemoryShares;
  readonly #deps: IngestDeps;
  readonly #shards: ShardWorker[];
  readonly #counts = new IngestCounts();
  #lastReceived = Number.NEGATIVE_INFINITY;
  readonly #limiter: RateLimiter;
  readonly #lastStats = new Map<ShardWorker, ShardApi["stats"]["result"]>();
  #splitter: Splitter;
  #stopping: Promise<void> | null = null;
  #stopped = false;
  /** Requests that are with the shards. */
  #pushes = 0;
  #idle: (() => void) | null = null;

  private constructor(deps: IngestDeps) {
    this.#deps = deps;
    const { config } = deps;
    const shards = shardCount(config);
    const blockWorkers = config.querier.block_workers || availableParallelism();
    this.memory = deps.memory ?? memoryShares(resolveMemoryBudget(config), shards, blockWorkers);
    this.#splitter = new Splitter(shards);
    const { rate_strategy, rate_limit_bytes, burst_size_bytes } = config.overrides.defaults.ingestion;
    this.#limiter = new RateLimiter({
      strategy: rate_strategy,
      bytesPerSecond: rate_limit_bytes,
      burstBytes: burst_size_bytes,
    });
    const { log_level: level, log_format: format } = config.server;
    this.#shards = Array.from({ length: shards }, (_, shard) => {
      const options = {
        config,
        shard,
        shards,
        memoryBytesMax: this.memory.shardBytesMax,
        log: { level, format },
      };
      return new ShardWorker(options, (client) => this.#listen(client), deps.spawn ?? spawnShard);
    });
  }

  /**
   * Starts the shards. Resolves when their workers run; reading the WAL back goes on behind it: see state and ready.
   *
   * @throws Error if a worker can't be started
   */
  static async start(deps: IngestDeps): Promise<Ingest> {
    const ingest = new Ingest(deps);
    try {
      await Promise.all(ingest.#shards.map((shard) => shard.client.serving));
    } catch (cause) {
      await Promise.all(ingest.#shards.map((shard) => shard.close()));
      throw cause;
    }
    // Not before: what the shards report goes to whoever is given the result.
    for (const shard of ingest.#shards) shard.begin();
    return ingest;
  }

  /** The workers that live now, for profiles. */
  get workers(): WorkerClient<ShardApi>[] {
    return this.#shards.map((shard) => shard.client);
  }

  get state(): IngestState {
    if (this.#stopped) return "stopped";
    if (this.#stopping) return "stopping";
    return this.#shards.every((shard) => shard.isReady) ? "ready" : "replaying";
  }

  /** Resolves when every shard has read its WAL back. */
  async ready(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.ready));
  }

  /**
   * Takes the spans of a request. When it resolves they are in the WAL, and every find() from then on sees them.
   *
   * @param tenant one that tenantOf() has let through
   * @param request ExportTraceServiceRequest protobuf; free for other use when the promise has settled
   * @throws (as rejection) IngestError
   */
  async push(tenant: string, request: Uint8Array): Promise<void> {
    const counts = this.#counts.of(tenant);
    counts.ingressBytes += request.length;
    if (this.#stopping) throw new IngestError("unavailable", "ingest is stopping");
    if (request.length > requestBytesMax) {
      throw new IngestError("invalid_argument", `request of ${request.length} bytes is too large`);
    }
    this.#admit(request.length);
    const { spans, rowBytes, parts } = this.#split(tenant, request);
    if (spans === 0) return;
    if (rowBytes > this.memory.requestRowBytesMax) {
      this.#counts.discard(tenant, "unknown_error", spans);
      const bytes = `${rowBytes} bytes, at most ${this.memory.requestRowBytesMax} may be`;
      throw new IngestError(
        "invalid_argument",
        `request takes too much memory: its attributes, events and links are ${bytes}`,
      );
    }
    const refusal = this.#limiter.refusal(tenant, request.length);
    if (refusal !== null) {
      this.#counts.discard(tenant, "rate_limited", spans);
      throw this.#exhausted(refusal);
    }
    this.#lastReceived = performance.now();
    counts.receivedBytes += request.length;
    counts.receivedSpans += spans;

    await this.#append(tenant, parts);
  }

  async #append(tenant: string, parts: SplitResult["parts"]): Promise<void> {
    const appends: Promise<null>[] = [];
    for (const [i, part] of parts.entries()) {
      if (!part) continue;
      const { request } = part;
      const options = { transfer: [request.buffer], bytes: request.length };
      appends.push(this.#shards[i]!.client.call("append", { tenant, request }, options));
    }
    this.#pushes++;
    try {
      if (appends.length === 1) await appends[0];
      else await Promise.all(appends);
    } catch (cause) {
      throw this.#refused(cause);
    } finally {
      if (--this.#pushes === 0) this.#idle?.();
    }
  }

  /**
   * OTLP TracesData of a trace, one of each head that holds spans of it. Waits for the WAL to be read back.
   *
   * @param traceId 16 bytes
   */
  async find(tenant: string, traceId: Uint8Array, signal?: AbortSignal): Promise<Uint8Array[]> {
    const params = { tenant, traceId: traceId.slice() }; // not the whole buffer that it may be a part of
    return (await this.#askAll("find", params, signal)).flat();
  }

  /** The same of the first of several traces, as each shard gives them: see ShardApi. */
  findAll(tenant: string, ids: Uint8Array, bytesMax: number, signal: AbortSignal): Promise<FirstTraces[]> {
    return this.#askAll("findAll", { tenant, ids, bytesMax }, signal);
  }

  /** Parts of traces in the heads that match, or may match together with others; one of each shard. */
  search(
    tenant: string,
    terms: Omit<ShardApi["search"]["params"], "tenant">,
    signal: AbortSignal,
  ): Promise<FoundParts[]> {
    return this.#askAll("search", { tenant, ...terms }, signal);
  }

  /** The spans of the heads, counted for a metrics query; one sum of each shard. */
  measure(
    tenant: string,
    terms: Omit<ShardApi["measure"]["params"], "tenant">,
    signal: AbortSignal,
  ): Promise<MeasuredHeads[]> {
    return this.#askAll("measure", { tenant, ...terms }, signal);
  }

  /** Ids of all traces that have a span in a head; one list of each shard. */
  traceIds(tenant: string, signal: AbortSignal): Promise<Uint8Array[]> {
    return this.#askAll("traceIds", { tenant }, signal);
  }

  /** Places of the ids, 16 bytes each, whose traces have a span in a head. */
  async locate(tenant: string, ids: Uint8Array, signal: AbortSignal): Promise<number[]> {
    return (await this.#askAll("locate", { tenant, ids }, signal)).flatMap((places) => [...places]);
  }

  /** Names of attributes in the heads; one list of each shard. */
  tagNames(
    tenant: string,
    query: TagNamesQuery,
    range: TagsRange,
    signal: AbortSignal,
  ): Promise<NameLists[]> {
    return this.#askAll("tagNames", { tenant, query, range }, signal);
  }

  /** Values of an attribute in the heads; one list of each shard. */
  tagValues(
    tenant: string,
    query: TagValuesQuery,
    range: TagsRange,
    signal: AbortSignal,
  ): Promise<ValueLists[]> {
    return this.#askAll("tagValues", { tenant, query, range }, signal);
  }

  /** Asks every shard. */
  #askAll<Method extends Question>(
    method: Method,
    params: ShardApi[Method]["params"],
    signal: AbortSignal | undefined,
  ): Promise<ShardApi[Method]["result"][]> {
    return Promise.all(this.#shards.map((shard) => this.#ask(shard, method, params, signal)));
  }

  async #ask<Method extends Question>(
    shard: ShardWorker,
    method: Method,
    params: ShardApi[Method]["params"],
    signal: AbortSignal | undefined,
  ): Promise<ShardApi[Method]["result"]> {
    for (;;) {
      if (!shard.isReady) await abortable(shard.ready, signal);
      const { client } = shard;
      try {
        return await client.call(method, params, { signal });
      } catch (cause) {
        // What a worker held when it died is in the WAL, and soon in its successor.
        if (client.alive || this.#stopped) throw cause;
      }
    }
  }

  /**
   * Cuts the heads of one tenant, or of all. Resolves when their blocks are in the store and known to queries.
   *
   * @throws (as rejection) the first error of a cut; it is tried again later
   */
  flush(tenant?: string): Promise<BlockMeta[]> {
    return this.#flush(tenant ?? null, "flush");
  }

  /** Cuts the heads that are older than live_store.max_block_duration; called from time to time. */
  async cutAged(): Promise<void> {
    const ageMsMax = this.#deps.config.live_store.max_block_duration;
    await Promise.all(
      this.#shards
        .filter((shard) => shard.isReady)
        .map((shard) => shard.client.call("cutAged", { ageMsMax })),
    );
  }

  /**
   * Takes no more requests, finishes those under way, cuts all heads and ends the workers. Heads that can't be cut are in the WAL
   * still, and are read back at the next start.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Whether spans have come in just now. */
  get isBusy(): boolean {
    return performance.now() - this.#lastReceived < busyMs;
  }

  /** Requests' bytes on their way to the shards. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const { client } of this.#shards) bytes += client.queuedBytes;
    return bytes;
  }

  /** Asks the shards; for one that is busy, what it said last. */
  async stats(): Promise<IngestStats> {
    const reports = await Promise.all(this.#shards.map((shard) => this.#report(shard)));
    const tenants = new Map<string, TenantStats>();
    const statsOf = (tenant: string) => {
      const stats = tenants.get(tenant) ?? newTenantStats(tenant);
      tenants.set(tenant, stats);
      return stats;
    };
    for (const [tenant, counts] of this.#counts) {
      Object.assign(statsOf(tenant), counts, { discardedSpans: { ...counts.discardedSpans } });
    }
    const shards: ShardStats[] = [];
    for (const [i, shard] of this.#shards.entries()) {
      const report = reports[i];
      if (!report) continue;
      const { queuedBytes, utilisation, cpuMicros } = shard.client;
      shards.push({ ...report.shard, shard: shard.shard, queueBytes: queuedBytes, utilisation, cpuMicros });
      for (const each of report.tenants) {
        const stats = statsOf(each.tenant);
        stats.liveTraces += each.liveTraces;
        stats.tracesCreated += each.tracesCreated;
        for (const [scope, count] of entries(each.attributesTruncated)) {
          stats.attributesTruncated[scope] = (stats.attributesTruncated[scope] ?? 0) + count;
        }
      }
    }
    const usedBytes = shards.reduce((bytes, shard) => bytes + shard.headBytes + shard.queueBytes, 0);
    return {
      tenants: [...tenants.values()],
      shards,
      memory: { budgetBytes: this.memory.budgetBytes, usedBytes },
    };
  }

  async #report(shard: ShardWorker): Promise<ShardApi["stats"]["result"] | undefined> {
    try {
      const report = await shard.client.call("stats", null, { deadlineMs: statsMsMax });
      this.#lastStats.set(shard, report);
      return report;
    } catch {
      return this.#lastStats.get(shard);
    }
  }

  #listen(client: WorkerClient<ShardApi>): void {
    client.on<BlockWritten>("block", async ({ meta }) => {
      await this.#list(meta);
      await client.call("blockListed", { blockId: meta.blockID }).catch(() => {}); // it died: its successor asks the store
    });
    client.on<CutEvent>("cut", (cut) => this.#deps.cutDone?.(cut));
    client.on<CutFailed>("cutFailed", () => this.#deps.cutFailed?.());
  }

  /** Until a block is listed, its head stays and is answered from. */
  async #list(meta: BlockMeta): Promise<void> {
    for (;;) {
      try {
        return await this.#deps.addBlock(meta);
      } catch (cause) {
        log.error("block can't be listed", {
          tenant: meta.tenantID,
          block: meta.blockID,
          error: cause as Error,
        });
        await new Promise((resolve) => setTimeout(resolve, listRetryMs));
      }
    }
  }

  /** @throws IngestError if the request does not fit beside those that are under way */
  #admit(bytes: number): void {
    const queuedBytes = this.queuedBytes;
    // A request that is larger than the whole share is taken alone: it would be refused for ever otherwise.
    if (queuedBytes > 0 && queuedBytes + bytes > this.memory.queueBytesMax) {
      throw this.#exhausted("memory budget reached: too many requests wait to be logged");
    }
    const waiting = this.#shards.find((shard) => !shard.isReady);
    if (!waiting) return;
    const why = waiting.deaths > 0 ? "recovering from a failure" : "reading the write-ahead log back";
    throw new IngestError("unavailable", `ingest is ${why}, try again later`, {
      retryDelayMs: this.#retryDelayMs,
    });
  }

  #split(tenant: string, request: Uint8Array): SplitResult {
    try {
      return this.#splitter.split(request);
    } catch (cause) {
      if (!(cause instanceof InvalidRequest)) {
        this.#splitter = new Splitter(this.#shards.length); // whatever went wrong, its memory can't be trusted
        throw cause;
      }
      const { reason, message, spans } = cause;
      this.#counts.discard(tenant, reason === "malformed" ? "unknown_error" : reason, spans || 1); // one: what can't be read
      throw new IngestError("invalid_argument", message, { cause });
    } finally {
      if (this.#splitter.memoryBytes > splitterBytesMax) this.#splitter = new Splitter(this.#shards.length);
    }
  }

  #refused(cause: unknown): IngestError {
    if (!(cause instanceof CallError)) return new IngestError("unavailable", String(cause), { cause });
    if (cause.code === "resource_exhausted") return this.#exhausted(cause.message);
    return new IngestError("unavailable", cause.message, { cause });
  }

  #exhausted(message: string): IngestError {
    return new IngestError("resource_exhausted", message, { retryDelayMs: this.#retryDelayMs });
  }

  get #retryDelayMs(): number | undefined {
    const { config } = this.#deps;
    const delayMs = config.distributor.retry_after_on_resource_exhausted;
    return delayMs > 0 && config.overrides.defaults.ingestion.retry_info_enabled ? delayMs : undefined;
  }

  async #flush(tenant: string | null, reason: CutReason): Promise<BlockMeta[]> {
    const metas = await Promise.all(
      this.#shards.map(async (shard) => {
        await shard.ready;
        return shard.client.call("flush", { tenant, reason });
      }),
    );
    return metas.flat();
  }

  async #stop(): Promise<void> {
    if (this.#pushes > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    // A shard that is still reading its WAL back holds nothing that is not in there.
    const flushes = this.#shards
      .filter((shard) => shard.isReady)
      .map((shard) => shard.client.call("flush", { tenant: null, reason: "shutdown" }));
    for (const flushed of await Promise.allSettled(flushes)) {
      if (flushed.status === "rejected") {
        log.error("heads were not cut, they are read back from the WAL at the next start", {
          error: flushed.reason,
        });
      }
    }
    await Promise.all(this.#shards.map((shard) => shard.close()));
    this.#stopped = true;
  }
}

function newTenantStats(tenant: string): TenantStats {
  return {
    tenant,
    ingressBytes: 0,
    receivedBytes: 0,
    receivedSpans: 0,
    attributesTruncated: {},
    discardedSpans: {},
    liveTraces: 0,
    tracesCreated: 0,
  };
}

function entries<Key extends string>(record: Partial<Record<Key, number>>): [Key, number][] {
  return Object.entries(record) as [Key, number][];
}

/** Waits for a promise no longer than until the signal is aborted. */
async function abortable(promise: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (!signal) return promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
