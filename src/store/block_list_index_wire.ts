// Protobuf's wire format, as far as the tenant index needs it: varints and bytes.

const varintType = 0;
const bytesType = 2;
/** Types that are read over: fixed numbers, and how long they are. */
const fixedLengths: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const varintBytesMax = 10;
/** Bytes of a varint that a number holds exactly. */
const exactBytes = 7;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The fields of a message by their numbers. */
export class Fields {
  readonly #values: ReadonlyMap<number, (number | Uint8Array)[]>;

  constructor(values: ReadonlyMap<number, (number | Uint8Array)[]>) {
    this.#values = values;
  }

  /** The last one counts; 0 where there is none. */
  number(field: number): number {
    const value = this.#values.get(field)?.at(-1) ?? 0;
    if (typeof value !== "number" || !Number.isSafeInteger(value)) {
      throw new TypeError(`field ${field} is no number that can be held`);
    }
    return value;
  }

  bytes(field: number): Uint8Array {
    return this.all(field).at(-1) ?? new Uint8Array(0);
  }

  text(field: number): string {
    return decoder.decode(this.bytes(field));
  }

  all(field: number): Uint8Array[] {
    return (this.#values.get(field) ?? []).map((value) => {
      if (typeof value === "number") throw new TypeError(`field ${field} is no bytes`);
      return value;
    });
  }
}

/** @throws TypeError if the bytes are no message */
export function readFields(bytes: Uint8Array): Fields {
  const values = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < exactBytes; i++, scale *= 0x80) {
      const byte = bytes[at++] ?? 0x80;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    // Beyond what a number holds, as negative ones are.
    let rest = 0n;
    for (let i = exactBytes; i < varintBytesMax; i++) {
      const byte = bytes[at++] ?? 0x80;
      rest |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return Number(BigInt.asIntN(64, rest + BigInt(value)));
    }
    throw new TypeError("a number that does not end");
  };
  const part = (length: number): Uint8Array => {
    if (length < 0 || length > bytes.length - at) throw new TypeError("a field that ends behind its message");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const type = tag % 8;
    let value: number | Uint8Array;
    if (type === varintType) value = varint();
    else if (type === bytesType) value = part(varint());
    else if (fixedLengths[type] !== undefined) value = part(fixedLengths[type]);
    else throw new TypeError(`a field of type ${type}`);
    const field = Math.floor(tag / 8);
    const earlier = values.get(field);
    if (earlier) earlier.push(value);
    else values.set(field, [value]);
  }
  return new Fields(values);
}

/** Fields in the order in which they are added. What is zero or empty text is left out. */
export class MessageBuilder {
  readonly #parts: Uint8Array[] = [];

  number(field: number, value: number): void {
    if (value !== 0) this.#parts.push(varintOf(field * 8 + varintType), varintOf(value));
  }

  text(field: number, value: string): void {
    if (value !== "") this.bytes(field, encoder.encode(value));
  }

  bytes(field: number, value: Uint8Array): void {
    this.#parts.push(varintOf(field * 8 + bytesType), varintOf(value.length), value);
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

/** Negative numbers as 64 bits. */
function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  if (value < 0) {
    // More bits than a number holds: the first half apart.
    const bits = BigInt.asUintN(64, BigInt(value));
    for (let i = 0n; i < 5n; i++) bytes.push(Number((bits >> (7n * i)) & 0x7fn) | 0x80);
    left = Number(bits >> 35n);
  }
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  bytes.push(left);
  return Uint8Array.from(bytes);
}
