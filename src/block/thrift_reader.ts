// Thrift's compact protocol, reading: field headers, integers, binaries, and skipping of what is not wanted.
import { ParquetError } from "./parquet_error.ts";

/** Nesting that is followed when skipping; Parquet's structs go 5 deep. */
const depthMax = 32;

/** Wire types of the compact protocol. */
export const ThriftType = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/**
 * A cursor over thrift bytes. A struct is read with `for (let id = 0; (id = reader.field(id)); )`: each turn reads its value, or calls
 * skip().
 */
export class ThriftReader {
  readonly bytes: Uint8Array;
  position: number;
  /** Wire type of the field that field() found; of a boolean field its value. */
  type = 0;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  byte(): number {
    if (this.position >= this.bytes.length) throw new ParquetError("thrift: cut short");
    return this.bytes[this.position++]!;
  }

  /** Unsigned varint as a number; beyond 2^53 it is not exact. */
  varint(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 0x80;
    for (let i = 1; i < 10; i++) {
      byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new ParquetError("thrift: number is too long");
  }

  /** Signed number of any width. */
  integer(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A number that counts something: not negative, and exact. */
  count(): number {
    const value = this.integer();
    if (value < 0 || !Number.isSafeInteger(value)) throw new ParquetError("thrift: negative or huge count");
    return value;
  }

  /** A view on a binary or string. */
  binary(): Uint8Array {
    const length = this.varint();
    if (length > this.bytes.length - this.position) throw new ParquetError("thrift: cut short");
    const start = this.position;
    this.position += length;
    return this.bytes.subarray(start, this.position);
  }

  string(): string {
    return decoder.decode(this.binary());
  }

  /** Id of the struct's next field, or 0 at its end. `before` is the id of the field before it, 0 at the start. */
  field(before: number): number {
    const head = this.byte();
    if (head === 0) return 0;
    this.type = head & 0x0f;
    const id = head >>> 4 ? before + (head >>> 4) : this.integer();
    if (id <= 0 || id > 0x7fff) throw new ParquetError("thrift: bad field id");
    return id;
  }

  /** Length of a list whose elements have this wire type. */
  list(element: number): number {
    const head = this.byte();
    const length = head >>> 4 === 15 ? this.varint() : head >>> 4;
    const type = head & 0x0f;
    // Every element takes a byte at least. Lists of booleans say either of the two boolean types.
    if (length > this.bytes.length - this.position) throw new ParquetError("thrift: cut short");
    if (type !== element && !(element === ThriftType.true && type === ThriftType.false) && length > 0) {
      throw new ParquetError("thrift: list of another type");
    }
    return length;
  }

  /** Throws unless the field at hand has this wire type. */
  expect(type: number): void {
    if (this.type !== type) throw new ParquetError("thrift: field of another type");
  }

  /** Passes over the value of the field at hand. */
  skip(): void {
    this.#skip(this.type, 0);
  }

  #skip(type: number, depth: number): void {
    if (depth > depthMax) throw new ParquetError("thrift: nested too deep");
    switch (type) {
      case ThriftType.true:
      case ThriftType.false:
        return;
      case ThriftType.i8:
        this.byte();
        return;
      case ThriftType.i16:
      case ThriftType.i32:
      case ThriftType.i64:
        this.varint();
        return;
      case ThriftType.double:
        this.#pass(8);
        return;
      case ThriftType.binary:
        this.#pass(this.varint());
        return;
      case ThriftType.list:
      case ThriftType.set: {
        const head = this.byte();
        const length = head >>> 4 === 15 ? this.varint() : head >>> 4;
        if (length > this.bytes.length - this.position) throw new ParquetError("thrift: cut short");
        for (let i = 0; i < length; i++) this.#skipElement(head & 0x0f, depth + 1);
        return;
      }
      case ThriftType.map: {
        const length = this.varint();
        if (length === 0) return;
        const types = this.byte();
        if (length > this.bytes.length - this.position) throw new ParquetError("thrift: cut short");
        for (let i = 0; i < length; i++) {
          this.#skipElement(types >>> 4, depth + 1);
          this.#skipElement(types & 0x0f, depth + 1);
        }
        return;
      }
      case ThriftType.struct: {
        for (let id = 0; ; ) {
          id = this.field(id);
          if (id === 0) return;
          this.#skip(this.type, depth + 1);
        }
      }
      default:
        throw new ParquetError(`thrift: unknown type ${type}`);
    }
  }

  /** In a list or map a boolean takes a byte; as a field it lies in the header. */
  #skipElement(type: number, depth: number): void {
    if (type === ThriftType.true || type === ThriftType.false) this.byte();
    else this.#skip(type, depth);
  }

  #pass(length: number): void {
    if (length > this.bytes.length - this.position) throw new ParquetError("thrift: cut short");
    this.position += length;
  }
}

const decoder = new TextDecoder();
