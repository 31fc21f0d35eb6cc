import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import http2 from "node:http2";
import zlib from "node:zlib";
import { create, fromBinary, fromJsonString, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import grpc from "@grpc/grpc-js";
import { RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../gen/grpc/health/v1/health_pb.ts";
import {
  ExportTraceServiceRequestSchema as RequestSchema,
  TraceService,
} from "../gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import { log } from "../telemetry/log.ts";
import { startTestServer, type TestServer } from "./test_server.ts";

/** A request of several resource spans, some of them large. */
const request = fromJsonString(
  RequestSchema,
  JSON.stringify({
    resourceSpans: Array.from({ length: 5 }, (_, i) => ({
      resource: { attributes: [{ key: "service.name", value: { stringValue: "x".repeat(i * 100) } }] },
      scopeSpans: [
        { spans: [{ traceId: "AQIDBAUGBwgJCgsMDQ4PEA==", spanId: "AQIDBAUGBwg=", name: `span ${i}` }] },
      ],
    })),
  }),
);
const requestBytes = toBinary(RequestSchema, request);

const server = await startTestServer();
const tenants = await startTestServer((config) => {
  config.multitenancy_enabled = true;
});
afterAll(async () => {
  await Promise.all([server.stop(), tenants.stop()]);
});
beforeEach(() => {
  for (const each of [server, tenants]) {
    each.pushed.length = 0;
    each.sink.refuse = () => {};
  }
});

const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** One Export call by grpc-js; gives the answer's bytes, or the error that the client sees. */
function callByGrpcJs(
  to: TestServer,
  message: Uint8Array,
  { metadata = {}, compression = 0 }: { metadata?: Record<string, string>; compression?: number } = {},
): Promise<Buffer | grpc.ServiceError> {
  const client = new grpc.Client(`127.0.0.1:${to.port("otlp-grpc")}`, grpc.credentials.createInsecure(), {
    "grpc.default_compression_algorithm": compression,
  });
  const headers = new grpc.Metadata();
  for (const [name, value] of Object.entries(metadata)) headers.set(name, value);
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      exportPath,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.from(message),
      headers,
      (error, answer) => {
        client.close();
        resolve(error ?? answer!);
      },
    );
  });
}

describe("TraceService over gRPC, called by grpc-js", () => {
  test("takes a request whole and answers with an empty partial success", async () => {
    const answer = await callByGrpcJs(server, requestBytes);
    expect(Buffer.from(answer as Buffer).toString("hex")).toBe("0a00");
    expect(server.pushed).toEqual([{ tenant: "single-tenant", request: requestBytes }]);
  });

  test("takes gzip and deflate", async () => {
    for (const compression of [grpc.compressionAlgorithms.gzip, grpc.compressionAlgorithms.deflate]) {
      const answer = await callByGrpcJs(server, requestBytes, { compression });
      expect(answer).toBeInstanceOf(Buffer);
      expect(server.pushed.pop()!.request).toEqual(requestBytes);
    }
  });

  test("takes an empty request", async () => {
    expect(await callByGrpcJs(server, new Uint8Array(0))).toBeInstanceOf(Buffer);
    expect(server.pushed[0]!.request.length).toBe(0);
  });

  test("refuses a message over 4 MiB, sent or decompressed", async () => {
    const large = new Uint8Array((4 << 20) + 1);
    expect(await callByGrpcJs(server, large)).toMatchObject({
      code: grpc.status.RESOURCE_EXHAUSTED,
      details: "received message larger than max (4194305 vs. 4194304)",
    });
    expect(await callByGrpcJs(server, large, { compression: grpc.compressionAlgorithms.gzip })).toMatchObject(
      {
        code: grpc.status.RESOURCE_EXHAUSTED,
      },
    );
    expect(await callByGrpcJs(server, new Uint8Array(4 << 20))).toBeInstanceOf(Buffer);
    expect(server.running.receivedBytes).toBe(0);
  });

  test("gives the codes of the sink's errors, and RetryInfo", async () => {
    server.sink.refuse = () => {
      throw Object.assign(new Error("span ids must be 64 bit and not all zero, received 0 bits"), {
        code: "invalid_argument",
      });
    };
    expect(await callByGrpcJs(server, requestBytes)).toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
      details: "span ids must be 64 bit and not all zero, received 0 bits",
    });
    server.sink.refuse = () => {
      throw Object.assign(new Error("voll: 100 %"), { code: "resource_exhausted", retryDelayMs: 250 });
    };
    const error = (await callByGrpcJs(server, requestBytes)) as grpc.ServiceError;
    expect(error).toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED, details: "voll: 100 %" });
    const [status] = error.metadata.get("grpc-status-details-bin") as Buffer[];
    expect(status!.includes("type.googleapis.com/google.rpc.RetryInfo")).toBe(true);
  });

  test("takes the tenant from the metadata", async () => {
    const taken = await callByGrpcJs(tenants, requestBytes, { metadata: { "X-Scope-OrgID": "team-a" } });
    expect(taken).toBeInstanceOf(Buffer);
    expect(tenants.pushed[0]!.tenant).toBe("team-a");
    expect(await callByGrpcJs(tenants, requestBytes)).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: "no org id",
    });
    expect(
      await callByGrpcJs(tenants, requestBytes, { metadata: { "x-scope-orgid": "bad/x" } }),
    ).toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
      details: "tenant ID 'bad/x' contains unsupported character '/'",
    });
  });

  test("answers a method or service that it hasn't got with UNIMPLEMENTED", async () => {
    const client = new grpc.Client(
      `127.0.0.1:${server.port("tempo-grpc")}`,
      grpc.credentials.createInsecure(),
    );
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      const pass = (bytes: Buffer) => bytes;
      client.makeUnaryRequest(exportPath, pass, pass, Buffer.from(requestBytes), (failure) =>
        resolve(failure),
      );
    });
    client.close();
    expect(error).toMatchObject({ code: grpc.status.UNIMPLEMENTED });
    for (const httpVersion of ["1.1", "2"] as const) {
      const web = createGrpcWebTransport({ baseUrl: server.url("tempo-grpc"), httpVersion });
      const refused = await createClient(TraceService, web).export({}).catch(ConnectError.from);
      expect(refused).toMatchObject({ code: Code.Unimplemented });
    }
  });
});

describe("TraceService over gRPC, frame by frame", () => {
  /** What a server answers to a call of these body bytes. */
  async function call(
    body: Uint8Array[],
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> {
    const session = http2.connect(server.url("otlp-grpc"));
    const stream = session.request({
      ":method": "POST",
      ":path": exportPath,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const answer: Record<string, unknown> = {};
    stream.on("response", (head) => Object.assign(answer, head));
    stream.on("trailers", (trailers) => Object.assign(answer, trailers));
    stream.resume();
    for (const each of body) stream.write(each);
    stream.end();
    await new Promise((resolve) => stream.once("close", resolve));
    session.close();
    return answer;
  }

  function framed(message: Uint8Array, flags = 0): Buffer {
    const head = Buffer.alloc(5);
    head[0] = flags;
    head.writeUInt32BE(message.length, 1);
    return Buffer.concat([head, message]);
  }

  test("takes a message in any number of pieces", async () => {
    const bytes = framed(requestBytes);
    const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 4), bytes.subarray(4, 9), bytes.subarray(9)];
    expect(await call(pieces)).toMatchObject({ ":status": 200, "grpc-status": "0" });
    expect(server.pushed[0]!.request).toEqual(requestBytes);
  });

  test("takes zstd and snappy", async () => {
    const zstd = framed(zlib.zstdCompressSync(requestBytes), 1);
    expect(await call([zstd], { "grpc-encoding": "zstd" })).toMatchObject({ "grpc-status": "0" });
    // Snappy's framing format: the stream's name, then the message as an uncompressed chunk.
    const name = Buffer.from("ff060000734e61507059", "hex");
    const chunk = Buffer.concat([
      Buffer.of(1, (requestBytes.length + 4) & 255, (requestBytes.length + 4) >> 8, 0, 0, 0, 0, 0),
      requestBytes,
    ]);
    const snappy = framed(Buffer.concat([name, chunk]), 1);
    expect(await call([snappy], { "grpc-encoding": "snappy" })).toMatchObject({ "grpc-status": "0" });
    expect(server.pushed.map(({ request }) => request)).toEqual([requestBytes, requestBytes]);
  });

  test.each([
    ["no message", [], {}, 12, "export call without a message"],
    ["a prefix that is cut off", [framed(requestBytes).subarray(0, 3)], {}, 3, "export message is cut off"],
    ["a message that is cut off", [framed(requestBytes).subarray(0, 30)], {}, 3, "export message is cut off"],
    [
      "two messages",
      [framed(requestBytes), framed(requestBytes)],
      {},
      12,
      "export call with more than one message",
    ],
    ["a flag without an encoding", [framed(requestBytes, 1)], {}, 12, 'unknown compression ""'],
    [
      "an unknown encoding",
      [framed(requestBytes, 1)],
      { "grpc-encoding": "br" },
      12,
      'unknown compression "br"',
    ],
    [
      "broken compression",
      [framed(requestBytes, 1)],
      { "grpc-encoding": "gzip" },
      3,
      "gzip: incorrect header check",
    ],
    [
      "a length over the limit",
      [Buffer.of(0, 255, 255, 255, 255)],
      {},
      8,
      "received message larger than max",
    ],
  ])("refuses %s", async (_, body, headers, status, message) => {
    const answer = await call(body, headers as Record<string, string>);
    expect(answer).toMatchObject({ ":status": 200, "grpc-status": String(status) });
    expect(decodeURIComponent(String(answer["grpc-message"]))).toStartWith(message);
    expect(server.pushed).toEqual([]);
    expect(server.running.receivedBytes).toBe(0);
  });

  test("ends quietly when a call is canceled while its spans are being pushed", async () => {
    let push = () => {};
    server.sink.refuse = () =>
      new Promise((resolve) => {
        push = resolve;
      });
    const lines: string[] = [];
    log.configure({ sink: (line) => lines.push(line) });
    const session = http2.connect(server.url("otlp-grpc"));
    const stream = session.request({
      ":method": "POST",
      ":path": exportPath,
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.end(framed(requestBytes));
    await until(() => server.running.receivedBytes > 0);
    const other = session.request({
      ":method": "POST",
      ":path": exportPath,
      "content-type": "application/grpc",
    });
    other.on("error", () => {});
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await new Promise((resolve) => stream.once("close", resolve));
    // The server has seen the reset when it answers what came behind it.
    const pong = new Promise((resolve) => session.ping(resolve));
    await pong;
    push();
    await until(() => server.pushed.length === 1);
    session.destroy();
    await until(() => server.running.receivedBytes === 0);
    log.configure({ sink: (line) => process.stderr.write(line) });
    expect(lines).toEqual([]);
  });

  test("gives up on a call that takes too long", async () => {
    const hasty = await startTestServer((config) => {
      config.server.http_server_read_timeout = 50;
    });
    const session = http2.connect(hasty.url("otlp-grpc"));
    const stream = session.request({
      ":method": "POST",
      ":path": exportPath,
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.resume();
    stream.write(framed(requestBytes).subarray(0, 20));
    const trailers = await new Promise((resolve) => stream.once("trailers", resolve));
    expect(trailers).toMatchObject({
      "grpc-status": "4",
      "grpc-message": "request body not complete within 50 ms",
    });
    await new Promise((resolve) => stream.once("close", resolve));
    expect(hasty.running.receivedBytes).toBe(0);
    session.close();
    await hasty.stop();
  });

  test("gives the memory of a cut call back", async () => {
    const session = http2.connect(server.url("otlp-grpc"));
    const stream = session.request({
      ":method": "POST",
      ":path": exportPath,
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.write(framed(new Uint8Array(3 << 20)).subarray(0, 2 << 20));
    await until(() => server.running.receivedBytes > 0);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await until(() => server.running.receivedBytes === 0);
    const second = session.request({
      ":method": "POST",
      ":path": exportPath,
      "content-type": "application/grpc",
    });
    second.on("error", () => {});
    second.write(framed(new Uint8Array(1000)).subarray(0, 500));
    await until(() => server.running.receivedBytes > 0);
    session.destroy();
    await until(() => server.running.receivedBytes === 0);
    expect(server.pushed).toEqual([]);
  });
});

const transports: [string, (url: string) => Transport][] = [
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web over HTTP/1.1", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC-Web over HTTP/2", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
  [
    "Connect over HTTP/1.1",
    (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true }),
  ],
  [
    "Connect over HTTP/2",
    (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true }),
  ],
];

describe.each(transports)("services by %s", (_, transport) => {
  test("TraceService takes requests and gives errors with their details", async () => {
    const client = createClient(TraceService, transport(server.url("otlp-grpc")));
    expect((await client.export(request)).partialSuccess).toBeDefined();
    expect(fromBinary(RequestSchema, server.pushed[0]!.request)).toEqual(request);
    server.sink.refuse = () => {
      throw Object.assign(new Error("full"), { code: "resource_exhausted", retryDelayMs: 2000 });
    };
    const error = await client.export(request).catch((failure) => ConnectError.from(failure));
    expect(error).toMatchObject({ code: Code.ResourceExhausted, rawMessage: "full" });
    expect((error as ConnectError).findDetails(RetryInfoSchema)[0]!.retryDelay!.seconds).toBe(2n);
  });

  test("TraceService refuses what is too large", async () => {
    const client = createClient(TraceService, transport(server.url("otlp-grpc")));
    const large = create(RequestSchema, { resourceSpans: [{ schemaUrl: "x".repeat(5 << 20) }] });
    const error = await client.export(large).catch((failure) => ConnectError.from(failure));
    expect(error).toMatchObject({ code: Code.ResourceExhausted });
    expect(server.running.receivedBytes).toBe(0);
  });

  test("Health checks, lists and watches", async () => {
    server.ready = true;
    const client = createClient(Health, transport(server.url("otlp-grpc")));
    expect(await client.check({})).toMatchObject({ status: Status.SERVING });
    expect(await client.check({ service: TraceService.typeName })).toMatchObject({ status: Status.SERVING });
    const unknown = await client.check({ service: "x" }).catch((failure) => ConnectError.from(failure));
    expect(unknown).toMatchObject({ code: Code.NotFound });
    expect(Object.keys((await client.list({})).statuses).sort()).toEqual([
      "",
      Health.typeName,
      TraceService.typeName,
    ]);
    const seen: Status[] = [];
    const cancel = new AbortController();
    try {
      for await (const { status } of client.watch({}, { signal: cancel.signal })) {
        seen.push(status);
        if (seen.length === 2) cancel.abort();
        server.ready = false;
      }
    } catch (error) {
      expect(ConnectError.from(error).code).toBe(Code.Canceled);
    }
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
    expect(await client.check({})).toMatchObject({ status: Status.NOT_SERVING });
    server.ready = true;
  });
});

test("Connect in JSON takes OTLP/JSON, with hex ids", async () => {
  const json =
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"}]}]}]}';
  const post = (body: string | Buffer, headers = {}) =>
    fetch(server.url("otlp-grpc") + exportPath, {
      method: "POST",
      body: body as Uint8Array<ArrayBuffer>,
      headers: { "Content-Type": "application/json", ...headers },
    });
  const answer = await post(json);
  expect([answer.status, await answer.json()]).toEqual([200, { partialSuccess: {} }]);
  expect((await post(zlib.gzipSync(json), { "Content-Encoding": "gzip" })).status).toBe(200);
  for (const { request } of server.pushed) {
    const { traceId } = fromBinary(RequestSchema, request).resourceSpans[0]!.scopeSpans[0]!.spans[0]!;
    expect(Buffer.from(traceId).toString("hex")).toBe("0102030405060708090a0b0c0d0e0f10");
  }
  const bad = await post('{"resourceSpans":[5]}');
  expect([bad.status, await bad.json()]).toEqual([
    400,
    { code: "invalid_argument", message: "resourceSpans[0]: an object expected (at byte 18)" },
  ]);
});

/** Waits, a turn of the event loop at a time. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) throw new Error("the condition did not come about");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
