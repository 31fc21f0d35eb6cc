// Where timed work is driven from: every task has a name, an interval and one run at a time, and what became of it can be seen.

import { log } from "../telemetry/log.ts";

/** Wait before a task that failed is run again: doubled with each failure in a row, up to the second. */
const retryMsMin = 1000;
const retryMsMax = 60_000;

export interface Task {
  name: string;
  /** From the end of one run to the start of the next. */
  intervalMs: number;
  /** Wait before the first run; one interval by default. */
  firstMs?: number;
  /** Each wait is longer by a random time of up to this much, so that processes do not work in step. */
  jitterMs?: number;
  /** @param signal aborted when the schedule is stopped */
  run(signal: AbortSignal): void | Promise<void>;
  /** What there is to tell of it: text, or what JSON can hold. */
  status?(): unknown;
}

export interface TaskStatus {
  name: string;
  intervalMs: number;
  running: boolean;
  runs: number;
  failures: number;
  /** Since a run went well. */
  failuresInRow: number;
  /** Unix milliseconds; null before the first run. */
  lastStartedAt: number | null;
  lastMs: number | null;
  /** Null if the last run went well. */
  lastError: string | null;
  /** Unix milliseconds; null while it runs. */
  nextAt: number | null;
  /** Of the task itself; undefined if it tells nothing. */
  detail?: unknown;
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

interface Entry {
  task: Task;
  status: TaskStatus;
  /** Takes the timer of the next run back. */
  cancel: () => void;
  running: Promise<void> | null;
  /** Somebody wants a run that begins after the one under way. */
  wanted: PromiseWithResolvers<void> | null;
}

export class Schedule {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #stop = new AbortController();
  readonly #entries: Entry[] = [];

  /** @param random from 0 to below 1 */
  constructor(clock: Clock = systemClock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Runs a task from time to time. Its errors are logged, and it is run again: sooner or later than usual, and ever later. */
  add(task: Task): void {
    const status: TaskStatus = {
      name: task.name,
      intervalMs: task.intervalMs,
      running: false,
      runs: 0,
      failures: 0,
      failuresInRow: 0,
      lastStartedAt: null,
      lastMs: null,
      lastError: null,
      nextAt: null,
    };
    const entry: Entry = { task, status, cancel: () => {}, running: null, wanted: null };
    this.#entries.push(entry);
    this.#wait(entry, this.#jittered(task, task.firstMs ?? task.intervalMs));
  }

  /**
   * Runs a task now, or once more when it is under way. Resolves when a run that began after the call has ended, however it did.
   *
   * @throws RangeError if there is no such task
   */
  runNow(name: string): Promise<void> {
    const entry = this.#entries.find(({ task }) => task.name === name);
    if (!entry) throw new RangeError(`no task is called ${name}`);
    if (this.#stop.signal.aborted) return Promise.resolve();
    if (entry.running !== null) {
      entry.wanted ??= Promise.withResolvers();
      return entry.wanted.promise;
    }
    entry.cancel();
    return this.#start(entry);
  }

  /** In the order in which the tasks were added. */
  status(): TaskStatus[] {
    return this.#entries.map(({ task, status }) => {
      const detail = task.status?.();
      return detail === undefined ? { ...status } : { ...status, detail };
    });
  }

  /** Starts nothing more. Resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const { status, cancel } of this.#entries) {
      cancel();
      status.nextAt = null;
    }
    await Promise.all(this.#entries.map(({ running }) => running));
  }

  #wait(entry: Entry, ms: number): void {
    if (this.#stop.signal.aborted) return;
    entry.status.nextAt = this.#clock.now() + ms;
    entry.cancel = this.#clock.after(ms, () => void this.#start(entry));
  }

  #start(entry: Entry): Promise<void> {
    const running = this.#run(entry.task, entry.status).then(() => {
      entry.running = null;
      const { wanted } = entry;
      entry.wanted = null;
      if (wanted !== null && !this.#stop.signal.aborted) {
        void this.#start(entry).then(wanted.resolve);
        return;
      }
      wanted?.resolve();
      this.#wait(entry, this.#waitOf(entry));
    });
    entry.running = running;
    return running;
  }

  #waitOf({ task, status }: Entry): number {
    if (status.failuresInRow === 0) return this.#jittered(task, task.intervalMs);
    const longest = Math.min(retryMsMin * 2 ** (status.failuresInRow - 1), retryMsMax);
    return Math.ceil(longest * (0.5 + this.#random() / 2));
  }

  #jittered({ jitterMs = 0 }: Task, ms: number): number {
    return ms + Math.floor(this.#random() * jitterMs);
  }

  async #run(task: Task, status: TaskStatus): Promise<void> {
    const startedAt = this.#clock.now();
    status.running = true;
    status.nextAt = null;
    status.lastStartedAt = startedAt;
    try {
      await task.run(this.#stop.signal);
      status.lastError = null;
      status.failuresInRow = 0;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      status.failures++;
      status.failuresInRow++;
      status.lastError = error.message;
      log.error("scheduled task failed", { task: task.name, error });
    }
    status.runs++;
    status.running = false;
    status.lastMs = this.#clock.now() - startedAt;
  }
}
