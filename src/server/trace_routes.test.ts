import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { listed, peerJson, sourceOf } from "../query/otlp_peer.ts";
import { QueryCanceled, QueryTimeout } from "../query/query_errors.ts";
import { QueryTurns } from "../query/query_turns.ts";
import { combineTraces, TraceTooLarge } from "../query/trace_combine.ts";
import type { FindTraceRequest } from "../query/trace_finder.ts";
import { Registry } from "../telemetry/metrics.ts";
import { TenantError, tenantsOf } from "./tenant.ts";
import { startTestServer } from "./test_server.ts";
import { traceRoutes } from "./trace_routes.ts";

const known = "1a2b3c4d5e6f70818293a4b5c6d7e8f1";
const source = sourceOf(
  {
    shop: [
      { id: "0000000000000001", start: 5 },
      { id: "0000000000000002", start: 6 },
    ],
  },
  known,
);
const requests: FindTraceRequest[] = [];
let failure: unknown = null;
let limit = 0;

const app = traceRoutes({
  finder: {
    async find(request) {
      requests.push(request);
      if (failure !== null) throw failure;
      const found =
        Buffer.from(request.traceId).toString("hex") === known && request.tenants.includes("team");
      return { ...combineTraces(found ? [source] : [], request), inspectedBytes: found ? 7 : 0 };
    },
  },
  tenantsOf: (header) =>
    tenantsOf(header, {
      multitenancy_enabled: true,
      query_frontend: { multi_tenant_queries_enabled: true },
      storage: { trace: { backend: "local" } },
    }),
  maxBytesPerTrace: (tenant) => (tenant === "unlimited" ? 0 : limit),
});

async function ask(path: string, headers: Record<string, string> = {}, method = "GET") {
  const response = await app.request(path, { method, headers: { "X-Scope-OrgID": "team", ...headers } });
  const body = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get("Content-Type"),
    body,
    text: new TextDecoder().decode(body),
  };
}

async function failing<T>(cause: unknown, use: () => Promise<T>): Promise<T> {
  failure = cause;
  try {
    return await use();
  } finally {
    failure = null;
  }
}

describe("version 1", () => {
  const path = `/api/traces/${known}`;

  test("answers with JSON by default, with any method, and as the querier", async () => {
    for (const [url, method] of [
      [path, "GET"],
      [path, "POST"],
      [`/querier${path}`, "GET"],
      [path.toUpperCase().replace("/API/TRACES", "/api/traces"), "GET"],
    ] as const) {
      const { status, type, text } = await ask(url, {}, method);
      expect([status, type]).toEqual([200, "application/json"]);
      expect(JSON.parse(text)).toEqual({
        batches: (peerJson(source) as { resourceSpans: unknown }).resourceSpans,
      });
    }
  });

  test("answers with the trace's bytes on request", async () => {
    const { status, type, body } = await ask(path, {
      Accept: "text/html, application/json, application/protobuf;q=0.1",
    });
    expect([status, type]).toEqual([200, "application/protobuf"]);
    expect([...body]).toEqual([...source]);
  });

  test("has no form for language models but takes its name", async () => {
    const { type, text } = await ask(path, { Accept: "application/vnd.grafana.llm" });
    expect(type).toBe("application/vnd.grafana.llm");
    expect(text).toStartWith('{"batches":[');
  });

  test("a trace that is not there is 404 without a body", async () => {
    for (const accept of ["application/json", "application/protobuf"]) {
      const { status, body } = await ask("/api/traces/f1", { Accept: accept });
      expect([status, body.length]).toEqual([404, 0]);
    }
    expect((await ask("/api/traces/")).status).toBe(404);
  });

  test("a trace over the limit is 422", async () => {
    limit = 100;
    const { status, text } = await ask(path);
    limit = 0;
    expect([status, text]).toEqual([422, "trace exceeds max size (max bytes: 100)"]);
  });
});

describe("version 2", () => {
  const path = `/api/v2/traces/${known}`;

  test("wraps the trace as JSON or protobuf", async () => {
    const json = await ask(path, { Accept: "text/html" });
    expect([json.status, json.type]).toEqual([200, "application/json"]);
    expect(JSON.parse(json.text)).toEqual({ trace: peerJson(source), metrics: { inspectedBytes: "7" } });
    const protobuf = await ask(`/querier${path}`, { Accept: "application/protobuf" });
    expect([protobuf.status, protobuf.type]).toEqual([200, "application/protobuf"]);
    expect(peerJson(protobuf.body, "TraceByIDResponse")).toEqual({
      trace: peerJson(source),
      metrics: { inspectedBytes: "7" },
    });
  });

  test("a trace that is not there is an empty one", async () => {
    const json = await ask("/api/v2/traces/f1");
    expect([json.status, json.text]).toEqual([200, '{"trace":{},"metrics":{}}']);
    const protobuf = await ask("/api/v2/traces/f1", { Accept: "application/protobuf" });
    expect([protobuf.status, [...protobuf.body]]).toEqual([200, [0x0a, 0, 0x12, 0]]);
    const llm = await ask("/api/v2/traces/f1", { Accept: "application/vnd.grafana.llm" });
    expect([llm.status, llm.type, llm.text]).toEqual([200, "application/vnd.grafana.llm+json", "{}"]);
  });

  test("a trace over the limit is cut and says so", async () => {
    limit = 40;
    const json = await ask(path);
    const protobuf = await ask(path, { Accept: "application/protobuf" });
    limit = 0;
    const message = "Trace exceeds maximum size of 40 bytes, a partial trace is returned";
    expect(json.status).toBe(200);
    expect(JSON.parse(json.text)).toMatchObject({ status: "PARTIAL", message });
    const decoded = peerJson(protobuf.body, "TraceByIDResponse") as {
      trace: object;
      status: string;
      message: string;
    };
    expect([decoded.status, decoded.message]).toEqual(["PARTIAL", message]);
    expect(JSON.parse(json.text).trace).toEqual(decoded.trace);
  });

  test("has a form for language models", async () => {
    const { type, text } = await ask(path, { Accept: "application/vnd.grafana.llm" });
    expect(type).toBe("application/vnd.grafana.llm+json");
    expect(JSON.parse(text)).toMatchObject({
      trace: { traceId: known, services: [{ serviceName: "shop" }] },
    });
  });

  test("passes on what was asked", async () => {
    limit = 1000;
    await ask(`${path}?mode=blocks&start=5&end=9&blockEnd=FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF`, {
      "X-Scope-OrgID": "team|a",
    });
    expect(requests.at(-1)).toEqual({
      tenants: ["a", "team"],
      traceId: new Uint8Array(Buffer.from(known, "hex")),
      mode: "blocks",
      start: 5,
      end: 9,
      blockEnd: "ffffffff-ffff-ffff-ffff-ffffffffffff",
      bytesMax: 1000,
      allowPartial: true,
    });
    await ask(path, { "X-Scope-OrgID": "team|unlimited" });
    limit = 0;
    expect(requests.at(-1)!.bytesMax).toBe(0);
  });
});

describe("errors", () => {
  test("are plain text, with a newline only from the querier", async () => {
    const text = "trace IDs can only contain hex characters: invalid character 'g' at position 17";
    const frontEnd = await ask("/api/v2/traces/463ac35c9f6413adg");
    expect([frontEnd.status, frontEnd.type, frontEnd.text]).toEqual([400, "text/plain; charset=utf-8", text]);
    const querier = await ask("/querier/api/traces/463ac35c9f6413adg");
    expect([querier.status, querier.text]).toEqual([400, `${text}\n`]);
    expect((await ask(`/api/traces/${known}?mode=nonsense`)).text).toBe("invalid value for mode nonsense");
  });

  test("a tenant is needed, and one's traces are not another's", async () => {
    const none = await ask(`/api/v2/traces/${known}`, { "X-Scope-OrgID": "" });
    expect([none.status, none.type, none.text]).toEqual([401, "text/plain; charset=utf-8", "no org id\n"]);
    expect((await ask(`/api/traces/${known}`, { "X-Scope-OrgID": "other" })).status).toBe(404);
    expect((await ask(`/api/traces/${known}`, { "X-Scope-OrgID": "team|bad/x" })).status).toBe(400);
  });

  test("have the status of their cause", async () => {
    for (const [cause, status, text] of [
      [new TraceTooLarge(5), 422, "trace exceeds max size (max bytes: 5)"],
      [new QueryCanceled(), 499, "context canceled"],
      [new QueryTimeout(), 504, "context deadline exceeded"],
      [Object.assign(new Error("shard 0 queue"), { code: "resource_exhausted" }), 429, "job queue full"],
      [
        Object.assign(new Error("shard 0 find"), { code: "deadline_exceeded" }),
        504,
        "context deadline exceeded",
      ],
      [new TenantError(400, "tenant ID is empty"), 400, "tenant ID is empty\n"],
      [new Error("block 5 is broken"), 500, "block 5 is broken"],
    ] as const) {
      const answer = await failing(cause, () => ask(`/api/v2/traces/${known}`));
      expect([answer.status, answer.text]).toEqual([status, text]);
    }
  });
});

test("the bytes of a single source reach the client as they are", async () => {
  const { body } = await ask(`/api/traces/${known}`, { Accept: "application/protobuf" });
  expect(listed(body)).toEqual([
    "shop 0000000000000001 0000000000000001 -",
    "shop 0000000000000002 0000000000000002 -",
  ]);
});

describe("an answer that its client does not take", () => {
  const path = "/api/v2/traces/1";
  /** More than the kernel takes off the server's hands. */
  const large = sourceOf({ shop: [{ id: "0000000000000001", start: 5, name: "x".repeat(24 << 20) }] });
  const small = sourceOf({ shop: [{ id: "0000000000000001", start: 5 }] });
  const slowClients: Record<string, (port: number) => Promise<() => void>> = {
    async "HTTP/1.1"(port) {
      const socket = net.connect(port, "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await once(socket, "readable");
      return () => socket.destroy();
    },
    async "HTTP/2"(port) {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      await once(session.request({ ":path": path }), "response");
      return () => session.destroy();
    },
  };
  for (const [protocol, connect] of Object.entries(slowClients)) {
    test(`keeps the next one waiting, until it goes: ${protocol}`, async () => {
      let asked = 0;
      const routes = traceRoutes({
        finder: {
          find: async (request) => ({
            ...combineTraces([asked++ === 0 ? large : small], request),
            inspectedBytes: 0,
          }),
        },
        tenantsOf: () => ["team"],
        maxBytesPerTrace: () => 0,
        turns: new QueryTurns("traces", { answerBytesMax: 1 << 20 }, new Registry()),
      });
      const server = await startTestServer(() => {}, { apiRoutes: [routes] });
      const goAway = await connect(server.port("tempo-http"));
      const next = fetch(server.url("tempo-http") + path);
      const also = await fetch(`${server.url("tempo-http")}/nothing`);
      expect([also.status, asked]).toEqual([404, 1]);
      goAway();
      const answer = await next;
      expect([answer.status, asked]).toEqual([200, 2]);
      expect(await answer.text()).toStartWith('{"trace":{"resourceSpans":');
      await server.stop();
    });
  }
});
