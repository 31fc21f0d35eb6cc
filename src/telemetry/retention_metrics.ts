// Blocks that were let go, under the names of Tempo's tempodb where the meaning is the same.
import { type Histogram, metrics, type Registry } from "./metrics.ts";

export interface RetentionTotals {
  /** Blocks that were marked as compacted because of their age. */
  marked: number;
  errors: number;
  /** By why they were deleted. */
  deleted: Readonly<Record<string, { blocks: number; bytes: number }>>;
  /** Of the disk that blocks lie on, and what shall be free of it; null where none is watched. */
  disk: { freeBytes: number | null; reserveBytes: number } | null;
}

const durationSecondsBuckets: readonly number[] = [0.01, 0.1, 1, 5, 10, 30, 60, 300];

export class RetentionMetrics {
  readonly #duration: Histogram;

  constructor(totals: () => RetentionTotals, registry: Registry = metrics) {
    this.#duration = registry.histogram(
      "tempodb_retention_duration_seconds",
      "Time that marking and deleting blocks past their retention took.",
      durationSecondsBuckets,
    );
    const marked = registry.counter(
      "tempodb_retention_marked_for_deletion_total",
      "Blocks marked for their deletion because of their age.",
    );
    const deleted = registry.counter("tempodb_retention_deleted_total", "Blocks deleted.");
    const errors = registry.counter(
      "tempodb_retention_errors_total",
      "Times that a block could not be marked or deleted.",
    );
    const blocks = registry.counter(
      "rubato_retention_deleted_blocks_total",
      "Blocks deleted, by why: their age, limits of bytes, or a full disk.",
      ["reason"],
    );
    const bytes = registry.counter("rubato_retention_deleted_bytes_total", "Bytes of the blocks deleted.", [
      "reason",
    ]);
    const free = registry.gauge("rubato_disk_free_bytes", "Free bytes of the disk that blocks lie on.");
    const reserve = registry.gauge(
      "rubato_disk_reserve_bytes",
      "Free bytes below which the oldest blocks are deleted; 0: none are.",
    );
    registry.onCollect(() => {
      const now = totals();
      marked.setTotal({}, now.marked);
      errors.setTotal({}, now.errors);
      let all = 0;
      for (const [reason, sum] of Object.entries(now.deleted)) {
        blocks.setTotal({ reason }, sum.blocks);
        bytes.setTotal({ reason }, sum.bytes);
        all += sum.blocks;
      }
      deleted.setTotal({}, all);
      free.set({}, now.disk?.freeBytes ?? Number.NaN);
      reserve.set({}, now.disk?.reserveBytes ?? 0);
    });
  }

  done(seconds: number): void {
    this.#duration.observe({}, seconds);
  }
}
