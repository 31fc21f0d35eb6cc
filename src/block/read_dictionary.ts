// A dictionary of byte arrays outside the core: kept from one lookup to the next, of which each takes but a few entries.
import { ParquetError } from "./parquet_error.ts";

export class Dictionary {
  readonly count: number;
  readonly #bytes: Uint8Array;
  #ends: Uint32Array | undefined;

  /** @param bytes entries in PLAIN, decompressed; kept, not copied */
  constructor(bytes: Uint8Array, count: number) {
    // Every entry takes a bit at least, whatever its type.
    if (count > bytes.length * 8) throw new ParquetError("parquet dictionary: more entries than bytes");
    this.#bytes = bytes;
    this.count = count;
  }

  /** All entries, in PLAIN. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get memoryBytes(): number {
    return this.#bytes.length + this.count * 4 + 200;
  }

  /** A view on one entry. The first call looks at all of them. */
  entry(index: number): Uint8Array {
    this.#ends ??= this.#findEnds();
    return this.#bytes.subarray(index === 0 ? 4 : this.#ends[index - 1]! + 4, this.#ends[index]!);
  }

  /** Number of the entry that is this, or -1. */
  indexOf(text: Uint8Array): number {
    const bytes = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    const needle = Buffer.allocUnsafe(4 + text.length);
    needle.writeUInt32LE(text.length);
    needle.set(text, 4);
    // Far quicker than to look at one entry after the other. What is found may begin within an entry.
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
      const index = this.#entryAt(at);
      if (index >= 0) return index;
    }
    return -1;
  }

  /** Number of the entry that begins here, or -1. */
  #entryAt(position: number): number {
    this.#ends ??= this.#findEnds();
    if (position === 0) return this.count > 0 ? 0 : -1;
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return this.#ends[low] === position && low + 1 < this.count ? low + 1 : -1;
  }

  #findEnds(): Uint32Array {
    const bytes = this.#bytes;
    if (this.count * 4 > bytes.length) throw new ParquetError("parquet dictionary: cut short");
    const ends = new Uint32Array(this.count);
    let position = 0;
    for (let i = 0; i < this.count; i++) {
      if (bytes.length - position < 4) throw new ParquetError("parquet dictionary: cut short");
      const length =
        (bytes[position]! |
          (bytes[position + 1]! << 8) |
          (bytes[position + 2]! << 16) |
          (bytes[position + 3]! << 24)) >>>
        0;
      position += 4;
      if (length > bytes.length - position) throw new ParquetError("parquet dictionary: cut short");
      position += length;
      ends[i] = position;
    }
    return ends;
  }
}
