import { afterAll, describe, expect, test } from "bun:test";
import http2 from "node:http2";
import net from "node:net";
import zlib from "node:zlib";
import { Hono } from "hono";
import { log } from "../telemetry/log.ts";
import { TenantError } from "./tenant.ts";
import { startTestServer } from "./test_server.ts";

const api = new Hono();
api.get("/api/thing", (c) => c.text("thing"));
const routes = new Hono();
routes.get("/long", (c) => c.text("long ".repeat(1000)));
routes.get("/short", (c) => c.text("x".repeat(1023)));
routes.get("/just", (c) => c.text("x".repeat(1024), 200, { ETag: '"1"', "Content-Length": "1024" }));
routes.get("/events", (c) => c.body("data: 1\n\n".repeat(500), 200, { "Content-Type": "text/event-stream" }));
routes.get("/pieces", (c) =>
  c.body(
    new ReadableStream({
      start(controller) {
        for (let i = 0; i < 300; i++) controller.enqueue(new TextEncoder().encode(`piece ${i}\n`));
        controller.close();
      },
    }),
  ),
);
routes.get("/tenant", () => {
  throw new TenantError(401, "no org id");
});
routes.get("/broken", () => {
  throw new Error("secret");
});
const server = await startTestServer(
  (config) => {
    config.http_api_prefix = "/tempo";
    config.server.http_path_prefix = "/base";
  },
  { apiRoutes: [api], routes: [routes] },
);
const url = server.url("tempo-http");
afterAll(() => server.stop());

/** A GET without fetch's decompression, by HTTP/2. */
async function get(path: string, headers: Record<string, string> = {}) {
  const session = http2.connect(url);
  const stream = session.request({ ":path": path, ...headers });
  const chunks: Buffer[] = [];
  let head: http2.IncomingHttpHeaders = {};
  stream.on("response", (received) => {
    head = received;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once("close", resolve));
  session.close();
  return { head, body: Buffer.concat(chunks) };
}

describe("the HTTP port", () => {
  test("puts the prefixes before the routes", async () => {
    expect(await (await fetch(`${url}/base/tempo/api/thing`)).text()).toBe("thing");
    for (const path of ["/api/thing", "/tempo/api/thing", "/base/api/thing", "/long"]) {
      expect((await fetch(url + path)).status).toBe(404);
    }
  });

  test("answers unknown paths as Go does", async () => {
    const response = await fetch(`${url}/nothing`);
    expect([response.status, await response.text(), response.headers.get("Content-Type")]).toEqual([
      404,
      "404 page not found\n",
      "text/plain; charset=utf-8",
    ]);
  });

  test("takes paths whose slashes a client has doubled", async () => {
    expect(await (await fetch(`${url}//base/tempo//api/thing?a=//`)).text()).toBe("thing");
  });

  test("answers methods that a path hasn't got with those that it has", async () => {
    for (const [path, method, allow] of [
      ["/base/short", "POST", "GET"],
      ["/base/flush", "DELETE", "GET, POST"],
      ["/base/flush", "OPTIONS", "GET, POST"],
    ] as const) {
      const response = await fetch(url + path, { method });
      expect([response.status, response.headers.get("Allow")]).toEqual([405, allow]);
    }
    expect((await fetch(`${url}/nothing`, { method: "POST" })).status).toBe(404);
  });

  test("answers HTTP/1.0, whose requests needn't name a host", async () => {
    const answer = await exchange(server.port("tempo-http"), "GET /base/tempo/api/thing HTTP/1.0\r\n\r\n");
    expect(answer).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(answer).toEndWith("thing");
  });

  test("answers a thrown tenant error with its status, and any other error without its text", async () => {
    const tenant = await fetch(`${url}/base/tenant`);
    expect([tenant.status, await tenant.text(), tenant.headers.get("Content-Type")]).toEqual([
      401,
      "no org id\n",
      "text/plain; charset=utf-8",
    ]);
    const lines: string[] = [];
    log.configure({ sink: (line) => lines.push(line) });
    const broken = await fetch(`${url}/base/broken`);
    log.configure({ sink: (line) => process.stderr.write(line) });
    expect([broken.status, await broken.text()]).toEqual([500, "internal error\n"]);
    expect(lines.join("")).toInclude("secret");
  });

  test("compresses answers of 1024 bytes and more for clients that take gzip", async () => {
    const gzip = { "accept-encoding": "br, gzip" };
    const long = await get("/base/long", gzip);
    expect(long.head).toMatchObject({ ":status": 200, "content-encoding": "gzip", vary: "Accept-Encoding" });
    expect(long.head["content-length"]).toBeUndefined();
    expect(zlib.gunzipSync(long.body).toString()).toBe("long ".repeat(1000));
    const just = await get("/base/just", gzip);
    expect(just.head).toMatchObject({ "content-encoding": "gzip", etag: 'W/"1"' });
    expect([just.head["content-length"], zlib.gunzipSync(just.body).length]).toEqual([undefined, 1024]);
    const pieces = await get("/base/pieces", gzip);
    expect(zlib.gunzipSync(pieces.body).toString()).toEndWith("piece 299\n");

    const short = await get("/base/short", gzip);
    expect([short.head["content-encoding"], short.body.length]).toEqual([undefined, 1023]);
    for (const accepted of ["", "br", "gzip;q=0", "deflate, gzip; q=0.0"]) {
      const plain = await get("/base/long", { "accept-encoding": accepted });
      expect([plain.head["content-encoding"], plain.body.length]).toEqual([undefined, 5000]);
    }
    const events = await get("/base/events", gzip);
    expect([events.head["content-encoding"], events.body.length]).toEqual([undefined, 4500]);
  });

  test("flushes all tenants or one, by GET or POST", async () => {
    for (const [method, path] of [
      ["GET", "/base/flush"],
      ["POST", "/base/flush?tenant=a"],
    ] as const) {
      const response = await fetch(url + path, { method });
      expect([response.status, await response.text()]).toEqual([204, ""]);
    }
    expect(server.flushed).toEqual([undefined, "a"]);
  });

  test("begins the shutdown behind its answer", async () => {
    const response = await fetch(`${url}/base/shutdown`, { method: "POST" });
    expect(response.status).toBe(204);
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.shutdowns).toBe(1);
  });
});

test("an OTLP port has no routes of the HTTP port", async () => {
  for (const service of ["otlp-http", "otlp-grpc", "tempo-grpc"] as const) {
    expect((await fetch(`${server.url(service)}/base/long`)).status).toBe(404);
  }
});

test("services that name one port share it", async () => {
  const { port } = await freePort();
  const shared = await startTestServer(
    (config) => {
      config.server.grpc_listen_port = port;
      config.distributor.receivers.otlp.protocols.grpc!.endpoint = `127.0.0.1:${port}`;
      config.distributor.receivers.otlp.protocols.http!.endpoint = `127.0.0.1:${port}`;
    },
    { routes: [routes] },
  );
  expect(shared.port("otlp-grpc")).toBe(port);
  expect(shared.running.listens.length).toBe(2);
  const taken = await fetch(`${shared.url("otlp-grpc")}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/x-protobuf" },
  });
  expect(taken.status).toBe(200);
  await shared.stop();
});

/** What a server answers to a text before it ends the connection. */
async function exchange(port: number, request: string): Promise<string> {
  const socket = net.connect(port, "127.0.0.1", () => socket.write(request));
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<{ port: number }> {
  const probe = net.createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return { port };
}
