// Hedged requests: where an answer takes unusually long, the same is asked again, and the first answer counts.
import type { Clock } from "./clock.ts";

export interface HedgeOptions {
  /** Time without an answer after which it is asked once more; 0 asks once. */
  afterMs: number;
  /** Requests for one answer, the first included. */
  requestsMax: number;
}

/**
 * Asks, and asks again while there is no answer. What did not answer first is given up. An error counts only if nothing else is under way.
 *
 * @param ask must be safe to do twice; calls `begun` when it no longer waits for others, from when on its time counts
 */
export function hedged<T>(
  clock: Clock,
  { afterMs, requestsMax }: HedgeOptions,
  ask: (signal: AbortSignal, begun: () => void) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  if (afterMs <= 0 || requestsMax <= 1) return ask(signal, () => {});
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const losers = new AbortController();
  const any = AbortSignal.any([signal, losers.signal]);
  let asked = 0;
  let underWay = 0;
  let cancelNext = () => {};
  const end = () => {
    cancelNext();
    losers.abort();
  };
  const next = () => {
    asked++;
    underWay++;
    const begun = () => {
      if (asked < requestsMax && !any.aborted) cancelNext = clock.after(afterMs, next);
    };
    ask(any, begun).then(
      (answer) => {
        end();
        resolve(answer);
      },
      (error) => {
        underWay--;
        if (underWay > 0) return;
        end();
        reject(error);
      },
    );
  };
  next();
  return promise;
}
