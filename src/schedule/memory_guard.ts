// Has garbage collected when the process holds more memory than it may: the collector counts its own objects, and is in no hurry over
// the buffers that hang on them.

import process from "node:process";
import { log } from "../telemetry/log.ts";

/** A collection stops the main thread for some 50 ms, so one is not asked for more often. */
const pauseMsMin = 2000;

export class MemoryGuard {
  readonly #limitBytes: number;
  readonly #residentBytes: () => number;
  readonly #collect: (() => void) | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  /**
   * @param limitBytes resident memory above which garbage is collected
   * @param residentBytes of the process; the runtime's own figure by default
   * @param collect how; by default the runtime's call for it, if it has one
   */
  constructor(
    limitBytes: number,
    residentBytes: () => number = () => process.memoryUsage.rss(),
    collect: (() => void) | undefined = typeof Bun === "undefined" ? undefined : () => Bun.gc(true),
  ) {
    this.#limitBytes = limitBytes;
    this.#residentBytes = residentBytes;
    this.#collect = collect;
  }

  /** Called from time to time. Returns whether garbage was collected. */
  check(nowMs = performance.now()): boolean {
    if (!this.#collect || nowMs - this.#lastMs < pauseMsMin) return false;
    const before = this.#residentBytes();
    if (before <= this.#limitBytes) return false;
    this.#collect();
    this.#lastMs = nowMs;
    log.debug("garbage collected", { resident_before: before, resident_after: this.#residentBytes() });
    return true;
  }
}
