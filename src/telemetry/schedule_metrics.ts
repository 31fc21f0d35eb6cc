// Timed work: how often each task ran and failed.
import { metrics, type Registry } from "./metrics.ts";

export interface TaskTotals {
  name: string;
  runs: number;
  failures: number;
  failuresInRow: number;
}

export function registerScheduleMetrics(tasks: () => TaskTotals[], registry: Registry = metrics): void {
  const runs = registry.counter("rubato_scheduled_task_runs_total", "Times that a timed task ended.", [
    "task",
  ]);
  const failures = registry.counter(
    "rubato_scheduled_task_failures_total",
    "Times that a timed task failed.",
    ["task"],
  );
  const failing = registry.gauge(
    "rubato_scheduled_task_failing",
    "Failures of a timed task since it last went well.",
    ["task"],
  );
  registry.onCollect(() => {
    for (const { name: task, ...totals } of tasks()) {
      runs.setTotal({ task }, totals.runs);
      failures.setTotal({ task }, totals.failures);
      failing.set({ task }, totals.failuresInRow);
    }
  });
}
