// Just enough of a protobuf writer to build request templates once; nothing here runs per span sent.

const utf8 = new TextEncoder();

export class ProtoWriter {
  readonly bytes: number[] = [];

  get length(): number {
    return this.bytes.length;
  }

  varint(value: number): this {
    let rest = value;
    while (rest > 127) {
      this.bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.bytes.push(rest);
    return this;
  }

  /** Field with a varint value. */
  number(field: number, value: number): this {
    return this.varint(field * 8).varint(value);
  }

  /** Field of eight bytes, zero for now; returns where they lie, so that they can be patched. */
  fixed64(field: number): number {
    this.varint(field * 8 + 1);
    return this.zeros(8);
  }

  /** Length-delimited field of zeros to be patched; returns where they lie. */
  blank(field: number, length: number): number {
    this.varint(field * 8 + 2).varint(length);
    return this.zeros(length);
  }

  text(field: number, value: string): this {
    return this.raw(field, utf8.encode(value));
  }

  message(field: number, build: (inner: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    build(inner);
    return this.raw(field, inner.bytes);
  }

  raw(field: number, body: ArrayLike<number>): this {
    this.varint(field * 8 + 2).varint(body.length);
    for (let i = 0; i < body.length; i++) this.bytes.push(body[i]!);
    return this;
  }

  private zeros(length: number): number {
    const at = this.bytes.length;
    for (let i = 0; i < length; i++) this.bytes.push(0);
    return at;
  }
}
