// Bounds of column chunks from the footer, in a form that is small enough to be kept: numbers as 64 bits, the first bytes of strings.

/** Bytes of a string bound that are kept. */
const textBytesMax = 16;
const byteArray = 6;

/** What is known of the strings of a chunk: every one is `lowest` or above, and `highest`, or begins with it, or below. */
export interface TextBounds {
  lowest: Uint8Array;
  highest: Uint8Array;
}

export class ChunkBounds {
  readonly #known: Uint8Array;
  readonly #lowest: BigInt64Array;
  readonly #highest: BigInt64Array;
  /** Places of string bounds in #texts, by leaf: both lengths, then both bounds. */
  #texts = new Uint8Array(0);

  constructor(leaves: number) {
    this.#known = new Uint8Array(leaves);
    this.#lowest = new BigInt64Array(leaves);
    this.#highest = new BigInt64Array(leaves);
  }

  /** Bytes of the bounds in memory. */
  get memoryBytes(): number {
    return this.#known.length * 17 + this.#texts.length;
  }

  /** Takes over the bounds of a chunk as its statistics have them. */
  set(leaf: number, physical: number, lowest: Uint8Array, highest: Uint8Array): void {
    if (physical === byteArray) {
      this.#setText(leaf, lowest, highest);
      return;
    }
    const low = numberOf(lowest);
    const high = numberOf(highest);
    if (low === null || high === null) return;
    this.#known[leaf] = 1;
    this.#lowest[leaf] = low;
    this.#highest[leaf] = high;
  }

  #setText(leaf: number, lowest: Uint8Array, highest: Uint8Array): void {
    const low = lowest.subarray(0, textBytesMax);
    const high = highest.subarray(0, textBytesMax);
    const place = this.#texts.length;
    const texts = new Uint8Array(place + 2 + low.length + high.length);
    texts.set(this.#texts);
    texts[place] = low.length;
    texts[place + 1] = high.length;
    texts.set(low, place + 2);
    texts.set(high, place + 2 + low.length);
    this.#texts = texts;
    this.#known[leaf] = 1;
    this.#lowest[leaf] = BigInt(place);
  }

  /** Bounds of a chunk of numbers: int64, int32 with its sign, or the bits of a double; null if not known. */
  numbers(leaf: number): { lowest: bigint; highest: bigint } | null {
    if (this.#known[leaf] !== 1) return null;
    return { lowest: this.#lowest[leaf]!, highest: this.#highest[leaf]! };
  }

  /** Bounds of a chunk of strings; null if not known. */
  texts(leaf: number): TextBounds | null {
    if (this.#known[leaf] !== 1) return null;
    const place = Number(this.#lowest[leaf]!);
    const lowEnd = place + 2 + this.#texts[place]!;
    return {
      lowest: this.#texts.subarray(place + 2, lowEnd),
      highest: this.#texts.subarray(lowEnd, lowEnd + this.#texts[place + 1]!),
    };
  }
}

/** A bound of a number or boolean, which PLAIN has as 1, 4 or 8 bytes. */
export function numberOf(bound: Uint8Array): bigint | null {
  const view = new DataView(bound.buffer, bound.byteOffset, bound.length);
  if (bound.length === 8) return view.getBigInt64(0, true);
  if (bound.length === 4) return BigInt(view.getInt32(0, true));
  return bound.length === 1 ? BigInt(view.getUint8(0)) : null;
}
