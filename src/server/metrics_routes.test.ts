import { describe, expect, test } from "bun:test";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { defaultConfig } from "../config/defaults.ts";
import { QueryInstantResponseSchema, QueryRangeResponseSchema } from "../gen/tempopb/tempo_pb.ts";
import { answering, answerOf, givenMetrics, seriesOf, string } from "../query/metrics_queries_fixture.ts";
import type { MetricsAnswer } from "../query/metrics_types.ts";
import { QueryCanceled, QueryTimeout } from "../query/query_errors.ts";
import { QueryTooLarge } from "../search/query_error.ts";
import { print } from "../traceql/index.ts";
import { metricsRoutes } from "./metrics_routes.ts";
import { tenantsOf } from "./tenant.ts";

/** 2023-11-14T22:13:20Z */
const now = 1_700_000_000_000;
const measured = {
  inspectedTraces: 0,
  inspectedBytes: 31_826,
  totalBlocks: 1,
  completedJobs: 2,
  totalJobs: 2,
  totalBlockBytes: 77_187,
  inspectedSpans: 9,
};

function routesOver(
  answer: MetricsAnswer | Error,
  change: (config: ReturnType<typeof defaultConfig>) => void = () => {},
) {
  const config = defaultConfig();
  config.multitenancy_enabled = true;
  change(config);
  const { queries, requests, registry } = givenMetrics(() => answering(answer), config, now);
  const app = metricsRoutes({ metrics: queries, tenantsOf: (header) => tenantsOf(header, config) });
  const ask = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const response = await app.request(path, { method, headers: { "X-Scope-OrgID": "team", ...headers } });
    const type = response.headers.get("Content-Type");
    return { status: response.status, type, text: await response.text() };
  };
  return { ask, requests, registry };
}

/** Three intervals, of which the first ends at 1700000000 s. */
const range = "/api/metrics/query_range?q={}|rate()&start=1700000000&end=1700000020&step=10s";
const instant = "/api/metrics/query?q={}|rate()&start=1700000000&end=1700000020";

describe("the answer over a range", () => {
  test("is JSON as Go writes it, whatever is accepted", async () => {
    const exemplar = {
      labels: [string("trace:id", "c0ffee"), string("name", "<a>")],
      timestampMs: 1_700_000_005_123,
      value: 0.25,
    };
    const series = seriesOf({ __name__: "rate" }, [0, Number.NaN, 1.5], [exemplar]);
    const { ask } = routesOver(answerOf([series], { metrics: measured }));
    const { status, type, text } = await ask(range, { Accept: "application/protobuf" });
    expect([status, type]).toEqual([200, "application/json"]);
    expect(text).toBe(
      '{"series":[{"labels":[{"key":"__name__","value":{"stringValue":"rate"}}],' +
        '"samples":[{"timestampMs":"1700000000000"},{"timestampMs":"1700000020000","value":1.5}],' +
        '"exemplars":[{"labels":[{"key":"trace:id","value":{"stringValue":"c0ffee"}},{"key":"name","value":{"stringValue":"\\u003ca\\u003e"}}],"value":0.25,"timestampMs":"1700000005123"}]}],' +
        '"metrics":{"inspectedBytes":"31826","totalBlocks":1,"completedJobs":2,"totalJobs":2,"totalBlockBytes":"77187","inspectedSpans":"9"}}',
    );
  });

  test("has labels of every type, zero values among them", async () => {
    const { ask } = routesOver(
      answerOf([
        seriesOf(
          {
            "span.s": "",
            "span.i": { type: "int", value: -5n },
            "span.z": { type: "int", value: 0n },
            "span.b": { type: "bool", value: false },
            __bucket: { type: "double", value: 0.001048576 },
            p: { type: "double", value: 0 },
          },
          [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
        ),
      ]),
    );
    expect((await ask(range)).text).toBe(
      '{"series":[{"labels":[{"key":"span.s","value":{"stringValue":""}},{"key":"span.i","value":{"intValue":"-5"}},' +
        '{"key":"span.z","value":{"intValue":"0"}},{"key":"span.b","value":{"boolValue":false}},' +
        '{"key":"__bucket","value":{"doubleValue":0.001048576}},{"key":"p","value":{"doubleValue":0}}],' +
        '"samples":[{"timestampMs":"1700000010000","value":"Infinity"},{"timestampMs":"1700000020000","value":"-Infinity"}]}],' +
        '"metrics":{}}',
    );
  });

  test("is proto3 JSON that clients can decode", async () => {
    const int = { type: "int", value: 9_007_199_254_740_993n } as const;
    const { ask } = routesOver(
      answerOf([seriesOf({ "span.ä": int }, [1e21, 1e-7, 3])], { metrics: measured }),
    );
    const decoded = fromJson(QueryRangeResponseSchema, JSON.parse((await ask(range)).text));
    expect(toJson(QueryRangeResponseSchema, decoded)).toMatchObject({
      series: [
        {
          labels: [{ key: "span.ä", value: { intValue: "9007199254740993" } }],
          samples: [{ value: 1e21 }, { value: 1e-7 }, { value: 3 }],
        },
      ],
      metrics: { inspectedSpans: "9" },
    });
  });

  test("with nothing in it has its lists all the same", async () => {
    const { ask } = routesOver(answerOf([]));
    expect((await ask(range)).text).toBe('{"series":[],"metrics":{}}');
    expect((await ask(instant)).text).toBe('{"series":[],"metrics":{}}');
  });

  test("is cut to the series that are wanted, and says so", async () => {
    const three = ["a", "b", "c"].map((name) => seriesOf({ name }, [1, 2, 3]));
    const limited = (config: ReturnType<typeof defaultConfig>) => {
      config.query_frontend.metrics.max_response_series = 2;
    };
    const message =
      "Response exceeds maximum series limit of 2, a partial response is returned. Warning: the accuracy of each individual value is not guaranteed.";
    const cut = JSON.parse((await routesOver(answerOf(three), limited).ask(range)).text);
    expect(cut.series.map((series: { labels: { value: unknown }[] }) => series.labels[0]!.value)).toEqual([
      { stringValue: "a" },
      { stringValue: "b" },
    ]);
    expect([cut.status, cut.message]).toEqual(["PARTIAL", message]);
    const both = routesOver(answerOf(three, { partial: "too much" }), limited);
    expect(JSON.parse((await both.ask(range)).text).message).toBe(`${message} too much`);
    const whole = JSON.parse((await routesOver(answerOf(three)).ask(`${range}&maxSeries=3`)).text);
    expect([whole.series.length, whole.status, whole.message]).toEqual([3, undefined, undefined]);
    const partial = routesOver(answerOf(three, { partial: 'too "much"' }));
    expect((await partial.ask(instant)).text).toEndWith(
      '"metrics":{},"status":"PARTIAL","message":"too \\"much\\""}',
    );
  });
});

test("an instant answer has one value a series", async () => {
  const { ask, requests } = routesOver(
    answerOf([seriesOf({ name: "a" }, [123]), seriesOf({ name: "b" }, [0])], { metrics: measured }),
  );
  const { status, type, text } = await ask(`${instant}&step=5s&exemplars=3`);
  expect([status, type]).toEqual([200, "application/json"]);
  expect(text).toStartWith(
    '{"series":[{"labels":[{"key":"name","value":{"stringValue":"a"}}],"value":123},' +
      '{"labels":[{"key":"name","value":{"stringValue":"b"}}]}],"metrics":{"inspectedBytes":"31826"',
  );
  expect(fromJson(QueryInstantResponseSchema, JSON.parse(text)).series.map(({ value }) => value)).toEqual([
    123, 0,
  ]);
  expect(requests[0]).toMatchObject({
    startNanos: 1_700_000_000_000_000_000n,
    endNanos: 1_700_000_020_000_000_000n,
    stepNanos: 20_000_000_000n,
    isInstant: true,
    exemplars: 0,
  });
});

test("passes on what was asked, with any method", async () => {
  const { ask, requests } = routesOver(answerOf([]));
  await ask(
    "/api/metrics/query_range?query={status%3Derror}+|+rate()&start=1700000000000000001&end=1700000020&step=&exemplars=4&maxSeries=6",
    { "X-Scope-OrgID": "b|a" },
    "POST",
  );
  const { query, ...rest } = requests[0]!;
  expect(print(query)).toBe("{ status = error } | rate()");
  expect(rest).toEqual({
    tenants: ["a", "b"],
    startNanos: 1_699_999_999_950_000_000n,
    endNanos: 1_700_000_020_000_000_000n,
    stepNanos: 50_000_000n,
    isInstant: false,
    exemplars: 4,
    seriesMax: 6,
    progress: false,
  });
});

test("what the cutoff leaves nothing of is empty, and nobody is asked", async () => {
  const { ask, requests } = routesOver(answerOf([seriesOf({}, [1])]), (config) => {
    config.query_frontend.query_end_cutoff = 30_000;
  });
  for (const path of ["query_range", "query"]) {
    const { status, text } = await ask(`/api/metrics/${path}?q={}|rate()&since=10s`);
    expect([status, text]).toEqual([200, '{"series":[],"metrics":{}}']);
  }
  expect(requests).toEqual([]);
});

describe("errors", () => {
  test("of the request are plain text, and nothing is counted", async () => {
    const { ask, requests } = routesOver(answerOf([]));
    for (const path of ["/api/metrics/query_range", "/api/metrics/query"]) {
      const answer = await ask(`${path}?q={}`);
      expect([answer.status, answer.type]).toEqual([400, "text/plain; charset=utf-8"]);
      expect(answer.text).toStartWith("not a metrics query");
      const order = await ask(`${path}?q={}|rate()&start=20&end=10`);
      expect([order.status, order.text]).toEqual([400, "end must be greater than start"]);
      expect((await ask(path)).status).toBe(400);
      const none = await ask(`${path}?q={}|rate()`, { "X-Scope-OrgID": "" });
      expect([none.status, none.text]).toEqual([401, "no org id\n"]);
    }
    expect(requests).toEqual([]);
  });

  test("of the query have the status of their cause", async () => {
    for (const [cause, status, text] of [
      [new QueryCanceled(), 499, "context canceled"],
      [new QueryTimeout(), 504, "context deadline exceeded"],
      [new QueryTooLarge("too much"), 422, "too much"],
      [Object.assign(new Error("queue"), { code: "resource_exhausted" }), 429, "job queue full"],
      [new Error("block 5 is broken"), 500, "block 5 is broken"],
    ] as const) {
      const answer = await routesOver(cause).ask(range);
      expect([answer.status, answer.text]).toEqual([status, text]);
    }
  });

  test("an answer larger than one may be says what to do", async () => {
    // 3,400,000 samples of 20 bytes are more than 64 MiB.
    const values = Array.from({ length: 340_000 }, () => 1);
    const series = Array.from({ length: 10 }, () => seriesOf({}, values));
    const { status, text } = await routesOver(answerOf(series)).ask(range);
    expect(status).toBe(422);
    expect(text).toContain("ask for a larger step, fewer groups, or fewer series by maxSeries");
  });

  test("a query that takes too long is ended", async () => {
    const config = defaultConfig();
    config.querier.search.query_timeout = 1;
    const ended = Promise.withResolvers<void>();
    const { queries } = givenMetrics(
      async function* (_, signal) {
        signal.addEventListener("abort", () => ended.resolve());
        await new Promise(() => {});
        yield* [];
      },
      config,
      now,
    );
    const response = await metricsRoutes({ metrics: queries, tenantsOf: () => ["t"] }).request(range);
    expect([response.status, await response.text()]).toEqual([504, "context deadline exceeded"]);
    await ended.promise;
  });
});

test("is counted", async () => {
  const { ask, registry } = routesOver(answerOf([], { metrics: measured }));
  await ask(range);
  const text = await registry.render();
  expect(text).toContain(
    'tempo_query_frontend_queries_total{tenant="team",op="metrics",result="completed"} 1',
  );
  expect(text).toContain('tempo_query_frontend_bytes_inspected_total{tenant="team",op="metrics"} 31826');
  expect(text).toContain('tempo_query_frontend_queue_length{op="metrics"} 0');
});
