// TraceQL metrics as Grafana asks them, row by row as its clients send it, with what its plugin reads of the answers: from heads, and
// once the spans are in blocks.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type GrpcAnswer, StreamingClient } from "./conformance/grpc_calls.ts";
import type { MetricsJson } from "./conformance/metrics_checks.ts";
import { grafanaGet, grafanaInstant, grafanaRange, type Params } from "./support/grafana_requests.ts";
import {
  comparedSums,
  exemplarTraces,
  instantProblems,
  mergedStream,
  type Sample,
  samplesByName,
  valuesByName,
} from "./support/grafana_series.ts";
import { base, pushShop, traces } from "./support/grafana_shop.ts";
import { Rubato } from "./support/rubato.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

/** All spans, in two intervals of ten seconds, and an empty one before. */
const window = { start: String(base), end: String(base + 20) };
const inNanos = { start: `${base}000000000`, end: `${base + 20}000000000` };
const hour = 3600;
/** Exemplars have ids without the zeros in front. */
const exemplarIds = Object.values(traces)
  .map((id) => id.replace(/^0+/, ""))
  .sort();

let server: Rubato;
let streaming: StreamingClient;

beforeAll(async () => {
  // Packets so small that every series has one of its own.
  server = await Rubato.start({ settings: { query_frontend: { max_grpc_streaming_packet_size: 2000 } } });
  streaming = new StreamingClient(server.ports.http);
  await pushShop(server);
});
afterAll(() => {
  streaming?.close();
  return server?.remove();
});

/** Samples of the two intervals, with one before. */
const at = (first: number, second: number): Sample[] => [
  [0, 0],
  [10, first],
  [20, second],
];

const range = async (q: string, params: Params = { step: "10s" }) => {
  const body = await grafanaRange(server, q, { ...window, ...params });
  // The panel shows nothing where the first series has no samples.
  for (const { samples = [] } of body.series ?? []) expect(samples).not.toEqual([]);
  return body;
};
const samples = async (q: string, params?: Params) => samplesByName((await range(q, params)).series, base);
const values = async (q: string, params: Params = {}) =>
  valuesByName((await grafanaInstant(server, q, { ...window, ...params })).series);
const refusal = async (path: string, params: Params) => {
  const answer = await grafanaGet(server, `${path}?${new URLSearchParams({ ...window, ...params })}`);
  // Grafana hides what is no plain text.
  expect(answer.header("content-type")).toStartWith("text/plain");
  return `${answer.status} ${answer.text()}`;
};

describe("spans in heads", metricsRows);

describe("spans in blocks", () => {
  beforeAll(() => server.flush());
  metricsRows();
});

function metricsRows(): void {
  test("25: a rate, with exemplars", async () => {
    const { series = [] } = await range("{} | rate()");
    expect(series.map(({ labels }) => labels)).toEqual([
      [{ key: "__name__", value: { stringValue: "rate" } }],
    ]);
    const rate = at(0.4, 0.3); // of four spans, and three
    expect(samplesByName(series, base)).toEqual({ rate });
    expect(exemplarTraces(series)).toEqual(exemplarIds);
    for (const { value, timestampMs } of series[0]!.exemplars!) {
      const seconds = Number(timestampMs) / 1000 - base;
      expect(value).toBe(rate.find(([end]) => seconds <= end)![1]);
    }
  });

  test("26: a step that is empty is none", async () => {
    const empty = await range("{} | rate()", { step: "" });
    expect(empty.series).toEqual((await range("{} | rate()", {})).series!);
    const { rate = [] } = samplesByName(empty.series, base);
    // A 240th of twenty seconds, in steps of 50 ms.
    expect(rate.slice(0, 3).map(([seconds]) => seconds)).toEqual([0, 0.05, 0.1]);
    const sum = rate.reduce((total, [, value]) => total + value * 0.05, 0);
    expect(sum).toBeCloseTo(7, 9);
  });

  test.each(["20s", "20", "20000ms"])("steps that users type: %s", async (step) => {
    expect(await samples("{} | count_over_time()", { step })).toEqual({
      count_over_time: [
        [0, 0],
        [20, 7],
      ],
    });
  });

  test("27: an instant query by service", async () => {
    const q = "{status=error} | rate() by(resource.service.name)";
    const { series = [] } = await grafanaInstant(server, q, window);
    expect(series).toEqual([
      { labels: [{ key: "resource.service.name", value: { stringValue: "payment" } }], value: 0.1 },
    ]);
    // What a range query has is passed over.
    expect(await values(q, { step: "1800s", exemplars: "10" })).toEqual({ payment: 0.1 });
  });

  test("28: a histogram has one numeric label, of seconds", async () => {
    const { series = [] } = await range("{} | histogram_over_time(duration)");
    for (const { labels = [] } of series) {
      expect(labels).toEqual([{ key: "__bucket", value: { doubleValue: expect.any(Number) } }]);
    }
    expect(samplesByName(series, base)).toEqual({
      0.016777216: at(0, 2), // 10 ms, up to 2 to the 24 ns
      0.033554432: at(1, 0), // 20 ms
      0.134217728: at(1, 0), // 100 ms
      0.536870912: at(1, 0), // 300 ms
      1.073741824: at(1, 1), // 600 ms and 800 ms
    });
  });

  test("29: quantiles by service", async () => {
    const q = "{status != error} | quantile_over_time(duration, 0.5,0.9) by(resource.service.name)";
    expect(await samples(q)).toEqual({
      // Of two spans, 100 ms and 300 ms, the first is the half of all, the second what is left.
      '{p=0.5, resource.service.name="frontend"}': at(0.134217728, 0),
      '{p=0.9, resource.service.name="frontend"}': at(0.536870912, 0),
      '{p=0.5, resource.service.name="cart"}': at(0.033554432, 0),
      '{p=0.9, resource.service.name="cart"}': at(0.033554432, 0),
      '{p=0.5, resource.service.name="orphan"}': at(0, 0.016777216),
      '{p=0.9, resource.service.name="orphan"}': at(0, 0.016777216),
      // A span of no service has an empty one.
      '{p=0.5, resource.service.name=""}': at(0, 0.016777216),
      '{p=0.9, resource.service.name=""}': at(0, 0.016777216),
    });
  });

  test("a quantile between the bounds of a bucket", async () => {
    // 100, 300, 600 and 800 ms: the third of four, half of those between 2 to the 29 and 2 to the 30 ns.
    const found = await values("{kind = server} | quantile_over_time(duration, 0.75)");
    expect(Object.keys(found)).toEqual(["0.75"]);
    expect(found["0.75"]).toBeCloseTo(2 ** 29.5 / 1e9, 12);
  });

  test("30: a day in steps of thirty seconds", async () => {
    const end = base + 60;
    const params = { start: String(end - 24 * hour), end: String(end), step: "30s" };
    const { rate = [] } = await samples("{nestedSetParent<0 && true} | rate()  with(sample=true)", params);
    expect(rate).toHaveLength(2881);
    expect(rate.filter(([, value]) => value !== 0)).toEqual([[30, 4 / 30]]);
  });

  test("31: a range that is too long", async () => {
    const start = String(base - 200 * hour);
    const message = "metrics query time range exceeds the maximum allowed duration of 168h0m0s";
    for (const path of ["/api/metrics/query_range", "/api/metrics/query"]) {
      expect(await refusal(path, { q: "{} | rate()", start, step: "1h" })).toBe(`400 ${message}`);
    }
    for (const method of ["MetricsQueryRange", "MetricsQueryInstant"]) {
      const { details } = await streaming.call({
        method,
        message: { query: "{} | rate()", ...inNanos, start: `${start}000000000` },
      });
      expect([method, details]).toEqual([method, message]);
    }
  });

  test("32: roots only, with a hint and two spaces", async () => {
    // Two in each interval, whatever was sent without its root.
    expect(await samples("{nestedSetParent<0 && true} | rate()  with(sample=true)")).toEqual({
      rate: at(0.2, 0.2),
    });
  });

  test("33: no group of what has no value", async () => {
    const q =
      "{nestedSetParent<0 && true && resource.service.name != nil} | rate() by(resource.service.name)";
    const { series = [] } = await range(q);
    expect(new Set(series.flatMap(({ labels = [] }) => labels.map(({ key }) => key)))).toEqual(
      new Set(["resource.service.name"]),
    );
    // A span of no service has an empty one.
    expect(samplesByName(series, base)).toEqual({
      frontend: at(0.2, 0),
      payment: at(0, 0.1),
      "": at(0, 0.1),
    });
    expect(await samples(q.replaceAll("resource.service.name", "span.http.method"))).toEqual({
      GET: at(0.2, 0),
      POST: at(0, 0.1),
    });
  });

  test("34: a comparison over the whole range", async () => {
    const { series } = await range("{nestedSetParent<0 && true} | compare({status = error}, 10)", {
      step: "20s",
    });
    // Intrinsics are never missing, and empty where nothing was sent.
    expect(comparedSums(series)).toEqual({
      ...withTotals("baseline", {
        kind: { server: 2, consumer: 1 },
        name: { "GET /cart": 2, bare: 1 },
        status: { unset: 3 },
        statusMessage: { "": 3 },
        rootName: { "GET /cart": 2, bare: 1 },
        rootServiceName: { frontend: 2, "": 1 },
        "instrumentation:name": { "": 3 },
        "instrumentation:version": { "": 3 },
        "resource.service.name": { frontend: 2 },
        "span.http.method": { GET: 2 },
      }),
      ...withTotals("selection", {
        kind: { server: 1 },
        name: { "POST /pay": 1 },
        status: { error: 1 },
        statusMessage: { "": 1 },
        rootName: { "POST /pay": 1 },
        rootServiceName: { payment: 1 },
        "instrumentation:name": { "": 1 },
        "instrumentation:version": { "": 1 },
        "resource.service.name": { payment: 1 },
        "span.http.method": { POST: 1 },
      }),
    });
  });

  test("35: a selection within a window", async () => {
    const [start, end] = [`${base}000000000`, `${base + 10}000000000`];
    const q = `{true && true} | compare({status = error}, 10, ${start}, ${end})`;
    const sums = comparedSums((await range(q, { step: "20s" })).series);
    // Of the two that failed, the one after the window belongs to the others.
    const ofNames = Object.entries(sums).filter(([name]) => /^\S+ (name|status)=/.test(name));
    expect(Object.fromEntries(ofNames)).toEqual({
      ...withTotals("baseline", {
        name: { "GET /cart": 2, "POST /pay": 1, query: 1, late: 1, bare: 1 },
        status: { error: 1, unset: 5 },
      }),
      ...withTotals("selection", { name: { charge: 1 }, status: { error: 1 } }),
    });
  });

  const streamed = async (method: string, query: string) => {
    const answer: GrpcAnswer = await streaming.call({
      method,
      message: { query, ...inNanos, ...(method === "MetricsQueryRange" ? { step: 0 } : {}) },
    });
    expect([query, answer.code, answer.details]).toEqual([query, 0, ""]);
    expect(answer.messages.length).toBeGreaterThan(0);
    return answer.messages as MetricsJson[];
  };

  test.each([
    "{} | rate()",
    "{} | count_over_time() by (resource.service.name)",
    "{} | quantile_over_time(duration, 0.5,0.9) by(name)",
    "{true && true} | compare({status = error}, 10)",
  ])("40: a stream comes to the same: %s", async (query) => {
    const { series = [] } = await range(query, {});
    const messages = await streamed("MetricsQueryRange", query);
    expect(mergedStream(messages, base)).toEqual(samplesByName(series, base));
    expect(messages.length).toBeGreaterThanOrEqual(series.length);
    expect(exemplarTraces(messages.flatMap(({ series = [] }) => series))).toEqual(exemplarTraces(series));
  });

  test("41: the last message of an instant query is all of it", async () => {
    const query = "{} | rate() by (resource.service.name)";
    const last = (await streamed("MetricsQueryInstant", query)).at(-1)!;
    expect(instantProblems(last)).toEqual([]);
    const rates = valuesByName(last.series);
    expect(rates).toEqual({ "": 0.05, cart: 0.05, frontend: 0.1, orphan: 0.05, payment: 0.1 });
    expect(rates).toEqual(await values(query));
  });

  test("no exemplars, or as many as are wanted", async () => {
    const wanted = async (params: Params, hint = "") =>
      exemplarTraces((await range(`{} | rate()${hint}`, { step: "10s", ...params })).series).length;
    expect(await wanted({ exemplars: "2" })).toBe(2);
    expect(await wanted({ exemplars: "0" })).toBe(5);
    expect(await wanted({}, " with(exemplars=false)")).toBe(0);
  });

  test("43: slashes of a base URL, parameters of somebody else, and another name of the query", async () => {
    const query = new URLSearchParams({ q: "{} | count_over_time()", ...window, my_arg: "1" });
    const answer = await grafanaGet(server, `//api/metrics/query?${query}`);
    // Redirects are followed.
    const found = answer.status < 300 ? answer : await grafanaGet(server, answer.header("location")!);
    expect(valuesByName((JSON.parse(found.text()) as MetricsJson).series)).toEqual({ count_over_time: 7 });
    const renamed = new URLSearchParams({ query: "{} | count_over_time()", ...window });
    const same = await grafanaGet(server, `/api/metrics/query?${renamed}`);
    expect(valuesByName((JSON.parse(same.text()) as MetricsJson).series)).toEqual({ count_over_time: 7 });
  });

  test.each(["{} | rate(", "{}", "{nestedSetParent<0 && true&& duration > } | rate()", ""])(
    "no query of metrics: %s",
    async (q) => {
      for (const path of ["/api/metrics/query_range", "/api/metrics/query"]) {
        expect(await refusal(path, { q })).toStartWith("400 ");
      }
    },
  );
}

/** Of one side of a comparison the counts of all values, and how many spans have the attribute. */
function withTotals(side: string, counts: Record<string, Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([attribute, ofValues]) => [
      ...Object.entries(ofValues).map(([value, count]) => [`${side} ${attribute}=${value}`, count]),
      [`${side}_total ${attribute}=nil`, Object.values(ofValues).reduce((sum, count) => sum + count, 0)],
    ]),
  );
}
