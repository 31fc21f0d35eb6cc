// The messages of an OTLP trace.
import { field, type Message, many, message, one } from "./message_table.ts";

export const spanKinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].map(
  (kind) => `SPAN_KIND_${kind}`,
);
export const statusCodes = ["UNSET", "OK", "ERROR"].map((code) => `STATUS_CODE_${code}`);

export const anyValue: Message = { fields: [], byNumber: new Int8Array(0), oneof: true };
export const keyValue = message([field(1, "key", "string"), one(2, "value", anyValue)]);
message(
  [
    field(1, "stringValue", "string"),
    field(2, "boolValue", "bool"),
    field(3, "intValue", "int64"),
    field(4, "doubleValue", "double"),
    one(5, "arrayValue", message([many(1, "values", anyValue)])),
    one(6, "kvlistValue", message([many(1, "values", keyValue)])),
    field(7, "bytesValue", "bytes"),
  ],
  anyValue,
);

const resource = message([many(1, "attributes", keyValue), field(2, "droppedAttributesCount", "uint32")]);
const scope = message([
  field(1, "name", "string"),
  field(2, "version", "string"),
  many(3, "attributes", keyValue),
  field(4, "droppedAttributesCount", "uint32"),
]);
const event = message([
  field(1, "timeUnixNano", "fixed64"),
  field(2, "name", "string"),
  many(3, "attributes", keyValue),
  field(4, "droppedAttributesCount", "uint32"),
]);
const link = message([
  field(1, "traceId", "bytes"),
  field(2, "spanId", "bytes"),
  field(3, "traceState", "string"),
  many(4, "attributes", keyValue),
  field(5, "droppedAttributesCount", "uint32"),
  field(6, "flags", "fixed32"),
]);
const status = message([field(2, "message", "string"), field(3, "code", "enum", { names: statusCodes })]);
const span = message([
  field(1, "traceId", "bytes"),
  field(2, "spanId", "bytes"),
  field(3, "traceState", "string"),
  field(4, "parentSpanId", "bytes"),
  field(5, "name", "string"),
  field(6, "kind", "enum", { names: spanKinds }),
  field(7, "startTimeUnixNano", "fixed64"),
  field(8, "endTimeUnixNano", "fixed64"),
  many(9, "attributes", keyValue),
  field(10, "droppedAttributesCount", "uint32"),
  many(11, "events", event),
  field(12, "droppedEventsCount", "uint32"),
  many(13, "links", link),
  field(14, "droppedLinksCount", "uint32"),
  one(15, "status", status),
  field(16, "flags", "fixed32"),
]);
const scopeSpans = message([one(1, "scope", scope), many(2, "spans", span), field(3, "schemaUrl", "string")]);
const resourceSpans = message([
  one(1, "resource", resource),
  many(2, "scopeSpans", scopeSpans),
  field(3, "schemaUrl", "string"),
]);

/** OTLP TracesData. */
export const tracesData = message([many(1, "resourceSpans", resourceSpans)]);
/** The same with the name that Tempo's first trace endpoint gives to the list. */
export const batches = message([many(1, "batches", resourceSpans)]);
