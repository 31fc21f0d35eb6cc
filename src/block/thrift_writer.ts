// Thrift's compact protocol, as far as Parquet's page headers, indexes and footer need it.

/** Types of fields and list elements, numbered as on the wire. */
export const thriftType = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  binary: 8,
  list: 9,
  struct: 12,
} as const;

const initialBytes = 1024;
const utf8 = new TextEncoder();

/** Writes one struct after the other into a buffer that grows. Fields must be written in ascending order of their ids. */
export class ThriftWriter {
  private buffer = new Uint8Array(initialBytes);
  private length = 0;
  private field = 0;
  private outer: number[] = [];

  /** Empties the buffer for the next struct. */
  reset(): void {
    this.length = 0;
    this.field = 0;
    this.outer = [];
  }

  /** What was written so far: a view, valid until the next write. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  bool(id: number, value: boolean): void {
    this.header(id, value ? thriftType.true : thriftType.false);
  }

  i8(id: number, value: number): void {
    this.header(id, thriftType.i8);
    this.byte(value & 0xff);
  }

  i16(id: number, value: number): void {
    this.header(id, thriftType.i16);
    this.zigzag(value);
  }

  i32(id: number, value: number): void {
    this.header(id, thriftType.i32);
    this.zigzag(value);
  }

  /** A 64-bit field; the value must be a safe integer. */
  i64(id: number, value: number): void {
    this.header(id, thriftType.i64);
    this.zigzag(value);
  }

  binary(id: number, value: Uint8Array | string): void {
    this.header(id, thriftType.binary);
    this.binaryElement(value);
  }

  struct(id: number): void {
    this.header(id, thriftType.struct);
    this.beginStructElement();
  }

  /** Ends the innermost struct; the outermost one too. */
  end(): void {
    this.byte(0);
    this.field = this.outer.pop() ?? 0;
  }

  list(id: number, elementType: number, count: number): void {
    this.header(id, thriftType.list);
    if (count < 15) {
      this.byte((count << 4) | elementType);
    } else {
      this.byte(0xf0 | elementType);
      this.varint(count);
    }
  }

  beginStructElement(): void {
    this.outer.push(this.field);
    this.field = 0;
  }

  boolElement(value: boolean): void {
    this.byte(value ? thriftType.true : thriftType.false);
  }

  /** An element of a list of i32 or i64. */
  intElement(value: number): void {
    this.zigzag(value);
  }

  binaryElement(value: Uint8Array | string): void {
    const bytes = typeof value === "string" ? utf8.encode(value) : value;
    this.varint(bytes.length);
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  private header(id: number, type: number): void {
    const step = id - this.field;
    if (step > 0 && step < 16) {
      this.byte((step << 4) | type);
    } else {
      this.byte(type);
      this.zigzag(id);
    }
    this.field = id;
  }

  private zigzag(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  private varint(value: number): void {
    this.room(10);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.length++] = rest;
  }

  private byte(value: number): void {
    this.room(1);
    this.buffer[this.length++] = value;
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes));
    grown.set(this.buffer);
    this.buffer = grown;
  }
}
