// From when on a job need not look any further: it has found as many traces as are wanted that began later.
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { Parts } from "./search_job.ts";

/** When the oldest of the `limit` newest traces began, going by their parts. */
export class NewestStarts {
  readonly #limit: number;
  /** What was found before it was enough for any trace to be left out. */
  #waiting: Parts[] = [];
  #waitingCount = 0;
  /** By id. Of a trace in several blocks one part counts. */
  readonly #starts = new Map<string, bigint>();
  since: bigint;

  constructor(limit: number, since: bigint) {
    this.#limit = limit;
    this.since = since;
  }

  add(parts: Parts): void {
    this.#waiting.push(parts);
    this.#waitingCount += parts.starts.length;
    if (this.#waitingCount + this.#starts.size < this.#limit) return;
    for (const { ids, starts } of this.#waiting) this.#note(ids, starts);
    this.#waiting = [];
    this.#waitingCount = 0;
    if (this.#starts.size < this.#limit) return;
    const newest = BigUint64Array.from(this.#starts.values()).sort().slice(-this.#limit);
    if (newest[0]! > this.since) this.since = newest[0]!;
    for (const [id, start] of this.#starts) if (start < this.since) this.#starts.delete(id);
  }

  #note(ids: Uint8Array<ArrayBuffer>, starts: BigUint64Array): void {
    for (const [i, start] of starts.entries()) {
      const id = Buffer.from(ids.buffer, ids.byteOffset + i * traceIdBytes, traceIdBytes).toString("latin1");
      if (start >= this.since && !this.#starts.has(id)) this.#starts.set(id, start);
    }
  }
}
