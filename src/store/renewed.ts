// Credentials that end: kept as long as they are good, and renewed before that.

export interface Ending {
  /** ms since the epoch; absent if they stay good. */
  expiresMs?: number;
}

/** They are renewed so long before they end; clouds have new ones ready five minutes before. */
const renewedMsBefore = 4 * 60_000;
/** Meanwhile they are asked for so often, not for every request. */
const renewedMsMin = 10_000;

export class Renewed<T extends Ending> {
  readonly #find: () => Promise<T>;
  readonly #now: () => number;
  #known: T | null = null;
  #asked: Promise<T> | null = null;
  /** Until then those that end soon will do. */
  #goodUntilMs = 0;

  /** @param find gets new ones */
  constructor(find: () => Promise<T>, now: () => number) {
    this.#find = find;
    this.#now = now;
  }

  /** @throws what `find` throws, if there are none that are good */
  async get(): Promise<T> {
    const known = this.#known;
    const now = this.#now();
    const leftMs = known ? (known.expiresMs ?? Number.POSITIVE_INFINITY) - now : 0;
    if (known && (leftMs > renewedMsBefore || (leftMs > 0 && now < this.#goodUntilMs))) return known;
    this.#asked ??= this.#renew().finally(() => {
      this.#asked = null;
      this.#goodUntilMs = this.#now() + renewedMsMin;
    });
    if (!known || leftMs <= 0) return this.#asked;
    // Who hands them out may be slow, or fail for a moment: it is asked early enough to be asked again.
    this.#asked.catch(() => {});
    return known;
  }

  /** Looks for new ones next time, unless there are already others: the service took these for expired. */
  forget(refused: T): void {
    if (this.#known === refused) this.#known = null;
  }

  async #renew(): Promise<T> {
    this.#known = await this.#find();
    return this.#known;
  }
}
