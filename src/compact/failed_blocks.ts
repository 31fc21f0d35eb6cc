// Blocks that could not be merged: they are tried again, after a time that doubles with every failure. It differs from block to block, so that
// those that failed together, one of which may be to blame for it, are tried with others next.

const waitMsMin = 5 * 60_000;
const waitMsMax = 24 * 3600_000; // before what is added by chance
const blocksMax = 10_000;

interface Failure {
  untilMs: number;
  waitMs: number;
}

export class FailedBlocks {
  readonly #failures = new Map<string, Failure>();

  constructor(
    private readonly now: () => number,
    private readonly random: () => number = Math.random,
  ) {}

  add(blockId: string): void {
    const before = this.#failures.get(blockId);
    const waitMs = Math.min(waitMsMax, before ? before.waitMs * 2 : waitMsMin);
    this.#failures.delete(blockId);
    this.#failures.set(blockId, { waitMs, untilMs: this.now() + waitMs * (1 + this.random() / 2) });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > blocksMax) this.#failures.delete(oldest!);
  }

  /** True while the block is to be left alone. */
  has(blockId: string): boolean {
    return this.now() < (this.#failures.get(blockId)?.untilMs ?? 0);
  }
}
