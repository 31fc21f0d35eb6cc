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
