// Other people's software against a running server: the OpenTelemetry exporters and grpc-js send, curl-like requests read, and
// hyparquet and DuckDB open the blocks that it wrote. The same program also runs on Deno.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import http2 from "node:http2";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import * as grpc from "@grpc/grpc-js";
import { type Attributes, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { traceIdHex } from "../bench/load/ids.ts";
import { Request } from "../bench/load/request.ts";
import { loadDefaults, runLoad } from "../bench/load/run.ts";
import { decodeProto } from "./conformance/proto_reader.ts";
import { Rubato, root } from "./support/rubato.ts";
import { spanIds } from "./support/trace_reader.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const tenant = "single-tenant";

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}
interface ResourceSpans {
  resource: { attributes: KeyValue[] };
  scopeSpans: { scope: { name: string; version?: string }; spans: Record<string, unknown>[] }[];
}

async function traceJson(server: Rubato, id: string): Promise<ResourceSpans[]> {
  const answer = await fetch(`http://127.0.0.1:${server.ports.http}/api/v2/traces/${id}`);
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as { trace: { resourceSpans?: ResourceSpans[] } };
  return body.trace.resourceSpans ?? [];
}

describe("clients", () => {
  let server: Rubato;
  beforeAll(async () => {
    server = await Rubato.start();
  });
  afterAll(() => server?.remove());

  const exporters: Record<string, () => SpanExporter> = {
    "gRPC, receiver port": () => new GrpcExporter({ url: `http://127.0.0.1:${server.ports.otlpGrpc}` }),
    "HTTP protobuf": () =>
      new ProtobufExporter({ url: `http://127.0.0.1:${server.ports.otlpHttp}/v1/traces` }),
    "HTTP JSON": () => new JsonExporter({ url: `http://127.0.0.1:${server.ports.otlpHttp}/v1/traces` }),
  };
  for (const [name, exporter] of Object.entries(exporters)) {
    test(`OpenTelemetry exporter over ${name}`, async () => {
      const attributes: Attributes = {
        "http.method": "GET",
        answer: 42,
        half: 0.5,
        yes: true,
        list: ["a", "b"],
      };
      const provider = new BasicTracerProvider({
        resource: resourceFromAttributes({ "service.name": "interop" }),
        spanProcessors: [new SimpleSpanProcessor(exporter())],
      });
      const tracer = provider.getTracer("tests", "1.2.3");
      const span = tracer.startSpan("first span", { kind: SpanKind.CLIENT, attributes });
      span.addEvent("happened", { size: 7 });
      span.setStatus({ code: SpanStatusCode.ERROR, message: "no luck" });
      span.end();
      await provider.forceFlush();
      await provider.shutdown();

      const [resource, ...others] = await traceJson(server, span.spanContext().traceId);
      expect(others).toEqual([]);
      expect(resource!.resource.attributes).toContainEqual({
        key: "service.name",
        value: { stringValue: "interop" },
      });
      expect(resource!.scopeSpans).toHaveLength(1);
      const { scope, spans } = resource!.scopeSpans[0]!;
      expect(scope).toEqual({ name: "tests", version: "1.2.3" });
      expect(spans).toHaveLength(1);
      expect(spans[0]).toMatchObject({
        traceId: Buffer.from(span.spanContext().traceId, "hex").toString("base64"),
        spanId: Buffer.from(span.spanContext().spanId, "hex").toString("base64"),
        name: "first span",
        kind: "SPAN_KIND_CLIENT",
        status: { code: "STATUS_CODE_ERROR", message: "no luck" },
        events: [{ name: "happened", attributes: [{ key: "size", value: { intValue: "7" } }] }],
      });
      expect(spans[0]!.attributes).toEqual(
        expect.arrayContaining([
          { key: "http.method", value: { stringValue: "GET" } },
          { key: "answer", value: { intValue: "42" } },
          { key: "half", value: { doubleValue: 0.5 } },
          { key: "yes", value: { boolValue: true } },
          { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] } } },
        ]),
      );
    });
  }

  function unary(path: string, message: Uint8Array, options?: grpc.CallOptions): Promise<Buffer> {
    const client = new grpc.Client(`127.0.0.1:${server.ports.otlpGrpc}`, grpc.credentials.createInsecure());
    return new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        message,
        new grpc.Metadata(),
        options ?? {},
        (error, answer) => (error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error)),
      );
    }).finally(() => client.close());
  }
  const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

  test("grpc-js, a whole batch of spans, read back as JSON and as protobuf", async () => {
    const request = new Request(3, 0, 20, () => new Uint8Array(0), false);
    request.stamp(0, Date.now());
    const answer = decodeProto("ExportTraceServiceResponse", await unary(exportPath, request.message()));
    expect(answer).toEqual({ partialSuccess: {} });
    const id = traceIdHex(3, 7);
    const fromJson = (await traceJson(server, id)).flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
    expect(fromJson).toHaveLength(10);
    const protobuf = await fetch(`http://127.0.0.1:${server.ports.http}/api/traces/${id}`, {
      headers: { Accept: "application/protobuf" },
    });
    expect(protobuf.headers.get("content-type")).toBe("application/protobuf");
    const ids = spanIds(new Uint8Array(await protobuf.arrayBuffer()));
    expect(ids.sort()).toEqual(
      fromJson.map((s) => Buffer.from(String(s.spanId), "base64").toString("hex")).sort(),
    );
  });

  test("a request that is sent twice is answered and stored once", async () => {
    const request = new Request(6, 0, 5, () => new Uint8Array(0), false);
    request.stamp(0, Date.now());
    await unary(exportPath, request.message());
    await unary(exportPath, request.message());
    const spans = async () =>
      (await traceJson(server, traceIdHex(6, 2))).flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
    expect(await spans()).toHaveLength(10);
    await server.flush();
    expect(await spans()).toHaveLength(10);
    await unary(exportPath, request.message());
    expect(await spans()).toHaveLength(10);
  });

  for (const type of ["application/proto", "application/grpc-web+proto"]) {
    test(`the gRPC service in HTTP/1.1 as ${type}`, async () => {
      const request = new Request(7, 0, 5, () => new Uint8Array(0), false);
      request.stamp(type.length * 100, Date.now());
      const message = request.message();
      const body = type === "application/proto" ? message : Buffer.concat([new Uint8Array(5), message]);
      if (type !== "application/proto")
        Buffer.from(body.buffer, body.byteOffset).writeUInt32BE(message.length, 1);
      const answer = await fetch(`http://127.0.0.1:${server.ports.otlpGrpc}${exportPath}`, {
        method: "POST",
        headers: { "Content-Type": type },
        body: body as Uint8Array<ArrayBuffer>,
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe(type);
      await answer.arrayBuffer();
      expect((await traceJson(server, traceIdHex(7, type.length * 100))).length).toBeGreaterThan(0);
    });
  }

  test("OTLP/HTTP and the query API over HTTP/2 without TLS", async () => {
    const request = new Request(8, 0, 5, () => new Uint8Array(0), false);
    request.stamp(0, Date.now());
    const post = await http2Request(server.ports.otlpHttp, "POST", "/v1/traces", request.message());
    expect(post.status).toBe(200);
    const get = await http2Request(server.ports.http, "GET", `/api/v2/traces/${traceIdHex(8, 1)}`);
    expect(get.status).toBe(200);
    expect(get.body).toContain('"spanId"');
  });

  function http2Request(
    port: number,
    method: string,
    path: string,
    body?: Uint8Array,
  ): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      session.on("error", reject);
      const stream = session.request({
        ":method": method,
        ":path": path,
        "content-type": "application/x-protobuf",
      });
      let status = 0;
      const parts: Buffer[] = [];
      stream.on("response", (headers) => {
        status = Number(headers[":status"]);
      });
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("error", reject);
      stream.on("end", () => {
        session.close();
        resolve({ status, body: Buffer.concat(parts).toString("utf8") });
      });
      stream.end(body);
    });
  }

  test("grpc-js, gzip on the wire", async () => {
    const client = new grpc.Client(`127.0.0.1:${server.ports.otlpGrpc}`, grpc.credentials.createInsecure(), {
      "grpc.default_compression_algorithm": 2,
    });
    const request = new Request(4, 0, 5, () => new Uint8Array(0), false);
    request.stamp(0, Date.now());
    await new Promise<void>((resolve, reject) =>
      client.makeUnaryRequest(
        exportPath,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        request.message(),
        (error) => (error === null ? resolve() : reject(error)),
      ),
    );
    client.close();
    expect((await traceJson(server, traceIdHex(4, 4))).length).toBeGreaterThan(0);
  });

  test("grpc-js, an invalid id is INVALID_ARGUMENT with Tempo's text", async () => {
    // resource_spans { scope_spans { spans { trace_id: 8 bytes, span_id: 8 bytes } } }
    const span = [0x0a, 8, ...Array(8).fill(1), 0x12, 8, ...Array(8).fill(2)];
    const message = Uint8Array.from([
      0x0a,
      span.length + 4,
      0x12,
      span.length + 2,
      0x12,
      span.length,
      ...span,
    ]);
    const error = await unary(exportPath, message).then(
      () => null,
      (reason: grpc.ServiceError) => reason,
    );
    expect(error?.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(error?.details).toBe("trace ids must be 128 bit, received 64 bits");
  });

  test("grpc-js, health service", async () => {
    const answer = await unary("/grpc.health.v1.Health/Check", new Uint8Array(0));
    expect([...answer]).toEqual([0x08, 1]); // SERVING
  });

  test("grpc-js, an unknown method is UNIMPLEMENTED", async () => {
    const error = await unary("/rubato.Nothing/Here", new Uint8Array(0)).then(
      () => null,
      (reason: grpc.ServiceError) => reason,
    );
    expect(error?.code).toBe(grpc.status.UNIMPLEMENTED);
  });
});

describe("blocks", () => {
  const traces = 3000;
  const spans = traces * 10;
  let server: Rubato;
  let files: string[];

  beforeAll(async () => {
    server = await Rubato.start();
    const sent = await runLoad({
      ...loadDefaults,
      port: server.ports.otlpGrpc,
      spans,
      seconds: 0,
      seed: 9,
    });
    expect(sent.acknowledgedSpans).toBe(spans);
    await server.flush();
    const folder = join(server.dataFolder, "blocks", tenant);
    files = readdirSync(folder)
      .map((name) => join(folder, name, "data.parquet"))
      .filter((path) => existsSync(path));
    expect(files.length).toBeGreaterThan(0);
  });
  afterAll(() => server?.remove());

  test("a block is data, blooms, index and meta.json, with the counts that were sent", () => {
    let objects = 0;
    for (const file of files) {
      const folder = join(file, "..");
      const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")) as Record<string, unknown>;
      expect(meta.format).toBe("vParquet4");
      expect(meta.tenantID).toBe(tenant);
      expect(meta.size).toBe(readFileSync(file).length);
      const names = readdirSync(folder).sort();
      expect(names).toContain("index");
      expect(names).toContain("bloom-0");
      expect(names.filter((name) => name.startsWith("bloom-"))).toHaveLength(Number(meta.bloomShards));
      objects += Number(meta.totalObjects);
    }
    expect(objects).toBe(traces);
  });

  test("hyparquet reads rows, ids and spans", async () => {
    const ids = new Set<string>();
    let found = 0;
    for (const path of files) {
      const file = await asyncBufferFromFile(path);
      const metadata = await parquetMetadataAsync(file);
      const rows = (await parquetReadObjects({
        file,
        metadata,
        compressors,
        columns: ["TraceID", "TraceIDText", "RootServiceName", "rs"],
        utf8: false,
      })) as { TraceID: Uint8Array; TraceIDText: string; RootServiceName: string; rs: unknown }[];
      expect(rows).toHaveLength(Number(metadata.num_rows));
      for (const row of rows) {
        const hex = Buffer.from(row.TraceID).toString("hex");
        expect(String(row.TraceIDText)).toBe(hex.replace(/^0+/, ""));
        expect(["frontend", "gateway"]).toContain(String(row.RootServiceName));
        ids.add(hex);
        found += countSpans(row.rs);
      }
    }
    expect(ids.size).toBe(traces);
    expect(ids.has(traceIdHex(9, 0))).toBe(true);
    expect(ids.has(traceIdHex(9, traces - 1))).toBe(true);
    expect(found).toBe(spans);
  });

  test("DuckDB counts traces, spans and services", async () => {
    const duck = await DuckDBInstance.create(":memory:");
    const connection = await duck.connect();
    const list = `[${files.map((file) => `'${file}'`).join(",")}]`;
    const rows = await connection.runAndReadAll(`
      SELECT count(*)::INTEGER AS traces,
             sum(list_sum(list_transform(rs, lambda r: list_sum(list_transform(r.ss, lambda s: len(s.Spans))))))::INTEGER AS spans,
             count(DISTINCT RootServiceName)::INTEGER AS roots,
             bool_and(EndTimeUnixNano > StartTimeUnixNano) AS ordered
      FROM read_parquet(${list})`);
    expect(rows.getRowObjects()).toEqual([{ traces, spans, roots: 2, ordered: true }]);
    const services = await connection.runAndReadAll(`
      SELECT count(DISTINCT r.Resource.ServiceName)::INTEGER AS services
      FROM (SELECT unnest(rs) AS r FROM read_parquet(${list}))`);
    expect(services.getRowObjects()).toEqual([{ services: 20 }]);
    connection.closeSync();
    duck.closeSync();
  });
});

// Whatever the reader makes of the nested lists, the spans are the lists called "Spans".
function countSpans(node: unknown): number {
  if (Array.isArray(node)) return node.reduce<number>((sum, item) => sum + countSpans(item), 0);
  if (node === null || typeof node !== "object" || node instanceof Uint8Array) return 0;
  let sum = 0;
  for (const [key, value] of Object.entries(node)) {
    if (key !== "Spans") sum += countSpans(value);
    else if (Array.isArray(value)) sum += value.length;
    else sum += ((value as { list?: unknown[] } | null)?.list ?? []).length;
  }
  return sum;
}

const deno = join(root, "node_modules/.bin/deno");
const hasDeno = existsSync(deno) && spawnSync(deno, ["--version"]).status === 0;

test.skipIf(!hasDeno)(
  "on Deno: takes a span, gives it back, flushes it, gives it back (skipped without Deno)",
  async () => {
    const server = await Rubato.start({ runtime: "deno" });
    try {
      const sent = await runLoad({
        ...loadDefaults,
        port: server.ports.otlpGrpc,
        spans: 1000,
        spansPerRequest: 100,
        seconds: 0,
        seed: 12,
      });
      expect(sent.acknowledgedSpans).toBe(1000);
      for (const trace of [0, 99])
        expect((await traceJson(server, traceIdHex(12, trace))).length).toBeGreaterThan(0);
      await server.flush();
      for (const trace of [0, 99])
        expect((await traceJson(server, traceIdHex(12, trace))).length).toBeGreaterThan(0);
      expect(await server.stop()).toBe(0);
    } finally {
      await server.remove();
    }
  },
);
