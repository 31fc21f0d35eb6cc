// Any message as JSON, written straight from its protobuf bytes: proto3 JSON as Tempo's answers have it, which means ids in
// base64, enums by name, 64-bit integers as strings, and nothing for what is zero.
import { ascii, type JsonText } from "./json_text.ts";
import { type Field, fieldsMax, type Message } from "./message_table.ts";
import { Fields, wireBytes } from "./wire.ts";

/** How deep messages may nest. A value nested deeper is written as one without content. */
export const messageDepthMax = 500;

const trueText = ascii("true");
const falseText = ascii("false");
const emptyObject = ascii("{}");

/**
 * Writes one protobuf message as JSON.
 *
 * @throws WireError if the bytes are malformed
 */
export function writeMessage(out: JsonText, bytes: Uint8Array, message: Message): void {
  new MessageWriter(out, bytes).message(message, 0, bytes.length, 0);
}

/** Writes messages of one byte string; holds a cursor and the places of the fields for each level of nesting. */
class MessageWriter {
  private readonly cursors: Fields[] = [];
  /** Last occurrence of each field: start, end and the two halves of a number; `fieldsMax` of them a level. */
  private readonly places: Uint32Array[] = [];

  constructor(
    private readonly out: JsonText,
    private readonly bytes: Uint8Array,
  ) {}

  message(message: Message, start: number, end: number, depth: number): void {
    const out = this.out;
    if (depth > messageDepthMax) {
      out.raw(emptyObject);
      return;
    }
    this.cursors[depth] ??= new Fields(this.bytes);
    this.places[depth] ??= new Uint32Array(fieldsMax * 4);
    const places = this.places[depth]!;
    const cursor = this.cursors[depth]!;

    // What there is. JSON lists the fields in the order of the schema, whatever their order on the wire.
    let present = 0;
    cursor.over(this.bytes, start, end);
    while (cursor.next()) {
      const index = cursor.number > fieldsMax ? -1 : message.byNumber[cursor.number]!;
      if (index < 0) continue;
      cursor.expect(message.fields[index]!.wireType);
      present = message.oneof ? 1 << index : present | (1 << index);
      places[index * 4] = cursor.start;
      places[index * 4 + 1] = cursor.end;
      places[index * 4 + 2] = cursor.lo;
      places[index * 4 + 3] = cursor.hi;
    }

    out.byte(0x7b);
    for (let index = 0; present >>> index !== 0; index++) {
      if ((present & (1 << index)) === 0) continue;
      const field = message.fields[index]!;
      if (field.map) this.map(field, start, end, depth);
      else if (field.repeated) this.list(field, start, end, depth);
      else this.single(field, index, message.oneof, depth);
    }
    out.byte(0x7d);
  }

  private list(field: Field, start: number, end: number, depth: number): void {
    const out = this.out;
    out.separate();
    out.raw(field.json);
    out.byte(0x5b);
    const cursor = this.cursors[depth]!;
    cursor.over(this.bytes, start, end);
    while (cursor.next()) {
      if (cursor.number !== field.number) continue;
      out.separate();
      this.message(field.message!, cursor.start, cursor.end, depth + 1);
    }
    out.byte(0x5d);
  }

  /** Go sorts what it writes of a map by its keys. Of entries with one key the last counts. */
  private map(field: Field, start: number, end: number, depth: number): void {
    const { out, bytes } = this;
    const entries = new Map<string, MapEntry>();
    const cursor = this.cursors[depth]!;
    cursor.over(bytes, start, end);
    while (cursor.next()) {
      if (cursor.number !== field.number) continue;
      const entry = mapEntry(bytes, cursor.start, cursor.end);
      entries.set(latin1(bytes, entry.keyStart, entry.keyEnd), entry);
    }
    out.separate();
    out.raw(field.json);
    out.byte(0x7b);
    for (const key of [...entries.keys()].sort()) {
      const { keyStart, keyEnd, valueStart, valueEnd } = entries.get(key)!;
      out.separate();
      out.string(bytes, keyStart, keyEnd);
      out.byte(0x3a);
      this.message(field.message!, valueStart, valueEnd, depth + 1);
    }
    out.byte(0x7d);
  }

  private single(field: Field, index: number, evenIfZero: boolean, depth: number): void {
    const { out, bytes } = this;
    const places = this.places[depth]!;
    const start = places[index * 4]!;
    const end = places[index * 4 + 1]!;
    const lo = places[index * 4 + 2]!;
    const hi = field.type === "uint32" || field.type === "enum" ? 0 : places[index * 4 + 3]!;
    const zero =
      field.wireType === wireBytes ? end === start && field.type !== "message" : lo === 0 && hi === 0;
    if (zero && !evenIfZero) return;
    out.separate();
    out.raw(field.json);
    switch (field.type) {
      case "string":
        out.string(bytes, start, end);
        break;
      case "bytes":
        out.base64(bytes, start, end);
        break;
      case "message":
        this.message(field.message!, start, end, depth + 1);
        break;
      case "bool":
        out.raw(zero ? falseText : trueText);
        break;
      case "double":
        out.double(hi, lo);
        break;
      case "fixed64":
      case "uint64":
        out.u64(hi, lo);
        break;
      case "int64":
        out.i64(hi, lo);
        break;
      case "enum": {
        const name = field.names[lo];
        if (name === undefined) out.text(String(lo | 0));
        else out.raw(name);
        break;
      }
      case "uint32":
      case "fixed32":
        out.text(String(lo));
        break;
    }
  }
}

/** With one character for each byte, so that texts sort as the bytes do. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

interface MapEntry {
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
}

function mapEntry(bytes: Uint8Array, start: number, end: number): MapEntry {
  const entry: MapEntry = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 };
  const fields = new Fields(bytes, start, end);
  while (fields.next()) {
    if (fields.number > 2) continue;
    fields.expect(wireBytes);
    if (fields.number === 1) [entry.keyStart, entry.keyEnd] = [fields.start, fields.end];
    else [entry.valueStart, entry.valueEnd] = [fields.start, fields.end];
  }
  return entry;
}
