// The pace of a merge: between slices of work others have their turn, and while there are any, the merge rests for most of the time.
import { setTimeout as wait } from "node:timers/promises";

/** Of a core, while queries or ingest are busy. */
export const busyShareMax = 0.25;
/** A turn of others that takes longer than this shows that the thread has other work. */
const idleTurnMsMax = 1;
/** For so long after a sign of other work. */
const busyMs = 500;

export interface ThrottleOptions {
  signal: AbortSignal;
  /** Tells whether others want the processor. */
  isBusy: () => boolean;
  now?: () => number;
  /** Lets whatever waits for this thread run. */
  turn?: () => Promise<void>;
  rest?: (ms: number) => Promise<void>;
}

export class Throttle {
  readonly #signal: AbortSignal;
  readonly #isBusy: () => boolean;
  readonly #now: () => number;
  readonly #turn: () => Promise<void>;
  readonly #rest: (ms: number) => Promise<void>;
  #workingSince: number;
  #busyUntil = Number.NEGATIVE_INFINITY;

  constructor({
    signal,
    isBusy,
    now = () => performance.now(),
    turn = anyTurn,
    rest = wait,
  }: ThrottleOptions) {
    this.#signal = signal;
    this.#isBusy = isBusy;
    this.#now = now;
    this.#turn = turn;
    this.#rest = rest;
    this.#workingSince = now();
  }

  /** To be awaited between slices of work. @throws (as rejection) the signal's reason once it is aborted */
  async pause(): Promise<void> {
    const stopped = this.#now();
    await this.#turn();
    this.#signal.throwIfAborted();
    const now = this.#now();
    if (now - stopped > idleTurnMsMax || this.#isBusy()) this.#busyUntil = now + busyMs;
    if (now < this.#busyUntil) {
      await this.#rest((stopped - this.#workingSince) * (1 / busyShareMax - 1));
      this.#signal.throwIfAborted();
    }
    this.#workingSince = this.#now();
  }
}

/** Local reads never leave the microtask queue, so that no message would get through without this. */
function anyTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
