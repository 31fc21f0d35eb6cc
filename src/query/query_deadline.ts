// How long a query may be worked on: until its answer is there, its time is over or its client is gone.
import { QueryCanceled, QueryTimeout } from "./query_errors.ts";

/** Timers fire at once when asked for more. */
const timerMsMax = 2 ** 31 - 1;

export class QueryDeadline {
  readonly #work = new AbortController();
  readonly #end = Promise.withResolvers<never>();
  readonly #client: AbortSignal;
  readonly #timer: ReturnType<typeof setTimeout>;

  /** @param client aborted when the client goes away */
  constructor(client: AbortSignal, msMax: number) {
    this.#client = client;
    this.#end.promise.catch(() => {});
    this.#timer = setTimeout(() => this.#fail(new QueryTimeout()), Math.min(msMax, timerMsMax));
    client.addEventListener("abort", this.#cancel, { once: true });
    if (client.aborted) this.#cancel();
  }

  /** For all that is under way: aborted at the end, whatever it is. */
  get signal(): AbortSignal {
    return this.#work.signal;
  }

  /** @throws QueryTimeout, QueryCanceled if that comes before the promise settles */
  race<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#end.promise, promise]);
  }

  /** The answer is there, or can no longer come. */
  end(): void {
    clearTimeout(this.#timer);
    this.#client.removeEventListener("abort", this.#cancel);
    this.#work.abort();
  }

  readonly #cancel = (): void => this.#fail(new QueryCanceled());

  #fail(error: Error): void {
    this.#end.reject(error);
    this.end();
  }
}
