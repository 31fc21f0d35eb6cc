import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { decodeProto } from "../../test/conformance/proto_reader.ts";
import { retryDelayMs } from "./grpc_connection.ts";
import { traceIdHex } from "./ids.ts";
import { Ranges } from "./ranges.ts";
import { Request } from "./request.ts";
import { loadDefaults, runLoad } from "./run.ts";

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
}

function spansOf(message: Uint8Array): Span[] {
  // ExportTraceServiceRequest and Trace have the same wire form.
  const { resourceSpans } = decodeProto("Trace", message) as unknown as {
    resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
  };
  return resourceSpans.flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans));
}

test("a stamped request holds whole traces with the ids that traceIdHex() tells", () => {
  const nowMs = 1_800_000_000_123;
  const request = new Request(5, 0, 50, () => new Uint8Array(0), false);
  request.stamp(1000, nowMs);
  const spans = spansOf(request.message());
  expect(spans).toHaveLength(500);
  const ids = spans.map((span) => Buffer.from(span.traceId, "base64").toString("hex"));
  expect(new Set(ids)).toEqual(new Set(Array.from({ length: 50 }, (_, i) => traceIdHex(5, 1000 + i))));
  expect(new Set(spans.map((span) => span.spanId)).size).toBe(500);
  const known = new Set(spans.map((span) => span.traceId + span.spanId));
  for (const span of spans) {
    if (span.parentSpanId !== undefined) expect(known.has(span.traceId + span.parentSpanId)).toBe(true);
    const start = BigInt(span.startTimeUnixNano);
    const end = BigInt(span.endTimeUnixNano);
    expect(start < end).toBe(true);
    expect(start > BigInt(nowMs - 6000) * 1_000_000n && end < BigInt(nowMs) * 1_000_000n).toBe(true);
  }
  expect(request.messageBytes / 500).toBeGreaterThan(430);
  expect(request.messageBytes / 500).toBeLessThan(470);
});

test("frames of a gRPC request hold the same message in pieces of at most 16 KiB", () => {
  const framed = new Request(5, 0, 50, () => new Uint8Array(3), true);
  const plain = new Request(5, 0, 50, () => new Uint8Array(0), false);
  framed.stamp(7, 1_800_000_000_000);
  plain.stamp(7, 1_800_000_000_000);
  const payloads = framed.frames.map((at) => {
    const [high = 0, middle = 0, low = 0] = framed.bytes.subarray(at, at + 3);
    const length = (high << 16) | (middle << 8) | low;
    expect(length).toBeLessThanOrEqual(16384);
    return framed.bytes.subarray(at + 9, at + 9 + length);
  });
  expect(Buffer.concat(payloads).subarray(5).equals(plain.message())).toBe(true);
});

test("ids of different seeds and counters differ", () => {
  const ids = new Set<string>();
  for (let seed = 0; seed < 4; seed++) for (let i = 0; i < 5000; i++) ids.add(traceIdHex(seed, i));
  expect(ids.size).toBe(20_000);
});

test("ranges join whatever the order, and survive encoding", () => {
  const ranges = new Ranges();
  for (const [first, count] of [
    [10, 5],
    [0, 10],
    [100, 1],
    [15, 5],
  ] as const) {
    ranges.add(first, count);
  }
  expect(ranges.ranges()).toEqual([
    { first: 0, count: 20 },
    { first: 100, count: 1 },
  ]);
  expect(Ranges.decode(ranges.encode()).ranges()).toEqual(ranges.ranges());
  expect([...ranges]).toHaveLength(21);
});

test("retryDelayMs() reads the delay of a RetryInfo", () => {
  // Status { code: 8, details: [Any { "type.googleapis.com/google.rpc.RetryInfo", RetryInfo { Duration { 5 s, 500 ms } } }] }
  const url = Buffer.from("type.googleapis.com/google.rpc.RetryInfo");
  const duration = [0x08, 5, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01];
  const any = [0x0a, url.length, ...url, 0x12, duration.length + 2, 0x0a, duration.length, ...duration];
  const status = Buffer.from([0x08, 8, 0x1a, any.length, ...any]);
  expect(retryDelayMs(status.toString("base64"))).toBe(5500);
  expect(retryDelayMs(undefined)).toBeNull();
  expect(retryDelayMs(Buffer.from([0x08, 8]).toString("base64"))).toBeNull();
});

let server: Http2Server | Server | undefined;
afterEach(() => {
  server?.close();
});

async function portOf(listening: Http2Server | Server): Promise<number> {
  server = listening;
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return (listening.address() as AddressInfo).port;
}

test("over gRPC, refused requests are sent again until they are acknowledged", async () => {
  let calls = 0;
  const seen = new Set<string>();
  const http2 = createServer();
  http2.on("stream", (stream: ServerHttp2Stream) => {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      if (++calls % 3 === 1) {
        stream.respond(
          { ":status": 200, "grpc-status": "8", "grpc-message": 'full, come [back] {"later"} ~50%25' },
          { endStream: true },
        );
        return;
      }
      for (const span of spansOf(Buffer.concat(parts).subarray(5))) seen.add(span.traceId);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    });
  });
  const result = await runLoad({
    ...loadDefaults,
    port: await portOf(http2),
    spans: 3000,
    seconds: 0,
    connections: 2,
    inFlight: 2,
    spansPerRequest: 100,
  });
  expect(result).toMatchObject({ sentSpans: 3000, acknowledgedSpans: 3000, failedSpans: 0, lostSpans: 0 });
  expect(result.refusedRequests).toBeGreaterThan(0);
  expect(Object.keys(result.messages)).toEqual(['grpc status 8: full, come [back] {"later"} ~50%']);
  expect(seen.size).toBe(300);
});

test("over HTTP, 429 is retried and 400 is given up", async () => {
  let calls = 0;
  const http1 = createHttpServer((request, response) => {
    request.resume();
    request.on("end", () => {
      calls++;
      response.writeHead(calls === 1 ? 400 : calls === 2 ? 429 : 200).end("");
    });
  });
  const result = await runLoad({
    ...loadDefaults,
    protocol: "http",
    port: await portOf(http1),
    spans: 1000,
    seconds: 0,
    connections: 1,
    spansPerRequest: 100,
  });
  expect(result).toMatchObject({
    sentSpans: 1000,
    acknowledgedSpans: 900,
    failedSpans: 100,
    refusedRequests: 1,
  });
});
