// Long work in short slices: between two of them whoever shares the thread gets its turn.

/** Work between two pauses; a unit of work in between must stay well below it. */
const sliceMsMax = 10;
/** Slots or values that a unit of work in the core goes through: a millisecond at most. */
const unitMax = 1 << 16;

export class Slices {
  private began = performance.now();

  constructor(private readonly pause: () => Promise<void>) {}

  /** True if the next unit of work must wait for rest(). */
  get due(): boolean {
    return performance.now() - this.began >= sliceMsMax;
  }

  /** rest(), if it is due. */
  async turn(): Promise<void> {
    if (this.due) await this.rest();
  }

  async rest(): Promise<void> {
    await this.pause();
    this.began = performance.now();
  }

  /** Does the work from 0 to `count` in units. */
  async over(count: number, work: (from: number, to: number) => void): Promise<void> {
    for (let from = 0; from < count; from += unitMax) {
      work(from, Math.min(count, from + unitMax));
      if (this.due) await this.rest();
    }
  }
}
