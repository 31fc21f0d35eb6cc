// AnyValue from the JSON text in which blocks keep what has no column: proto3 JSON to protobuf bytes.

/** Nesting that is followed; deeper values are cut. protobuf itself stops at 100. */
const depthMax = 100;

/**
 * Encodes an AnyValue.
 *
 * @param text proto3 JSON, such as `{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}}]}}`
 * @returns the protobuf message, or null if the text is none
 */
export function anyValueFromJson(text: string): Uint8Array | null {
  try {
    const bytes: number[] = [];
    anyValue(JSON.parse(text), bytes, 0);
    return Uint8Array.from(bytes);
  } catch {
    return null;
  }
}

function anyValue(value: unknown, out: number[], depth: number): void {
  if (depth > depthMax) throw new RangeError("any value: nested too deep");
  const fields = object(value);
  if (fields.stringValue !== undefined) field(0x0a, encoder.encode(String(fields.stringValue)), out);
  else if (fields.boolValue !== undefined) out.push(0x10, fields.boolValue === true ? 1 : 0);
  else if (fields.intValue !== undefined) {
    out.push(0x18);
    varint(BigInt.asUintN(64, BigInt(fields.intValue as string | number)), out);
  } else if (fields.doubleValue !== undefined) {
    out.push(0x21, ...new Uint8Array(Float64Array.of(Number(fields.doubleValue)).buffer));
  } else if (fields.arrayValue !== undefined) {
    const content: number[] = [];
    for (const element of list(fields.arrayValue)) nested(0x0a, element, content, depth, anyValue);
    field(0x2a, content, out);
  } else if (fields.kvlistValue !== undefined) {
    const content: number[] = [];
    for (const element of list(fields.kvlistValue)) nested(0x0a, element, content, depth, keyValue);
    field(0x32, content, out);
  } else if (fields.bytesValue !== undefined) {
    field(0x3a, Buffer.from(String(fields.bytesValue), "base64"), out);
  }
}

function keyValue(value: unknown, out: number[], depth: number): void {
  const fields = object(value);
  const key = encoder.encode(String(fields.key ?? ""));
  if (key.length > 0) field(0x0a, key, out);
  if (fields.value !== undefined && fields.value !== null) nested(0x12, fields.value, out, depth, anyValue);
}

function nested(
  tag: number,
  value: unknown,
  out: number[],
  depth: number,
  write: (value: unknown, out: number[], depth: number) => void,
): void {
  const content: number[] = [];
  write(value, content, depth + 1);
  field(tag, content, out);
}

function field(tag: number, content: ArrayLike<number>, out: number[]): void {
  out.push(tag);
  varint(BigInt(content.length), out);
  for (let i = 0; i < content.length; i++) out.push(content[i]!);
}

function varint(value: bigint, out: number[]): void {
  let rest = value;
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  const { values } = object(value);
  return Array.isArray(values) ? values : [];
}

const encoder = new TextEncoder();
