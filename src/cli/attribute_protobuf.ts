// Attributes of an answer in protobuf.
import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import { type Attribute, type Value, valueDepthMax } from "./attribute.ts";

const decoder = new TextDecoder();

/**
 * Calls `field` for each field of a message. Whatever it does not read must be skipped by it.
 *
 * @throws RangeError and Error where the bytes are malformed
 */
export function forEachField(
  bytes: Uint8Array,
  field: (number: number, reader: BinaryReader, wireType: WireType) => void,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    field(number, reader, wireType);
  }
}

/** Of UTF-8 that is none, replacement characters. */
export function readText(reader: BinaryReader): string {
  return decoder.decode(reader.bytes());
}

/** @param bytes a KeyValue message */
export function readAttribute(bytes: Uint8Array, depth = 0): Attribute {
  const attribute: Attribute = { key: "", value: null };
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 1) attribute.key = readText(reader);
    else if (number === 2) attribute.value = readValue(reader.bytes(), depth);
    else reader.skip(wireType);
  });
  return attribute;
}

function readValue(bytes: Uint8Array, depth: number): Value {
  let value: Value = null;
  if (depth > valueDepthMax) return value;
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 1) value = readText(reader);
    else if (number === 2) value = reader.bool();
    else if (number === 3) value = BigInt(reader.int64());
    else if (number === 4) value = reader.double();
    else if (number === 5) value = { list: readRepeated(reader, (item) => readValue(item, depth + 1)) };
    else if (number === 6) value = { pairs: readRepeated(reader, (item) => readAttribute(item, depth + 1)) };
    else if (number === 7) value = reader.bytes();
    else reader.skip(wireType);
  });
  return value;
}

/** The items of an ArrayValue or a KeyValueList: their field 1. */
function readRepeated<T>(outer: BinaryReader, read: (bytes: Uint8Array) => T): T[] {
  const items: T[] = [];
  forEachField(outer.bytes(), (number, reader, wireType) => {
    if (number === 1) items.push(read(reader.bytes()));
    else reader.skip(wireType);
  });
  return items;
}
