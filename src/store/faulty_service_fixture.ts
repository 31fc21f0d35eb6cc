// For tests: an object service that fails as those of the network do, by chance: refuses, breaks off before or after it did what it was
// asked, lets an upload end half way, takes its time, and lists what was there a while ago.
import type { ListPage, ListRequest, ObjectService, WriteCondition } from "./object_service.ts";
import { ServiceError } from "./service_error.ts";

export interface Faults {
  /** Chances from 0 to 1, of each request. */
  refused: number;
  lostBefore: number;
  /** The service did it, and the answer was lost. */
  lostAfter: number;
  /** A write that broke off half way; nothing of it may be seen. */
  torn: number;
  slow: number;
  /** A page of the listing before this one. */
  staleList: number;
}

const slowMsMax = 5;

export class FaultyService implements ObjectService {
  readonly counts: Record<keyof Faults, number> = {
    refused: 0,
    lostBefore: 0,
    lostAfter: 0,
    torn: 0,
    slow: 0,
    staleList: 0,
  };
  readonly #inner: ObjectService;
  readonly #faults: Faults;
  readonly #random: () => number;
  readonly #lists = new Map<string, ListPage>();

  constructor(inner: ObjectService, faults: Faults, random: () => number) {
    this.#inner = inner;
    this.#faults = faults;
    this.#random = random;
  }

  async list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const name = JSON.stringify(request);
    const before = this.#lists.get(name);
    const page = await this.#faulty(() => this.#inner.list(request, signal));
    this.#lists.set(name, page);
    return before && this.#happens("staleList") ? before : page;
  }

  get: ObjectService["get"] = (...args) => this.#faulty(() => this.#inner.get(...args));
  head: ObjectService["head"] = (...args) => this.#faulty(() => this.#inner.head(...args));
  delete: ObjectService["delete"] = (...args) => this.#faulty(() => this.#inner.delete(...args));
  startUpload: ObjectService["startUpload"] = (...args) =>
    this.#faulty(() => this.#inner.startUpload(...args));
  completeUpload: ObjectService["completeUpload"] = (...args) =>
    this.#faulty(() => this.#inner.completeUpload(...args));
  abortUpload: ObjectService["abortUpload"] = (...args) =>
    this.#faulty(() => this.#inner.abortUpload(...args));

  put(key: string, bytes: Uint8Array, condition: WriteCondition, signal: AbortSignal) {
    return this.#faulty(async () => {
      if (this.#happens("torn")) throw lost();
      return this.#inner.put(key, bytes, condition, signal);
    });
  }

  uploadPart: ObjectService["uploadPart"] = (upload, number, bytes, signal) =>
    this.#faulty(async () => {
      if (!this.#happens("torn")) return this.#inner.uploadPart(upload, number, bytes, signal);
      await this.#inner.uploadPart(upload, number, bytes.subarray(0, bytes.length >> 1), signal);
      throw lost();
    });

  async #faulty<T>(work: () => Promise<T>): Promise<T> {
    if (this.#happens("slow")) {
      await new Promise((resolve) => setTimeout(resolve, this.#random() * slowMsMax));
    }
    if (this.#happens("refused")) {
      throw new ServiceError("slow down", { reason: "SlowDown", mayRetry: true, mayBeDone: false });
    }
    if (this.#happens("lostBefore")) throw lost();
    const answer = await work();
    if (this.#happens("lostAfter")) throw lost();
    return answer;
  }

  #happens(fault: keyof Faults): boolean {
    const does = this.#random() < this.#faults[fault];
    if (does) this.counts[fault]++;
    return does;
  }
}

function lost(): ServiceError {
  return new ServiceError("connection reset", { reason: "ECONNRESET", mayRetry: true, mayBeDone: true });
}
