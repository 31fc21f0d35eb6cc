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
    /** Bytes of each, and the traces in them. */
    bytes: number;
    compactedBytes: number;
    traces: number;
    compactedTraces: number;
  }[];
  /** How reading the list went; the empty tenant stands for what has to do with none. */
  polls: {
    tenant: string;
    errors: number;
    /** An index could not be read, used or written. */
    indexErrors: number;
    /** Whether this process writes the index. */
    builtIndex: boolean;
    /** Age of the index that the list is from; 0 where it is from the metas. */
    indexAgeSeconds: number;
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
    const backendBytes = registry.gauge("tempodb_backend_bytes_total", "Bytes of stored blocks.", [
      "tenant",
      "status",
    ]);
    const backendTraces = registry.gauge("tempodb_backend_objects_total", "Traces in stored blocks.", [
      "tenant",
      "status",
    ]);
    const setPolls = pollMetrics(registry);
    const queued = registry.gauge("tempodb_work_queue_length", "Jobs over blocks that wait for a worker.");
    const queuedMax = registry.gauge(
      "tempodb_work_queue_max",
      "Most jobs over blocks that may wait for a worker.",
    );
    const setWorker = workerMetrics(registry);
    registry.onCollect(async () => {
      const { tenants, polls, pool } = await stats();
      for (const gauge of [live, compacted, bytes, backendBytes, backendTraces]) gauge.clear();
      for (const each of tenants) {
        const { tenant } = each;
        live.inc({ tenant }, each.blocks);
        compacted.inc({ tenant }, each.compactedBlocks);
        bytes.inc({ tenant }, each.bytes);
        backendBytes.inc({ tenant, status: "live" }, each.bytes);
        backendBytes.inc({ tenant, status: "compacted" }, each.compactedBytes);
        backendTraces.inc({ tenant, status: "live" }, each.traces);
        backendTraces.inc({ tenant, status: "compacted" }, each.compactedTraces);
      }
      setPolls(polls);
      queued.set({}, pool.queuedJobs);
      queuedMax.set({}, pool.queuedJobsMax);
      for (const worker of pool.workers) setWorker(worker);
    });
  }

  pollDone(seconds: number): void {
    this.#poll.observe({}, seconds);
  }
}

/** Defines the metrics of reading the list, and returns what sets them. */
function pollMetrics(registry: Registry): (polls: StoreStats["polls"]) => void {
  const errors = registry.counter(
    "tempodb_blocklist_poll_errors_total",
    "Times that a tenant's blocks could not be listed.",
    ["tenant"],
  );
  const indexErrors = registry.counter(
    "tempodb_blocklist_tenant_index_errors_total",
    "Times that the index of a tenant could not be read, used or written.",
    ["tenant"],
  );
  const builder = registry.gauge(
    "tempodb_blocklist_tenant_index_builder",
    "1 where this process writes the index of a tenant.",
    ["tenant"],
  );
  const age = registry.gauge(
    "tempodb_blocklist_tenant_index_age_seconds",
    "Age of the index that a tenant's blocks are known from.",
    ["tenant"],
  );
  return (polls) => {
    for (const metric of [errors, indexErrors, builder, age]) metric.clear();
    for (const { tenant, ...poll } of polls) {
      errors.inc({ tenant }, poll.errors);
      if (tenant === "") continue;
      indexErrors.inc({ tenant }, poll.indexErrors);
      builder.inc({ tenant }, poll.builtIndex ? 1 : 0);
      age.inc({ tenant }, poll.indexAgeSeconds);
    }
  };
}
