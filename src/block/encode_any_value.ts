// AnyValue as the JSON text in which blocks keep what has no column: protobuf bytes to proto3 JSON.

/** Nesting that is followed; deeper values read as empty. protobuf itself stops at 100. */
const depthMax = 100;

/** The text for a value that is absent. */
export const emptyAnyValue = "{}";

/**
 * Prints an AnyValue, such as `{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}}]}}`.
 *
 * @param bytes the protobuf message; malformed ones read as empty
 */
export function anyValueToJson(bytes: Uint8Array): string {
  try {
    return JSON.stringify(anyValue(new Reader(bytes), 0));
  } catch (error) {
    if (error instanceof RangeError) return emptyAnyValue;
    throw error;
  }
}

type Json = { [key: string]: unknown };

function anyValue(reader: Reader, depth: number): Json {
  let value: Json = {};
  if (depth > depthMax) return value;
  while (reader.more) {
    switch (reader.tag()) {
      case 0x0a:
        value = { stringValue: utf8.decode(reader.bytes()) };
        break;
      case 0x10:
        value = { boolValue: reader.varint() !== 0n };
        break;
      case 0x18:
        value = { intValue: String(BigInt.asIntN(64, reader.varint())) };
        break;
      case 0x21:
        value = { doubleValue: doubleToJson(reader.double()) };
        break;
      case 0x2a:
        value = { arrayValue: list(reader.message(), depth, anyValue) };
        break;
      case 0x32:
        value = { kvlistValue: list(reader.message(), depth, keyValue) };
        break;
      case 0x3a:
        value = { bytesValue: Buffer.from(reader.bytes()).toString("base64") };
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

function list(reader: Reader, depth: number, element: (reader: Reader, depth: number) => Json): Json {
  const values: Json[] = [];
  while (reader.more) {
    if (reader.tag() === 0x0a) values.push(element(reader.message(), depth + 1));
    else reader.skip();
  }
  return values.length ? { values } : {};
}

function keyValue(reader: Reader, depth: number): Json {
  let key = "";
  let value: Json | undefined;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) key = utf8.decode(reader.bytes());
    else if (tag === 0x12) value = anyValue(reader.message(), depth);
    else reader.skip();
  }
  return { key: key || undefined, value };
}

function doubleToJson(value: number): unknown {
  return Number.isFinite(value) ? value : String(value);
}

const utf8 = new TextDecoder();

/** Reads protobuf fields. Throws RangeError where the message is cut short. */
class Reader {
  private position = 0;
  private latest = 0;

  constructor(private readonly whole: Uint8Array) {}

  get more(): boolean {
    return this.position < this.whole.length;
  }

  tag(): number {
    this.latest = Number(this.varint());
    return this.latest;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.whole[this.position++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError("any value: malformed varint");
  }

  double(): number {
    const bytes = this.take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }

  bytes(): Uint8Array {
    return this.take(Number(this.varint()));
  }

  message(): Reader {
    return new Reader(this.bytes());
  }

  /** Passes over the field whose tag was read last. */
  skip(): void {
    const wireType = this.latest & 7;
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.take(8);
    else if (wireType === 2) this.bytes();
    else if (wireType === 5) this.take(4);
    else throw new RangeError("any value: unknown wire type");
  }

  private take(length: number): Uint8Array {
    if (length > this.whole.length - this.position) throw new RangeError("any value: cut short");
    const bytes = this.whole.subarray(this.position, this.position + length);
    this.position += length;
    return bytes;
  }
}
