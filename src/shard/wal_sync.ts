// Syncs WAL segments in the background, for storage.trace.wal.sync: interval.

import type { WalSegment } from "./wal_segment.ts";

export class WalSync {
  readonly #intervalMs: number;
  readonly #segments: () => WalSegment[];
  readonly #failed: (segment: WalSegment, error: Error) => void;
  #armed = false;
  syncs = 0;

  /**
   * @param segments those that may have something to sync
   * @param failed is told of a segment that a sync has failed for
   */
  constructor(
    intervalMs: number,
    segments: () => WalSegment[],
    failed: (segment: WalSegment, error: Error) => void,
  ) {
    this.#intervalMs = intervalMs;
    this.#segments = segments;
    this.#failed = failed;
  }

  /** Something was appended: it is synced at the end of the interval that begins now, or of the one that runs. */
  appended(): void {
    if (this.#armed) return;
    this.#armed = true;
    // Only while there is something to sync: an idle shard has no timer.
    setTimeout(() => void this.#syncAll(), this.#intervalMs);
  }

  async #syncAll(): Promise<void> {
    for (const segment of this.#segments()) {
      if (segment.unsyncedBytes === 0 || segment.broken) continue;
      this.syncs++;
      try {
        await segment.syncLater();
      } catch (cause) {
        this.#failed(segment, cause as Error);
      }
    }
    this.#armed = false;
    if (this.#segments().some((segment) => segment.unsyncedBytes > 0 && !segment.broken)) this.appended();
  }
}
