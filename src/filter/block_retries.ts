// Which blocks could not be read, and when they are tried again: one that is missing or cut short must not keep the others waiting.
import { log } from "../telemetry/log.ts";

/** Of a block that fails again and again, it is tried in one round of so many. */
const skippedRoundsMax = 32;

export class BlockRetries {
  /** By key of the block. */
  readonly #failed = new Map<string, { times: number; nextRound: number }>();
  #round = 0;

  /** @param listed keys of the blocks that there are; the others are forgotten */
  startRound(listed: ReadonlySet<string>): void {
    this.#round++;
    for (const key of this.#failed.keys()) if (!listed.has(key)) this.#failed.delete(key);
  }

  /** Blocks that are to be tried in this round: in their order, but those that failed come last, the more often the later. */
  due<B>(blocks: readonly B[], keyOf: (block: B) => string): B[] {
    return blocks
      .map((block) => ({ block, ...(this.#failed.get(keyOf(block)) ?? { times: 0, nextRound: 0 }) }))
      .filter(({ nextRound }) => nextRound <= this.#round)
      .sort((a, b) => a.times - b.times)
      .map(({ block }) => block);
  }

  /** Whether it is the first time. */
  failed(key: string): boolean {
    const times = (this.#failed.get(key)?.times ?? 0) + 1;
    this.#failed.set(key, { times, nextRound: this.#round + Math.min(2 ** (times - 1), skippedRoundsMax) });
    return times === 1;
  }

  succeeded(key: string): void {
    this.#failed.delete(key);
  }
}

/** How a round went: whether it is blocks that can't be read, or the store that is away. */
export class RoundOutcome {
  failuresInARow = 0;
  #failures = 0;
  #successes = 0;
  #isNew = false;
  #last: Error | null = null;

  succeeded(): void {
    this.#successes++;
    this.failuresInARow = 0;
  }

  /** @param isFirst whether the block had not failed before */
  failed(error: Error, isFirst: boolean): void {
    this.#failures++;
    this.failuresInARow++;
    this.#isNew ||= isFirst;
    this.#last = error;
  }

  /** @throws Error if all failed; not of blocks alone that failed before, each of which is tried later and later by itself */
  report(): void {
    if (this.#last === null) return;
    const message = `${this.#failures} blocks could not be read; the last: ${this.#last.message}`;
    if (this.#successes === 0 && this.#isNew) throw new Error(message, { cause: this.#last });
    if (this.#isNew) log.warn("the index lacks blocks; lookups ask their bloom filters", { error: message });
  }
}
