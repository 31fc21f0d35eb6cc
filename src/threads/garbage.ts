// Garbage that the runtime's collector does not see: the bytes behind buffers and WASM memories count as nothing in it, so that a thread that
// makes many would hold them for long.

/** Bytes that may wait to be collected. */
const waitingBytesMax = 32 << 20;

/**
 * Has dropped memory given back now. Where the runtime has no such call, it comes later.
 */
export function collectGarbage(): void {
  if (typeof Bun !== "undefined") Bun.gc(true);
}

/** Memory of fewer bytes is not worth a call of its own. */
const releasedBytesMin = 4096;

/**
 * Gives the memory of bytes back at once, which are gone from now on: for what nobody else looks at. Bytes that share their buffer with
 * others are left to the collector.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < releasedBytesMin || byteLength !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Counts what a thread leaves behind, and collects it when it is much. */
export class GarbageMeter {
  readonly #collect: () => void;
  #waitingBytes = 0;

  constructor(collect = collectGarbage) {
    this.#collect = collect;
  }

  add(bytes: number): void {
    this.#waitingBytes += bytes;
    if (this.#waitingBytes < waitingBytesMax) return;
    this.#waitingBytes = 0;
    this.#collect();
  }
}

/** Of this thread. */
export const garbage = new GarbageMeter();
