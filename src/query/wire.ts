// Steps over protobuf bytes without decoding them into objects: what every file of this folder reads traces with.

/** The bytes are not the protobuf message that they should be. */
export class WireError extends Error {
  override name = "WireError";
}

/** Protobuf wire types. Groups are not part of OTLP and are refused. */
export const wireVarint = 0;
export const wireFixed64 = 1;
export const wireBytes = 2;
export const wireFixed32 = 5;

/** The fields of one message, one after another. After `next()` the members describe the field that it stepped on. */
export class Fields {
  number = 0;
  type = 0;
  /** Payload, as offsets in the bytes: the content of a length-delimited field, the digits of a number. */
  start = 0;
  end = 0;
  /** Value of a varint or fixed field as two unsigned halves. */
  lo = 0;
  hi = 0;
  private ahead = 0;
  private limit = 0;

  constructor(
    private bytes: Uint8Array,
    start = 0,
    end = bytes.length,
  ) {
    this.over(bytes, start, end);
  }

  /** Starts over on another message. */
  over(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.ahead = start;
    this.limit = end;
  }

  /** Steps to the next field. False at the end of the message. */
  next(): boolean {
    if (this.ahead >= this.limit) return false;
    this.varint();
    if (this.hi !== 0) throw new WireError("protobuf field number too large");
    this.number = this.lo >>> 3;
    this.type = this.lo & 7;
    if (this.number === 0) throw new WireError("protobuf field number 0");
    const bytes = this.bytes;
    let at = this.ahead;
    if (this.type === wireBytes) {
      this.varint();
      at = this.ahead;
      if (this.hi !== 0 || this.lo > this.limit - at)
        throw new WireError("protobuf field longer than its message");
      this.start = at;
      this.end = this.ahead = at + this.lo;
    } else if (this.type === wireVarint) {
      this.start = at;
      this.varint();
      this.end = this.ahead;
    } else if (this.type === wireFixed64 || this.type === wireFixed32) {
      const size = this.type === wireFixed64 ? 8 : 4;
      if (this.limit - at < size) throw new WireError("protobuf message ends in a number");
      this.start = at;
      this.lo = u32(bytes, at);
      this.hi = size === 8 ? u32(bytes, at + 4) : 0;
      this.end = this.ahead = at + size;
    } else {
      throw new WireError(`protobuf wire type ${this.type} in field ${this.number}`);
    }
    return true;
  }

  /** Throws unless the field that `next()` stepped on has this wire type. */
  expect(type: number): void {
    if (this.type !== type)
      throw new WireError(`protobuf field ${this.number} of wire type ${this.type}, not ${type}`);
  }

  private varint(): void {
    const bytes = this.bytes;
    let at = this.ahead;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= this.limit) throw new WireError("protobuf message ends in a number");
      if (shift >= 70) throw new WireError("protobuf number longer than 10 bytes");
      const byte = bytes[at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else if (shift < 63) hi |= bits << (shift - 32);
      else hi |= (bits & 1) << 31;
      if (byte < 0x80) break;
    }
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
    this.ahead = at;
  }
}

/** Little-endian. */
export function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Big-endian: the halves of an id in the order in which ids compare. */
export function u32be(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function setU32be(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Bytes that `value` (a non-negative integer below 2^53) takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Bytes of a length-delimited field with a one-byte tag around a payload of `length` bytes. */
export function framedSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Writes `value` (a non-negative integer below 2^53) as a varint and returns the offset behind it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let to = at;
  while (rest >= 128) {
    bytes[to++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[to++] = rest;
  return to;
}

/** Writes tag and length of a length-delimited field below 16 and returns the offset where its payload goes. */
export function writeFrame(bytes: Uint8Array, at: number, field: number, length: number): number {
  bytes[at] = (field << 3) | wireBytes;
  return writeVarint(bytes, at + 1, length);
}

/** A length-delimited field below 16, whole. */
export function framed(field: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(framedSize(payload.length));
  out.set(payload, writeFrame(out, 0, field, payload.length));
  return out;
}
