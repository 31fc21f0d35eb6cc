import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import net from "node:net";
import zlib from "node:zlib";
import { fromBinary, fromJsonString, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { ExportTraceServiceRequestSchema } from "../gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import { startTestServer, type TestServer } from "../server/test_server.ts";

const protobuf = "application/x-protobuf";
const json = "application/json";

/** A request with one span, in both forms. */
const request = fromJsonString(
  ExportTraceServiceRequestSchema,
  `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"AQIDBAUGBwg=","name":"one"}]}]}]}`,
);
const requestProtobuf = toBinary(ExportTraceServiceRequestSchema, request);
const requestJson = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"one"}]}]}]}`;

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

function post(
  body: string | Uint8Array,
  headers: Record<string, string>,
  to: TestServer = server,
): Promise<Response> {
  return fetch(`${to.url("otlp-http")}/v1/traces`, {
    method: "POST",
    body: body as Uint8Array<ArrayBuffer>,
    headers,
  });
}

/** An error as the sink throws it. */
function refused(code: string, message: string, retryDelayMs?: number): Error {
  return Object.assign(new Error(message), { code, retryDelayMs });
}

describe("POST /v1/traces", () => {
  test("takes protobuf and answers in protobuf, with an empty partial success", async () => {
    const response = await post(requestProtobuf, { "Content-Type": protobuf });
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe(protobuf);
    expect(Buffer.from(await response.arrayBuffer()).toString("hex")).toBe("0a00");
    expect(server.pushed).toEqual([{ tenant: "single-tenant", request: requestProtobuf }]);
  });

  test("takes JSON as the same request and answers in JSON", async () => {
    const response = await post(requestJson, { "Content-Type": "application/json; charset=utf-8" });
    expect([response.status, response.headers.get("Content-Type"), await response.text()]).toEqual([
      200,
      json,
      '{"partialSuccess":{}}',
    ]);
    expect(server.pushed[0]!.request).toEqual(requestProtobuf);
  });

  test("takes no bytes as an empty protobuf message, and as no JSON", async () => {
    expect((await post("", { "Content-Type": protobuf })).status).toBe(200);
    expect(server.pushed[0]!.request.length).toBe(0);
    const response = await post("", { "Content-Type": json });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      code: 3,
      message: "request: a JSON object expected (at byte 0)",
    });
  });

  test.each([
    ["gzip", (body: Uint8Array) => zlib.gzipSync(body)],
    ["deflate", (body: Uint8Array) => zlib.deflateSync(body)],
    ["zlib", (body: Uint8Array) => zlib.deflateSync(body)],
    ["zstd", (body: Uint8Array) => zlib.zstdCompressSync(body)],
    // A length, and one literal: https://github.com/google/snappy/blob/main/format_description.txt
    ["snappy", (body: Uint8Array) => Buffer.concat([Buffer.of(body.length, (body.length - 1) << 2), body])],
    ["identity", (body: Uint8Array) => body],
    ["GZIP", (body: Uint8Array) => zlib.gzipSync(body)],
  ])("takes Content-Encoding %s", async (encoding, compress) => {
    const body = compress(requestProtobuf);
    const response = await post(body, { "Content-Type": protobuf, "Content-Encoding": encoding });
    expect(response.status).toBe(200);
    expect(server.pushed[0]!.request).toEqual(requestProtobuf);
  });

  test.each([
    ["nonsense", Buffer.from(requestJson), "unsupported Content-Encoding: nonsense"],
    ["gzip", Buffer.from(requestJson), "gzip: incorrect header check"],
    ["gzip", zlib.gzipSync(requestJson).subarray(0, 60), "gzip: unexpected end of file"],
    [
      "zstd",
      zlib.zstdCompressSync(Buffer.from(requestJson)).subarray(0, 60),
      "zstd: unexpected end of zstd frame",
    ],
  ])("refuses a broken body in %s", async (encoding, body, message) => {
    const response = await post(body, { "Content-Type": json, "Content-Encoding": encoding });
    expect(response.status).toBe(400);
    expect(response.headers.get("Content-Type")).toBe(json);
    expect(await response.json()).toEqual({ code: 3, message });
    expect(server.pushed).toEqual([]);
  });

  test("refuses other media types and methods in plain text", async () => {
    for (const type of ["application/protobuf", "text/plain", ""]) {
      const response = await post("{}", { "Content-Type": type });
      expect([response.status, await response.text()]).toEqual([
        415,
        "415 unsupported media type, supported: [application/json, application/x-protobuf]",
      ]);
    }
    for (const method of ["GET", "PUT", "DELETE"]) {
      const response = await fetch(`${server.url("otlp-http")}/v1/traces`, { method });
      expect([response.status, await response.text()]).toEqual([
        405,
        "405 method not allowed, supported: [POST]",
      ]);
    }
    const response = await fetch(`${server.url("otlp-http")}/v1/metrics`, { method: "POST", body: "{}" });
    expect([response.status, await response.text()]).toEqual([404, "404 page not found\n"]);
  });

  test("answers a malformed request with 400 in the request's form", async () => {
    server.sink.refuse = () => {
      throw refused("invalid_argument", "trace ids must be 128 bit, received 64 bits");
    };
    const asJson = await post(requestJson, { "Content-Type": json });
    expect([asJson.status, await asJson.text()]).toEqual([
      400,
      '{"code":3,"message":"trace ids must be 128 bit, received 64 bits"}',
    ]);
    const asProtobuf = await post(requestProtobuf, { "Content-Type": protobuf });
    expect([asProtobuf.status, asProtobuf.headers.get("Content-Type")]).toEqual([400, protobuf]);
    const status = fromBinary(StatusSchema, new Uint8Array(await asProtobuf.arrayBuffer()));
    expect(status).toMatchObject({
      code: 3,
      message: "trace ids must be 128 bit, received 64 bits",
      details: [],
    });
  });

  test("sends a client away with 429, Retry-After and RetryInfo when there is no room", async () => {
    server.sink.refuse = () => {
      throw refused("resource_exhausted", "memory is full");
    };
    const response = await post(requestJson, { "Content-Type": json });
    expect([response.status, response.headers.get("Retry-After")]).toEqual([429, "5"]);
    expect(await response.json()).toEqual({
      code: 8,
      message: "memory is full",
      details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "5s" }],
    });
    server.sink.refuse = () => {
      throw refused("resource_exhausted", "memory is full", 1500);
    };
    const asProtobuf = await post(requestProtobuf, { "Content-Type": protobuf });
    expect([asProtobuf.status, asProtobuf.headers.get("Retry-After")]).toEqual([429, "2"]);
    const { details } = fromBinary(StatusSchema, new Uint8Array(await asProtobuf.arrayBuffer()));
    expect(anyUnpack(details[0]!, RetryInfoSchema)!.retryDelay).toMatchObject({
      seconds: 1n,
      nanos: 500_000_000,
    });
  });

  test("answers what may work later with 503, and an unknown error without its text", async () => {
    server.sink.refuse = () => {
      throw refused("unavailable", "shutting down");
    };
    const response = await post(requestJson, { "Content-Type": json });
    expect([response.status, await response.text()]).toEqual([503, '{"code":14,"message":"shutting down"}']);
    server.sink.refuse = () => {
      throw new Error("disk /secret is full");
    };
    const unknown = await post(requestJson, { "Content-Type": json });
    expect([unknown.status, await unknown.text()]).toEqual([
      503,
      '{"code":14,"message":"internal error, the server\'s log says more"}',
    ]);
  });

  test("takes the tenant from X-Scope-OrgID", async () => {
    const taken = await post(
      requestProtobuf,
      { "Content-Type": protobuf, "X-Scope-OrgID": "team-a" },
      tenants,
    );
    expect([taken.status, tenants.pushed[0]!.tenant]).toEqual([200, "team-a"]);
    const missing = await post(requestJson, { "Content-Type": json }, tenants);
    expect([missing.status, await missing.text()]).toEqual([503, '{"code":14,"message":"no org id"}']);
    const bad = await post(requestJson, { "Content-Type": json, "X-Scope-OrgID": "a|b" }, tenants);
    expect([bad.status, await bad.text()]).toEqual([
      400,
      `{"code":3,"message":"tenant ID 'a|b' contains unsupported character '|'"}`,
    ]);
    expect(tenants.pushed.length).toBe(1);
  });

  test("takes just under 20 MiB and refuses more, however compressed", async () => {
    const spaces = (count: number) => `${" ".repeat(count)}{}`;
    expect((await post(spaces(19 << 20), { "Content-Type": json })).status).toBe(200);
    const large = await post(spaces(21 << 20), { "Content-Type": json });
    expect([large.status, ((await large.json()) as { code: number }).code]).toEqual([400, 3]);
    for (const [encoding, compress] of [
      ["gzip", zlib.gzipSync],
      ["deflate", zlib.deflateSync],
      ["zstd", zlib.zstdCompressSync],
    ] as const) {
      const bomb = compress(Buffer.alloc(200 << 20, " "));
      const response = await post(bomb, { "Content-Type": json, "Content-Encoding": encoding });
      expect([response.status, await response.json()]).toEqual([
        400,
        { code: 3, message: `request body too large: more than ${20 << 20} bytes` },
      ]);
    }
    expect(server.running.receivedBytes).toBe(0);
  });

  test("gives the memory of a cut upload back", async () => {
    const socket = net.connect(server.port("otlp-http"), "127.0.0.1");
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${protobuf}\r\nContent-Length: 9000000\r\n\r\n`;
    socket.write(head);
    socket.write(Buffer.alloc(300_000));
    await until(() => server.running.receivedBytes > 0);
    socket.destroy();
    await until(() => server.running.receivedBytes === 0);
    expect(server.pushed).toEqual([]);
  });

  test("sends clients away while too much is being received", async () => {
    const small = await startTestServer(() => {}, { receiveBytesMax: (1 << 20) - 1 });
    const socket = net.connect(small.port("otlp-http"), "127.0.0.1");
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${protobuf}\r\nContent-Length: 9000000\r\n\r\n`;
    socket.write(head);
    socket.write(Buffer.alloc(300_000));
    await until(() => small.running.receivedBytes === 512 << 10);
    const response = await post(new Uint8Array(300_000), { "Content-Type": protobuf }, small);
    expect([response.status, response.headers.get("Retry-After")]).toEqual([429, "5"]);
    socket.destroy();
    await until(() => small.running.receivedBytes === 0);
    expect((await post(new Uint8Array(300_000), { "Content-Type": protobuf }, small)).status).toBe(200);
    // What can never be taken must not be sent again.
    expect((await post(new Uint8Array(600_000), { "Content-Type": protobuf }, small)).status).toBe(400);
    await small.stop();
  });

  test("gives up on an upload that takes too long", async () => {
    const hasty = await startTestServer((config) => {
      config.server.http_server_read_timeout = 50;
    });
    const socket = net.connect(hasty.port("otlp-http"), "127.0.0.1");
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${json}\r\nContent-Length: 100\r\n\r\n{`,
    );
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    await new Promise((resolve) => socket.once("close", resolve));
    expect(answer).toStartWith("HTTP/1.1 503 ");
    expect(answer).toInclude("request body not complete within 50 ms");
    expect(hasty.running.receivedBytes).toBe(0);
    await hasty.stop();
  });
});

/** Waits, a turn of the event loop at a time. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) throw new Error("the condition did not come about");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
