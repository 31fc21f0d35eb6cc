// How busy each worker thread is, whatever it does.
import type { Registry } from "./metrics.ts";

/** What a WorkerClient knows of its worker. */
export interface WorkerStats {
  /** Such as `shard 0`. */
  readonly name: string;
  /** Share of the time that the worker was busy of late, 0 to 1. */
  readonly utilisation: number;
  /** CPU time that its thread has used. */
  readonly cpuMicros?: number;
}

/** Defines the metrics of workers, and returns what sets one worker's. */
export function workerMetrics(registry: Registry): (worker: WorkerStats) => void {
  const utilisation = registry.gauge(
    "rubato_worker_utilisation",
    "Share of the time that a worker was busy of late, 0 to 1.",
    ["worker"],
  );
  const cpu = registry.counter(
    "rubato_worker_cpu_seconds_total",
    "CPU time of a worker's thread in seconds.",
    ["worker"],
  );
  return (worker) => {
    utilisation.set({ worker: worker.name }, worker.utilisation);
    if (worker.cpuMicros !== undefined) cpu.setTotal({ worker: worker.name }, worker.cpuMicros / 1e6);
  };
}
