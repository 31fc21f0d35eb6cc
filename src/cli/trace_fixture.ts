// One small trace for tests, as the protobuf and as the JSON that a server would give: three services, a failed span with
// an event, and a span whose parent is missing.
import { BinaryWriter } from "@bufbuild/protobuf/wire";

export const traceId = "0af7651916cd43dd8448eb211c80319c";

interface Span {
  id: number;
  parent: number;
  name: string;
  kind: number;
  /** Milliseconds after 2026-01-15 10:00:00 UTC. */
  from: number;
  to: number;
  declined?: boolean;
}

const originNanos = 1_768_471_200_000_000_000n;
const services: Record<string, Span[]> = {
  frontend: [{ id: 1, parent: 0, name: "GET /checkout", kind: 2, from: 0, to: 400 }],
  cart: [
    { id: 2, parent: 1, name: "GetCart", kind: 2, from: 50, to: 150 },
    { id: 5, parent: 255, name: "late", kind: 5, from: 300, to: 310 },
  ],
  redis: [{ id: 3, parent: 2, name: "HGETALL", kind: 3, from: 60, to: 100 }],
  payment: [{ id: 4, parent: 1, name: "Charge", kind: 3, from: 200, to: 400, declined: true }],
};

export const partialMessage = "Trace exceeds maximum size of 5 bytes, a partial trace is returned";

/** tempopb.Trace, which is also OTLP's TracesData. */
export function traceProtobuf(): Uint8Array {
  const trace = new BinaryWriter();
  for (const [service, spans] of Object.entries(services)) {
    const resource = keyValue("service.name", (value) => value.tag(1, 2).string(service));
    const scopeSpans = new BinaryWriter();
    for (const span of spans) scopeSpans.tag(2, 2).bytes(spanProtobuf(span));
    const resourceSpans = new BinaryWriter();
    resourceSpans.tag(1, 2).bytes(new BinaryWriter().tag(1, 2).bytes(resource).finish());
    trace.tag(1, 2).bytes(resourceSpans.tag(2, 2).bytes(scopeSpans.finish()).finish());
  }
  return trace.finish();
}

/** tempopb.TraceByIDResponse. */
export function responseProtobuf(partial: boolean): Uint8Array {
  const response = new BinaryWriter().tag(1, 2).bytes(traceProtobuf());
  response.tag(2, 2).bytes(new BinaryWriter().tag(1, 0).uint64(123).finish());
  if (partial) response.tag(3, 0).int32(1).tag(4, 2).string(partialMessage);
  return response.finish();
}

function spanProtobuf({ id, parent, name, kind, from, to, declined }: Span): Uint8Array {
  const span = new BinaryWriter().tag(1, 2).bytes(Buffer.from(traceId, "hex")).tag(2, 2).bytes(idBytes(id));
  if (parent !== 0) span.tag(4, 2).bytes(idBytes(parent));
  span.tag(5, 2).string(name).tag(6, 0).int32(kind);
  span.tag(7, 1).fixed64(nanos(from)).tag(8, 1).fixed64(nanos(to));
  const status = new BinaryWriter();
  if (declined) {
    span.tag(9, 2).bytes(keyValue("amount", (value) => value.tag(4, 1).double(12.5)));
    span.tag(9, 2).bytes(keyValue("attempt", (value) => value.tag(3, 0).int64(2)));
    const event = new BinaryWriter().tag(1, 1).fixed64(nanos(390)).tag(2, 2).string("exception");
    event.tag(3, 2).bytes(keyValue("exception.type", (value) => value.tag(1, 2).string("Declined")));
    span.tag(11, 2).bytes(event.finish());
    const link = new BinaryWriter().tag(1, 2).bytes(Buffer.alloc(16, 7)).tag(2, 2).bytes(idBytes(9));
    span.tag(13, 2).bytes(link.finish());
    status.tag(2, 2).string("card declined").tag(3, 0).int32(2);
  }
  return span.tag(15, 2).bytes(status.finish()).finish();
}

function keyValue(key: string, write: (value: BinaryWriter) => BinaryWriter): Uint8Array {
  const value = write(new BinaryWriter()).finish();
  return new BinaryWriter().tag(1, 2).string(key).tag(2, 2).bytes(value).finish();
}

/** The same as the JSON of Tempo (ids in base64, enumerations by name), or of OTLP (ids in hex, numbers). */
export function traceJson(form: "tempo" | "otlp", list: "resourceSpans" | "batches"): object {
  const tempo = form === "tempo";
  const encoding = tempo ? "base64" : "hex";
  const kinds = ["", "", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "", "SPAN_KIND_CONSUMER"];
  const spanJson = ({ id, parent, name, kind, from, to, declined }: Span) => ({
    traceId: Buffer.from(traceId, "hex").toString(encoding),
    spanId: idBytes(id).toString(encoding),
    ...(parent === 0 ? {} : { parentSpanId: idBytes(parent).toString(encoding) }),
    name,
    kind: tempo ? kinds[kind] : kind,
    startTimeUnixNano: String(nanos(from)),
    endTimeUnixNano: String(nanos(to)),
    status: declined ? { message: "card declined", code: tempo ? "STATUS_CODE_ERROR" : 2 } : {},
    ...(declined && {
      attributes: [
        { key: "amount", value: { doubleValue: 12.5 } },
        { key: "attempt", value: { intValue: "2" } },
      ],
      events: [
        {
          timeUnixNano: String(nanos(390)),
          name: "exception",
          attributes: [{ key: "exception.type", value: { stringValue: "Declined" } }],
        },
      ],
      links: [{ traceId: Buffer.alloc(16, 7).toString(encoding), spanId: idBytes(9).toString(encoding) }],
    }),
  });
  return {
    [list]: Object.entries(services).map(([service, spans]) => ({
      resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
      scopeSpans: [{ spans: spans.map(spanJson) }],
    })),
  };
}

function nanos(ms: number): bigint {
  return originNanos + BigInt(ms) * 1_000_000n;
}

function idBytes(id: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(id, 4);
  return bytes;
}
