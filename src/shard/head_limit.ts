// How large heads may grow within a shard's share of the memory budget, learnt from the heads that were cut: what columns take beyond
// their contents, and what writing a block adds, depends on the spans.

/** Memory of a batch whose block has been written, per byte of spans in it, before any was seen. */
const firstRatio = 3.5;
const ratioMin = 2;
const ratioMax = 16;
/** A larger ratio holds at once, a smaller one bit by bit. */
const decay = 0.95;
/** A smaller head, compared with what it may grow to, says little of a full one. */
const tellingShare = 1 / 2;
/** The batch that grows and the one that becomes a block; they take turns, so both come to the same size. */
const batches = 2;

export class HeadLimit {
  readonly #memoryBytesMax: number;
  #ratio = firstRatio;

  /** @param memoryBytesMax for all batches of the shard */
  constructor(memoryBytesMax: number) {
    this.#memoryBytesMax = memoryBytesMax;
  }

  /** What the spans of the growing heads may take together. */
  get headBytesMax(): number {
    return Math.floor(this.#memoryBytesMax / batches / this.#ratio);
  }

  /** A batch that has come to more is not used again. */
  get batchMemoryBytesMax(): number {
    return this.#memoryBytesMax / batches;
  }

  /**
   * @param headBytes what the spans of a head took that was cut
   * @param memoryBytes what its batch took after its block was written
   */
  observe(headBytes: number, memoryBytes: number): void {
    if (headBytes < this.headBytesMax * tellingShare) return;
    const ratio = Math.max(memoryBytes / headBytes, this.#ratio * decay);
    this.#ratio = Math.min(Math.max(ratio, ratioMin), ratioMax);
  }
}
