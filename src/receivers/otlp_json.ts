// OTLP/JSON to protobuf, from bytes to bytes in one pass: no JSON value becomes an object, and 64-bit integers stay
// exact, quoted or not.
//
// Nothing of a request in JSON is longer on the wire than in JSON (a field's name with its quotes and colon takes more
// than tag and length), so that the caller's output buffer has the input's size and isn't checked on the way.
import { isUtf8 } from "node:buffer";
import { exportRequest, type Field, hashName, type Message } from "./otlp_json_fields.ts";

/** JSON objects and arrays inside each other; a nested AnyValue takes three. */
export const jsonDepthMax = 128;

/** A request that is no JSON, or none of OTLP's. The message begins with the path of the value that is wrong. */
export class OtlpJsonError extends Error {
  override readonly name = "OtlpJsonError";
}

/**
 * Writes a request as ExportTraceServiceRequest protobuf.
 *
 * @param json the request as OTLP/JSON text. Unknown fields are skipped, null is an absent field.
 * @param output at least as long as `json`
 * @returns bytes written
 * @throws OtlpJsonError
 */
export function otlpJsonToProtobuf(json: Uint8Array, output: Uint8Array): number {
  let text = json;
  if (!isUtf8(text)) {
    text = encoder.encode(decoder.decode(text)); // with U+FFFD for what isn't UTF-8: three bytes for one at worst
  }
  const length = new Transcoder(text, output).run();
  if (length > output.length) throw new OtlpJsonError("request: not UTF-8");
  return length;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const float64 = new DataView(new ArrayBuffer(8));

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Values of the characters of base64, in its standard and its URL form; 255 for all others. */
const base64Values = new Uint8Array(256).fill(255);
for (const [i, c] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()) {
  base64Values[c.charCodeAt(0)] = i;
}
base64Values["-".charCodeAt(0)] = 62;
base64Values["_".charCodeAt(0)] = 63;

class Transcoder {
  readonly #text: Uint8Array;
  readonly #out: Uint8Array;
  /** Next byte to read. */
  #at = 0;
  /** Next byte to write. */
  #to = 0;
  /** Objects and arrays that are open. */
  #depth = 0;
  /** Of every open object the field that is being read, of every open array the index. */
  readonly #path: (string | number)[] = [];
  /** The last integer read, two's complement. */
  #low = 0;
  #high = 0;

  constructor(text: Uint8Array, out: Uint8Array) {
    this.#text = text;
    this.#out = out;
  }

  run(): number {
    this.#space();
    if (this.#text[this.#at] !== OPEN_BRACE) throw this.#error("a JSON object expected");
    this.#message(exportRequest);
    this.#space();
    if (this.#at < this.#text.length) throw this.#error("more after the end of the request");
    return this.#to;
  }

  /** An object, as the fields of a message. */
  #message(table: Message): void {
    this.#open();
    if (this.#next() === CLOSE_BRACE) {
      this.#at++;
      this.#close();
      return;
    }
    for (;;) {
      const field = this.#name(table);
      if (this.#next() !== COLON) throw this.#error("':' expected");
      this.#at++;
      this.#space();
      if (field === undefined) this.#skip();
      else if (!this.#null()) this.#value(field);
      const separator = this.#next();
      this.#at++;
      if (separator === CLOSE_BRACE) break;
      if (separator !== COMMA) {
        this.#at--;
        throw this.#error("',' or '}' expected");
      }
      this.#space();
    }
    this.#close();
  }

  /** A member's name; undefined if the message has no such field. */
  #name(table: Message): Field | undefined {
    const text = this.#text;
    if (this.#next() !== QUOTE) throw this.#error("a member's name expected");
    const start = ++this.#at;
    let end = start;
    while (text[end] !== QUOTE && text[end] !== BACKSLASH && text[end]! >= 0x20) end++;
    if (text[end] === BACKSLASH) {
      this.#at--;
      this.#skipString(); // no field needs an escape, and none that uses one is known
      this.#path[this.#depth - 1] = "?";
      return undefined;
    }
    if (text[end] !== QUOTE) {
      this.#at = end;
      throw this.#error(end < text.length ? "control character in a string" : "unexpected end");
    }
    this.#at = end + 1;
    const field = table.get(hashName(text, start, end));
    if (field !== undefined && field.bytes.length === end - start) {
      let i = 0;
      while (i < field.bytes.length && field.bytes[i] === text[start + i]) i++;
      if (i === field.bytes.length) {
        this.#path[this.#depth - 1] = field.name;
        return field;
      }
    }
    this.#path[this.#depth - 1] = "?";
    return undefined;
  }

  #value(field: Field): void {
    if (!field.repeated) {
      this.#single(field);
      return;
    }
    if (this.#text[this.#at] !== OPEN_BRACKET) throw this.#error("an array expected");
    this.#open();
    if (this.#next() === CLOSE_BRACKET) {
      this.#at++;
      this.#close();
      return;
    }
    for (let index = 0; ; index++) {
      this.#path[this.#depth - 1] = index;
      this.#space();
      this.#single(field);
      const separator = this.#next();
      this.#at++;
      if (separator === CLOSE_BRACKET) break;
      if (separator !== COMMA) {
        this.#at--;
        throw this.#error("',' or ']' expected");
      }
    }
    this.#close();
  }

  #single(field: Field): void {
    const start = this.#to;
    switch (field.type) {
      case "message": {
        if (this.#text[this.#at] !== OPEN_BRACE) throw this.#error("an object expected");
        this.#tag(field.number, BYTES);
        const from = ++this.#to;
        this.#message(field.message!);
        this.#length(from);
        return;
      }
      case "string":
      case "hex":
      case "base64": {
        this.#tag(field.number, BYTES);
        const from = ++this.#to;
        if (field.type === "string") this.#string();
        else if (field.type === "hex") this.#hex();
        else this.#base64();
        if (this.#to === from && !field.explicit) this.#to = start;
        else this.#length(from);
        return;
      }
      case "bool": {
        const value = this.#bool();
        if (!value && !field.explicit) return;
        this.#tag(field.number, VARINT);
        this.#out[this.#to++] = value ? 1 : 0;
        return;
      }
      case "enum":
        this.#enum(field.names!);
        break;
      case "double": {
        float64.setFloat64(0, this.#double(), true);
        this.#low = float64.getInt32(0, true);
        this.#high = float64.getInt32(4, true);
        break;
      }
      default:
        this.#integer(field.type);
    }
    if (this.#low === 0 && this.#high === 0 && !field.explicit) return;
    if (field.type === "fixed64" || field.type === "double") {
      this.#tag(field.number, FIXED64);
      this.#word(this.#low);
      this.#word(this.#high);
    } else if (field.type === "fixed32") {
      this.#tag(field.number, FIXED32);
      this.#word(this.#low);
    } else {
      this.#tag(field.number, VARINT);
      this.#varint64();
    }
  }

  // Writing

  #tag(number: number, wireType: number): void {
    const tag = (number << 3) | wireType;
    if (tag > 127) {
      this.#out[this.#to++] = (tag & 127) | 128;
      this.#out[this.#to++] = tag >> 7;
    } else {
      this.#out[this.#to++] = tag;
    }
  }

  /** Writes the length of what was written from there on into the byte before it, and makes room if one is too few. */
  #length(from: number): void {
    let length = this.#to - from;
    if (length > 127) {
      const more = length < 1 << 14 ? 1 : length < 1 << 21 ? 2 : length < 1 << 28 ? 3 : 4;
      this.#out.copyWithin(from + more, from, this.#to);
      this.#to += more;
    }
    let at = from - 1;
    for (; length > 127; length >>>= 7) this.#out[at++] = (length & 127) | 128;
    this.#out[at] = length;
  }

  #word(value: number): void {
    this.#out[this.#to++] = value;
    this.#out[this.#to++] = value >> 8;
    this.#out[this.#to++] = value >> 16;
    this.#out[this.#to++] = value >> 24;
  }

  #varint64(): void {
    let low = this.#low >>> 0;
    let high = this.#high >>> 0;
    while (high !== 0 || low > 127) {
      this.#out[this.#to++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#out[this.#to++] = low;
  }

  // Reading

  #open(): void {
    this.#at++;
    if (++this.#depth > jsonDepthMax) throw this.#error(`nested deeper than ${jsonDepthMax}`);
    this.#path[this.#depth - 1] = "";
  }

  #close(): void {
    this.#depth--;
  }

  #space(): void {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      const c = text[at];
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
      at++;
    }
    this.#at = at;
  }

  /** The next byte that is no space, without taking it; undefined at the end. */
  #next(): number | undefined {
    this.#space();
    return this.#text[this.#at];
  }

  /** Takes a literal if it is there. */
  #literal(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.#text[this.#at + i] !== word.charCodeAt(i)) return false;
    this.#at += word.length;
    return true;
  }

  #null(): boolean {
    return this.#text[this.#at] === 0x6e && this.#literal("null");
  }

  #bool(): boolean {
    if (this.#literal("true")) return true;
    if (this.#literal("false")) return false;
    throw this.#error("true or false expected");
  }

  /** Copies a string, unescaped. */
  #string(): void {
    const text = this.#text;
    const out = this.#out;
    if (text[this.#at] !== QUOTE) throw this.#error("a string expected");
    let at = this.#at + 1;
    let to = this.#to;
    for (;;) {
      const c = text[at]!; // undefined at the end: no comparison holds
      if (c === QUOTE) break;
      if (c === BACKSLASH) {
        this.#to = to;
        this.#at = at;
        this.#escape();
        at = this.#at;
        to = this.#to;
        continue;
      }
      if (!(c >= 0x20)) {
        this.#at = at;
        throw this.#error(at < text.length ? "control character in a string" : "unexpected end");
      }
      out[to++] = c;
      at++;
    }
    this.#at = at + 1;
    this.#to = to;
  }

  /** Takes one escape, or two that are a pair of surrogates, and writes the character. */
  #escape(): void {
    const c = this.#text[this.#at + 1];
    this.#at += 2;
    switch (c) {
      case QUOTE:
      case BACKSLASH:
      case 0x2f:
        this.#out[this.#to++] = c;
        return;
      case 0x62:
        this.#out[this.#to++] = 0x08;
        return;
      case 0x66:
        this.#out[this.#to++] = 0x0c;
        return;
      case 0x6e:
        this.#out[this.#to++] = 0x0a;
        return;
      case 0x72:
        this.#out[this.#to++] = 0x0d;
        return;
      case 0x74:
        this.#out[this.#to++] = 0x09;
        return;
      case 0x75:
        break;
      default:
        throw this.#error("unknown escape in a string");
    }
    let code = this.#hex4();
    if (
      code >= 0xd800 &&
      code < 0xdc00 &&
      this.#text[this.#at] === BACKSLASH &&
      this.#text[this.#at + 1] === 0x75
    ) {
      const back = this.#at;
      this.#at += 2;
      const second = this.#hex4();
      if (second >= 0xdc00 && second < 0xe000) code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
      else this.#at = back;
    }
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd; // half a pair is no character
    this.#character(code);
  }

  #hex4(): number {
    let code = 0;
    for (let i = 0; i < 4; i++) {
      const digit = hexDigit(this.#text[this.#at++]);
      if (digit < 0) throw this.#error("four hex digits expected");
      code = (code << 4) | digit;
    }
    return code;
  }

  /** Writes a code point as UTF-8. */
  #character(code: number): void {
    const out = this.#out;
    if (code < 0x80) {
      out[this.#to++] = code;
    } else if (code < 0x800) {
      out[this.#to++] = 0xc0 | (code >> 6);
      out[this.#to++] = 0x80 | (code & 63);
    } else if (code < 0x10000) {
      out[this.#to++] = 0xe0 | (code >> 12);
      out[this.#to++] = 0x80 | ((code >> 6) & 63);
      out[this.#to++] = 0x80 | (code & 63);
    } else {
      out[this.#to++] = 0xf0 | (code >> 18);
      out[this.#to++] = 0x80 | ((code >> 12) & 63);
      out[this.#to++] = 0x80 | ((code >> 6) & 63);
      out[this.#to++] = 0x80 | (code & 63);
    }
  }

  #hex(): void {
    const text = this.#text;
    if (text[this.#at] !== QUOTE) throw this.#error("a string of hex digits expected");
    this.#at++;
    while (text[this.#at] !== QUOTE) {
      const high = hexDigit(text[this.#at]);
      const low = hexDigit(text[this.#at + 1]);
      if (high < 0 || low < 0) throw this.#error("not an even number of hex digits");
      this.#out[this.#to++] = (high << 4) | low;
      this.#at += 2;
    }
    this.#at++;
  }

  #base64(): void {
    const text = this.#text;
    if (text[this.#at] !== QUOTE) throw this.#error("a string of base64 expected");
    this.#at++;
    let bits = 0;
    let count = 0;
    let characters = 0;
    for (;;) {
      let c = text[this.#at++];
      if (c === QUOTE) break;
      if (c === 0x3d) {
        // Padding: as much as makes four, and nothing behind it.
        let padding = 1;
        while (text[this.#at] === 0x3d) {
          padding++;
          this.#at++;
        }
        if (text[this.#at++] === QUOTE && (characters + padding) % 4 === 0 && padding <= 2) break;
        throw this.#error("not base64");
      }
      if (c === BACKSLASH && text[this.#at] === 0x2f) c = text[this.#at++]; // "\/"
      const value = c === undefined ? 255 : base64Values[c]!;
      if (value === 255) throw this.#error("not base64");
      characters++;
      bits = (bits << 6) | value;
      count += 6;
      if (count >= 8) {
        count -= 8;
        this.#out[this.#to++] = bits >> count;
        bits &= (1 << count) - 1;
      }
    }
    if (characters % 4 === 1) throw this.#error("not base64");
  }

  #enum(names: readonly string[]): void {
    if (this.#text[this.#at] !== QUOTE) {
      this.#integer("int32");
      return;
    }
    const name = this.#token();
    this.#low = names.indexOf(name);
    this.#high = 0;
    if (this.#low < 0) throw this.#error(`unknown name ${JSON.stringify(name)}`);
  }

  /** A quoted string without escapes, or whatever stands there until a separator. */
  #token(): string {
    const text = this.#text;
    const quoted = text[this.#at] === QUOTE;
    const start = quoted ? this.#at + 1 : this.#at;
    let end = start;
    for (;;) {
      const c = text[end];
      if (c === undefined) throw this.#error("unexpected end");
      if (quoted ? c === QUOTE : c <= 0x20 || c === COMMA || c === CLOSE_BRACE || c === CLOSE_BRACKET) break;
      end++;
    }
    this.#at = quoted ? end + 1 : end;
    return decoder.decode(text.subarray(start, Math.min(end, start + tokenBytesMax)));
  }

  #double(): number {
    const start = this.#at;
    const quoted = this.#text[start] === QUOTE;
    const token = this.#token();
    if (number.test(token)) return Number(token);
    if (quoted) {
      if (token === "NaN") return Number.NaN;
      if (token === "Infinity") return Number.POSITIVE_INFINITY;
      if (token === "-Infinity") return Number.NEGATIVE_INFINITY;
    }
    this.#at = start;
    throw this.#error("a number expected");
  }

  /** An integer, quoted or not, into #low and #high. */
  #integer(type: "int32" | "int64" | "uint32" | "fixed32" | "fixed64"): void {
    const text = this.#text;
    const start = this.#at;
    const quoted = text[start] === QUOTE;
    let at = quoted ? start + 1 : start;
    const negative = text[at] === MINUS;
    if (negative) at++;
    const first = at;
    // Four limbs of 16 bits, and what runs over.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let over = 0;
    for (; ; at++) {
      const digit = text[at]! - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      a = a * 10 + digit;
      b = b * 10 + (a >>> 16);
      c = c * 10 + (b >>> 16);
      d = d * 10 + (c >>> 16);
      over |= d >>> 16;
      a &= 0xffff;
      b &= 0xffff;
      c &= 0xffff;
      d &= 0xffff;
    }
    const end = text[at];
    if (at === first || (text[first] === 0x30 && at > first + 1)) throw this.#error("an integer expected");
    if (quoted ? end !== QUOTE : end === 0x2e || end === 0x65 || end === 0x45) {
      this.#wholeNumber(type, start);
      return;
    }
    this.#at = quoted ? at + 1 : at;
    this.#low = a | (b << 16);
    this.#high = c | (d << 16);
    if (over !== 0 || !this.#fits(type, negative)) {
      this.#at = start;
      throw this.#error(`out of range for ${type}`);
    }
  }

  /** An integer with a fraction or an exponent, such as 1e9 or 5.0, which JSON doesn't tell from one without. */
  #wholeNumber(type: "int32" | "int64" | "uint32" | "fixed32" | "fixed64", start: number): void {
    const token = this.#token();
    const value = number.test(token) ? Number(token) : Number.NaN;
    this.#at = start;
    if (!Number.isInteger(value)) throw this.#error("an integer expected");
    if (Math.abs(value) >= 2 ** 64) throw this.#error(`out of range for ${type}`);
    const size = BigInt(Math.abs(value));
    this.#low = Number(size & 0xffffffffn) | 0;
    this.#high = Number(size >> 32n) | 0;
    if (!this.#fits(type, value < 0)) throw this.#error(`out of range for ${type}`);
    this.#token();
  }

  /** Whether the size in #low and #high, with that sign, is in range; makes it two's complement. */
  #fits(type: "int32" | "int64" | "uint32" | "fixed32" | "fixed64", negative: boolean): boolean {
    const low = this.#low >>> 0;
    const high = this.#high >>> 0;
    const zero = low === 0 && high === 0;
    switch (type) {
      case "fixed64":
        return !negative || zero;
      case "uint32":
      case "fixed32":
        return high === 0 && (!negative || zero);
      case "int32":
        if (high !== 0 || low > (negative ? 0x80000000 : 0x7fffffff)) return false;
        break;
      case "int64":
        if (high > 0x7fffffff && !(negative && high === 0x80000000 && low === 0)) return false;
    }
    if (negative && !zero) {
      this.#high = low === 0 ? -high | 0 : ~high;
      this.#low = -low | 0;
    }
    return true;
  }

  /** Takes a value of any kind. */
  #skip(): void {
    const c = this.#text[this.#at];
    if (c === QUOTE) {
      this.#skipString();
    } else if (c === OPEN_BRACE) {
      this.#message(nothingKnown);
    } else if (c === OPEN_BRACKET) {
      this.#open();
      if (this.#next() === CLOSE_BRACKET) this.#at++;
      else {
        for (;;) {
          this.#space();
          this.#skip();
          const separator = this.#next();
          this.#at++;
          if (separator === CLOSE_BRACKET) break;
          if (separator !== COMMA) {
            this.#at--;
            throw this.#error("',' or ']' expected");
          }
        }
      }
      this.#close();
    } else if (!this.#literal("null") && !this.#literal("true") && !this.#literal("false")) {
      const start = this.#at;
      if (!number.test(this.#token())) {
        this.#at = start;
        throw this.#error("a value expected");
      }
    }
  }

  #skipString(): void {
    const to = this.#to;
    this.#string(); // written where the next field goes over it
    this.#to = to;
  }

  #error(message: string): OtlpJsonError {
    let path = "";
    for (const step of this.#path.slice(0, Math.max(this.#depth, 0))) {
      if (typeof step === "number") path += `[${step}]`;
      else if (step !== "") path += path === "" ? step : `.${step}`;
    }
    const at = Math.min(this.#at, this.#text.length);
    return new OtlpJsonError(`${path === "" ? "request" : path}: ${message} (at byte ${at})`);
  }
}

const nothingKnown: Message = new Map();
const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
/** No number or enum name that means something is longer. */
const tokenBytesMax = 400;

function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1;
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
