// Spans that a test sends, and whose answers it works out by hand.
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
} from "../../src/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import type { Rubato } from "./rubato.ts";

export type Value =
  | { case: "stringValue"; value: string }
  | { case: "intValue"; value: bigint }
  | { case: "arrayValue"; value: { values: { value: Value }[] } };

export interface SpanOf {
  trace: string;
  id: number;
  parent?: number;
  name: string;
  kind?: number;
  error?: boolean;
  startMs?: number; // after the base
  durationMs?: number;
  attributes?: Record<string, Value>;
  exception?: string;
}

export const text = (value: string): Value => ({ case: "stringValue", value });
export const int = (value: number): Value => ({ case: "intValue", value: BigInt(value) });

/** @param base unix seconds */
export function spanAt(base: number, of: SpanOf) {
  const { trace, id, parent = 0, name, kind = 2, error = false, startMs = 0, durationMs = 10 } = of;
  const bytes = (number: number) => Buffer.from(number.toString(16).padStart(16, "0"), "hex");
  const start = BigInt(base) * 1_000_000_000n + BigInt(startMs) * 1_000_000n;
  return {
    traceId: Buffer.from(trace, "hex"),
    spanId: bytes(id),
    parentSpanId: parent === 0 ? new Uint8Array() : bytes(parent),
    name,
    kind,
    status: error ? { code: 2 } : undefined,
    startTimeUnixNano: start,
    endTimeUnixNano: start + BigInt(durationMs) * 1_000_000n,
    attributes: attributes(of.attributes ?? {}),
    events:
      of.exception === undefined
        ? []
        : [
            {
              name: "exception",
              timeUnixNano: start,
              attributes: attributes({
                "exception.message": text(of.exception),
                "exception.type": text("Timeout"),
                "exception.stacktrace": text("at pay()"),
              }),
            },
          ],
  };
}

/** @param service null: without a resource */
export function requestOf(
  service: string | null,
  spans: ReturnType<typeof spanAt>[],
): ExportTraceServiceRequest {
  const resource =
    service === null ? undefined : { attributes: attributes({ "service.name": text(service) }) };
  return create(ExportTraceServiceRequestSchema, { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

export async function push(
  server: Rubato,
  request: ExportTraceServiceRequest,
  tenant?: string,
): Promise<void> {
  const answer = await server.otlp({
    method: "POST",
    path: "/v1/traces",
    headers: {
      "Content-Type": "application/x-protobuf",
      ...(tenant === undefined ? {} : { "X-Scope-OrgID": tenant }),
    },
    body: toBinary(ExportTraceServiceRequestSchema, request),
  });
  if (answer.status !== 200) throw new Error(`push: ${answer.status} ${answer.text()}`);
}

function attributes(of: Record<string, Value>) {
  return Object.entries(of).map(([key, value]) => ({ key, value: { value } }));
}
