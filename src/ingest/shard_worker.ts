// The main thread's end of one shard: its worker, and the next one when that dies.

import { Worker } from "node:worker_threads";
import type { ShardApi, ShardOptions } from "../shard/api.ts";
import { log } from "../telemetry/log.ts";
import { WorkerClient } from "../threads/call.ts";

/** Wait before a worker that died is replaced: doubled each time, up to the second; reset once one has its WAL read back. */
const respawnMsMin = 100;
const respawnMsMax = 30_000;

/** How a worker is started; tests give their own. */
export type SpawnShard = (options: ShardOptions) => Worker;

export const spawnShard: SpawnShard = (options) =>
  new Worker(new URL("../../workers/shard.ts", import.meta.url), {
    name: `shard ${options.shard}`,
    workerData: options,
  });

export class ShardWorker {
  readonly #options: ShardOptions;
  readonly #spawn: SpawnShard;
  readonly #onSpawn: (client: WorkerClient<ShardApi>) => void;
  #client: WorkerClient<ShardApi>;
  #ready = newReadiness();
  #isReady = false;
  #isClosed = false;
  #closing = Promise.withResolvers<void>();
  #deaths = 0;

  /** @param onSpawn called with each worker's client before it is asked anything: for its events */
  constructor(options: ShardOptions, onSpawn: (client: WorkerClient<ShardApi>) => void, spawn: SpawnShard) {
    this.#options = options;
    this.#onSpawn = onSpawn;
    this.#spawn = spawn;
    this.#client = this.#start();
  }

  /** Has the WAL read back, and keeps a worker running from now on. */
  begin(): void {
    void this.#keep();
  }

  get shard(): number {
    return this.#options.shard;
  }

  get client(): WorkerClient<ShardApi> {
    return this.#client;
  }

  /** The worker has its WAL in heads and blocks, and takes requests. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Workers of this shard that have died. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Resolves when the shard is ready, however many workers that takes; rejects when it is closed before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isReady = false;
    this.#ready.reject(new Error(`shard ${this.shard} is closed`));
    this.#closing.resolve();
    await this.#client.close();
  }

  #start(): WorkerClient<ShardApi> {
    const client = new WorkerClient<ShardApi>(this.#spawn(this.#options), `shard ${this.shard}`);
    this.#onSpawn(client);
    return client;
  }

  async #keep(): Promise<void> {
    let waitMs = respawnMsMin;
    while (!this.#isClosed) {
      const client = this.#client;
      const gone = new Promise<Error>((resolve) => client.onGone(resolve));
      let reason: Error;
      try {
        await client.call("replay", null);
        this.#isReady = true;
        this.#ready.resolve();
        waitMs = respawnMsMin;
        reason = await Promise.race([gone, this.#closing.promise.then(() => new Error("closed"))]);
      } catch (cause) {
        reason = cause as Error;
        if (client.alive) await client.close();
      }
      if (this.#isClosed) return;
      if (this.#isReady) this.#ready = newReadiness();
      this.#isReady = false;
      this.#deaths++;
      log.error("shard worker died, another one takes over", {
        shard: this.shard,
        error: reason,
        wait_ms: waitMs,
      });
      await Promise.race([new Promise((resolve) => setTimeout(resolve, waitMs)), this.#closing.promise]);
      waitMs = Math.min(waitMs * 2, respawnMsMax);
      if (!this.#isClosed) this.#client = this.#start();
    }
  }
}

function newReadiness(): PromiseWithResolvers<void> {
  const readiness = Promise.withResolvers<void>();
  readiness.promise.catch(() => {}); // it rejects when the shard is closed, whether or not somebody waits
  return readiness;
}
