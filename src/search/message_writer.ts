// Protobuf messages, written front to back into one growing buffer. A nested message's length is filled in when it ends; where it
// takes more than the one byte left for it, what follows is moved.
import { answerTooLarge } from "./query_error.ts";

const capacityFirst = 4096;
/** The longest thing written without a further check of the room left: a tag and ten bytes. */
const fieldBytesMax = 20;

export class MessageWriter {
  #out = new Uint8Array(capacityFirst);
  #view = new DataView(this.#out.buffer);
  #length = 0;
  readonly #open: number[] = [];
  /** Bytes that may still be taken. */
  #left: number;

  /** @param bytesMax of all messages together; what would be more throws QueryTooLarge */
  constructor(bytesMax: number) {
    this.#left = bytesMax;
  }

  /** Takes a copy of what has been written, and starts over. */
  take(): Uint8Array<ArrayBuffer> {
    this.#left -= this.#length;
    if (this.#left < 0) throw answerTooLarge();
    const bytes = this.#out.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  /** Starts a nested message. */
  begin(field: number): void {
    this.#room(fieldBytesMax);
    this.#out[this.#length++] = (field << 3) | 2;
    this.#open.push(this.#length++);
  }

  /** Ends the nested message that was started last. */
  end(): void {
    const at = this.#open.pop()!;
    const length = this.#length - at - 1;
    if (length < 0x80) {
      this.#out[at] = length;
      return;
    }
    let more = 0;
    for (let rest = length >>> 7; rest > 0; rest >>>= 7) more++;
    this.#room(fieldBytesMax);
    this.#out.copyWithin(at + 1 + more, at + 1, this.#length);
    this.#length += more;
    const end = this.#length;
    this.#length = at;
    this.#varint(length, 0);
    this.#length = end;
  }

  /** A length-delimited field. */
  bytes(field: number, value: Uint8Array): void {
    this.#room(fieldBytesMax + value.length);
    this.#out[this.#length++] = (field << 3) | 2;
    this.#varint(value.length, 0);
    this.#out.set(value, this.#length);
    this.#length += value.length;
  }

  /** A string field. */
  text(field: number, value: string): void {
    this.#room(fieldBytesMax + value.length * 3);
    this.#out[this.#length++] = (field << 3) | 2;
    const at = this.#length;
    if (isAscii(value)) {
      this.#varint(value.length, 0);
      for (let i = 0; i < value.length; i++) this.#out[this.#length++] = value.charCodeAt(i);
      return;
    }
    this.#length = at - 1;
    this.bytes(field, encoder.encode(value));
  }

  /** Hex digits of bytes, as a string field. */
  hex(field: number, value: Uint8Array): void {
    this.#room(fieldBytesMax + value.length * 2);
    this.#out[this.#length++] = (field << 3) | 2;
    this.#varint(value.length * 2, 0);
    for (const byte of value) {
      this.#out[this.#length++] = hexDigits.charCodeAt(byte >> 4);
      this.#out[this.#length++] = hexDigits.charCodeAt(byte & 15);
    }
  }

  /** A varint of 64 bits, as two words. */
  number(field: number, low: number, high = 0): void {
    this.#room(fieldBytesMax);
    this.#out[this.#length++] = field << 3;
    this.#varint(low, high);
  }

  double(field: number, value: number): void {
    this.#room(fieldBytesMax);
    this.#out[this.#length++] = (field << 3) | 1;
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  #varint(low: number, high: number): void {
    let lo = low >>> 0;
    let hi = high >>> 0;
    while (hi > 0 || lo >= 0x80) {
      this.#out[this.#length++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.#out[this.#length++] = lo;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#out.length) return;
    // Not only when the message is complete: one alone may have the spans of a very large trace.
    if (this.#length > this.#left) throw answerTooLarge();
    const grown = new Uint8Array(Math.max(this.#out.length * 2, this.#length + bytes));
    grown.set(this.#out.subarray(0, this.#length));
    this.#out = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

const hexDigits = "0123456789abcdef";
const encoder = new TextEncoder();
