// TraceQL metrics as Grafana's Prometheus data source asks them: the base URL is that of our server and `/prometheus`.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { grafanaGet, type Params } from "./support/grafana_requests.ts";
import { base, pushShop } from "./support/grafana_shop.ts";
import { Rubato } from "./support/rubato.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

let server: Rubato;
beforeAll(async () => {
  server = await Rubato.start({ settings: { multitenancy_enabled: true } });
  await pushShop(server, "team");
});
afterAll(() => server?.remove());

interface Labeled {
  metric: Record<string, string>;
  value?: unknown;
  values?: unknown;
}

interface PrometheusAnswer {
  status: string;
  data?: unknown;
  errorType?: string;
  error?: string;
}

const api = "/prometheus/api/v1";
const at = (seconds: number) => base + seconds;
const window = { start: String(base), end: String(at(20)), step: "10" };

/** The data source posts forms, or gets, as it is set. */
const methods = {
  GET: (path: string, params: Params) => ask("GET", `${path}?${new URLSearchParams(params)}`),
  POST: (path: string, params: Params) =>
    ask("POST", path, Buffer.from(new URLSearchParams(params).toString())),
};
const get = methods.GET;

async function ask(method: string, path: string, body?: Uint8Array, tenant = "team") {
  const answer = await server.request({
    method,
    path: `${api}${path}`,
    headers: {
      "X-Scope-OrgID": tenant,
      "Accept-Encoding": "gzip",
      ...(body === undefined ? {} : { "Content-Type": "application/x-www-form-urlencoded" }),
    },
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.header("content-type")).toBe("application/json");
  return { status: answer.status, body: JSON.parse(answer.text()) as PrometheusAnswer };
}

describe.each(["GET", "POST"] as const)("%s", (method) => {
  const query = methods[method];

  test("save and test", async () => {
    expect(await query("/query", { query: "1+1", time: "4" })).toEqual({
      status: 200,
      body: { status: "success", data: { resultType: "scalar", result: [4, "2"] } },
    });
  });

  test("a range", async () => {
    const samples = (first: string, second: string) => [
      [base, "0"],
      [at(10), first],
      [at(20), second],
    ];
    const { status, body } = await query("/query_range", {
      ...window,
      query: "{ resource.service.name =~ `.+` } | rate() by (resource.service.name)",
    });
    expect([status, body]).toMatchObject([200, { status: "success", data: { resultType: "matrix" } }]);
    expect(resultOf(body).toSorted(byService)).toEqual([
      { metric: { resource_service_name: "cart" }, values: samples("0.1", "0") },
      { metric: { resource_service_name: "frontend" }, values: samples("0.2", "0") },
      { metric: { resource_service_name: "orphan" }, values: samples("0", "0.1") },
      { metric: { resource_service_name: "payment" }, values: samples("0.1", "0.1") },
    ]);
  });

  test("a point in time", async () => {
    const params = { query: "{ status = error } | count_over_time()", time: String(at(20)) };
    const vector = (value: string) => ({
      status: "success",
      data: {
        resultType: "vector",
        result: [{ metric: { __name__: "count_over_time" }, value: [at(20), value] }],
      },
    });
    // Five minutes back, where nothing is said of it.
    expect((await query("/query", params)).body).toEqual(vector("2"));
    expect((await query("/query", { ...params, range: "10s" })).body).toEqual(vector("1"));
    expect((await query("/query", { ...params, time: `${at(12)}.500`, range: "1s" })).body).toEqual({
      status: "success",
      data: {
        resultType: "vector",
        result: [{ metric: { __name__: "count_over_time" }, value: [base + 12.5, "1"] }],
      },
    });
  });

  test("buckets and quantiles", async () => {
    const { body } = await query("/query_range", { ...window, query: "{} | histogram_over_time(duration)" });
    expect(resultOf(body).map(({ metric }) => metric.__bucket)).toEqual([
      "0.016777216",
      "0.033554432",
      "0.134217728",
      "0.536870912",
      "1.073741824",
    ]);
    const quantile = await query("/query", {
      query: "{ name = `charge` } | quantile_over_time(duration, .9) by (name)",
      time: String(at(20)),
    });
    expect(resultOf(quantile.body)).toEqual([
      { metric: { name: "charge", p: "0.9" }, value: [at(20), "1.073741824"] },
    ]);
  });

  test("what is no query", async () => {
    const { status, body } = await query("/query_range", { ...window, query: "up{job=`x`}" });
    expect([status, body.status, body.errorType]).toEqual([400, "error", "bad_data"]);
    expect(body.error).toContain("parse error");
    const { status: refused, body: without } = await query("/query_range", { query: "{} | rate()" });
    expect([refused, without.errorType]).toEqual([400, "bad_data"]);
  });
});

test("a form comes before the URL", async () => {
  const body = Buffer.from(new URLSearchParams({ query: "1+1", time: "4" }).toString());
  const { body: answer } = await ask("POST", "/query?query=%7B%7D&time=5", body);
  expect(answer.data).toEqual({ resultType: "scalar", result: [4, "2"] });
});

test("a missing tenant", async () => {
  const answer = await grafanaGet(server, `${api}/query?query=%7B%7D%7Crate()`);
  expect([answer.status, JSON.parse(answer.text())]).toEqual([
    401,
    { status: "error", errorType: "bad_data", error: "no org id" },
  ]);
});

test("what is asked for as the data source and its editor are loaded", async () => {
  const buildInfo = (await get("/status/buildinfo", {})).body as unknown as { data: { version: string } };
  expect(buildInfo.data.version).toMatch(/^\d+\.\d+\.\d+/);
  for (const path of ["/labels", "/label/__name__/values", "/series"]) {
    expect((await get(path, { "match[]": "{}", limit: "1" })).body).toEqual({
      status: "success",
      data: [],
    });
  }
  expect((await get("/metadata", { limit: "5" })).body).toEqual({ status: "success", data: {} });
});

function resultOf({ data }: PrometheusAnswer): Labeled[] {
  return (data as { result: Labeled[] }).result;
}

function byService({ metric: one }: Labeled, { metric: other }: Labeled): number {
  return one.resource_service_name! < other.resource_service_name! ? -1 : 1;
}
