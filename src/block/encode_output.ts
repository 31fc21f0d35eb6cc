// The end of data.parquet that is not yet in the store: small pieces are gathered, and handed on in large ones.
import type { ObjectWriter } from "../store/store.ts";

const gatheredBytesMax = 256 * 1024;

export class BlockOutput {
  /** Bytes written so far: the offset of the next one. */
  position = 0;
  private readonly gathered = new Uint8Array(gatheredBytesMax);
  private length = 0;
  private waiting: Uint8Array[] = [];

  constructor(private readonly writer: ObjectWriter) {}

  /** Appends bytes, which are copied. Returns their offset. drain() must follow soon. */
  write(bytes: Uint8Array): number {
    const offset = this.position;
    this.position += bytes.length;
    if (this.waiting.length === 0 && this.length + bytes.length <= this.gathered.length) {
      this.gathered.set(bytes, this.length);
      this.length += bytes.length;
    } else {
      this.waiting.push(new Uint8Array(bytes)); // slice() of a Buffer would not copy
    }
    return offset;
  }

  /** True if drain() has something to hand on. */
  get full(): boolean {
    return this.waiting.length > 0;
  }

  /** Hands on what is more than the buffer takes. */
  async drain(): Promise<void> {
    if (this.waiting.length) await this.flush();
  }

  /** Hands on everything. */
  async flush(): Promise<void> {
    if (this.length) await this.writer.write(this.gathered.subarray(0, this.length));
    this.length = 0;
    const waiting = this.waiting;
    this.waiting = [];
    for (const bytes of waiting) await this.writer.write(bytes);
  }
}
