// An object service that can be relied on: requests that fail in passing are made again, none waits for ever, slow reads are asked for
// twice, and not more are on their way than the service and the memory bear.
//
// From the outside in: retries, hedging, a slot, a deadline. So waiting for a slot does not count as slowness of the service.
import { type Clock, realClock } from "./clock.ts";
import { type HedgeOptions, hedged } from "./hedge.ts";
import type { ObjectService, Upload, UploadedPart, WriteCondition } from "./object_service.ts";
import { RequestSlots } from "./request_slots.ts";
import { type Attempts, type RetryOptions, retried } from "./retry.ts";
import { noSuchUpload, ServiceError } from "./service_error.ts";
import { StoreError, StoreNotFound } from "./store_error.ts";

/** Requests on their way at a time, of one thread. */
const requestsMax = 32;
/** What a request may take, whatever it carries, and what each byte of it adds: a mebibyte in four seconds. */
const requestMsMax = 30_000;
const bytesPerMs = 256;

export interface ResilienceOptions {
  retry: RetryOptions;
  hedge: HedgeOptions;
}

export interface Surroundings {
  clock: Clock;
  random: () => number;
}

export function resilient(
  service: ObjectService,
  { retry, hedge }: ResilienceOptions,
  { clock, random }: Surroundings = { clock: realClock, random: Math.random },
): ObjectService {
  const slots = new RequestSlots(requestsMax);
  const attempts: Attempts = { clock, random, options: retry };

  /** One request of that many bytes, in a slot and with a deadline. */
  function once<T>(
    bytes: number,
    ask: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    begun = () => {},
  ): Promise<T> {
    const msMax = requestMsMax + bytes / bytesPerMs;
    return slots.run(() => {
      begun();
      return withDeadline(clock, msMax, ask, signal);
    }, signal);
  }

  /** Something that is safe to do again, whether it was done or not. */
  function again<T>(bytes: number, ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) {
    return retried(attempts, () => once(bytes, ask, signal), signal);
  }

  function read<T>(bytes: number, ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) {
    const one = (given: AbortSignal, begun: () => void) => once(bytes, ask, given, begun);
    return retried(attempts, () => hedged(clock, hedge, one, signal), signal);
  }

  return {
    list: (request, signal) => read(0, (given) => service.list(request, given), signal),
    get: (key, range, signal) => read(range?.length ?? 0, (given) => service.get(key, range, given), signal),
    head: (key, signal) => read(0, (given) => service.head(key, given), signal),
    put: (key, bytes, condition, signal) => put(key, bytes, condition, signal),
    delete: (keys, signal) => again(0, (given) => service.delete(keys, given), signal),
    // If the answer is lost, an upload stays that nobody knows of; the bucket's lifecycle rules remove it.
    startUpload: (key, signal) => again(0, (given) => service.startUpload(key, given), signal),
    uploadPart: (upload, number, bytes, signal) =>
      again(bytes.length, (given) => service.uploadPart(upload, number, bytes, given), signal),
    completeUpload: (upload, parts, signal) => completeUpload(upload, parts, signal),
    abortUpload: (upload, signal) => again(0, (given) => service.abortUpload(upload, given), signal),
  };

  /**
   * A write whose condition fails may have failed by itself: an answer was lost, or the runtime, unseen, sent the request once more on
   * another connection. What is there now tells.
   */
  function put(key: string, bytes: Uint8Array, condition: WriteCondition, signal: AbortSignal) {
    return retried(
      attempts,
      async (mayBeDone) => {
        const tag = await once(bytes.length, (given) => service.put(key, bytes, condition, given), signal);
        if (tag !== null || condition === "none") return tag;
        // Once: if it fails, all of it is tried again.
        const look = (given: AbortSignal) => service.get(key, null, given);
        const found = await once(bytes.length, look, signal).catch(ifMissing);
        if (found && Buffer.compare(found.bytes, bytes) === 0) return found.tag;
        if (!mayBeDone) return null;
        throw new ServiceError(`cannot tell whether ${key} was written before others wrote it`, {
          mayRetry: false,
          mayBeDone: true,
        });
      },
      signal,
    );
  }

  /** An upload that is gone after an answer was lost was completed, if there is an object of its size. */
  function completeUpload(upload: Upload, parts: readonly UploadedPart[], signal: AbortSignal) {
    return retried(
      attempts,
      async (mayBeDone) => {
        try {
          await once(0, (given) => service.completeUpload(upload, parts, given), signal);
        } catch (error) {
          if (!mayBeDone || !(error instanceof ServiceError) || error.reason !== noSuchUpload) throw error;
          const found = await once(0, (given) => service.head(upload.key, given), signal).catch(ifMissing);
          if (found?.bytes !== parts.reduce((sum, part) => sum + part.bytes, 0)) throw error;
        }
      },
      signal,
    );
  }
}

function ifMissing(error: unknown): null {
  if (error instanceof StoreNotFound) return null;
  throw error;
}

async function withDeadline<T>(
  clock: Clock,
  msMax: number,
  ask: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const deadline = new AbortController();
  const late = new Error(`no answer in ${Math.round(msMax)} ms`);
  const cancel = clock.after(msMax, () => deadline.abort(late));
  try {
    return await ask(AbortSignal.any([signal, deadline.signal]));
  } catch (error) {
    if (!deadline.signal.aborted || signal.aborted) throw error;
    // What was given up says what it was, and why.
    const { message } = error instanceof StoreError ? error : late;
    throw new ServiceError(message.replace(/^store: /, ""), {
      mayRetry: true,
      mayBeDone: true,
      cause: error,
    });
  } finally {
    cancel();
  }
}
