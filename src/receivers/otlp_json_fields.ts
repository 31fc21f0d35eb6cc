// The messages of an OTLP trace request as OTLP/JSON spells them: names, numbers and types, for otlp_json.ts.

/**
 * How a value is written in JSON and on the wire. `hex` are bytes as hex digits (ids, in OTLP's own way), `base64`
 * bytes as proto3 JSON has them.
 */
export type FieldType =
  | "message"
  | "string"
  | "hex"
  | "base64"
  | "bool"
  | "enum"
  | "int64"
  | "uint32"
  | "fixed32"
  | "fixed64"
  | "double";

export interface Field {
  /** lowerCamelCase; the name of the .proto file, with underscores, is accepted too. */
  name: string;
  number: number;
  type: FieldType;
  repeated?: true;
  /** Written even if zero or empty: the members of AnyValue's oneof. */
  explicit?: true;
  message?: Message;
  /** Names of an enum's values, the index being the value. */
  names?: readonly string[];
}

/** The fields of a message by the hash of their names' bytes. */
export type Message = Map<number, Field & { bytes: Uint8Array }>;

const encoder = new TextEncoder();

/** FNV-1a, 32 bit. */
export function hashName(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash >>> 0;
}

function message(fields: Field[]): Message {
  const table: Message = new Map();
  return extend(table, fields);
}

function extend(table: Message, fields: Field[]): Message {
  for (const field of fields) {
    const snake = field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    for (const name of new Set([field.name, snake])) {
      const bytes = encoder.encode(name);
      const hash = hashName(bytes, 0, bytes.length);
      if (table.has(hash)) throw new Error(`otlp json: names of one message collide at ${name}`);
      table.set(hash, { ...field, bytes });
    }
  }
  return table;
}

const anyValue: Message = new Map();
const keyValue = message([
  { name: "key", number: 1, type: "string" },
  { name: "value", number: 2, type: "message", message: anyValue },
]);
const arrayValue = message([
  { name: "values", number: 1, type: "message", repeated: true, message: anyValue },
]);
const keyValueList = message([
  { name: "values", number: 1, type: "message", repeated: true, message: keyValue },
]);
extend(anyValue, [
  { name: "stringValue", number: 1, type: "string", explicit: true },
  { name: "boolValue", number: 2, type: "bool", explicit: true },
  { name: "intValue", number: 3, type: "int64", explicit: true },
  { name: "doubleValue", number: 4, type: "double", explicit: true },
  { name: "arrayValue", number: 5, type: "message", message: arrayValue },
  { name: "kvlistValue", number: 6, type: "message", message: keyValueList },
  { name: "bytesValue", number: 7, type: "base64", explicit: true },
]);

function attributes(number: number): Field {
  return { name: "attributes", number, type: "message", repeated: true, message: keyValue };
}

const status = message([
  { name: "message", number: 2, type: "string" },
  {
    name: "code",
    number: 3,
    type: "enum",
    names: ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"],
  },
]);

const event = message([
  { name: "timeUnixNano", number: 1, type: "fixed64" },
  { name: "name", number: 2, type: "string" },
  attributes(3),
  { name: "droppedAttributesCount", number: 4, type: "uint32" },
]);

const link = message([
  { name: "traceId", number: 1, type: "hex" },
  { name: "spanId", number: 2, type: "hex" },
  { name: "traceState", number: 3, type: "string" },
  attributes(4),
  { name: "droppedAttributesCount", number: 5, type: "uint32" },
  { name: "flags", number: 6, type: "fixed32" },
]);

const span = message([
  { name: "traceId", number: 1, type: "hex" },
  { name: "spanId", number: 2, type: "hex" },
  { name: "traceState", number: 3, type: "string" },
  { name: "parentSpanId", number: 4, type: "hex" },
  { name: "name", number: 5, type: "string" },
  {
    name: "kind",
    number: 6,
    type: "enum",
    names: [
      "SPAN_KIND_UNSPECIFIED",
      "SPAN_KIND_INTERNAL",
      "SPAN_KIND_SERVER",
      "SPAN_KIND_CLIENT",
      "SPAN_KIND_PRODUCER",
      "SPAN_KIND_CONSUMER",
    ],
  },
  { name: "startTimeUnixNano", number: 7, type: "fixed64" },
  { name: "endTimeUnixNano", number: 8, type: "fixed64" },
  attributes(9),
  { name: "droppedAttributesCount", number: 10, type: "uint32" },
  { name: "events", number: 11, type: "message", repeated: true, message: event },
  { name: "droppedEventsCount", number: 12, type: "uint32" },
  { name: "links", number: 13, type: "message", repeated: true, message: link },
  { name: "droppedLinksCount", number: 14, type: "uint32" },
  { name: "status", number: 15, type: "message", message: status },
  { name: "flags", number: 16, type: "fixed32" },
]);

const scopeSpans = message([
  {
    name: "scope",
    number: 1,
    type: "message",
    message: message([
      { name: "name", number: 1, type: "string" },
      { name: "version", number: 2, type: "string" },
      attributes(3),
      { name: "droppedAttributesCount", number: 4, type: "uint32" },
    ]),
  },
  { name: "spans", number: 2, type: "message", repeated: true, message: span },
  { name: "schemaUrl", number: 3, type: "string" },
]);

const resourceSpans = message([
  {
    name: "resource",
    number: 1,
    type: "message",
    message: message([attributes(1), { name: "droppedAttributesCount", number: 2, type: "uint32" }]),
  },
  { name: "scopeSpans", number: 2, type: "message", repeated: true, message: scopeSpans },
  { name: "schemaUrl", number: 3, type: "string" },
]);

/** ExportTraceServiceRequest */
export const exportRequest = message([
  { name: "resourceSpans", number: 1, type: "message", repeated: true, message: resourceSpans },
]);
