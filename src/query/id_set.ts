// A set of trace ids, made of their bytes.
import { traceIdWords } from "../batch/trace_ids.ts";

/** Words of 32 bits of an id. */
export const idWords = 4;

export class TraceIdSet {
  readonly #words: Uint32Array;
  /** Places of ids + 1 by hash; 0: free. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** @param ids 16 bytes each */
  constructor(ids: Uint8Array) {
    this.#words = traceIdWords(ids);
    const count = this.#words.length / idWords;
    const slots = 1 << (32 - Math.clz32(count * 2 + 15));
    this.#slots = new Int32Array(slots);
    this.#mask = slots - 1;
    for (let i = 0; i < count; i++) {
      const slot = this.#slotOf(this.#words, i * idWords);
      if (this.#slots[slot] === 0) this.#slots[slot] = i + 1;
    }
  }

  /** Which of some ids, 16 bytes each, are in the set: their places. */
  among(ids: Uint8Array): number[] {
    const words = traceIdWords(ids);
    const places: number[] = [];
    for (let i = 0; i < words.length / idWords; i++) {
      if (this.#slots[this.#slotOf(words, i * idWords)] !== 0) places.push(i);
    }
    return places;
  }

  /** The slot that has an id, or the free one where it would be. */
  #slotOf(words: Uint32Array, at: number): number {
    let slot = hashTraceId(words, at) & this.#mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0 || isSameTraceId(this.#words, (entry - 1) * idWords, words, at)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}

/** Clients choose ids: with a start that they don't know none can choose those that share a slot. */
const hashStart = crypto.getRandomValues(new Int32Array(1))[0]!;

/** All words count: some clients leave half of an id at 0. */
export function hashTraceId(words: Uint32Array, at: number): number {
  let h = hashStart;
  for (let i = 0; i < idWords; i++) {
    h = Math.imul(h ^ words[at + i]!, 0x9e3779b1);
    h ^= h >>> 15;
  }
  return h >>> 0;
}

export function isSameTraceId(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  return a[i] === b[j] && a[i + 1] === b[j + 1] && a[i + 2] === b[j + 2] && a[i + 3] === b[j + 3];
}
