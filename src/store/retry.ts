// Trying again, after pauses that grow and differ, so that clients that failed together don't come back together.
import { type Clock, sleep } from "./clock.ts";
import { ServiceError } from "./service_error.ts";

export interface RetryOptions {
  /** The first one included. */
  attemptsMax: number;
  backoffMsInitial: number;
  backoffMsMax: number;
}

export interface Attempts {
  clock: Clock;
  /** From 0 up to 1. */
  random: () => number;
  options: RetryOptions;
}

/**
 * Does something, and does it again while it fails in a way that may pass.
 *
 * @param work is told whether an attempt before may have been carried out although it failed
 */
export async function retried<T>(
  { clock, random, options }: Attempts,
  work: (mayBeDone: boolean) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  let mayBeDone = false;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(mayBeDone);
    } catch (error) {
      if (signal.aborted || !(error instanceof ServiceError) || !error.mayRetry) throw error;
      if (attempt >= options.attemptsMax) throw error;
      mayBeDone ||= error.mayBeDone;
    }
    await sleep(clock, backoffMs(options, attempt) * (0.5 + random() / 2), signal);
  }
}

/** The longest pause after that many attempts. */
function backoffMs({ backoffMsInitial, backoffMsMax }: RetryOptions, attempts: number): number {
  return Math.min(backoffMsMax, backoffMsInitial * 2 ** (attempts - 1));
}
