// Blocks and the work on them, under the names of Tempo's tempodb where the meaning is the same.
import { type Histogram, metrics, type Registry } from "./metrics.ts";
import { type WorkerStats, workerMetrics } from "./worker_metrics.ts";

export interface StoreStats {
  tenants: {
    tenant: string;
    /** Blocks that queries read. */
    blocks: number;
    /** Blocks that were merged into others and wait for their deletion. */
    compactedBlocks: number;
    /** Bytes of the former. */
    bytes: number;
  }[];
  pool: {
    /** Jobs over blocks that wait for a worker, and how many may. */
    queuedJobs: number;
    queuedJobsMax: number;
    /** WorkerClients will do. */
    workers: WorkerStats[];
  };
}

const pollSecondsBuckets: readonly number[] = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300];

export class StoreMetrics {
  readonly #poll: Histogram;

  constructor(stats: () => StoreStats | Promise<StoreStats>, registry: Registry = metrics) {
    this.#poll = registry.histogram(
      "tempodb_blocklist_poll_duration_seconds",
      "Time that reading the list of blocks took.",
      pollSecondsBuckets,
    );
    const live = registry.gauge("tempodb_blocklist_length", "Blocks that queries read.", ["tenant"]);
    const compacted = registry.gauge("tempodb_compacted_blocklist_length", "Merged blocks not deleted yet.", [
      "tenant",
    ]);
    const bytes = registry.gauge("rubato_blocks_bytes", "Bytes of the blocks that queries read.", ["tenant"]);
    const queued = registry.gauge("tempodb_work_queue_length", "Jobs over blocks that wait for a worker.");
    const queuedMax = registry.gauge(
      "tempodb_work_queue_max",
      "Most jobs over blocks that may wait for a worker.",
    );
    const setWorker = workerMetrics(registry);
    registry.onCollect(async () => {
      const { tenants, pool } = await stats();
      for (const gauge of [live, compacted, bytes]) gauge.clear();
      for (const each of tenants) {
        const { tenant } = each;
        live.inc({ tenant }, each.blocks);
        compacted.inc({ tenant }, each.compactedBlocks);
        bytes.inc({ tenant }, each.bytes);
      }
      queued.set({}, pool.queuedJobs);
      queuedMax.set({}, pool.queuedJobsMax);
      for (const worker of pool.workers) setWorker(worker);
    });
  }

  pollDone(seconds: number): void {
    this.#poll.observe({}, seconds);
  }
}
