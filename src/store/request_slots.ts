// A limit on requests that are on their way at the same time; the others wait in line.

export class RequestSlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(requestsMax: number) {
    this.#free = requestsMax;
  }

  /** Runs something when there is a slot for it. @throws the signal's reason if it is aborted before */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next) {
        this.#waiting.delete(next);
        next();
      } else {
        this.#free++;
      }
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      if (this.#waiting.delete(turn)) reject(signal.reason);
    };
    const turn = () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    this.#waiting.add(turn);
    signal.addEventListener("abort", onAbort, { once: true });
    return promise;
  }
}
