// Protocol buffers, just enough to read answers into proto3 JSON. It shares no code with the server on purpose: a field that
// the server invents is an error here.
import type { Json } from "./placeholders.ts";

type Fields = Record<number, [name: string, type: string | readonly string[]]>;

const spanKinds = [
  "SPAN_KIND_UNSPECIFIED",
  "SPAN_KIND_INTERNAL",
  "SPAN_KIND_SERVER",
  "SPAN_KIND_CLIENT",
  "SPAN_KIND_PRODUCER",
  "SPAN_KIND_CONSUMER",
] as const;
const statusCodes = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"] as const;

// "*" after a name: repeated; "%": a map from strings. A list as type: an enum.
const messages: Record<string, Fields> = {
  AnyValue: {
    1: ["stringValue", "string"],
    2: ["boolValue", "bool"],
    3: ["intValue", "int64"],
    4: ["doubleValue", "double"],
    5: ["arrayValue", "ArrayValue"],
    6: ["kvlistValue", "KeyValueList"],
    7: ["bytesValue", "bytes"],
  },
  ArrayValue: { 1: ["values*", "AnyValue"] },
  KeyValueList: { 1: ["values*", "KeyValue"] },
  KeyValue: { 1: ["key", "string"], 2: ["value", "AnyValue"] },
  Resource: { 1: ["attributes*", "KeyValue"], 2: ["droppedAttributesCount", "uint32"] },
  Scope: {
    1: ["name", "string"],
    2: ["version", "string"],
    3: ["attributes*", "KeyValue"],
    4: ["droppedAttributesCount", "uint32"],
  },
  ResourceSpans: {
    1: ["resource", "Resource"],
    2: ["scopeSpans*", "ScopeSpans"],
    3: ["schemaUrl", "string"],
  },
  ScopeSpans: { 1: ["scope", "Scope"], 2: ["spans*", "Span"], 3: ["schemaUrl", "string"] },
  Span: {
    1: ["traceId", "bytes"],
    2: ["spanId", "bytes"],
    3: ["traceState", "string"],
    4: ["parentSpanId", "bytes"],
    5: ["name", "string"],
    6: ["kind", spanKinds],
    7: ["startTimeUnixNano", "fixed64"],
    8: ["endTimeUnixNano", "fixed64"],
    9: ["attributes*", "KeyValue"],
    10: ["droppedAttributesCount", "uint32"],
    11: ["events*", "Event"],
    12: ["droppedEventsCount", "uint32"],
    13: ["links*", "Link"],
    14: ["droppedLinksCount", "uint32"],
    15: ["status", "Status"],
    16: ["flags", "fixed32"],
  },
  Event: {
    1: ["timeUnixNano", "fixed64"],
    2: ["name", "string"],
    3: ["attributes*", "KeyValue"],
    4: ["droppedAttributesCount", "uint32"],
  },
  Link: {
    1: ["traceId", "bytes"],
    2: ["spanId", "bytes"],
    3: ["traceState", "string"],
    4: ["attributes*", "KeyValue"],
    5: ["droppedAttributesCount", "uint32"],
    6: ["flags", "fixed32"],
  },
  Status: { 2: ["message", "string"], 3: ["code", statusCodes] },
  Trace: { 1: ["resourceSpans*", "ResourceSpans"] },
  TraceByIDMetrics: { 1: ["inspectedBytes", "uint64"] },
  TraceByIDResponse: {
    1: ["trace", "Trace"],
    2: ["metrics", "TraceByIDMetrics"],
    3: ["status", ["COMPLETE", "PARTIAL"]],
    4: ["message", "string"],
  },
  SearchResponse: { 1: ["traces*", "TraceSearchMetadata"], 2: ["metrics", "SearchMetrics"] },
  TraceSearchMetadata: {
    1: ["traceID", "string"],
    2: ["rootServiceName", "string"],
    3: ["rootTraceName", "string"],
    4: ["startTimeUnixNano", "uint64"],
    5: ["durationMs", "uint32"],
    6: ["spanSet", "SpanSet"],
    7: ["spanSets*", "SpanSet"],
    8: ["serviceStats%", "ServiceStats"],
  },
  ServiceStats: { 1: ["spanCount", "uint32"], 2: ["errorCount", "uint32"] },
  SpanSet: { 1: ["spans*", "FoundSpan"], 2: ["matched", "uint32"], 3: ["attributes*", "KeyValue"] },
  FoundSpan: {
    1: ["spanID", "string"],
    2: ["name", "string"],
    3: ["startTimeUnixNano", "uint64"],
    4: ["durationNanos", "uint64"],
    5: ["attributes*", "KeyValue"],
  },
  SearchMetrics: {
    1: ["inspectedTraces", "uint32"],
    2: ["inspectedBytes", "uint64"],
    3: ["totalBlocks", "uint32"],
    4: ["completedJobs", "uint32"],
    5: ["totalJobs", "uint32"],
    6: ["totalBlockBytes", "uint64"],
    7: ["inspectedSpans", "uint64"],
  },
  SearchTagsResponse: { 1: ["tagNames*", "string"], 2: ["metrics", "MetadataMetrics"] },
  SearchTagsV2Response: { 1: ["scopes*", "TagsScope"], 2: ["metrics", "MetadataMetrics"] },
  TagsScope: { 1: ["name", "string"], 2: ["tags*", "string"] },
  SearchTagValuesResponse: { 1: ["tagValues*", "string"], 2: ["metrics", "MetadataMetrics"] },
  SearchTagValuesV2Response: { 1: ["tagValues*", "TagValue"], 2: ["metrics", "MetadataMetrics"] },
  TagValue: { 1: ["type", "string"], 2: ["value", "string"] },
  MetadataMetrics: {
    1: ["inspectedBytes", "uint64"],
    2: ["totalJobs", "uint32"],
    3: ["completedJobs", "uint32"],
    4: ["totalBlocks", "uint32"],
    5: ["totalBlockBytes", "uint64"],
  },
  QueryRangeResponse: {
    1: ["series*", "TimeSeries"],
    2: ["metrics", "SearchMetrics"],
    3: ["status", ["COMPLETE", "PARTIAL"]],
    4: ["message", "string"],
  },
  TimeSeries: { 1: ["labels*", "KeyValue"], 2: ["samples*", "Sample"], 4: ["exemplars*", "Exemplar"] },
  Sample: { 1: ["value", "double"], 2: ["timestampMs", "int64"] },
  Exemplar: { 1: ["labels*", "KeyValue"], 2: ["value", "double"], 3: ["timestampMs", "int64"] },
  QueryInstantResponse: {
    1: ["series*", "InstantSeries"],
    2: ["metrics", "SearchMetrics"],
    3: ["status", ["COMPLETE", "PARTIAL"]],
    4: ["message", "string"],
  },
  InstantSeries: { 1: ["labels*", "KeyValue"], 2: ["value", "double"] },
  PartialSuccess: { 1: ["rejectedSpans", "int64"], 2: ["errorMessage", "string"] },
  ExportTraceServiceResponse: { 1: ["partialSuccess", "PartialSuccess"] },
  Any: { 1: ["typeUrl", "string"], 2: ["value", "bytes"] },
  RpcStatus: { 1: ["code", "int32"], 2: ["message", "string"], 3: ["details*", "Any"] },
};

export const enums = { kind: spanKinds, code: statusCodes };

export function decodeProto(message: string, bytes: Uint8Array): { [key: string]: Json } {
  const fields = messages[message];
  if (fields === undefined) throw new Error(`message ${message} is not in the reader's table`);
  return decodeFields(fields, message, bytes);
}

function decodeFields(fields: Fields, message: string, bytes: Uint8Array): { [key: string]: Json } {
  const out: { [key: string]: Json } = {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error(`${message} ends inside a varint`);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new Error(`${message} has a varint that is too long`);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = fields[tag >> 3];
    if (field === undefined) throw new Error(`${message} has an unexpected field ${tag >> 3}`);
    const [name, type] = field;
    let value: Json;
    switch (tag & 7) {
      case 0:
        value = fromVarint(type, varint());
        break;
      case 1:
        value = type === "double" ? view.getFloat64(at, true) : String(view.getBigUint64(at, true));
        at += 8;
        break;
      case 5:
        value = view.getUint32(at, true);
        at += 4;
        break;
      case 2: {
        const length = Number(varint());
        if (at + length > bytes.length) throw new Error(`${message} is cut off in field ${tag >> 3}`);
        const body = bytes.subarray(at, at + length);
        at += length;
        if (type === "string") value = new TextDecoder("utf-8", { fatal: true }).decode(body);
        else if (type === "bytes") value = Buffer.from(body).toString("base64");
        else if (name.endsWith("%")) {
          const { key, value: member } = decodeFields(
            { 1: ["key", "string"], 2: ["value", type] },
            message,
            body,
          );
          const map = out[name.slice(0, -1)];
          out[name.slice(0, -1)] = { ...(map as { [key: string]: Json }), [String(key ?? "")]: member ?? {} };
          continue;
        } else value = decodeProto(type as string, body);
        break;
      }
      default:
        throw new Error(`${message} has wire type ${tag & 7}`);
    }
    if (!name.endsWith("*")) {
      out[name] = value;
      continue;
    }
    const list = out[name.slice(0, -1)];
    if (Array.isArray(list)) list.push(value);
    else out[name.slice(0, -1)] = [value];
  }
  return out;
}

function fromVarint(type: string | readonly string[], raw: bigint): Json {
  if (typeof type !== "string") return type[Number(raw)] ?? Number(raw);
  if (type === "bool") return raw !== 0n;
  if (type === "int64") return String(BigInt.asIntN(64, raw));
  if (type === "uint64") return String(raw);
  if (type === "int32") return Number(BigInt.asIntN(32, raw));
  return Number(raw);
}
