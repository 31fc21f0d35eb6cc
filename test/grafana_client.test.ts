// What Grafana asks of a Tempo data source, row by row as its clients send it, with the checks that stand for its plugin: requests of
// traces, searches, tags and streams.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { streamProblems, tableProblems, tagProblems } from "./conformance/grafana_checks.ts";
import { StreamingClient } from "./conformance/grpc_calls.ts";
import type { MetricsJson } from "./conformance/metrics_checks.ts";
import type { Json } from "./conformance/placeholders.ts";
import { decodeProto } from "./conformance/proto_reader.ts";
import { type SearchJson, type TraceJson, valueText } from "./conformance/semantic_checks.ts";
import { grafanaGet, grafanaSearch, type Params } from "./support/grafana_requests.ts";
import { valuesByName } from "./support/grafana_series.ts";
import { Rubato } from "./support/rubato.ts";
import { int, push, requestOf, type SpanOf, spanAt, text } from "./support/sent_spans.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const now = Math.floor(Date.now() / 1000);
const base = now - 60;
const window = { start: String(now - 900), end: String(now) };
const shop = "1a2b3c4d5e6f70818293a4b5c6d7e8f9";
const bare = "0000000000000000000000000b0a0e01"; // stored without resource, scope and status
const large = "00000000000000000000000000001a56"; // over the limit of max_bytes_per_trace
const unknown = "ffffffffffffffffffffffffffffffff";
const maxBytesPerTrace = 60_000;
const smallTraces = 25;
const browser = "application/json, text/plain, */*";

const span = (of: SpanOf) => spanAt(base, of);

const requests = [
  requestOf("shop", [
    span({
      trace: shop,
      id: 0x11,
      name: "GET /cart",
      durationMs: 700,
      attributes: { foo: text("a.b"), "a/b": text("slash") },
    }),
    span({
      trace: shop,
      id: 0x12,
      parent: 0x11,
      name: "load",
      kind: 1,
      startMs: 5,
      attributes: { foo: text("axb") },
    }),
  ]),
  requestOf("payment", [
    span({
      trace: shop,
      id: 0x13,
      parent: 0x11,
      name: "charge",
      startMs: 20,
      durationMs: 600,
      error: true,
      exception: "no answer",
      attributes: {
        "http.status_code": int(504),
        n: int(5),
        tags_array: { case: "arrayValue", value: { values: [{ value: text("t1") }, { value: text("t2") }] } },
      },
    }),
    ...[0x14, 0x15, 0x16, 0x17].map((id) =>
      span({ trace: shop, id, parent: 0x13, name: "retry", kind: 3, startMs: 30 }),
    ),
  ]),
  requestOf(null, [span({ trace: bare, id: 1, name: "bare" })]),
  requestOf(
    "large",
    Array.from({ length: 300 }, (_, i) =>
      span({
        trace: large,
        id: i + 1,
        parent: i === 0 ? 0 : 1,
        name: "part",
        attributes: { filler: text(`${i}`.repeat(200)) },
      }),
    ),
  ),
  ...Array.from({ length: smallTraces }, (_, i) =>
    requestOf("small", [
      span({ trace: `5a${i.toString(16).padStart(30, "0")}`, id: 1, name: "small", startMs: 1000 + i }),
    ]),
  ),
];

/** Grafana's zero time in field 10 (RF1After), which is to be passed over: a Timestamp with seconds -62135596800. */
const rf1AfterZero = Uint8Array.from([
  0x52, 11, 0x08, 0x80, 0x92, 0xb8, 0xc3, 0x98, 0xfe, 0xff, 0xff, 0xff, 0x01,
]);

describe("Grafana", () => {
  let server: Rubato;
  let streaming: StreamingClient;

  beforeAll(async () => {
    server = await Rubato.start({
      settings: { overrides: { defaults: { global: { max_bytes_per_trace: maxBytesPerTrace } } } },
    });
    // The port of the HTTP API, as Grafana does it.
    streaming = new StreamingClient(server.ports.http);
    for (const request of requests) await push(server, request);
  });
  afterAll(() => {
    streaming?.close();
    return server?.remove();
  });

  const get = (path: string, accept?: string) => grafanaGet(server, path, accept);
  const search = (q: string, params: Params = {}) => grafanaSearch(server, q, { ...window, ...params });
  const values = async (tag: string, params: Params = {}) => {
    const query = new URLSearchParams({ limit: "5000", ...params, tag: "ignored" });
    const answer = await get(`/api/v2/search/tag/${tag}/values?${query}`, browser);
    expect([tag, answer.status]).toEqual([tag, 200]);
    const body = JSON.parse(answer.text()) as { tagValues: { type: string; value: string }[] };
    expect(tagProblems(body)).toEqual([]);
    expect(Array.isArray(body.tagValues)).toBe(true);
    return body.tagValues.map(({ type, value }) => `${type} ${value}`).sort();
  };

  test("1: save and test", async () => {
    expect((await get("/api/echo")).status).toBe(200);
  });

  test("2: save and test of a streaming data source", async () => {
    const answer = await streaming.call({
      method: "Search",
      message: { Query: "{}", start: window.start, end: window.end, Limit: 1 },
      extra: rf1AfterZero,
    });
    expect(streamProblems(answer)).toEqual([]);
    expect((answer.messages.at(-1) as SearchJson).traces).toHaveLength(1);
  });

  test("3: a version that turns features on", async () => {
    const { version } = JSON.parse((await get("/api/status/buildinfo")).text()) as { version: string };
    const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
    expect(major * 100 + minor).toBeGreaterThanOrEqual(207);
  });

  interface TraceResponse {
    trace?: {
      resourceSpans?: {
        resource?: { attributes?: { key: string }[] };
        scopeSpans?: { scope?: object; spans?: { name: string; status?: object; parentSpanId?: string }[] }[];
      }[];
    };
    status?: string;
    message?: string;
  }
  const traceV2 = async (id: string, query = "") => {
    const answer = await get(`/api/v2/traces/${id}${query}`, "application/protobuf");
    expect([id, answer.status]).toEqual([id, 200]);
    expect(answer.header("content-type")).toBe("application/protobuf");
    const response = decodeProto("TraceByIDResponse", answer.body) as TraceResponse;
    expect(response.trace).toBeDefined();
    for (const { resource, scopeSpans = [] } of response.trace?.resourceSpans ?? []) {
      expect(resource).toBeDefined();
      for (const { scope, spans = [] } of scopeSpans) {
        expect(scope).toBeDefined();
        for (const { status, parentSpanId = "" } of spans) {
          expect(status).toBeDefined();
          expect([0, 8]).toContain(Buffer.from(parentSpanId, "base64").length);
        }
      }
    }
    return response;
  };
  const spanNames = ({ trace }: TraceResponse) =>
    (trace?.resourceSpans ?? []).flatMap(({ scopeSpans = [] }) =>
      scopeSpans.flatMap(({ spans = [] }) => spans.map(({ name }) => name)),
    );

  test("4: a trace with all its sub-messages", async () => {
    expect(spanNames(await traceV2(shop)).sort()).toEqual([
      "GET /cart",
      "charge",
      "load",
      ...Array(4).fill("retry"),
    ]);
  });

  test("5: an unknown trace is there, and empty", async () => {
    const answer = await get(`/api/v2/traces/${unknown}`, "application/protobuf");
    expect(answer.status).toBe(200);
    expect([...answer.body.subarray(0, 2)]).toEqual([0x0a, 0]);
  });

  test("6: an id without its zeros, in upper case, of odd length", async () => {
    const short = bare.replace(/^0+/, "");
    expect(short.length % 2).toBe(1);
    for (const id of [bare, short, short.toUpperCase(), `0${short}`]) {
      expect(spanNames(await traceV2(id))).toEqual(["bare"]);
    }
  });

  test("7: a range far away has no trace", async () => {
    expect(spanNames(await traceV2(shop, "?start=1000000000&end=1000003600"))).toEqual([]);
  });

  test("8: the first version of the endpoint", async () => {
    const answer = await get(`/api/traces/${shop}`, "application/protobuf");
    expect(answer.status).toBe(200);
    expect(spanNames({ trace: decodeProto("Trace", answer.body) as TraceResponse["trace"] })).toHaveLength(7);
    expect((await get(`/api/traces/${unknown}`, "application/protobuf")).status).toBe(404);
  });

  test("9: what was stored without resource, scope and status", async () => {
    expect(spanNames(await traceV2(bare))).toEqual(["bare"]);
  });

  test("10: a trace over the limit is partial, and says so", async () => {
    const response = await traceV2(large);
    expect(response.status).toBe("PARTIAL");
    expect(response.message).toContain(String(maxBytesPerTrace));
  });

  test("11: a search without limits has those that the form shows", async () => {
    const { traces = [] } = await search("{}");
    expect(traces).toHaveLength(20);
    for (const { spanSets = [] } of traces)
      for (const { spans = [] } of spanSets) expect(spans.length).toBeLessThanOrEqual(3);
    const starts = traces.map(({ startTimeUnixNano }) => BigInt(startTimeUnixNano!));
    expect(starts).toEqual(starts.toSorted((a, b) => Number(b - a)));
    const { traces: [cut] = [] } = await search(`{ trace:id = "${shop}" }`);
    expect([cut?.spanSets?.[0]?.spans?.length, cut?.spanSets?.[0]?.matched]).toEqual([3, 7]);
  });

  test("12: both forms of span sets, and a count that isn't cut", async () => {
    const { traces = [] } = await search('{resource.service.name="large"}', { limit: "200", spss: "10" });
    expect(traces).toHaveLength(1);
    const [{ spanSet, spanSets = [] }] = traces as [TraceJson];
    expect(spanSets).toHaveLength(1);
    expect(spanSet).toEqual(spanSets[0]);
    expect([spanSet!.spans!.length, spanSet!.matched]).toEqual([10, 300]);
  });

  test("13: nothing found", async () => {
    const { traces, metrics } = await search('{resource.service.name="nobody"}');
    expect(traces).toEqual([]);
    expect(metrics).toBeDefined();
  });

  test("14: escapes are resolved once, then the pattern is anchored", async () => {
    const { traces = [] } = await search('{span.foo=~"a\\\\.b|c\\\\.d"}');
    expect(
      traces.flatMap(({ spanSets = [] }) =>
        spanSets.flatMap(({ spans = [] }) => spans.map((one) => one.spanID)),
      ),
    ).toEqual(["0000000000000011"]);
  });

  test.each(['({span.foo="a"}', "{nestedSetParent<0 && true&& duration > }"])(
    "15, 38: no query: %s",
    async (q) => {
      const answer = await get(`/api/search?${new URLSearchParams({ q, ...window })}`);
      expect(answer.status).toBe(400);
      expect(answer.header("content-type") ?? "text/plain").toStartWith("text/plain");
      expect(answer.text()).toContain("parse error");
    },
  );

  test("16: a range that is too long", async () => {
    const answer = await get(
      `/api/search?${new URLSearchParams({ q: "{}", start: String(now - 200 * 3600), end: window.end })}`,
    );
    expect(answer.status).toBe(400);
    expect(answer.text()).toContain("range specified by start and end exceeds");
  });

  test("17: an array is shown as one, which no table of the plugin takes", async () => {
    const body = await search("{span.n = 5} | select(span.tags_array)");
    const [span] = body.traces![0]!.spanSets![0]!.spans!;
    const array = span!.attributes!.find(({ key }) => key === "tags_array");
    expect(valueText(array?.value)).toBe("[string t1, string t2]");
    expect(tableProblems(body)).toEqual(["tags_array is [string t1, string t2]"]);
  });

  test("18: tag names", async () => {
    const answer = await get("/api/v2/search/tags?limit=5000", browser);
    expect([answer.status, answer.header("content-type")]).toEqual([200, "application/json"]);
    const { scopes } = JSON.parse(answer.text()) as { scopes: { name: string; tags: string[] }[] };
    expect(tagProblems({ scopes })).toEqual([]);
    const byName = Object.fromEntries(scopes.map(({ name, tags }) => [name, tags.toSorted()]));
    expect(byName.span).toEqual(["a/b", "filler", "foo", "http.status_code", "n", "tags_array"]);
    expect(byName.resource).toEqual(["service.name"]);
    expect(byName.event).toEqual(["exception.message", "exception.stacktrace", "exception.type"]);
    expect(byName.intrinsic).toContain("rootServiceName");
  });

  test("19: tag values", async () => {
    expect(await values("resource.service.name", { q: "{}" })).toEqual([
      "string large",
      "string payment",
      "string shop",
      "string small",
    ]);
  });

  test("20: values of intrinsics", async () => {
    expect(await values("name")).toContain("string GET /cart");
    expect(await values("status")).toEqual(["keyword error", "keyword ok", "keyword unset"]);
    expect(await values("kind")).toEqual(
      ["client", "consumer", "internal", "producer", "server", "unspecified"].map(
        (kind) => `keyword ${kind}`,
      ),
    );
  });

  test("21: a tag that nothing has", async () => {
    expect(await values("span.undefined")).toEqual([]);
  });

  test("22: a filter that isn't finished", async () => {
    expect(await values(".http.status_code", { q: '{resource.service.name="payment" && . ' })).toEqual([
      "int 504",
    ]);
  });

  test("23: slashes in a tag, once encoded, plain and twice encoded", async () => {
    for (const tag of ["span.a%2Fb", "span.a/b", "span.a%252Fb"])
      expect(await values(tag)).toEqual(["string slash"]);
  });

  test("24: a filter of the wrong type", async () => {
    const { status, text } = await get(
      `/api/v2/search/tag/span.n/values?${new URLSearchParams({ q: '{duration>"1s"}' })}`,
      browser,
    );
    expect([status, tagProblems(JSON.parse(text()) as { tagValues: Json })]).toEqual([200, []]);
  });

  test("36: the structure of traces", async () => {
    const roots = "{nestedSetParent<0 && true }";
    const q = `(${roots} &>> { kind = server }) || (${roots}) | select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)`;
    const body = await search(q, { limit: "200", spss: "20" });
    expect(tableProblems(body)).toEqual([]);
    expect(body.traces!.length).toBe(smallTraces + 3);
    for (const { spanSets = [] } of body.traces!) {
      expect(spanSets).toHaveLength(1);
      for (const span of spanSets[0]!.spans!) {
        const shown = Object.fromEntries(span.attributes!.map(({ key, value }) => [key, valueText(value)]));
        expect(shown.nestedSetLeft).toMatch(/^int \d+$/);
        expect(shown.nestedSetRight).toMatch(/^int \d+$/);
        expect(shown.status).toMatch(/^string (unset|error)$/);
        expect(span.name).not.toBe("");
      }
    }
    const found = body.traces!.find(({ traceID }) => traceID === shop)!.spanSets![0]!.spans!;
    expect(found.map(({ name }) => name).sort()).toEqual(["GET /cart", "charge"]);
  });

  test("37: exceptions", async () => {
    const q =
      "{true && true && status = error} | select(resource.service.name, event.exception.message,event.exception.stacktrace,event.exception.type) with(most_recent=true)";
    const body = await search(q, { limit: "400", spss: "10" });
    expect(tableProblems(body)).toEqual([]);
    const [span] = body.traces![0]!.spanSets![0]!.spans!;
    const shown = Object.fromEntries(span!.attributes!.map(({ key, value }) => [key, valueText(value)]));
    expect(shown).toMatchObject({
      "exception.message": "string no answer",
      "exception.type": "string Timeout",
      "service.name": "string payment",
      status: "string error",
    });
  });

  test("39: a streamed search", async () => {
    const answer = await streaming.call({
      method: "Search",
      message: { Query: '{resource.service.name="small"}', ...window, SpansPerSpanSet: 3, Limit: 0 },
      extra: rf1AfterZero,
    });
    expect(streamProblems(answer)).toEqual([]);
    expect((answer.messages.at(-1) as SearchJson).traces).toHaveLength(20);
  });

  test("43: slashes of a base URL, parameters of somebody else", async () => {
    const answer = await get(`//api/v2/traces/${shop}`, "application/protobuf");
    // Redirects are followed.
    const target =
      answer.status >= 300 && answer.status < 400
        ? new URL(answer.header("location")!, "http://x").pathname
        : null;
    const found = target === null ? answer : await get(target, "application/protobuf");
    expect(spanNames(decodeProto("TraceByIDResponse", found.body) as TraceResponse)).toHaveLength(7);
    expect((await search(`{ trace:id = "${shop}" }`, { my_arg: "1" })).traces).toHaveLength(1);
  });

  test("HTTP/1.1 and streams on one port at once", async () => {
    const both = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        i % 2 === 0
          ? search('{resource.service.name="shop"}').then(({ traces }) => traces?.length)
          : streaming
              .call({ method: "Search", message: { Query: '{resource.service.name="shop"}', ...window } })
              .then(({ messages }) => (messages.at(-1) as SearchJson).traces?.length),
      ),
    );
    expect(both).toEqual(Array(10).fill(1));
  });

  test("the same search once the data is in blocks", async () => {
    const queries = [
      "{}",
      '{resource.service.name="shop"}',
      "{status=error} | select(event.exception.type, span.n)",
    ];
    const live = await Promise.all(queries.map((q) => search(q, { limit: "100", spss: "100" })));
    await server.flush();
    const stored = await Promise.all(queries.map((q) => search(q, { limit: "100", spss: "100" })));
    for (const i of queries.keys()) {
      const ids = (body: SearchJson) => body.traces!.map(({ traceID }) => traceID).sort();
      expect(ids(stored[i]!)).toEqual(ids(live[i]!));
    }
  });
});

describe("Grafana with tenants", () => {
  let server: Rubato;
  let streaming: StreamingClient;
  beforeAll(async () => {
    server = await Rubato.start({ settings: { multitenancy_enabled: true } });
    streaming = new StreamingClient(server.ports.http);
    await push(server, requests[0]!, "a");
  });
  afterAll(() => {
    streaming?.close();
    return server?.remove();
  });

  const message = { Query: "{}", ...window };
  const metrics = {
    query: "{} | rate()",
    start: `${window.start}000000000`,
    end: `${window.end}000000000`,
  };
  const calls = [
    ["Search", message],
    ["MetricsQueryRange", metrics],
    ["MetricsQueryInstant", metrics],
  ] as const;

  test("42: no tenant", async () => {
    const answer = await server.request(`/api/search?${new URLSearchParams({ q: "{}", ...window })}`);
    expect([answer.status, answer.text().trim()]).toEqual([401, "no org id"]);
    for (const path of ["/api/metrics/query", "/api/metrics/query_range"]) {
      const metrics = await server.request(`${path}?${new URLSearchParams({ q: "{} | rate()", ...window })}`);
      expect([metrics.status, metrics.text().trim()]).toEqual([401, "no org id"]);
    }
    for (const [method, message] of calls) {
      const { code, details } = await streaming.call({ method, message });
      expect([method, code === 0, details]).toEqual([method, false, "no org id"]);
    }
  });

  test("42: the tenant twice", async () => {
    const answer = await server.request({
      path: `/api/search?${new URLSearchParams({ q: "{}", ...window })}`,
      headers: { "X-Scope-OrgID": "a", "x-scope-orgid": "a" },
    });
    expect([answer.status, (JSON.parse(answer.text()) as SearchJson).traces?.length]).toEqual([200, 1]);
    const twice = { "x-scope-orgid": ["a", "a"] };
    const stream = await streaming.call({ method: "Search", message, metadata: twice });
    expect(streamProblems(stream)).toEqual([]);
    expect((stream.messages.at(-1) as SearchJson).traces).toHaveLength(1);
    const counted = await streaming.call({
      method: "MetricsQueryInstant",
      message: { ...metrics, query: "{} | count_over_time()" },
      metadata: twice,
    });
    expect(valuesByName((counted.messages.at(-1) as MetricsJson).series)).toEqual({ count_over_time: 2 });
  });
});
