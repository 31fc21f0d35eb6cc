// Whose turn it is to be answered: a few queries of a kind at a time, and none while the answers that clients have yet to
// take hold too much memory. A large trace is in memory several times over while it is joined and written, and a slow
// client keeps its answer there for long; the others wait in line, where they hold nothing.
import { metrics, type Registry } from "../telemetry/metrics.ts";
import type { QueryOp } from "../telemetry/query_metrics.ts";
import { QueryCanceled, QueryTimeout } from "./query_errors.ts";

export interface TurnLimits {
  /** Queries at a time. */
  runningMax: number;
  /** Bytes of answers that have not been taken; the queries that run then add theirs. */
  answerBytesMax: number;
  /** Queries in line. */
  waitingMax: number;
  /** Time in line. */
  waitMsMax: number;
}

/**
 * Line and time are Tempo's defaults. Measured on two cores with twelve lookups of one trace of 200,000 spans: four at
 * a time take 5 s and 0.9 GB together, eight at a time 12 s and 1.1 GB.
 */
const defaultLimits: TurnLimits = {
  runningMax: 4,
  answerBytesMax: 32 << 20,
  waitingMax: 2000,
  waitMsMax: 10_000,
};

/** Too many wait already. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
  readonly code = "resource_exhausted";

  constructor() {
    super("job queue full");
  }
}

export class QueryTurns {
  readonly #limits: TurnLimits;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #running = 0;
  #answerBytes = 0;

  /** @param op what the queries are for: each kind has a line of its own, lest long ones keep short ones waiting */
  constructor(op: QueryOp, limits: Partial<TurnLimits> = {}, registry: Registry = metrics) {
    this.#limits = { ...defaultLimits, ...limits };
    const length = registry.gauge("tempo_query_frontend_queue_length", "Queries that wait for their turn.", [
      "op",
    ]);
    const bytes = registry.gauge("rubato_answer_bytes", "Bytes of answers that clients have yet to take.", [
      "op",
    ]);
    registry.onCollect(() => {
      length.set({ op }, this.#waiting.size);
      bytes.set({ op }, this.#answerBytes);
    });
  }

  /**
   * Waits for a turn, which lasts until end() is called.
   *
   * @throws QueueFull, QueryTimeout, QueryCanceled
   */
  async begin(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new QueryCanceled();
    if (this.#waiting.size > 0 || !this.#free) await this.#wait(signal);
    else this.#running++;
  }

  /**
   * Ends a turn.
   *
   * @param answerBytes what the answer takes
   * @returns to be called once, when the answer has been taken or no one is left to take it
   */
  end(answerBytes: number): () => void {
    this.#running--;
    this.#answerBytes += answerBytes;
    this.#next();
    return () => {
      this.#answerBytes -= answerBytes;
      this.#next();
    };
  }

  get #free(): boolean {
    return this.#running < this.#limits.runningMax && this.#answerBytes < this.#limits.answerBytesMax;
  }

  #next(): void {
    for (const start of this.#waiting) {
      if (!this.#free) return;
      this.#running++;
      start();
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#limits.waitingMax) throw new QueueFull();
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", cancel);
        this.#waiting.delete(start);
      };
      const start = () => {
        leave();
        resolve();
      };
      const cancel = () => {
        leave();
        reject(new QueryCanceled());
      };
      const timer = setTimeout(() => {
        leave();
        reject(new QueryTimeout());
      }, this.#limits.waitMsMax);
      signal.addEventListener("abort", cancel);
      this.#waiting.add(start);
    });
  }
}
