// For tests: a clock that stands still until it is told to go on.
import type { Clock } from "./clock.ts";

interface Timer {
  atMs: number;
  run: () => void;
}

export class FakeClock implements Clock {
  nowMs = 0;
  readonly #timers = new Set<Timer>();

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Times at which something is to happen. */
  get pending(): number[] {
    return [...this.#timers].map(({ atMs }) => atMs).sort((a, b) => a - b);
  }

  /** Lets time pass, and what follows from it happen. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await settled();
      const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs);
      if (!next || next.atMs > endMs) break;
      this.nowMs = next.atMs;
      this.#timers.delete(next);
      next.run();
    }
    this.nowMs = endMs;
    await settled();
  }
}

/** Waits for promises that need nothing but turns of the event loop. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock on which any wait is over at once. */
export const hurriedClock: Clock = {
  after(ms, run) {
    // Deadlines are far off, pauses are near.
    if (ms >= 10_000) return () => {};
    const timer = setImmediate(run);
    return () => clearImmediate(timer);
  },
};
