import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import zlib from "node:zlib";
import grpc from "@grpc/grpc-js";
import type { Listen, ServiceName } from "../config/listen.ts";

const deno = new URL("../../node_modules/.bin/deno", import.meta.url).pathname;
const program = new URL("./other_runtime.ts", import.meta.url).pathname;
const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** A request with one empty resource spans; what is in it is for the sink to look at. */
const request = Buffer.from("0a00", "hex");

test.skipIf(!existsSync(deno))(
  "on Deno the server takes spans by every protocol and ends gracefully",
  async () => {
    const child = Bun.spawn([deno, "run", "-A", program], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { listens } = JSON.parse((await lines.read()).value!) as { listens: Listen[] };
    const port = (service: ServiceName) => listens.find(({ services }) => services.includes(service))!.port;
    const otlpHttp = `http://127.0.0.1:${port("otlp-http")}`;
    const api = `http://127.0.0.1:${port("tempo-http")}`;

    for (const compression of [0, grpc.compressionAlgorithms.gzip]) {
      const client = new grpc.Client(`127.0.0.1:${port("otlp-grpc")}`, grpc.credentials.createInsecure(), {
        "grpc.default_compression_algorithm": compression,
      });
      const pass = (bytes: Buffer) => bytes;
      const answer = await new Promise((resolve) => {
        client.makeUnaryRequest(exportPath, pass, pass, request, (error, bytes) => resolve(error ?? bytes));
      });
      client.close();
      expect(answer).toEqual(Buffer.from("0a00", "hex"));
    }
    const headers = { "Content-Type": "application/x-protobuf" };
    for (const [encoding, body] of [
      ["identity", request],
      ["gzip", zlib.gzipSync(request)],
      ["zstd", zlib.zstdCompressSync(request)],
    ] as const) {
      const answer = await fetch(`${otlpHttp}/v1/traces`, {
        method: "POST",
        body,
        headers: { ...headers, "Content-Encoding": encoding },
      });
      expect(answer.status).toBe(200);
    }
    const json = { method: "POST", headers: { "Content-Type": "application/json" } };
    expect(
      await (await fetch(`${otlpHttp}/v1/traces`, { ...json, body: '{"resourceSpans":[{}]}' })).json(),
    ).toEqual({ partialSuccess: {} });
    expect((await fetch(`${otlpHttp}/v1/traces`, { ...json, body: "{bad" })).status).toBe(400);
    const connect = await fetch(`http://127.0.0.1:${port("otlp-grpc")}${exportPath}`, {
      ...json,
      body: '{"resourceSpans":[{}]}',
    });
    expect(await connect.json()).toEqual({ partialSuccess: {} });

    expect(await (await fetch(`${api}/hello`)).text()).toBe("hello ".repeat(500));
    expect(await http2Get(api, "/hello")).toBe("hello ".repeat(500));
    expect(await twice(port("tempo-http"))).toBe(2);
    await cut(port("otlp-http"));
    await slow(port("otlp-http"));

    child.stdin.end();
    const { requests, ...left } = JSON.parse((await lines.read()).value!) as { requests: string[] };
    expect(requests).toEqual(Array.from({ length: 7 }, () => "0a00"));
    expect(left).toEqual({ receivedBytes: 0, connections: 0 } as object);
    expect(await child.exited).toBe(0);
  },
  20_000,
);

async function http2Get(url: string, path: string): Promise<string> {
  const session = http2.connect(url);
  const stream = session.request({ ":path": path, "accept-encoding": "gzip" });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once("close", resolve));
  session.close();
  return zlib.gunzipSync(Buffer.concat(chunks)).toString();
}

/** Two requests, the second one behind the first one's answer, on one connection; gives how many were answered. */
async function twice(port: number): Promise<number> {
  const socket = net.connect(port, "127.0.0.1");
  let received = "";
  const answers = () => received.split("HTTP/1.1 200").length - 1;
  const bodies = () =>
    received.split("hello \r\n0\r\n\r\n").length -
    1 +
    (received.match(/content-length: 3000/gi)?.length ?? 0);
  socket.on("data", (data) => {
    received += data;
    if (answers() === 1 && bodies() === 1)
      socket.write("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  });
  socket.write("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  await new Promise((resolve) => socket.once("close", resolve));
  return answers();
}

/** An upload that ends with its connection. */
async function cut(port: number): Promise<void> {
  const socket = net.connect(port, "127.0.0.1");
  socket.write(uploadHead);
  socket.write(Buffer.alloc(200_000), () => socket.destroy());
  await new Promise((resolve) => socket.once("close", resolve));
}

/** An upload that stops, until the server gives up on it. */
async function slow(port: number): Promise<void> {
  const socket = net.connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (data) => {
    received += data;
  });
  socket.write(uploadHead);
  await new Promise((resolve) => socket.once("close", resolve));
  expect(received).toStartWith("HTTP/1.1 503 ");
}

const uploadHead =
  "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 900000\r\n\r\n";
