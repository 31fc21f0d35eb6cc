// A trace from protobuf: tempopb.TraceByIDResponse, and tempopb.Trace, which on the wire is OTLP's TracesData.
import type { Attribute } from "./attribute.ts";
import { forEachField, readAttribute, readText } from "./attribute_protobuf.ts";
import {
  parentIdOf,
  resourceOf,
  type SpanDetails,
  spanKinds,
  statuses,
  type Trace,
  type TraceResource,
  type TraceSpan,
} from "./trace.ts";

const statusPartial = 1;

/**
 * The answer of /api/v2/traces/{id}.
 *
 * @throws Error where the bytes are malformed
 */
export function readTraceByIdResponse(bytes: Uint8Array): Trace {
  const trace: Trace = { spans: [], resources: [], partial: null };
  let status = 0;
  let message = "";
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 1) readTrace(reader.bytes(), trace);
    else if (number === 3) status = reader.int32();
    else if (number === 4) message = readText(reader);
    else reader.skip(wireType);
  });
  if (status === statusPartial || message !== "") trace.partial = message;
  return trace;
}

/**
 * The answer of /api/traces/{id}.
 *
 * @throws Error where the bytes are malformed
 */
export function readTraceV1(bytes: Uint8Array): Trace {
  const trace: Trace = { spans: [], resources: [], partial: null };
  readTrace(bytes, trace);
  return trace;
}

function readTrace(bytes: Uint8Array, trace: Trace): void {
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 1) readResourceSpans(reader.bytes(), trace);
    else reader.skip(wireType);
  });
}

function readResourceSpans(bytes: Uint8Array, { spans, resources }: Trace): void {
  const index = resources.length;
  let resource: TraceResource = resourceOf([]);
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 1) resource = readResource(reader.bytes());
    else if (number === 2) readScopeSpans(reader.bytes(), index, spans);
    else reader.skip(wireType);
  });
  resources.push(resource);
}

function readResource(bytes: Uint8Array): TraceResource {
  const attributes: Attribute[] = [];
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 1) attributes.push(readAttribute(reader.bytes()));
    else reader.skip(wireType);
  });
  return resourceOf(attributes);
}

function readScopeSpans(bytes: Uint8Array, resource: number, spans: TraceSpan[]): void {
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 2) spans.push(readSpan(reader.bytes(), resource));
    else reader.skip(wireType);
  });
}

function readSpan(bytes: Uint8Array, resource: number): TraceSpan {
  const span: TraceSpan = {
    id: "",
    parentId: "",
    name: "",
    resource,
    start: 0n,
    end: 0n,
    failed: false,
    details: () => readDetails(bytes),
  };
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 2) span.id = hex(reader.bytes());
    else if (number === 4) span.parentId = parentIdOf(hex(reader.bytes()));
    else if (number === 5) span.name = readText(reader);
    else if (number === 7) span.start = BigInt(reader.fixed64());
    else if (number === 8) span.end = BigInt(reader.fixed64());
    else if (number === 15) span.failed = readStatus(reader.bytes()).status === "error";
    else reader.skip(wireType);
  });
  return span;
}

function readDetails(bytes: Uint8Array): SpanDetails {
  const details: SpanDetails = {
    kind: "unspecified",
    status: "unset",
    statusMessage: "",
    attributes: [],
    events: [],
    links: [],
  };
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 6) details.kind = spanKinds[reader.int32()] ?? "unspecified";
    else if (number === 9) details.attributes.push(readAttribute(reader.bytes()));
    else if (number === 11) details.events.push(readEvent(reader.bytes()));
    else if (number === 13) details.links.push(readLink(reader.bytes()));
    else if (number === 15) Object.assign(details, readStatus(reader.bytes()));
    else reader.skip(wireType);
  });
  return details;
}

function readStatus(bytes: Uint8Array): Pick<SpanDetails, "status" | "statusMessage"> {
  const read: Pick<SpanDetails, "status" | "statusMessage"> = { status: "unset", statusMessage: "" };
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 2) read.statusMessage = readText(reader);
    else if (number === 3) read.status = statuses[reader.int32()] ?? "unset";
    else reader.skip(wireType);
  });
  return read;
}

function readEvent(bytes: Uint8Array): SpanDetails["events"][number] {
  const event: SpanDetails["events"][number] = { time: 0n, name: "", attributes: [] };
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 1) event.time = BigInt(reader.fixed64());
    else if (number === 2) event.name = readText(reader);
    else if (number === 3) event.attributes.push(readAttribute(reader.bytes()));
    else reader.skip(wireType);
  });
  return event;
}

function readLink(bytes: Uint8Array): SpanDetails["links"][number] {
  const link: SpanDetails["links"][number] = { traceId: "", spanId: "", attributes: [] };
  forEachField(bytes, (number, reader, wireType) => {
    if (number === 1) link.traceId = hex(reader.bytes());
    else if (number === 2) link.spanId = hex(reader.bytes());
    else if (number === 4) link.attributes.push(readAttribute(reader.bytes()));
    else reader.skip(wireType);
  });
  return link;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
