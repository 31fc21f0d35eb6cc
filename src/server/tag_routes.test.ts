import { describe, expect, test } from "bun:test";
import { fromBinary, type Message, toJson } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { defaultConfig } from "../config/defaults.ts";
import {
  SearchTagsResponseSchema,
  SearchTagsV2ResponseSchema,
  SearchTagValuesResponseSchema,
  SearchTagValuesV2ResponseSchema,
} from "../gen/tempopb/tempo_pb.ts";
import { QueryTimeout } from "../query/query_errors.ts";
import { QueryTurns } from "../query/query_turns.ts";
import { noTagsMetrics } from "../query/search_fixture.ts";
import type {
  TagLister,
  TagNames,
  TagNamesRequest,
  TagValue,
  TagValuesRequest,
} from "../query/search_types.ts";
import { TagQueries } from "../query/tag_queries.ts";
import { Registry } from "../telemetry/metrics.ts";
import { QueryMetrics } from "../telemetry/query_metrics.ts";
import { printAttribute, printLiteral } from "../traceql/index.ts";
import { createApp } from "./app.ts";
import { tagRoutes } from "./tag_routes.ts";
import { tenantsOf } from "./tenant.ts";

const metrics = { ...noTagsMetrics, inspectedBytes: 1234, totalBlocks: 2 };
const scopes: TagNames["scopes"] = [
  { name: "resource", tags: ["service.name"] },
  { name: "span", tags: ["http.method", "klíč", "service.name"] },
];
const values: TagValue[] = [
  { type: "string", value: "" },
  { type: "int", value: "1" },
  { type: "string", value: "1" },
  { type: "string", value: 'a "b"' },
];

function routes(change: (config: ReturnType<typeof defaultConfig>) => void = () => {}, failure?: Error) {
  const config = defaultConfig();
  config.multitenancy_enabled = true;
  change(config);
  const asked: { names: TagNamesRequest[]; values: TagValuesRequest[] } = { names: [], values: [] };
  const lister: TagLister = {
    async tagNames(request) {
      asked.names.push(request);
      if (failure) throw failure;
      return { scopes: scopes.filter(({ name }) => ["none", name].includes(request.scope)), metrics };
    },
    async tagValues(request) {
      asked.values.push(request);
      if (failure) throw failure;
      return { values, metrics };
    },
  };
  const registry = new Registry();
  const tags = new TagQueries({
    lister,
    config,
    queries: new QueryMetrics(undefined, registry),
    turns: new QueryTurns("metadata", {}, registry),
    now: () => 1_700_000_000_000,
  });
  const app = createApp(
    [],
    [{ prefix: "", routes: tagRoutes({ tags, tenantsOf: (header) => tenantsOf(header, config) }) }],
  );
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.request(path, { headers: { "X-Scope-OrgID": "team", ...headers } });
    const body = new Uint8Array(await response.arrayBuffer());
    const type = response.headers.get("Content-Type");
    return { status: response.status, type, body, text: new TextDecoder().decode(body) };
  };
  return { ask, asked, registry };
}

/** Conditions as text. */
const groupsOf = ({ groups }: TagNamesRequest | TagValuesRequest) =>
  groups?.map((group) =>
    group.map((condition) =>
      condition.kind === "comparison"
        ? `${printAttribute(condition.attribute)} ${condition.op} ${printLiteral(condition.value)}`
        : printAttribute(condition.attribute),
    ),
  ) ?? null;

const measured = '"metrics":{"inspectedBytes":"1234","totalBlocks":2}';
const protobuf = { Accept: "application/protobuf" };
const llm = { Accept: "application/vnd.grafana.llm" };
const json = <T extends Message>(schema: GenMessage<T>, body: Uint8Array) =>
  toJson(schema, fromBinary(schema, body));

const intrinsics =
  "duration event:name event:timeSinceStart instrumentation:name instrumentation:version kind link:spanID link:traceID name rootName rootServiceName span:duration span:id span:kind span:name span:parentID span:status span:statusMessage status statusMessage trace:duration trace:id trace:rootName trace:rootService traceDuration".split(
    " ",
  );

describe("names", () => {
  test("by scope, with the intrinsics", async () => {
    const { ask, asked } = routes();
    const { status, type, text } = await ask("/api/v2/search/tags?limit=5000");
    expect([status, type]).toEqual([200, "application/json"]);
    expect(text).toBe(
      '{"scopes":[{"name":"resource","tags":["service.name"]},{"name":"span","tags":["http.method","klíč","service.name"]},' +
        `{"name":"intrinsic","tags":${JSON.stringify(intrinsics)}}],${measured}}`,
    );
    expect(asked.names).toEqual([
      {
        tenants: ["team"],
        scope: "none",
        groups: null,
        start: 1_699_999_100,
        end: 1_700_000_000,
        limit: 5000,
        bytesMax: 1_000_000,
      },
    ]);
    const { body } = await ask("/api/v2/search/tags?scope=span", protobuf);
    expect(json(SearchTagsV2ResponseSchema, body)).toEqual({
      scopes: [{ name: "span", tags: ["http.method", "klíč", "service.name"] }],
      metrics: { inspectedBytes: "1234", totalBlocks: 2 },
    });
  });

  test("of one scope", async () => {
    const { ask, asked } = routes();
    expect(JSON.parse((await ask("/api/v2/search/tags?scope=intrinsic")).text)).toEqual({
      scopes: [{ name: "intrinsic", tags: intrinsics }],
      metrics: {},
    });
    expect(
      JSON.parse((await ask("/api/v2/search/tags?scope=intrinsic&limit=3")).text).scopes[0].tags,
    ).toEqual(["duration", "name", "status"]);
    expect((await ask("/api/v2/search/tags?scope=trace")).text).toBe('{"scopes":[],"metrics":{}}');
    expect(asked.names).toEqual([]);
    expect((await ask("/api/v2/search/tags?scope=link")).text).toBe(`{"scopes":[],${measured}}`);
    expect(asked.names[0]!.scope).toBe("link");
    const bad = await ask("/api/v2/search/tags?scope=nonsense");
    expect([bad.status, bad.type, bad.text]).toEqual([
      400,
      "text/plain; charset=utf-8",
      "invalid scope: nonsense",
    ]);
  });

  test("in one list", async () => {
    const { ask, asked } = routes();
    expect((await ask("/api/search/tags?q={.a=1}")).text).toBe(
      `{"tagNames":["http.method","klíč","service.name"],${measured}}`,
    );
    expect(asked.names[0]!.groups).toBeNull();
    expect(JSON.parse((await ask("/api/search/tags?limit=1")).text).tagNames).toEqual(["http.method"]);
    expect(JSON.parse((await ask("/api/search/tags?scope=intrinsic")).text).tagNames).toEqual(intrinsics);
    const { body } = await ask("/api/search/tags?scope=resource", protobuf);
    expect(json(SearchTagsResponseSchema, body)).toMatchObject({ tagNames: ["service.name"] });
  });
});

describe("values", () => {
  test("with their types", async () => {
    const { ask, asked } = routes();
    const path = "/api/v2/search/tag/resource.service.name/values?limit=7&tag=resource.service.name";
    const plain = await ask(path, { Accept: "application/json, text/plain, */*" });
    expect([plain.status, plain.type]).toEqual([200, "application/json"]);
    expect(plain.text).toBe(
      `{"tagValues":[{"type":"string"},{"type":"int","value":"1"},{"type":"string","value":"1"},{"type":"string","value":"a \\"b\\""}],${measured}}`,
    );
    expect(printAttribute(asked.values[0]!.attribute)).toBe("resource.service.name");
    expect(asked.values[0]).toMatchObject({ limit: 7, bytesMax: 1_000_000, groups: null });
    const forModels = await ask(path, llm);
    expect([forModels.type, forModels.text]).toEqual([
      "application/vnd.grafana.llm+json",
      '{"tagValues":{"int":["1"],"string":["","1","a \\"b\\""]},"metrics":{"inspectedBytes":1234,"totalBlocks":2}}',
    ]);
    expect(json(SearchTagValuesV2ResponseSchema, (await ask(path, protobuf)).body)).toEqual({
      tagValues: [
        { type: "string" },
        { type: "int", value: "1" },
        { type: "string", value: "1" },
        { type: "string", value: 'a "b"' },
      ],
      metrics: { inspectedBytes: "1234", totalBlocks: 2 },
    });
  });

  test("as plain texts, each once", async () => {
    const { ask, asked } = routes();
    expect((await ask("/api/search/tag/http.method/values")).text).toBe(
      `{"tagValues":["","1","a \\"b\\""],${measured}}`,
    );
    expect(JSON.parse((await ask("/api/search/tag/x/values?limit=2")).text).tagValues).toEqual(["", "1"]);
    const { body } = await ask("/api/search/tag/name/values", protobuf);
    expect(json(SearchTagValuesResponseSchema, body)).toMatchObject({ tagValues: ["", "1", 'a "b"'] });
    for (const name of ["root.name", "root.service.name", "status", "span:name", "key with space"]) {
      await ask(`/api/search/tag/${encodeURIComponent(name)}/values`);
    }
    expect(asked.values.map(({ attribute }) => printAttribute(attribute))).toEqual([
      ".http.method",
      ".x",
      "name",
      "rootName",
      "rootServiceName",
      ".status",
      "name",
      '."key with space"',
    ]);
  });

  test("that are the same whatever is stored", async () => {
    const { ask, asked } = routes();
    const typed = async (name: string) =>
      JSON.parse((await ask(`/api/v2/search/tag/${name}/values`)).text).tagValues;
    const keywords = (...texts: string[]) => texts.map((value) => ({ type: "keyword", value }));
    expect(await typed("status")).toEqual(keywords("ok", "error", "unset"));
    expect(await typed("span:kind")).toEqual(
      keywords("client", "server", "producer", "consumer", "internal", "unspecified"),
    );
    for (const name of [
      ...[
        "duration",
        "span:duration",
        "traceDuration",
        "trace:id",
        "span:id",
        "span:parentID",
        "link:traceID",
      ],
      ...["event:timeSinceStart", "nestedSetLeft", "span:childCount", "parent.x"],
    ]) {
      expect(await typed(name)).toEqual([]);
    }
    expect((await ask("/api/search/tag/status.code/values")).text).toBe(
      '{"tagValues":["error","ok","unset"],"metrics":{}}',
    );
    expect((await ask("/api/search/tag/error/values")).text).toBe('{"tagValues":["true"],"metrics":{}}');
    expect(asked.values).toEqual([]);
  });

  test("of names in every encoding", async () => {
    const { ask, asked } = routes();
    for (const path of ["span.a%2Fb", "span.a/b", "span.a%252Fb", "span%2Ea%2Fb", "span.a//b"]) {
      expect((await ask(`/api/v2/search/tag/${path}/values`)).status).toBe(200);
    }
    expect(new Set(asked.values.map(({ attribute }) => printAttribute(attribute)))).toEqual(
      new Set(["span.a/b"]),
    );
    for (const path of [
      "span.%22key%20with%20space%22",
      "span.kl%C3%AD%C4%8D",
      "span.100%25",
      "span.undefined",
    ]) {
      expect((await ask(`/api/v2/search/tag/${path}/values`)).status).toBe(200);
    }
    expect(asked.values.slice(5).map(({ attribute }) => printAttribute(attribute))).toEqual([
      'span."key with space"',
      "span.klíč",
      "span.100%",
      "span.undefined",
    ]);
  });

  test("of what is no name", async () => {
    const { ask } = routes();
    const bad = await ask("/api/v2/search/tag/span./values");
    expect([bad.status, bad.text]).toEqual([
      400,
      "please provide a valid tagName: failed to parse identifier span.: parse error at line 1, col 7: attribute name is missing",
    ]);
    expect((await ask("/api/v2/search/tag/foo/values")).text).toBe(
      "please provide a valid tagName: failed to parse identifier foo: parse error at line 1, col 2: unknown identifier: foo",
    );
  });
});

describe("a filter", () => {
  const path = (q: string) => `/api/v2/search/tag/resource.service.name/values?q=${encodeURIComponent(q)}`;

  test("is passed on as far as it can be used", async () => {
    const { ask, asked } = routes();
    for (const q of [
      '{ span.http.method = "POST" && resource.service.name = }',
      '{ span.http.method = "POST"',
      "{ .a = 1 || status = error }",
      '{duration>"1s"}',
      "garbage (",
      "{ }",
      `{ .a = "${"x".repeat(200_000)}" }`,
    ]) {
      expect((await ask(path(q))).status).toBe(200);
    }
    expect(asked.values.map(groupsOf)).toEqual([
      [["span.http.method = `POST`"]],
      [["span.http.method = `POST`"]],
      [[".a = 1"], ["status = error"]],
      null,
      null,
      null,
      null,
    ]);
    await ask(`/api/v2/search/tags?scope=event&q=${encodeURIComponent("{ kind = server }")}`);
    expect(asked.names.map(groupsOf)).toEqual([[["kind = server"]]]);
  });

  test("may not have too many alternatives", async () => {
    const { ask, asked } = routes();
    const alternatives = (count: number) =>
      `{ ${Array.from({ length: count }, (_, i) => `.a = ${i}`).join(" || ")} }`;
    const message =
      "maximum condition groups reached (limit: 100). Reduce the number of OR conditions in the query";
    const many = await ask(path(alternatives(101)));
    expect([many.status, many.text]).toEqual([400, message]);
    expect((await ask(path(alternatives(100)))).status).toBe(200);
    expect(asked.values[0]!.groups).toHaveLength(100);
    // An attribute without a scope is looked for in two.
    const unscoped = (count: number) =>
      `/api/v2/search/tag/.b/values?q=${encodeURIComponent(alternatives(count))}`;
    expect((await ask(unscoped(51))).status).toBe(400);
    expect((await ask(unscoped(50))).status).toBe(200);
  });
});

test("time may be given in any form", async () => {
  const { ask, asked } = routes();
  for (const range of [
    "start=1699999000&end=1700000000",
    "start=1699999000.9&end=1699999999.1",
    "start=1699999000000000001&end=1699999999999999999",
    "start=2023-11-14T21:56:40Z&end=2023-11-14T23:13:20%2B01:00",
  ]) {
    await ask(`/api/v2/search/tags?${range}`);
  }
  expect(asked.names.map(({ start, end }) => [start, end])).toEqual(
    Array.from({ length: 4 }, () => [1_699_999_000, 1_700_000_000]),
  );
  for (const [query, message] of [
    ["end=5", "error parsing date range: only one of start and end provided: must provide both or neither"],
    [
      "start=abc&end=5",
      "error parsing date range: could not parse 'start' parameter: cannot parse \"abc\" to a valid timestamp",
    ],
    ["start=9&end=9", "http parameter start must be before end. received start=9 end=9"],
  ]) {
    const answer = await ask(`/api/search/tags?${query}`);
    expect([answer.status, answer.text]).toEqual([400, message!]);
  }
  expect((await ask("/api/v2/search/tags?limit=abc&maxStaleValues=abc")).status).toBe(200);
  expect(asked.names.at(-1)!.limit).toBe(0);
});

test("tenants are asked for, and failures are told, as everywhere", async () => {
  const { ask, asked } = routes();
  await ask("/api/v2/search/tags", { "X-Scope-OrgID": "b|a" });
  expect(asked.names[0]!.tenants).toEqual(["a", "b"]);
  const none = await ask("/api/v2/search/tag/name/values", { "X-Scope-OrgID": "" });
  expect([none.status, none.text]).toEqual([401, "no org id\n"]);
  const late = await routes(() => {}, new QueryTimeout()).ask("/api/search/tags");
  expect([late.status, late.text]).toEqual([504, "context deadline exceeded"]);
});

test("is counted", async () => {
  const { ask, registry } = routes();
  await ask("/api/v2/search/tag/name/values");
  const text = await registry.render();
  expect(text).toContain(
    'tempo_query_frontend_queries_total{tenant="team",op="metadata",result="completed"} 1',
  );
  expect(text).toContain('tempo_query_frontend_bytes_inspected_total{tenant="team",op="metadata"} 1234');
});
