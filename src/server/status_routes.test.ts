import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import type { PrintMode } from "../config/print.ts";
import { QueryTurns } from "../query/query_turns.ts";
import { IngestMetrics } from "../telemetry/ingest_metrics.ts";
import { Registry } from "../telemetry/metrics.ts";
import { QueryMetrics } from "../telemetry/query_metrics.ts";
import { measureRequests } from "../telemetry/request_metrics.ts";
import { StoreMetrics } from "../telemetry/store_metrics.ts";
import { createApp } from "./app.ts";
import { type StatusDeps, statusRoutes } from "./status_routes.ts";

const limits = "overrides:\n  defaults:\n    ingestion:\n      rate_limit_bytes: 0\n";
const configs: Record<PrintMode, string> = {
  full: `---\ntarget: all\nstream_over_http_enabled: true\n${limits}query_frontend:\n  max_retries: 2\n`,
  diff: "---\nstream_over_http_enabled: true\n",
  defaults: `---\ntarget: all\nserver:\n  http_listen_port: 3200\n${limits}`,
};

function deps(changes: Partial<StatusDeps> = {}): StatusDeps {
  return {
    readiness: () => ({ ready: true, reasons: [] }),
    services: () => [
      { name: "distributor", state: "Running" },
      { name: "querier", state: "Running" },
      { name: "query-frontend", state: "Running" },
    ],
    routes: () => [],
    printConfig: (mode) => configs[mode],
    scheduler: () => ({ tasks: [], tenants: [] }),
    registry: new Registry(),
    ...changes,
  };
}

async function get(app: Hono, path: string, headers: Record<string, string> = {}) {
  const response = await app.request(path, { headers });
  return { status: response.status, type: response.headers.get("Content-Type"), text: await response.text() };
}

const text = "text/plain; charset=utf-8";

describe("statusRoutes()", () => {
  test("/ready says why not", async () => {
    let reasons: string[] = [];
    const app = statusRoutes(deps({ readiness: () => ({ ready: false, reasons }) }));
    expect(await get(app, "/ready")).toEqual({ status: 503, type: text, text: "not ready\n" });
    reasons = ["Application is stopping", "Query Frontend not ready: x"];
    expect((await get(app, "/ready")).text).toBe("Application is stopping\nQuery Frontend not ready: x\n");
  });

  test("/api/echo and buildinfo stand behind the API's prefix, with usage-stats; the rest doesn't", async () => {
    const app = statusRoutes(deps({ apiPrefix: "/tempo" }));
    expect(await get(app, "/tempo/api/echo")).toEqual({ status: 200, type: text, text: "echo\n" });
    expect((await get(app, "/api/echo")).status).toBe(404);
    expect(await get(app, "/tempo/status/usage-stats")).toEqual({
      status: 200,
      type: text,
      text: "usage-stats is not enabled\n",
    });
    expect((await get(app, "/tempo/api/status/buildinfo")).status).toBe(200);
    expect((await get(app, "/ready")).status).toBe(200);
    expect((await get(app, "/status/version")).status).toBe(200);
  });

  test("buildinfo gives Tempo's six members and a semver that turns Grafana's streaming on", async () => {
    const app = statusRoutes(deps());
    const answer = await get(app, "/api/status/buildinfo");
    expect([answer.status, answer.type, answer.text.at(-1)]).toEqual([200, "application/json", "\n"]);
    const info = JSON.parse(answer.text) as Record<string, string>;
    expect(Object.keys(info)).toEqual([
      "version",
      "revision",
      "branch",
      "buildUser",
      "buildDate",
      "goVersion",
    ]);
    expect(info.version).toBe("3.0.3");
    expect(info.revision).toMatch(/^rubato-\d+\.\d+\.\d+$/);
  });

  test("/status/services is a table, on one line a service whatever its failure says", async () => {
    const services = () => [
      { name: "querier", state: "Running" as const },
      { name: "live-store", state: "Failed" as const, failure: "disk\nfull" },
    ];
    expect((await get(statusRoutes(deps({ services })), "/status/services")).text).toBe(
      [
        "GET /status/services",
        "+--------------+---------+--------------+",
        "| SERVICE NAME | STATUS  | FAILURE CASE |",
        "+--------------+---------+--------------+",
        "| querier      | Running |              |",
        "| live-store   | Failed  | disk full    |",
        "+--------------+---------+--------------+",
        "",
      ].join("\n"),
    );
  });

  test("/status/endpoints lists routes with parameters in braces and leaves middleware out", async () => {
    const routes = () => [
      { method: "ALL", path: "/*" },
      { method: "GET", path: "/api/search/tag/:name{.+}/values" },
      { method: "POST", path: "/flush" },
      { method: "GET", path: "/flush" },
      { method: "ALL", path: "/api/traces/:traceID" },
    ];
    expect((await get(statusRoutes(deps({ routes })), "/status/endpoints")).text).toBe(
      [
        "GET /status/endpoints",
        "+-------------------------------+-----------+",
        "| API                           | METHODS   |",
        "+-------------------------------+-----------+",
        "| /api/search/tag/{name}/values | GET       |",
        "| /api/traces/{traceID}         | any       |",
        "| /flush                        | GET, POST |",
        "+-------------------------------+-----------+",
        "",
      ].join("\n"),
    );
  });

  test("config modes: all, diff, defaults, and a clear refusal of others on each page that prints one", async () => {
    const app = statusRoutes(deps());
    expect((await get(app, "/status/config")).text).toBe(`GET /status/config\n${configs.full}`);
    expect((await get(app, "/status/config?mode=diff")).text).toBe(`GET /status/config\n${configs.diff}`);
    expect((await get(app, "/status/runtime_config?mode=diff")).text).toBe(
      "GET /status/runtime_config\n---\n{}\n",
    );
    for (const mode of ["", "?mode=defaults"]) {
      expect((await get(app, `/status/runtime_config${mode}`)).text).toBe(
        "GET /status/runtime_config\n---\ndefaults:\n  ingestion:\n    rate_limit_bytes: 0\n",
      );
    }
    for (const path of ["/status", "/status/config", "/status/runtime_config"]) {
      expect(await get(app, `${path}?mode=x`)).toEqual({
        status: 500,
        type: text,
        text: "unknown value for mode query parameter: x\n",
      });
    }
  });

  test("an unknown section is 404", async () => {
    expect(await get(statusRoutes(deps()), "/status/nonsense")).toEqual({
      status: 404,
      type: text,
      text: "unknown status section: nonsense\n",
    });
  });

  test("/metrics speaks OpenMetrics to whoever prefers it", async () => {
    const registry = new Registry();
    registry.counter("a_total", "A.");
    const app = statusRoutes(deps({ registry }));
    const prometheus = "text/plain; version=0.0.4; charset=utf-8";
    const openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const accepts: [string, string][] = [
      ["", prometheus],
      ["*/*", prometheus],
      ["text/plain", prometheus],
      ["application/json", prometheus],
      ["application/openmetrics-text;version=0.0.1", prometheus],
      ["text/plain;q=0.9,application/openmetrics-text;q=0.5", prometheus],
      // what Prometheus 3 sends
      [
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        openmetrics,
      ],
    ];
    for (const [accept, type] of accepts) {
      const answer = await get(app, "/metrics", accept === "" ? {} : { Accept: accept });
      expect([accept, answer.type]).toEqual([accept, type]);
      expect(answer.text.endsWith("# EOF\n")).toBe(type === openmetrics);
    }
  });
});

describe("/status/scheduler", () => {
  const at = Date.UTC(2026, 0, 1);
  const task = {
    name: "retention",
    intervalMs: 3_600_000,
    running: false,
    runs: 3,
    failures: 1,
    failuresInRow: 1,
    lastStartedAt: at,
    lastMs: 1234,
    lastError: "store:\nno space",
    nextAt: at + 60_000,
    detail: { marked: 2 },
  };
  const running = {
    ...task,
    name: "compaction",
    running: true,
    lastError: null,
    nextAt: null,
    detail: "a, b",
  };
  const acme = {
    tenant: "acme",
    blocks: 2,
    bytes: 300,
    compactedBlocks: 1,
    compactedBytes: 100,
    outstanding: 5,
  };
  const app = statusRoutes(deps({ scheduler: () => ({ tasks: [task, running], tenants: [acme] }) }));

  test("tells people what runs, what failed and when it is tried again", async () => {
    const answer = await get(app, "/status/scheduler");
    expect([answer.status, answer.type]).toEqual([200, text]);
    const rows = answer.text.split("\n").map((row) => row.replace(/ +/g, " "));
    expect(rows).toContain(
      "| retention | failed | 3600s | 2026-01-01T00:01:00.000Z | 2026-01-01T00:00:00.000Z | 1.2s | 3 | 1 | store: no space |",
    );
    expect(rows).toContain("| compaction | running | 3600s | | 2026-01-01T00:00:00.000Z | 1.2s | 3 | 1 | |");
    expect(rows).toContain("| acme | 2 | 300 | 1 | 100 | 5 |");
    expect(rows).toContain('retention: {"marked":2}');
    expect(rows).toContain("compaction: a, b");
  });

  test("is JSON where that is asked for", async () => {
    const json = {
      tasks: [
        {
          ...task,
          state: "failed",
          lastStartedAt: "2026-01-01T00:00:00.000Z",
          nextAt: "2026-01-01T00:01:00.000Z",
        },
        { ...running, state: "running", lastStartedAt: "2026-01-01T00:00:00.000Z" },
      ],
      tenants: [acme],
    };
    const asked = await get(app, "/status/scheduler?format=json");
    expect([asked.type, JSON.parse(asked.text)]).toEqual(["application/json", json]);
    const accepted = await get(app, "/status/scheduler", { Accept: "application/json" });
    expect(JSON.parse(accepted.text)).toEqual(json);
    const browser = await get(app, "/status/scheduler", { Accept: "text/html,*/*;q=0.8" });
    expect(browser.type).toBe(text);
    expect((await get(app, "/status/scheduler?format=text", { Accept: "application/json" })).type).toBe(text);
  });

  test("/status/backendscheduler has Tempo's two tables", async () => {
    const answer = await get(app, "/status/backendscheduler");
    const rows = answer.text.split("\n").map((row) => row.replace(/ +/g, " "));
    expect(rows.filter((row) => /^\w/.test(row))).toEqual(["Active Jobs", "Pending Jobs"]);
    expect(rows).toContain(
      "| | compaction | JOB_TYPE_COMPACTION | JOB_STATUS_RUNNING | | 2026-01-01T00:00:00.000Z | 2026-01-01T00:00:00.000Z | |",
    );
    expect(rows).toContain("| | retention | JOB_TYPE_RETENTION | | |");
  });
});

interface Case {
  id: string;
  request: { method: string; path: string; params?: Record<string, string> };
  expect: {
    status: number;
    headers?: Record<string, string>;
    text?: string | { $starts?: string; $all?: { $starts?: string; $includes?: string[] }[] };
    body?: string;
    notBody?: string;
  };
}

const folder = join(import.meta.dir, "../../../shared/conformance/http");
describe.skipIf(!existsSync(folder))(
  "statusRoutes() against the conformance cases (skipped without ../shared)",
  () => {
    const registry = new Registry();
    const app = new Hono();
    app.use(measureRequests(registry));
    app.route("/", statusRoutes(deps({ registry, routes: () => app.routes })));
    // Routes of other parts that the cases name.
    const others = [
      "/api/search",
      "/api/traces/:traceID",
      "/api/v2/traces/:traceID",
      "/api/metrics/query_range",
    ];
    for (const path of others) app.get(path, (c) => c.json({}));
    new QueryMetrics("single-tenant", registry);
    new QueryTurns("search", {}, registry);
    new StoreMetrics(
      () => ({ tenants: [], polls: [], pool: { queuedJobs: 0, queuedJobsMax: 100, workers: [] } }),
      registry,
    );
    const tenant = {
      tenant: "single-tenant",
      ingressBytes: 1,
      receivedBytes: 1,
      receivedSpans: 1,
      liveTraces: 1,
      tracesCreated: 1,
    };
    const stats = {
      tenants: [{ ...tenant, attributesTruncated: {}, discardedSpans: {} }],
      shards: [],
      memory: { budgetBytes: 1, usedBytes: 0 },
    };
    new IngestMetrics(() => stats, registry);

    const served = createApp([], [{ prefix: "", routes: app }]);

    for (const file of ["status.json", "metrics-exposition.json"]) {
      const { cases } = existsSync(folder)
        ? (JSON.parse(readFileSync(join(folder, file), "utf8")) as { cases: Case[] })
        : { cases: [] };
      for (const { id, request, expect: want } of cases) {
        test(`${id}: ${request.method} ${request.path}`, async () => {
          await served.request("/api/search");
          const query = request.params ? `?${new URLSearchParams(request.params)}` : "";
          const response = await served.request(request.path + query, { method: request.method });
          const body = await response.text();
          expect(response.status).toBe(want.status);
          for (const [name, pattern] of Object.entries(want.headers ?? {})) {
            expect(response.headers.get(name)).toMatch(python(`^(?:${pattern})$`));
          }
          if (want.body) expect(body).toMatch(python(want.body));
          if (want.notBody) expect(body).not.toMatch(python(want.notBody));
          if (typeof want.text === "string") expect(body).toBe(want.text);
          const matchers = typeof want.text === "object" ? (want.text.$all ?? [want.text]) : [];
          for (const { $starts, $includes } of matchers as { $starts?: string; $includes?: string[] }[]) {
            if ($starts) expect(body).toStartWith($starts);
            for (const part of $includes ?? []) expect(body).toContain(part);
          }
        });
      }
    }
  },
);

/** A regular expression of the cases, which are Python's with `.` for newlines too. */
function python(pattern: string): RegExp {
  const flags = /^\(\?(\w+)\)/.exec(pattern);
  return new RegExp(flags ? pattern.slice(flags[0].length) : pattern, `s${flags?.[1] ?? ""}`);
}
