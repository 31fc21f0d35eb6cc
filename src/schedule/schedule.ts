// Where timed work is driven from: every task has a name, an interval and one run at a time, and what became of it can be seen.

import { log } from "../telemetry/log.ts";

export interface Task {
  name: string;
  /** From the end of one run to the start of the next. */
  intervalMs: number;
  /** @param signal aborted when the schedule is stopped */
  run(signal: AbortSignal): void | Promise<void>;
}

export interface TaskStatus {
  name: string;
  intervalMs: number;
  running: boolean;
  runs: number;
  failures: number;
  /** Unix milliseconds; null before the first run. */
  lastStartedAt: number | null;
  lastMs: number | null;
  /** Null if the last run went well. */
  lastError: string | null;
  /** Unix milliseconds; null while it runs. */
  nextAt: number | null;
}

/** The clock; tests give their own. */
export interface Clock {
  now(): number;
  /** @returns a function that takes the timer back */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class Schedule {
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #tasks: { task: Task; status: TaskStatus; cancel: () => void; running: Promise<void> | null }[] =
    [];

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Runs a task for the first time after one interval. Its errors are logged, and it is run again. */
  add(task: Task): void {
    const status: TaskStatus = {
      name: task.name,
      intervalMs: task.intervalMs,
      running: false,
      runs: 0,
      failures: 0,
      lastStartedAt: null,
      lastMs: null,
      lastError: null,
      nextAt: null,
    };
    const entry = { task, status, cancel: () => {}, running: null as Promise<void> | null };
    const wait = () => {
      if (this.#stop.signal.aborted) return;
      status.nextAt = this.#clock.now() + task.intervalMs;
      entry.cancel = this.#clock.after(task.intervalMs, () => {
        entry.running = this.#run(task, status).then(() => {
          entry.running = null;
          wait();
        });
      });
    };
    this.#tasks.push(entry);
    wait();
  }

  status(): TaskStatus[] {
    return this.#tasks.map(({ status }) => ({ ...status }));
  }

  /** Starts nothing more. Resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const { status, cancel } of this.#tasks) {
      cancel();
      status.nextAt = null;
    }
    await Promise.all(this.#tasks.map(({ running }) => running));
  }

  async #run(task: Task, status: TaskStatus): Promise<void> {
    const startedAt = this.#clock.now();
    status.running = true;
    status.nextAt = null;
    status.lastStartedAt = startedAt;
    try {
      await task.run(this.#stop.signal);
      status.lastError = null;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      status.failures++;
      status.lastError = error.message;
      log.error("scheduled task failed", { task: task.name, error });
    }
    status.runs++;
    status.running = false;
    status.lastMs = this.#clock.now() - startedAt;
  }
}
