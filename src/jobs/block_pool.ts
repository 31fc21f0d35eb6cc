// The pool of block workers, seen from the main thread: started when there is work, replaced when one dies. A block is always read by
// the same worker, so that what is kept of it is kept once.
import os from "node:os";
import { Worker } from "node:worker_threads";
import type { BlockMeta } from "../block/meta.ts";
import type { ReadCacheLimits } from "../block/read.ts";
import type { RowRange } from "../block/read_plan.ts";
import type { Config } from "../config/config.ts";
import { resolveMemoryBudget } from "../config/memory.ts";
import { blockCacheOf } from "../store/block_cache.ts";
import type { BlockCacheStats } from "../telemetry/block_cache_metrics.ts";
import { log } from "../telemetry/log.ts";
import type { WorkerStats } from "../telemetry/worker_metrics.ts";
import { CallError, WorkerClient } from "../threads/call.ts";
import type { BlockApi, BlockWorkerOptions } from "./api.ts";
import { refsOf } from "./block_refs.ts";
import { isShared } from "./block_shares.ts";
import type { SearchedTime } from "./search_job.ts";

/** Blocks of one job: most answer from a bloom filter in memory, so that a job is worth the round trip. */
const blocksPerJobMax = 64;
/** Hexadecimal digits of a block id that choose its worker. */
const idDigits = 8;
/** Jobs that may wait for a worker. */
const queuedJobsMax = 2000;
/** How long a worker's answer is waited for that tells of its cache. */
const statsMsMax = 1000;
/** The caches of all workers together take at most this share of the memory budget. */
const cacheShare = 1 / 8;
const cacheBytesMax = 40 << 20;
/** Likewise what one of them keeps of the ids of all traces. */
const splitShare = 1 / 16;
const splitBytesMax = 64 << 20;

export type SpawnBlockWorker = (options: BlockWorkerOptions, number: number) => Worker;

const spawnBlockWorker: SpawnBlockWorker = (options, number) =>
  new Worker(new URL("../../workers/block.ts", import.meta.url), {
    name: `block ${number}`,
    workerData: options,
  });

/** What was found in a list of blocks. */
export interface BlockTraces {
  /** OTLP TracesData, one of each block that holds a part, in the order of the list. */
  traces: Uint8Array[];
  inspectedBytes: number;
}

const nothing: BlockTraces = { traces: [], inspectedBytes: 0 };

/** A part of a trace, and where its block stands in the list. */
interface FoundTrace {
  trace: Uint8Array;
  place: number;
}

export interface BlockPoolOptions {
  /** How a worker is started; tests give their own. */
  spawn?: SpawnBlockWorker;
}

export class BlockPool {
  readonly #workerOptions: Omit<BlockWorkerOptions, "blockCache">;
  readonly #config: Config;
  readonly #workersMax: number;
  readonly #spawn: SpawnBlockWorker;
  /** By number; a place is empty until its worker is needed, and again once it has died. */
  readonly #clients: (WorkerClient<BlockApi> | undefined)[] = [];
  #closed = false;

  constructor(config: Config, options: BlockPoolOptions = {}) {
    this.#config = config;
    this.#workersMax = config.querier.block_workers || os.availableParallelism();
    const budgetBytes = resolveMemoryBudget(config);
    this.#workerOptions = {
      config,
      caches: cacheLimits(budgetBytes, this.#workersMax, config.storage.trace.backend !== "local"),
      splitBytesMax: Math.floor(Math.min(budgetBytes * splitShare, splitBytesMax)),
      log: { level: config.server.log_level, format: config.server.log_format },
    };
    this.#spawn = options.spawn ?? spawnBlockWorker;
  }

  /** For the metrics: jobs under way or waiting, and the workers. */
  get stats(): { queuedJobs: number; queuedJobsMax: number; workers: WorkerStats[] } {
    return { queuedJobs: this.#pendingJobs(), queuedJobsMax, workers: this.workers };
  }

  /**
   * Looks for a trace in blocks.
   *
   * @param tenant not looked at: the metas say whose blocks they are
   * @param traceId 16 bytes
   * @param searched a block outside of it that can't be read is passed over; null: none is
   * @param rows by place of the block, those between which the trace is if it is there; none, or null where that is not known
   * @throws CallError: of what a block could not give, `unavailable` if a worker died, `canceled`, `resource_exhausted`
   */
  async find(
    _tenant: string,
    traceId: Uint8Array,
    metas: readonly BlockMeta[],
    signal: AbortSignal,
    searched: SearchedTime | null = null,
    rows: readonly (RowRange | null)[] = [],
  ): Promise<BlockTraces> {
    if (metas.length === 0) return nothing;
    // When one job fails the others are of no use.
    const work = new AbortController();
    const all = AbortSignal.any([signal, work.signal]);
    try {
      const jobs: Promise<FoundTrace[]>[] = [];
      let inspectedBytes = 0;
      for (const [number, places] of this.#byWorker(metas).entries()) {
        for (let i = 0; i < places.length; i += blocksPerJobMax) {
          const own = places.slice(i, i + blocksPerJobMax);
          const params = {
            traceId,
            blocks: refsOf(own.map((place) => metas[place]!)),
            rows: own.map((place) => rows[place] ?? null),
            searched,
          };
          const job = this.#worker(number)
            .call("findTrace", params, { signal: all })
            .then((found) => {
              inspectedBytes += found.inspectedBytes;
              return found.traces.map((trace, k) => ({ trace, place: own[found.places[k]!]! }));
            });
          job.catch(() => {}); // seen below, unless the next one cannot even be started
          jobs.push(job);
        }
      }
      // In the order of the list: of two blocks with the same span the first one's counts.
      const found = (await Promise.all(jobs)).flat().sort((a, b) => a.place - b.place);
      return { traces: found.map(({ trace }) => trace), inspectedBytes };
    } finally {
      work.abort();
    }
  }

  /** The number of workers that blocks are shared out to. */
  get workersMax(): number {
    return this.#workersMax;
  }

  /** The worker that reads a block: its id is a hash or random. */
  workerOf({ blockID }: BlockMeta): number {
    return Number.parseInt(blockID.slice(0, idDigits), 16) % this.#workersMax;
  }

  /**
   * Has a job done by a worker, the one of its block or else whichever has the least to do.
   *
   * @param transfer buffers of the parameters that move to the worker instead of being copied
   */
  // Async, since a refusal that is thrown would leave the caller's other jobs without anyone who hears of their end.
  async call<Method extends keyof BlockApi & string>(
    worker: number | null,
    method: Method,
    params: BlockApi[Method]["params"],
    signal: AbortSignal,
    transfer: ArrayBuffer[] = [],
  ): Promise<BlockApi[Method]["result"]> {
    return this.#worker(worker ?? this.#idlest()).call(method, params, { signal, transfer });
  }

  /** Of the cache on the local disk, each worker's part that can be told of in time. */
  async cacheStats(): Promise<BlockCacheStats[]> {
    const options = { deadlineMs: statsMsMax };
    const asked = this.workers.map((client) => client.call("cacheStats", null, options).catch(() => null));
    return (await Promise.all(asked)).filter((stats) => stats !== null);
  }

  /** Lets the workers forget what they have cached of blocks that are not among these. */
  async retainCached(metas: readonly BlockMeta[]): Promise<void> {
    const own = Map.groupBy(metas, (meta) => this.workerOf(meta));
    await Promise.all(
      this.#clients.map((client, number) => {
        const shared = metas.filter(isShared);
        const blocks = [...(own.get(number) ?? []), ...shared].map(
          ({ tenantID, blockID }) => `${tenantID}/${blockID}`,
        );
        return client?.call("retainCached", { blocks });
      }),
    );
  }

  #idlest(): number {
    const pending = Array.from({ length: this.#workersMax }, (_, i) => this.#clients[i]?.pendingCalls ?? 0);
    return pending.indexOf(Math.min(...pending));
  }

  /** Ends all workers; what they were doing is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#clients.map((client) => client?.close()));
  }

  #pendingJobs(): number {
    return this.#clients.reduce((sum, client) => sum + (client?.pendingCalls ?? 0), 0);
  }

  /** The workers that live now, for profiles. */
  get workers(): WorkerClient<BlockApi>[] {
    return this.#clients.filter((client) => client !== undefined);
  }

  /** Places of blocks in the list by the number of the worker that reads them: block ids are hashes or random. */
  #byWorker(metas: readonly BlockMeta[]): number[][] {
    const lists: number[][] = Array.from({ length: this.#workersMax }, () => []);
    for (const [place, meta] of metas.entries()) lists[this.workerOf(meta)]!.push(place);
    return lists;
  }

  #worker(number: number): WorkerClient<BlockApi> {
    if (this.#closed) throw new CallError("PoolClosed", "unavailable", "block workers are closed");
    if (this.#pendingJobs() >= queuedJobsMax) {
      throw new CallError(
        "QueueFull",
        "resource_exhausted",
        `block workers: ${queuedJobsMax} jobs wait already`,
      );
    }
    return this.#clients[number] ?? this.#start(number);
  }

  #start(number: number): WorkerClient<BlockApi> {
    const blockCache = blockCacheOf(this.#config, number, this.#workersMax);
    const worker = this.#spawn({ ...this.#workerOptions, blockCache }, number);
    const client = new WorkerClient<BlockApi>(worker, `block ${number}`);
    client.onGone((error) => {
      log.error("block worker died; the next job starts another", { worker: client.name, error });
      if (this.#clients[number] === client) this.#clients[number] = undefined;
    });
    this.#clients[number] = client;
    return client;
  }
}

/**
 * Splits the share of the budget: of blocks on a local disk, blooms, dictionaries and pages get twice as much as footers and trace ids;
 * of others, what was read ahead gets half of what those have.
 */
function cacheLimits(budgetBytes: number, workers: number, isRemote: boolean): ReadCacheLimits {
  const bytes = Math.floor(Math.min((budgetBytes * cacheShare) / workers, cacheBytesMax));
  const twice = isRemote ? bytes / 8 : (bytes * 2) / 8;
  return {
    footerBytes: bytes / 8,
    bloomBytes: twice,
    dictionaryBytes: twice,
    traceIdBytes: bytes / 8,
    pageBytes: twice,
    fileBytes: isRemote ? (bytes * 3) / 8 : 0,
  };
}
