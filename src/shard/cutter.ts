// Turns heads into blocks, one at a time: write the block, have it listed, and only then let go of the head and its WAL segment.

import type { BlockMeta } from "../block/meta.ts";
import type { CutReason } from "../telemetry/ingest_metrics.ts";
import type { Head } from "./head.ts";

/** Wait before a failed cut is tried again: doubled each time, up to the second. */
const retryMsMin = 1000;
const retryMsMax = 10_000;

export interface CutSteps {
  /** Stops the head's growth, if that has not happened yet. */
  freeze(head: Head): void;
  /** Writes the block durably; null if the head has no spans. Trying again writes the same block. */
  write(head: Head): Promise<BlockMeta | null>;
  /** Resolves when queries find the block. */
  list(meta: BlockMeta): Promise<void>;
  /** Lets go of the head and its segment. */
  discard(head: Head): Promise<void>;
  done(head: Head, reason: CutReason, meta: BlockMeta | null, seconds: number): void;
  /**
   * @param failures of this head
   * @returns true to give the head up instead of trying again
   */
  failed(head: Head, error: Error, failures: number): boolean;
}

interface Cut {
  head: Head;
  reason: CutReason;
  failures: number;
  /** Settled by the next attempt. */
  attempt: PromiseWithResolvers<BlockMeta | null>;
  /** Settled when the head is gone. */
  end: PromiseWithResolvers<void>;
}

export class Cutter {
  readonly #steps: CutSteps;
  #queue: Cut[] = [];
  #running = false;
  /** Attempts that failed since one succeeded. */
  #failures = 0;
  #retry: (() => void) | null = null;

  constructor(steps: CutSteps) {
    this.#steps = steps;
  }

  /** Cuts that are under way or waiting. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The last attempt failed, and waits to be made again. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  has(head: Head): boolean {
    return this.#queue.some((cut) => cut.head === head);
  }

  /**
   * Asks for a head to be cut.
   *
   * @returns what the next attempt comes to: the meta of the block, or null if there was nothing to write
   */
  cut(head: Head, reason: CutReason): Promise<BlockMeta | null> {
    return this.#enqueue(head, reason).attempt.promise;
  }

  /** Asks for a head to be cut, and resolves when it is, however many attempts that takes. */
  untilCut(head: Head, reason: CutReason): Promise<void> {
    return this.#enqueue(head, reason).end.promise;
  }

  /** Ends the wait of a cut that failed. */
  retryNow(): void {
    this.#retry?.();
  }

  #enqueue(head: Head, reason: CutReason): Cut {
    let cut = this.#queue.find((waiting) => waiting.head === head);
    if (!cut) {
      cut = { head, reason, failures: 0, attempt: newAttempt(), end: Promise.withResolvers() };
      this.#queue.push(cut);
    }
    if (!this.#running) void this.#run();
    return cut;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#queue.length > 0) {
      const cut = this.#queue[0]!;
      const { head, reason } = cut;
      const startedAt = performance.now();
      try {
        this.#steps.freeze(head);
        const meta = await this.#steps.write(head);
        if (meta) await this.#steps.list(meta);
        await this.#finish(cut);
        this.#steps.done(head, reason, meta, (performance.now() - startedAt) / 1000);
        cut.attempt.resolve(meta);
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        this.#failures++;
        const givenUp = this.#steps.failed(head, error, ++cut.failures);
        const { attempt } = cut;
        cut.attempt = newAttempt();
        if (givenUp) await this.#finish(cut);
        else this.#queue.push(this.#queue.shift()!); // the others need not wait for what may never come
        attempt.reject(error);
        if (!givenUp) await this.#wait();
      }
    }
    this.#running = false;
  }

  async #finish(cut: Cut): Promise<void> {
    await this.#steps.discard(cut.head);
    this.#queue.shift();
    this.#failures = 0;
    cut.end.resolve();
  }

  #wait(): Promise<void> {
    const ms = Math.min(retryMsMin * 2 ** (this.#failures - 1), retryMsMax);
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#retry = null;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#retry = end;
    });
  }
}

function newAttempt(): PromiseWithResolvers<BlockMeta | null> {
  const attempt = Promise.withResolvers<BlockMeta | null>();
  attempt.promise.catch(() => {}); // not everybody who asks for a cut waits for it; failed() is told in any case
  return attempt;
}
