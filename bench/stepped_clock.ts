// A clock for simulations, which goes on in steps: what is due within one happens at its end, so that what a server does every second
// does not have to be done three million times for a month.
import type { Clock } from "../src/schedule/schedule.ts";

interface Timer {
  atMs: number;
  run: () => void;
}

export class SteppedClock implements Clock {
  #nowMs: number;
  readonly #stepMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs: number, stepMs: number) {
    this.#nowMs = startMs;
    this.#stepMs = stepMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** @param idle awaited after each timer: time stands still while something is done */
  async step(idle: () => Promise<void>): Promise<void> {
    this.#nowMs += this.#stepMs;
    // Of those that were set before: what they set anew is for the next step.
    const due = [...this.#timers].filter(({ atMs }) => atMs <= this.#nowMs).sort((a, b) => a.atMs - b.atMs);
    for (const timer of due) {
      if (!this.#timers.delete(timer)) continue;
      timer.run();
      await idle();
    }
  }
}
