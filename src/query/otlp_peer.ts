// For tests only: OTLP traces through protobuf-es, which shares no code with what is tested.
import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

/** Messages as "name: number type, …"; `*` after the type: repeated; a capital: message; `|`: part of the oneof. */
const messages = {
  AnyValue:
    "stringValue 1 string|, boolValue 2 bool|, intValue 3 int64|, doubleValue 4 double|, arrayValue 5 ArrayValue|, kvlistValue 6 KeyValueList|, bytesValue 7 bytes|",
  ArrayValue: "values 1 AnyValue*",
  KeyValueList: "values 1 KeyValue*",
  KeyValue: "key 1 string, value 2 AnyValue",
  Resource: "attributes 1 KeyValue*, droppedAttributesCount 2 uint32",
  Scope: "name 1 string, version 2 string, attributes 3 KeyValue*, droppedAttributesCount 4 uint32",
  Event: "timeUnixNano 1 fixed64, name 2 string, attributes 3 KeyValue*, droppedAttributesCount 4 uint32",
  Link: "traceId 1 bytes, spanId 2 bytes, traceState 3 string, attributes 4 KeyValue*, droppedAttributesCount 5 uint32, flags 6 fixed32",
  Status: "message 2 string, code 3 StatusCode#",
  Span: "traceId 1 bytes, spanId 2 bytes, traceState 3 string, parentSpanId 4 bytes, name 5 string, kind 6 SpanKind#, startTimeUnixNano 7 fixed64, endTimeUnixNano 8 fixed64, attributes 9 KeyValue*, droppedAttributesCount 10 uint32, events 11 Event*, droppedEventsCount 12 uint32, links 13 Link*, droppedLinksCount 14 uint32, status 15 Status, flags 16 fixed32",
  ScopeSpans: "scope 1 Scope, spans 2 Span*, schemaUrl 3 string",
  ResourceSpans: "resource 1 Resource, scopeSpans 2 ScopeSpans*, schemaUrl 3 string",
  TracesData: "resourceSpans 1 ResourceSpans*",
  TraceByIDMetrics: "inspectedBytes 1 uint64",
  TraceByIDResponse:
    "trace 1 TracesData, metrics 2 TraceByIDMetrics, status 3 PartialStatus#, message 4 string",
};
const enums = {
  SpanKind: [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
  ],
  StatusCode: ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"],
  PartialStatus: ["COMPLETE", "PARTIAL"],
};

const fieldOf = (text: string) => {
  const [, name, number, kind, mark] = /^(\w+) (\d+) (\w+)([*|#]?)$/.exec(text)!;
  const isMessage = /^[A-Z]/.test(kind!) && mark !== "#";
  return {
    name: name!,
    jsonName: name!,
    number: Number(number),
    label: mark === "*" ? Label.REPEATED : Label.OPTIONAL,
    type: isMessage
      ? Type.MESSAGE
      : mark === "#"
        ? Type.ENUM
        : Type[kind!.toUpperCase() as keyof typeof Type],
    typeName: isMessage || mark === "#" ? `.peer.${kind!}` : "",
    ...(mark === "|" || /\|$/.test(text) ? { oneofIndex: 0 } : {}),
  };
};

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "peer.proto",
        package: "peer",
        syntax: "proto3",
        enumType: Object.entries(enums).map(([name, values]) => ({
          name,
          value: values.map((each, number) => ({ name: each, number })),
        })),
        messageType: Object.entries(messages).map(([name, fields]) => ({
          name,
          field: fields.split(", ").map(fieldOf),
          oneofDecl: fields.includes("|") ? [{ name: "value" }] : [],
        })),
      },
    ],
  }),
);

const schema = (name: keyof typeof messages): DescMessage => registry.getMessage(`peer.${name}`)!;

/** Bytes of a trace given as Tempo answers it: `{resourceSpans: […]}` with ids in base64. */
export function traceBytes(trace: unknown): Uint8Array {
  return toBinary(schema("TracesData"), fromJson(schema("TracesData"), trace as JsonValue));
}

/** proto3 JSON of a message's bytes. */
export function peerJson(bytes: Uint8Array, message: keyof typeof messages = "TracesData"): JsonValue {
  return toJson(schema(message), fromBinary(schema(message), bytes));
}

/** A span for tests, ids in hex. */
export interface TestSpan {
  id: string;
  parent?: string;
  name?: string;
  kind?: number;
  start?: number | bigint;
  end?: number | bigint;
}

const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");

/** A trace of one source: spans by service, one scope each. */
export function sourceOf(
  services: Record<string, TestSpan[]>,
  traceId = "0123456789abcdef0123456789abcdef",
): Uint8Array {
  return traceBytes({
    resourceSpans: Object.entries(services).map(([service, spans]) => ({
      resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
      scopeSpans: [
        {
          scope: { name: "lib" },
          spans: spans.map((span) => ({
            traceId: base64(traceId),
            spanId: base64(span.id),
            parentSpanId: base64(span.parent ?? ""),
            name: span.name ?? span.id,
            kind: span.kind ?? 0,
            startTimeUnixNano: String(span.start ?? 0),
            endTimeUnixNano: String(span.end ?? span.start ?? 0),
            status: {},
          })),
        },
      ],
    })),
  });
}

/** The spans of a trace in its order, as "service name id parent", ids in hex. */
export function listed(trace: Uint8Array): string[] {
  const data = peerJson(trace) as unknown as PeerTrace;
  const hex = (id: string | undefined): string => Buffer.from(id ?? "", "base64").toString("hex") || "-";
  return (data.resourceSpans ?? []).flatMap((resource) =>
    (resource.scopeSpans ?? []).flatMap((scope) =>
      (scope.spans ?? []).map(
        (span) =>
          `${resource.resource?.attributes?.[0]?.value?.stringValue ?? "-"} ${span.name} ${hex(span.spanId)} ${hex(span.parentSpanId)}`,
      ),
    ),
  );
}

interface PeerTrace {
  resourceSpans?: {
    resource?: { attributes?: { key: string; value?: { stringValue?: string } }[] };
    scopeSpans?: { spans?: { name: string; spanId: string; parentSpanId?: string }[] }[];
  }[];
}
