import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { defaultConfig } from "../config/defaults.ts";
import {
  PartialStatus,
  QueryInstantResponseSchema,
  QueryRangeResponseSchema,
  SearchResponseSchema,
  StreamingQuerier,
  TraceSearchMetadataSchema,
} from "../gen/tempopb/tempo_pb.ts";
import { MetricsQueries } from "../query/metrics_queries.ts";
import { answering, answerOf, seriesOf, string } from "../query/metrics_queries_fixture.ts";
import type { MetricsQuerier, MetricsRequest } from "../query/metrics_types.ts";
import { QueryTimeout } from "../query/query_errors.ts";
import { QueryTurns } from "../query/query_turns.ts";
import { noTagsMetrics, summaryOf } from "../query/search_fixture.ts";
import { SearchQueries } from "../query/search_queries.ts";
import type {
  Searcher,
  SearchRequest,
  TagLister,
  TagNamesRequest,
  TagValuesRequest,
} from "../query/search_types.ts";
import { noSearchMetrics } from "../query/search_types.ts";
import { TagQueries } from "../query/tag_queries.ts";
import { QueryTooLarge } from "../search/query_error.ts";
import { Registry } from "../telemetry/metrics.ts";
import { QueryMetrics } from "../telemetry/query_metrics.ts";
import { print, printAttribute } from "../traceql/index.ts";
import { tenantsOf } from "./tenant.ts";
import { startTestServer } from "./test_server.ts";

const traces = ["00000000000000000000000000c0ffee", "1a2b3c4d5e6f70818293a4b5c6d7e8f1"].map(
  (traceId, index) =>
    summaryOf(traceId, {
      rootServiceName: "shop",
      startTimeUnixNano: String(5 - index),
      spanSets: [{ spans: [{ spanID: "01" }], matched: 1 }],
      serviceStats: { shop: { spanCount: 1 } },
    }),
);

let answer: Searcher["search"];
const requests: SearchRequest[] = [];
const names: TagNamesRequest[] = [];
const values: TagValuesRequest[] = [];
let signalOfSearch: AbortSignal | undefined;
let metricsAnswer: MetricsQuerier["metrics"];
const metricsRequests: MetricsRequest[] = [];
const lister: TagLister = {
  async tagNames(request) {
    names.push(request);
    return { scopes: [{ name: "span", tags: ["a", "b"] }], metrics: { ...noTagsMetrics, inspectedBytes: 9 } };
  },
  async tagValues(request) {
    values.push(request);
    return {
      values: [
        { type: "int", value: "402" },
        { type: "string", value: "x" },
      ],
      metrics: noTagsMetrics,
    };
  },
};

async function serverWith(packetBytesMax: number, overHttp = false) {
  const config = defaultConfig();
  config.multitenancy_enabled = true;
  const registry = new Registry();
  const shared = { config, queries: new QueryMetrics(undefined, registry), now: () => 1_700_000_000_000 };
  const searcher: Searcher = {
    search(request, signal) {
      requests.push(request);
      signalOfSearch = signal;
      return answer(request, signal);
    },
  };
  const port = overHttp ? await freePort() : 0;
  return await startTestServer(
    (served) => {
      served.server.http_listen_port = port;
      served.stream_over_http_enabled = overHttp;
      served.query_frontend.max_grpc_streaming_packet_size = packetBytesMax;
    },
    {
      querier: {
        search: new SearchQueries({ ...shared, searcher, turns: new QueryTurns("search", {}, registry) }),
        tags: new TagQueries({ ...shared, lister, turns: new QueryTurns("metadata", {}, registry) }),
        metrics: new MetricsQueries({
          ...shared,
          querier: {
            metrics(request, signal) {
              metricsRequests.push(request);
              return metricsAnswer(request, signal);
            },
          },
          turns: new QueryTurns("metrics", {}, registry),
        }),
        tenantsOf: (header) => tenantsOf(header, config),
      },
    },
  );
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

const server = await serverWith(2 << 20);
const inPackets = await serverWith(300);
afterAll(() => Promise.all([server.stop(), inPackets.stop()]));
const clientOf = (of: typeof server) =>
  createClient(StreamingQuerier, createGrpcTransport({ baseUrl: of.url("tempo-grpc") }));
const client = clientOf(server);
const team: CallOptions = { headers: { "x-scope-orgid": "team" } };

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const message of messages) list.push(message);
  return list;
}

const failureOf = (messages: AsyncIterable<unknown>) =>
  all(messages).then(
    () => null,
    (error) => {
      const { code, rawMessage } = ConnectError.from(error);
      return [code, rawMessage];
    },
  );

beforeEach(() => {
  answer = async function* () {
    yield { traces, metrics: { ...noSearchMetrics, completedJobs: 2, inspectedBytes: 7 }, final: true };
  };
  metricsAnswer = () => answering(answerOf([seriesOf({ __name__: "rate" }, [1.5, Number.NaN, 0])]));
  requests.length = names.length = values.length = metricsRequests.length = 0;
});

describe("Search", () => {
  test("streams the bytes of the traces, with metrics in every message", async () => {
    const messages = await all(client.search({ Query: "{ status = error }", start: 10, end: 20 }, team));
    expect(messages).toHaveLength(1);
    const [{ traces: found, metrics }] = messages as [(typeof messages)[0]];
    expect(found).toEqual(traces.map(({ message }) => fromBinary(TraceSearchMetadataSchema, message)));
    expect(metrics).toMatchObject({ completedJobs: 2, inspectedBytes: 7n });
    const { query, ...rest } = requests[0]!;
    expect(print(query)).toBe("{ status = error }");
    expect(rest).toEqual({
      tenants: ["team"],
      limit: 20,
      spansPerSpanSet: 3,
      start: 10,
      end: 20,
      spanSets: true,
      progress: true,
    });
  });

  test("takes what Grafana sends: no limit, and a time that means nothing", async () => {
    const RF1After = { seconds: -62_135_596_800n };
    await all(
      client.search({ Query: "{}", SpansPerSpanSet: 5, RF1After }, { headers: { "x-scope-orgid": "b|a" } }),
    );
    expect(requests[0]).toMatchObject({
      tenants: ["a", "b"],
      limit: 20,
      spansPerSpanSet: 5,
      start: 1_699_999_100,
      end: 1_700_000_000,
    });
  });

  test("takes tags and durations", async () => {
    await all(client.search({ Tags: { name: "x" }, MinDurationMs: 5, Limit: 1 }, team));
    expect(print(requests[0]!.query)).toBe("{ traceDuration >= 5ms } && { name =~ `(?is).*x.*` }");
    expect(requests[0]).toMatchObject({ spanSets: false, limit: 1 });
  });

  test("finds nothing in one message, which has metrics", async () => {
    answer = async function* () {
      yield { traces: [], metrics: noSearchMetrics, final: true };
    };
    const [only, ...rest] = await all(client.search({ Query: "{}" }, team));
    expect(rest).toEqual([]);
    expect([...toBinary(SearchResponseSchema, only!)]).toEqual([0x12, 0]);
  });

  test("is split where it is large, and the metrics said again", async () => {
    const many = Array.from({ length: 7 }, (_, index) => traces[index % 2]!);
    answer = async function* () {
      yield { traces: many, metrics: { ...noSearchMetrics, totalJobs: 3 }, final: true };
    };
    const messages = await all(clientOf(inPackets).search({ Query: "{}" }, team));
    expect(messages.map((message) => message.traces.length)).toEqual([3, 3, 1]);
    for (const message of messages) {
      expect(toBinary(SearchResponseSchema, message).length).toBeLessThanOrEqual(300);
      expect(message.metrics!.totalJobs).toBe(3);
    }
  });

  test("shows what has been found while it goes on", async () => {
    const more = Promise.withResolvers<void>();
    answer = async function* () {
      const metrics = { ...noSearchMetrics, totalJobs: 2 };
      yield { traces: [], metrics, final: false };
      yield { traces: traces.slice(1), metrics: { ...metrics, completedJobs: 1 }, final: false };
      await more.promise;
      yield { traces, metrics: { ...metrics, completedJobs: 2 }, final: true };
    };
    const seen: number[][] = [];
    for await (const { traces: found, metrics } of client.search({ Query: "{}" }, team)) {
      seen.push([found.length, metrics!.completedJobs]);
      if (found.length > 0) more.resolve();
    }
    expect(seen).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });

  test("ends as soon as the client goes", async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    answer = async function* (_, signal) {
      signal.addEventListener("abort", () => ended.resolve());
      begun.resolve();
      await new Promise(() => {});
      yield* [];
    };
    const caller = new AbortController();
    const failure = failureOf(client.search({ Query: "{}" }, { ...team, signal: caller.signal }));
    await begun.promise;
    caller.abort();
    await ended.promise;
    expect(signalOfSearch!.aborted).toBe(true);
    expect(await failure).toMatchObject([Code.Canceled, expect.any(String)]);
  });

  test("keeps to the time that the client gives it", async () => {
    answer = async function* () {
      await new Promise(() => {});
      yield* [];
    };
    expect(await failureOf(client.search({ Query: "{}" }, { ...team, timeoutMs: 50 }))).toMatchObject([
      Code.DeadlineExceeded,
      expect.any(String),
    ]);
  });

  test("fails with Tempo's words and codes", async () => {
    for (const [request, code, text] of [
      [{ Query: "{", start: 1, end: 2 }, Code.InvalidArgument, "invalid TraceQL query: parse error"],
      [{ Query: "{ }", start: 1 }, Code.InvalidArgument, "error parsing date range: "],
      [{ Query: "{ }", Limit: 300_000 }, Code.InvalidArgument, "limit 300000 exceeds max limit 262144"],
      [{ Query: "{ }", SpansPerSpanSet: 101 }, Code.InvalidArgument, "spans per span set exceeds 100."],
      [{ Query: "{ }", Tags: { a: "b" } }, Code.InvalidArgument, "invalid request: can't specify tags and q"],
    ] as const) {
      const failure = await failureOf(client.search(request, team));
      expect(failure![0]).toBe(code);
      expect(failure![1]).toStartWith(text);
    }
    expect(await failureOf(client.search({ Query: "{}" }))).toEqual([Code.Unknown, "no org id"]);
    expect(
      await failureOf(client.search({ Query: "{}" }, { headers: { "x-scope-orgid": "bad/x" } })),
    ).toEqual([Code.InvalidArgument, "tenant ID 'bad/x' contains unsupported character '/'"]);
    for (const [cause, code, text] of [
      [new QueryTimeout(), Code.Internal, "context deadline exceeded"],
      [new QueryTooLarge("too much"), Code.ResourceExhausted, "too much"],
      [
        Object.assign(new Error("q"), { code: "resource_exhausted" }),
        Code.ResourceExhausted,
        "job queue full",
      ],
      [new Error("block 5 is broken"), Code.Internal, "block 5 is broken"],
    ] as const) {
      answer = async function* () {
        yield* [];
        throw cause;
      };
      expect(await failureOf(client.search({ Query: "{}" }, team))).toEqual([code, text]);
    }
  });
});

describe("tags", () => {
  test("names, in both versions", async () => {
    const [first] = await all(client.searchTags({ maxTagsPerScope: 5, start: 10, end: 20 }, team));
    expect(first).toMatchObject({ tagNames: ["a", "b"], metrics: { inspectedBytes: 9n } });
    const [second, ...rest] = await all(client.searchTagsV2({ scope: "span", query: "{ .x = 1 }" }, team));
    expect(rest).toEqual([]);
    expect(second).toMatchObject({
      scopes: [{ name: "span", tags: ["a", "b"] }],
      metrics: { inspectedBytes: 9n },
    });
    expect(names[0]).toMatchObject({ scope: "none", limit: 5, start: 10, end: 20, groups: null });
    expect(names[1]!.groups).toHaveLength(1);
    expect(await failureOf(client.searchTagsV2({ scope: "nonsense" }, team))).toEqual([
      Code.InvalidArgument,
      "invalid scope: nonsense",
    ]);
  });

  test("values, in both versions", async () => {
    const [first] = await all(client.searchTagValues({ tagName: "http.status_code", maxTagValues: 9 }, team));
    expect(first).toMatchObject({ tagValues: ["402", "x"], metrics: {} });
    const [second] = await all(client.searchTagValuesV2({ tagName: "span.http.status_code" }, team));
    expect(second!.tagValues).toMatchObject([
      { type: "int", value: "402" },
      { type: "string", value: "x" },
    ]);
    expect(values.map(({ attribute, limit }) => [printAttribute(attribute), limit])).toEqual([
      [".http.status_code", 9],
      ["span.http.status_code", 0],
    ]);
    expect((await failureOf(client.searchTagValuesV2({ tagName: "foo" }, team)))![0]).toBe(
      Code.InvalidArgument,
    );
    expect(await failureOf(client.searchTagValuesV2({ tagName: "name" }))).toEqual([
      Code.Unknown,
      "no org id",
    ]);
  });
});

describe("metrics", () => {
  /** Three intervals, of which the first ends at 1700000000 s. */
  const range = {
    query: "{} | rate()",
    start: 1_700_000_000_000_000_000n,
    end: 1_700_000_020_000_000_000n,
    step: 10_000_000_000n,
  };

  test("of a range have samples, labels of every type and exemplars", async () => {
    const labels = {
      "span.s": "a",
      "span.i": { type: "int", value: -5n },
      "span.d": { type: "double", value: 0 },
      "span.b": { type: "bool", value: false },
    } as const;
    const exemplar = { labels: [string("trace:id", "c0ffee")], timestampMs: 1_700_000_005_123, value: 0.25 };
    metricsAnswer = () =>
      answering(
        answerOf([seriesOf(labels, [1.5, Number.NaN, 0], [exemplar])], {
          metrics: { ...noSearchMetrics, completedJobs: 2, inspectedSpans: 7 },
        }),
      );
    const [message, ...rest] = await all(
      client.metricsQueryRange({ ...range, exemplars: 9, maxSeries: 4 }, team),
    );
    expect(rest).toEqual([]);
    expect(toJson(QueryRangeResponseSchema, message!)).toEqual({
      series: [
        {
          labels: [
            { key: "span.s", value: { stringValue: "a" } },
            { key: "span.i", value: { intValue: "-5" } },
            { key: "span.d", value: { doubleValue: 0 } },
            { key: "span.b", value: { boolValue: false } },
          ],
          samples: [{ value: 1.5, timestampMs: "1700000000000" }, { timestampMs: "1700000020000" }],
          exemplars: [
            {
              labels: [{ key: "trace:id", value: { stringValue: "c0ffee" } }],
              value: 0.25,
              timestampMs: "1700000005123",
            },
          ],
        },
      ],
      metrics: { completedJobs: 2, inspectedSpans: "7" },
    });
    const { query, ...request } = metricsRequests[0]!;
    expect(print(query)).toBe("{ true } | rate()");
    expect(request).toEqual({
      tenants: ["team"],
      startNanos: range.start - range.step,
      endNanos: range.end,
      stepNanos: range.step,
      isInstant: false,
      exemplars: 9,
      seriesMax: 4,
      progress: true,
    });
  });

  test("of a range have defaults for what is 0", async () => {
    await all(client.metricsQueryRange({ query: "{} | rate()" }, team));
    expect(metricsRequests[0]).toMatchObject({
      // An hour up to now, in steps of 15 s, and one more: 1699996395 is a multiple.
      startNanos: 1_699_996_380_000_000_000n,
      endNanos: 1_700_000_010_000_000_000n,
      stepNanos: 15_000_000_000n,
      exemplars: 100,
      seriesMax: 0,
    });
  });

  test("of an instant have a value a series", async () => {
    metricsAnswer = () => answering(answerOf([seriesOf({ name: "a" }, [123]), seriesOf({ name: "b" }, [0])]));
    const { step: _, ...interval } = range;
    const [message, ...rest] = await all(client.metricsQueryInstant(interval, team));
    expect(rest).toEqual([]);
    expect(toJson(QueryInstantResponseSchema, message!)).toEqual({
      series: [
        { labels: [{ key: "name", value: { stringValue: "a" } }], value: 123 },
        { labels: [{ key: "name", value: { stringValue: "b" } }] },
      ],
      metrics: {},
    });
    expect(metricsRequests[0]).toMatchObject({
      startNanos: range.start,
      endNanos: range.end,
      stepNanos: 20_000_000_000n,
      isInstant: true,
      progress: true,
    });
  });

  test("have metrics even where nothing was found", async () => {
    metricsAnswer = () => answering(answerOf([]));
    const [message] = await all(client.metricsQueryRange(range, team));
    expect([...toBinary(QueryRangeResponseSchema, message!)]).toEqual([0x12, 0]);
  });

  test("are split where they are large, with the metrics in each and the status in the last", async () => {
    const many = Array.from({ length: 5 }, (_, i) =>
      seriesOf({ name: String(i).padEnd(250, "x") }, [1, 1, 1]),
    );
    metricsAnswer = () =>
      answering(answerOf(many, { metrics: { ...noSearchMetrics, totalJobs: 3 }, partial: "too much" }));
    const messages = await all(clientOf(inPackets).metricsQueryRange(range, team));
    expect(messages.map(({ series }) => series.length)).toEqual([1, 1, 1, 1, 1]);
    expect(messages.map(({ metrics }) => metrics!.totalJobs)).toEqual([3, 3, 3, 3, 3]);
    const { COMPLETE, PARTIAL } = PartialStatus;
    expect(messages.map(({ status, message }) => [status, message])).toEqual([
      ...Array(4).fill([COMPLETE, ""]),
      [PARTIAL, "too much"],
    ]);
  });

  test("show what has been counted while it goes on", async () => {
    const more = Promise.withResolvers<void>();
    metricsAnswer = async function* () {
      yield answerOf([], { final: false });
      yield answerOf([seriesOf({ name: "a" }, [Number.NaN, 1, 2])], { final: false });
      await more.promise;
      yield answerOf([seriesOf({ name: "a" }, [4, 1, 2])]);
    };
    const seen: number[][] = [];
    for await (const { series } of client.metricsQueryRange(range, team)) {
      seen.push(series.flatMap(({ samples }) => samples.map(({ value }) => value)));
      if (series.length > 0) more.resolve();
    }
    expect(seen).toEqual([[], [1, 2], [4, 1, 2]]);
  });

  test("fail with Tempo's words and one code", async () => {
    for (const [request, text] of [
      [{ query: "{" }, "parse error at line 1, col 2"],
      [{ query: "{}" }, "not a metrics query"],
      [{ ...range, end: range.start }, "end must be greater than start"],
      [{ ...range, step: 1n }, "step of 1ns is too small, minimum step for given range is 2ms"],
      [{ ...range, start: 1n }, "metrics query time range exceeds the maximum allowed duration of 168h0m0s"],
    ] as const) {
      const failure = await failureOf(client.metricsQueryRange(request, team));
      expect(failure![0]).toBe(Code.Unknown);
      expect(failure![1]).toStartWith(text);
    }
    expect(await failureOf(client.metricsQueryInstant({ query: "{}" }, team))).toMatchObject([
      Code.Unknown,
      expect.stringContaining("not a metrics query"),
    ]);
    expect(await failureOf(client.metricsQueryInstant(range))).toEqual([Code.Unknown, "no org id"]);
    metricsAnswer = () => answering(new QueryTooLarge("too much"));
    expect(await failureOf(client.metricsQueryRange(range, team))).toEqual([Code.Unknown, "too much"]);
  });
});

describe("over the HTTP port", () => {
  test("it streams where that is configured, beside HTTP/1.1, by gRPC and by Connect", async () => {
    const both = await serverWith(2 << 20, true);
    const baseUrl = both.url("tempo-http");
    for (const transport of [
      createGrpcTransport({ baseUrl }),
      createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    ]) {
      const [message] = await all(createClient(StreamingQuerier, transport).search({ Query: "{}" }, team));
      expect(message!.traces).toHaveLength(2);
    }
    expect((await fetch(`${baseUrl}/nothing`)).status).toBe(404);
    await both.stop();
  });

  test("it is not there otherwise", async () => {
    const failure = await failureOf(
      createClient(StreamingQuerier, createGrpcTransport({ baseUrl: server.url("tempo-http") })).search(
        {},
        team,
      ),
    );
    expect(failure).not.toBeNull();
    expect(requests).toEqual([]);
  });
});
