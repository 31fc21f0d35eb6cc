import { describe, expect, test } from "bun:test";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import { defaultConfig } from "../config/defaults.ts";
import { SearchResponseSchema } from "../gen/tempopb/tempo_pb.ts";
import { QueryCanceled, QueryTimeout } from "../query/query_errors.ts";
import { QueryTurns } from "../query/query_turns.ts";
import { summaryOf } from "../query/search_fixture.ts";
import { SearchQueries } from "../query/search_queries.ts";
import type { FoundSummary, Searcher, SearchMetrics, SearchRequest } from "../query/search_types.ts";
import { noSearchMetrics } from "../query/search_types.ts";
import { QueryTooLarge } from "../search/query_error.ts";
import { Registry } from "../telemetry/metrics.ts";
import { QueryMetrics } from "../telemetry/query_metrics.ts";
import { print } from "../traceql/index.ts";
import { searchRoutes } from "./search_routes.ts";
import { tenantsOf } from "./tenant.ts";

const metrics: SearchMetrics = {
  inspectedTraces: 3,
  inspectedBytes: 31_826,
  totalBlocks: 1,
  completedJobs: 2,
  totalJobs: 2,
  totalBlockBytes: 77_187,
  inspectedSpans: 9_007_199_254_740_991,
};

const shop = summaryOf("00000000000000000000000000c0ffee", {
  rootServiceName: "shop",
  rootTraceName: "GET /<x>",
  startTimeUnixNano: "1684778327699392724",
  durationMs: 557,
  spanSets: [
    {
      spans: [
        {
          spanID: "563d623c76514f8e",
          name: "GET /",
          startTimeUnixNano: "1684778327735077898",
          durationNanos: "446979497",
          attributes: [
            { key: "http.method", value: { stringValue: "GET" } },
            { key: "retry", value: { boolValue: false } },
            { key: "n", value: { intValue: "0" } },
          ],
        },
      ],
      matched: 4,
    },
  ],
  serviceStats: { shop: { spanCount: 4 }, 'a"b': { spanCount: 2, errorCount: 1 }, ä: {} },
});

type Found = { traces: FoundSummary[]; metrics?: SearchMetrics } | Error;

function routesOver(found: Found, change: (config: ReturnType<typeof defaultConfig>) => void = () => {}) {
  const config = defaultConfig();
  config.multitenancy_enabled = true;
  change(config);
  const requests: SearchRequest[] = [];
  const registry = new Registry();
  const searcher: Searcher = {
    async *search(request) {
      requests.push(request);
      if (found instanceof Error) throw found;
      yield { traces: found.traces, metrics: found.metrics ?? metrics, final: true };
    },
  };
  const search = new SearchQueries({
    searcher,
    config,
    queries: new QueryMetrics(undefined, registry),
    turns: new QueryTurns("search", {}, registry),
    now: () => 1_700_000_000_000,
  });
  const app = searchRoutes({ search, tenantsOf: (header) => tenantsOf(header, config) });
  const ask = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const response = await app.request(path, { method, headers: { "X-Scope-OrgID": "team", ...headers } });
    const body = new Uint8Array(await response.arrayBuffer());
    const type = response.headers.get("Content-Type");
    return { status: response.status, type, body, text: new TextDecoder().decode(body) };
  };
  return { ask, requests, registry };
}

describe("an answer", () => {
  test("is JSON as Go writes it", async () => {
    const { ask } = routesOver({ traces: [shop] });
    const { status, type, text } = await ask("/api/search?q={}");
    expect([status, type]).toEqual([200, "application/json"]);
    const spanSet =
      '{"spans":[{"spanID":"563d623c76514f8e","name":"GET /","startTimeUnixNano":"1684778327735077898","durationNanos":"446979497","attributes":[{"key":"http.method","value":{"stringValue":"GET"}},{"key":"retry","value":{"boolValue":false}},{"key":"n","value":{"intValue":"0"}}]}],"matched":4}';
    expect(text).toBe(
      '{"traces":[{"traceID":"c0ffee","rootServiceName":"shop","rootTraceName":"GET /\\u003cx\\u003e","startTimeUnixNano":"1684778327699392724","durationMs":557,' +
        `"spanSet":${spanSet},"spanSets":[${spanSet}],` +
        '"serviceStats":{"a\\"b":{"spanCount":2,"errorCount":1},"shop":{"spanCount":4},"ä":{}}}],' +
        '"metrics":{"inspectedTraces":3,"inspectedBytes":"31826","totalBlocks":1,"completedJobs":2,"totalJobs":2,"totalBlockBytes":"77187","inspectedSpans":"9007199254740991"}}',
    );
  });

  test("is protobuf on request", async () => {
    const { ask } = routesOver({ traces: [shop, shop] });
    const { status, type, body } = await ask("/api/search?q={}", { Accept: "application/protobuf" });
    expect([status, type]).toEqual([200, "application/protobuf"]);
    const decoded = toJson(SearchResponseSchema, fromBinary(SearchResponseSchema, body)) as {
      traces: unknown[];
      metrics: unknown;
    };
    expect(decoded.traces).toHaveLength(2);
    expect(decoded.traces[0]).toMatchObject({ traceID: "c0ffee", serviceStats: { shop: { spanCount: 4 } } });
    expect(decoded.metrics).toMatchObject({ inspectedTraces: 3, inspectedSpans: "9007199254740991" });
  });

  test("has no form for language models", async () => {
    const { ask } = routesOver({ traces: [shop] });
    const { type, text } = await ask("/api/search", { Accept: "application/vnd.grafana.llm" });
    expect([type, text.slice(0, 11)]).toEqual(["application/json", '{"traces":[']);
  });

  test("with nothing in it has its lists all the same", async () => {
    const { ask } = routesOver({ traces: [], metrics: noSearchMetrics });
    expect((await ask("/api/search")).text).toBe('{"traces":[],"metrics":{}}');
    expect([...(await ask("/api/search", { Accept: "application/protobuf" })).body]).toEqual([0x12, 0]);
  });

  test("has ids of 32 digits where the configuration says so", async () => {
    const { ask } = routesOver({ traces: [shop] }, (config) => {
      config.overrides.defaults.read.left_pad_trace_ids = true;
    });
    expect((await ask("/api/search")).text).toStartWith(
      '{"traces":[{"traceID":"00000000000000000000000000c0ffee","rootServiceName":"shop"',
    );
  });
});

test("passes on what was asked, with any method", async () => {
  const { ask, requests } = routesOver({ traces: [] });
  await ask(
    "/api/search?q={+status+%3D+error+}+|+rate()&limit=5&start=10&end=20",
    { "X-Scope-OrgID": "b|a" },
    "POST",
  );
  const { query, ...rest } = requests[0]!;
  expect(print(query)).toBe("{ status = error } | rate()");
  expect(rest).toEqual({
    tenants: ["a", "b"],
    limit: 5,
    spansPerSpanSet: 3,
    start: 10,
    end: 20,
    spanSets: true,
    progress: false,
  });
  await ask("/api/search?tags=service.name%3Dx");
  expect(requests[1]).toMatchObject({ spanSets: false, start: 1_699_999_100, end: 1_700_000_000 });
});

describe("errors", () => {
  test("of the request are plain text, and nothing is searched", async () => {
    const { ask, requests } = routesOver({ traces: [] });
    const answer = await ask("/api/search?q={&start=1&end=2");
    expect([answer.status, answer.type]).toEqual([400, "text/plain; charset=utf-8"]);
    expect(answer.text).toStartWith("invalid TraceQL query: parse error at line 1, col 2");
    const none = await ask("/api/search", { "X-Scope-OrgID": "" });
    expect([none.status, none.text]).toEqual([401, "no org id\n"]);
    expect((await ask("/api/search", { "X-Scope-OrgID": "a|bad/x" })).status).toBe(400);
    expect(requests).toEqual([]);
  });

  test("of the search have the status of their cause", async () => {
    for (const [cause, status, text] of [
      [new QueryCanceled(), 499, "context canceled"],
      [new QueryTimeout(), 504, "context deadline exceeded"],
      [new QueryTooLarge("too much"), 422, "too much"],
      [Object.assign(new Error("queue"), { code: "resource_exhausted" }), 429, "job queue full"],
      [new Error("block 5 is broken"), 500, "block 5 is broken"],
    ] as const) {
      const answer = await routesOver(cause).ask("/api/search");
      expect([answer.status, answer.text]).toEqual([status, text]);
    }
  });

  test("a search that takes too long is ended", async () => {
    const config = defaultConfig();
    config.querier.search.query_timeout = 1;
    const ended = Promise.withResolvers<void>();
    const search = new SearchQueries({
      searcher: {
        search: async function* (_, signal) {
          signal.addEventListener("abort", () => ended.resolve());
          await new Promise(() => {});
          yield* [];
        },
      },
      config,
      queries: new QueryMetrics(undefined, new Registry()),
      turns: new QueryTurns("search", {}, new Registry()),
    });
    const response = await searchRoutes({ search, tenantsOf: () => ["t"] }).request("/api/search");
    expect([response.status, await response.text()]).toEqual([504, "context deadline exceeded"]);
    await ended.promise;
  });
});

test("is counted", async () => {
  const { ask, registry } = routesOver({ traces: [] });
  await ask("/api/search");
  const text = await registry.render();
  expect(text).toContain(
    'tempo_query_frontend_queries_total{tenant="team",op="search",result="completed"} 1',
  );
  expect(text).toContain('tempo_query_frontend_bytes_inspected_total{tenant="team",op="search"} 31826');
  expect(text).toContain('tempo_query_frontend_queue_length{op="search"} 0');
});
