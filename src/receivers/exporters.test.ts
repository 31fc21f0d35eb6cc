// OpenTelemetry's own exporters for JavaScript against the receivers.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { fromBinary } from "@bufbuild/protobuf";
import type { ExportResult } from "@opentelemetry/core";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import { ExportTraceServiceRequestSchema } from "../gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import { startTestServer } from "../server/test_server.ts";

const server = await startTestServer();
afterAll(() => server.stop());
beforeEach(() => {
  server.pushed.length = 0;
});

/** A few spans as the SDK makes them. */
function makeSpans(): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "shop" }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer("lib", "1.0");
  const span = tracer.startSpan("GET /", {
    kind: 1,
    attributes: { "http.status_code": 200, ratio: 0.5, tags: ["a", "b"], ok: true },
  });
  span.addEvent("cache miss", { key: "k" });
  span.setStatus({ code: 2, message: "broken" });
  span.end();
  return exporter.getFinishedSpans();
}

const traces = () => `${server.url("otlp-http")}/v1/traces`;
const exporters: [string, () => SpanExporter][] = [
  ["gRPC", () => new GrpcExporter({ url: server.url("otlp-grpc") })],
  ["gRPC with gzip", () => new GrpcExporter({ url: server.url("otlp-grpc"), compression: "gzip" as never })],
  ["HTTP protobuf", () => new ProtobufExporter({ url: traces() })],
  ["HTTP protobuf with gzip", () => new ProtobufExporter({ url: traces(), compression: "gzip" as never })],
  ["HTTP JSON", () => new JsonExporter({ url: traces() })],
  ["HTTP JSON with gzip", () => new JsonExporter({ url: traces(), compression: "gzip" as never })],
];

test.each(exporters)("spans arrive by %s", async (_, create) => {
  const exporter = create();
  const spans = makeSpans();
  const result = await new Promise<ExportResult>((resolve) => exporter.export(spans, resolve));
  await exporter.shutdown();
  expect(result.error).toBeUndefined();
  expect(result.code).toBe(0);
  const [resource] = fromBinary(ExportTraceServiceRequestSchema, server.pushed[0]!.request).resourceSpans;
  expect(resource!.resource!.attributes[0]).toMatchObject({
    key: "service.name",
    value: { value: { value: "shop" } },
  });
  const [span] = resource!.scopeSpans[0]!.spans;
  const { traceId, spanId } = spans[0]!.spanContext();
  expect([span!.traceId, span!.spanId].map((id) => Buffer.from(id).toString("hex"))).toEqual([
    traceId,
    spanId,
  ]);
  const [seconds, nanos] = spans[0]!.startTime;
  expect(span!.startTimeUnixNano).toBe(BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
  expect(span).toMatchObject({
    name: "GET /",
    kind: 2,
    status: { code: 2, message: "broken" },
    events: [{ name: "cache miss" }],
  });
  const values = span!.attributes.map(({ key, value }) => [key, value!.value.case]);
  expect(values).toEqual([
    ["http.status_code", "intValue"],
    ["ratio", "doubleValue"],
    ["tags", "arrayValue"],
    ["ok", "boolValue"],
  ]);
});
