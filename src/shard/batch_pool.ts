// Span batches for heads. The memory of a batch never shrinks: one that has been emptied is handed on to the next head where heads
// fill faster than blocks are written, and given back where they do not.

import { SpanBatch } from "../batch/span_batch.ts";
import { collectGarbage } from "../threads/garbage.ts";

export class BatchPool {
  /** At most one: a shard cuts one head at a time, so more would only wait. */
  #spare: SpanBatch | null = null;
  #spareUsed = false;
  /** Memory of a batch that was never used. */
  readonly emptyBytes: number;

  /** @param headBytesMax what a head may grow to, for the batch of the first one */
  constructor(headBytesMax: number) {
    this.#spare = SpanBatch.create(headBytesMax);
    this.emptyBytes = this.#spare.memoryBytes;
  }

  /** @param expectedBytes what the last head of the tenant came to; a small head must not sit on a large batch */
  take(expectedBytes: number): SpanBatch {
    const spare = this.#spare;
    if (spare && spare.memoryBytes <= Math.max(expectedBytes * 8, this.emptyBytes)) {
      this.#spare = null;
      this.#spareUsed = true;
      return spare;
    }
    return SpanBatch.create(expectedBytes);
  }

  /** Takes a batch back whose spans are in a block, to be used again. */
  give(batch: SpanBatch): void {
    if (this.#spare) return;
    batch.reset();
    this.#spare = batch;
    this.#spareUsed = true;
  }

  get memoryBytes(): number {
    return this.#spare?.memoryBytes ?? 0;
  }

  /** Called from time to time: drops the spare batch if nobody has wanted it since the last time. */
  trim(): void {
    const unused = this.#spare && !this.#spareUsed;
    this.#spareUsed = false;
    if (!unused) return;
    this.#spare = null;
    collectGarbage();
  }
}
