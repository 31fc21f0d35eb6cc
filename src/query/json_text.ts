// Bytes of JSON, written straight from protobuf bytes in the forms that Go's encoding/json gives them.

const capacityFirst = 16 * 1024;
/** The longest thing written without a further check of the room left. */
const roomBytes = 32;

const escapes = new Map<number, string>([
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);
/** By byte below 0x80: how it is escaped, or undefined. As Go does, also what would be markup inside HTML. */
const escaped: (Uint8Array | undefined)[] = Array.from({ length: 0x80 }, (_, byte) => {
  const short = escapes.get(byte);
  if (short !== undefined) return ascii(short);
  const unsafe = byte < 0x20 || byte === 0x3c || byte === 0x3e || byte === 0x26;
  return unsafe ? ascii(`\\u${byte.toString(16).padStart(4, "0")}`) : undefined;
});
const replacement = ascii("\\ufffd");
const lineSeparator = ascii("\\u2028");
const paragraphSeparator = ascii("\\u2029");
const base64Digits = ascii("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const hexDigits = ascii("0123456789abcdef");
const doubleView = new DataView(new ArrayBuffer(8));

/** A buffer of JSON text that grows. */
export class JsonText {
  private out: Uint8Array;
  private length = 0;

  /** @param capacity bytes that are expected */
  constructor(capacity = capacityFirst) {
    this.out = new Uint8Array(capacity);
  }

  /** The text so far. Not copied: write nothing more after this. */
  bytes(): Uint8Array {
    return this.out.subarray(0, this.length);
  }

  /** Writes text that needs no escape, such as punctuation and names, prepared with `ascii`. */
  raw(text: Uint8Array): void {
    this.room(text.length);
    for (let i = 0; i < text.length; i++) this.out[this.length++] = text[i]!;
  }

  /** The same of a part of such text, which may be long. */
  copy(text: Uint8Array, start: number, end: number): void {
    this.room(end - start);
    this.out.set(text.subarray(start, end), this.length);
    this.length += end - start;
  }

  byte(value: number): void {
    this.room(1);
    this.out[this.length++] = value;
  }

  text(value: string): void {
    this.room(value.length);
    for (let i = 0; i < value.length; i++) this.out[this.length++] = value.charCodeAt(i);
  }

  /** Writes a comma unless the last byte opened a list or an object. */
  separate(): void {
    const last = this.out[this.length - 1];
    if (last !== 0x5b && last !== 0x7b) this.byte(0x2c);
  }

  /** Writes UTF-8 bytes as a string. A byte that is no part of valid UTF-8 becomes one U+FFFD. */
  string(bytes: Uint8Array, start: number, end: number): void {
    this.byte(0x22);
    for (let at = start; at < end; ) {
      this.room(roomBytes);
      const byte = bytes[at]!;
      if (byte < 0x80) {
        const sequence = escaped[byte];
        if (sequence === undefined) this.out[this.length++] = byte;
        else this.raw(sequence);
        at++;
        continue;
      }
      const size = utf8Size(bytes, at, end);
      if (size === 0) {
        this.raw(replacement);
        at++;
      } else if (byte === 0xe2 && bytes[at + 1] === 0x80 && (bytes[at + 2]! & 0xfe) === 0xa8) {
        this.raw(bytes[at + 2] === 0xa8 ? lineSeparator : paragraphSeparator);
        at += 3;
      } else {
        for (const next = at + size; at < next; at++) this.out[this.length++] = bytes[at]!;
      }
    }
    this.byte(0x22);
  }

  base64(bytes: Uint8Array, start: number, end: number): void {
    this.room(Math.ceil((end - start) / 3) * 4 + 2);
    const out = this.out;
    let to = this.length;
    out[to++] = 0x22;
    for (let at = start; at < end; at += 3) {
      const left = end - at;
      const bits =
        (bytes[at]! << 16) | (left > 1 ? bytes[at + 1]! << 8 : 0) | (left > 2 ? bytes[at + 2]! : 0);
      out[to++] = base64Digits[bits >>> 18]!;
      out[to++] = base64Digits[(bits >>> 12) & 63]!;
      out[to++] = left > 1 ? base64Digits[(bits >>> 6) & 63]! : 0x3d;
      out[to++] = left > 2 ? base64Digits[bits & 63]! : 0x3d;
    }
    out[to++] = 0x22;
    this.length = to;
  }

  hex(bytes: Uint8Array, start: number, end: number): void {
    this.room((end - start) * 2 + 2);
    this.out[this.length++] = 0x22;
    for (let at = start; at < end; at++) {
      this.out[this.length++] = hexDigits[bytes[at]! >>> 4]!;
      this.out[this.length++] = hexDigits[bytes[at]! & 15]!;
    }
    this.out[this.length++] = 0x22;
  }

  /** Writes a signed 64-bit integer, given as two halves, as a string. */
  i64(hi: number, lo: number): void {
    this.byte(0x22);
    this.i64Digits(hi, lo);
    this.byte(0x22);
  }

  /** Writes an unsigned 64-bit integer, given as two halves, as a string. */
  u64(hi: number, lo: number): void {
    this.byte(0x22);
    this.u64Digits(hi, lo);
    this.byte(0x22);
  }

  /** Writes a signed 64-bit integer as a number, which few JSON readers keep exact beyond 2^53. */
  i64Digits(hi: number, lo: number): void {
    if (hi < 0x80000000) {
      this.u64Digits(hi, lo);
    } else {
      this.byte(0x2d);
      const low = -lo >>> 0;
      this.u64Digits((~hi + (low === 0 ? 1 : 0)) >>> 0, low);
    }
  }

  private u64Digits(hi: number, lo: number): void {
    if (hi < 0x200000) {
      this.text(String(hi * 0x100000000 + lo));
      return;
    }
    // Long division by 10^9, 16 bits at a time: every step stays below 2^53.
    let rest = hi % 1e9;
    let quotient = Math.floor(hi / 1e9);
    for (const digits of [lo >>> 16, lo & 0xffff]) {
      const part = rest * 0x10000 + digits;
      quotient = quotient * 0x10000 + Math.floor(part / 1e9);
      rest = part % 1e9;
    }
    this.text(String(quotient));
    this.text(String(rest + 1e9).slice(1));
  }

  /** Writes a double given as two halves. */
  double(hi: number, lo: number): void {
    doubleView.setUint32(0, hi);
    doubleView.setUint32(4, lo);
    this.number(doubleView.getFloat64(0));
  }

  /** Writes a double: shortest digits, Go's exponents, and strings for what JSON has no number for. */
  number(value: number): void {
    if (Object.is(value, -0)) this.text("-0");
    else this.text(Number.isFinite(value) ? String(value) : `"${value}"`);
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.out.length) return;
    const out = new Uint8Array(Math.max(this.out.length * 2, this.length + bytes));
    out.set(this.out.subarray(0, this.length));
    this.out = out;
  }
}

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Length of the character that starts at `at` with a byte of 0x80 or more, 0 if it is not valid UTF-8. */
function utf8Size(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  const size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (size === 0 || end - at < size) return 0;
  // No overlong forms, no surrogates, nothing above U+10FFFF.
  const second = bytes[at + 1]!;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let i = 2; i < size; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  return size;
}
