import { describe, expect, test } from "bun:test";
import { defaultConfig } from "../config/defaults.ts";
import { answering, answerOf, givenMetrics, seriesOf, string } from "../query/metrics_queries_fixture.ts";
import type { MetricsAnswer } from "../query/metrics_types.ts";
import { QueryCanceled, QueryTimeout } from "../query/query_errors.ts";
import { QueryTooLarge } from "../search/query_error.ts";
import { print } from "../traceql/index.ts";
import { prometheusRoutes } from "./prometheus_routes.ts";
import { tenantsOf } from "./tenant.ts";

/** 2023-11-14T22:13:20.25Z */
const now = 1_700_000_000_250;

function routesOver(answer: MetricsAnswer | Error) {
  const config = defaultConfig();
  config.multitenancy_enabled = true;
  const { queries, requests } = givenMetrics(() => answering(answer), config, now);
  const app = prometheusRoutes({
    metrics: queries,
    tenantsOf: (header) => tenantsOf(header, config),
    now: () => now,
  });
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await app.request(`/prometheus/api/v1${path}`, {
      ...init,
      headers: { "X-Scope-OrgID": "team", ...(init.headers as Record<string, string>) },
    });
    const text = await response.text();
    return { status: response.status, type: response.headers.get("Content-Type"), text };
  };
  return { ask, requests };
}

const rate = "query={}|rate()";
const range = `/query_range?${rate}&start=1700000000&end=1700000020&step=10`;

describe("query_range", () => {
  test("is a matrix of the samples that there are", async () => {
    const { ask, requests } = routesOver(
      answerOf([
        seriesOf({ "resource.service.name": "a", "span.n": { type: "int", value: 5n } }, [
          0,
          0.5,
          Number.NaN,
        ]),
        seriesOf(
          { __name__: "rate" },
          [Number.NaN, Number.NaN, Number.POSITIVE_INFINITY],
          [{ labels: [string("trace:id", "1")], timestampMs: 1_700_000_000_001, value: 1 }],
        ),
      ]),
    );
    const { status, type, text } = await ask(range);
    expect([status, type]).toEqual([200, "application/json"]);
    expect(text).toBe(
      '{"status":"success","data":{"resultType":"matrix","result":[' +
        '{"metric":{"resource_service_name":"a","span_n":"5"},"values":[[1700000000,"0"],[1700000010,"0.5"]]},' +
        '{"metric":{"__name__":"rate"},"values":[[1700000020,"+Inf"]]}]}}',
    );
    const { query, ...rest } = requests[0]!;
    expect(print(query)).toBe("{ true } | rate()");
    expect(rest).toEqual({
      tenants: ["team"],
      startNanos: 1_699_999_990_000_000_000n,
      endNanos: 1_700_000_020_000_000_000n,
      stepNanos: 10_000_000_000n,
      isInstant: false,
      exemplars: 0,
      seriesMax: 0,
      progress: false,
    });
  });

  test("has no sample outside of the range, and no series without one", async () => {
    // On a grid of 10 s, this range has the samples 1700000000, 1700000010 and 1700000020.
    const { ask } = routesOver(
      answerOf([seriesOf({ k: "a" }, [1, 2, 3]), seriesOf({ k: "b" }, [1, Number.NaN, 3])]),
    );
    const { text } = await ask(`/query_range?${rate}&start=1700000000.001&end=1700000019.999&step=10s`);
    expect(JSON.parse(text).data.result).toEqual([{ metric: { k: "a" }, values: [[1_700_000_010, "2"]] }]);
  });

  test("takes a single point in time, RFC 3339 and durations", async () => {
    const { ask, requests } = routesOver(answerOf([seriesOf({ k: "a" }, [1, 2])]));
    const at = "2023-11-14T22:13:20Z";
    const { text } = await ask(`/query_range?${rate}&start=${at}&end=${at}&step=1m20s`);
    // Steps of 80 s from 1970 on meet this second.
    expect(JSON.parse(text).data.result).toEqual([{ metric: { k: "a" }, values: [[1_700_000_000, "2"]] }]);
    expect(requests[0]).toMatchObject({
      startNanos: 1_699_999_840_000_000_000n,
      endNanos: 1_700_000_000_000_000_000n,
    });
  });

  test("says where it is not whole", async () => {
    const { ask } = routesOver(answerOf([seriesOf({ k: "a" }, [1]), seriesOf({ k: "b" }, [1])]));
    const { text } = await ask(`${range}&limit=1`);
    expect(JSON.parse(text)).toMatchObject({
      data: { result: [{ metric: { k: "a" } }] },
      warnings: [expect.stringContaining("maximum series limit of 1")],
    });
  });
});

describe("query", () => {
  test("is a vector of five minutes up to its time", async () => {
    const { ask, requests } = routesOver(answerOf([seriesOf({ "event:name": "a" }, [7])]));
    expect((await ask(`/query?${rate}&time=1700000000.5`)).text).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"event_name":"a"},"value":[1700000000.5,"7"]}]}}',
    );
    expect(requests[0]).toMatchObject({
      startNanos: 1_699_999_700_500_000_000n,
      endNanos: 1_700_000_000_500_000_000n,
      isInstant: true,
    });
  });

  test("is up to now, or of another range, where that is said", async () => {
    const { ask, requests } = routesOver(answerOf([seriesOf({}, [7])]));
    expect(JSON.parse((await ask(`/query?${rate}&range=1h`)).text).data.result).toEqual([
      { metric: {}, value: [1_700_000_000.25, "7"] },
    ]);
    expect(requests[0]).toMatchObject({
      startNanos: 1_699_996_400_250_000_000n,
      endNanos: 1_700_000_000_250_000_000n,
    });
  });

  test("takes a form, whose parameters count more than those of the URL", async () => {
    const { ask, requests } = routesOver(answerOf([]));
    const body = new URLSearchParams({ query: "{ name = `+&` } | rate()", time: "1700000000" });
    const { status } = await ask("/query?query=x&range=10", { method: "POST", body });
    expect(status).toBe(200);
    expect(print(requests[0]!.query)).toBe("{ name = `+&` } | rate()");
    expect(requests[0]!.startNanos).toBe(1_699_999_990_000_000_000n);
  });

  test("answers the sum by which Grafana tells that a data source works", async () => {
    const { ask, requests } = routesOver(new Error("not asked"));
    const scalar = '{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}';
    expect((await ask("/query?query=1%2B1&time=4")).text).toBe(scalar);
    const body = new URLSearchParams({ query: "1 + 1", time: "4" });
    expect((await ask("/query", { method: "POST", body })).text).toBe(scalar);
    expect(requests).toEqual([]);
    expect((await ask("/query?query=1%2B2&time=4")).status).toBe(400);
  });
});

describe("errors", () => {
  const failure = async (path: string, answer: MetricsAnswer | Error = answerOf([]), init?: RequestInit) => {
    const { status, type, text } = await routesOver(answer).ask(path, init);
    expect(type).toBe("application/json");
    return [status, JSON.parse(text)];
  };
  const badData = (error: unknown) => [400, { status: "error", errorType: "bad_data", error }];

  test("of the request are bad data", async () => {
    for (const [params, error] of [
      ["start=x&end=2&step=1", 'invalid parameter "start": cannot parse "x" to a valid timestamp'],
      ["start=1&step=1", 'invalid parameter "end": cannot parse "" to a valid timestamp'],
      ["start=2&end=1&step=1", 'invalid parameter "end": end timestamp must not be before start time'],
      ["start=1&end=2", 'invalid parameter "step": cannot parse "" to a valid duration'],
      [
        "start=1&end=2&step=0",
        'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
      ],
      ["start=1&end=20002&step=1", "step of 1s is too small, minimum step for given range is 2.0001s"],
    ] as const) {
      expect(await failure(`/query_range?${rate}&${params}`)).toEqual(badData(error));
    }
    expect(await failure(`/query?${rate}&time=x`)).toEqual(
      badData('invalid parameter "time": cannot parse "x" to a valid timestamp'),
    );
    expect(await failure(`/query?${rate}&range=x`)).toEqual(
      badData('invalid parameter "range": cannot parse "x" to a valid duration'),
    );
    expect(await failure("/query?query=up")).toEqual(badData(expect.stringContaining("parse error")));
    expect(await failure("/query?query={}")).toEqual(badData(expect.stringContaining("not a metrics query")));
    expect(await failure(range, answerOf([]), { headers: { "X-Scope-OrgID": "" } })).toEqual([
      401,
      { status: "error", errorType: "bad_data", error: "no org id" },
    ]);
  });

  test("of the query have Prometheus' types and statuses", async () => {
    for (const [cause, status, errorType] of [
      [new QueryCanceled(), 499, "canceled"],
      [new QueryTimeout(), 503, "timeout"],
      [new QueryTooLarge("too much"), 422, "execution"],
      [Object.assign(new Error("queue"), { code: "resource_exhausted" }), 503, "unavailable"],
      [new Error("block 5 is broken"), 500, "internal"],
    ] as const) {
      expect(await failure(range, cause)).toMatchObject([status, { status: "error", errorType }]);
    }
  });
});

test("what is asked for browsing has answers, without series", async () => {
  const { ask } = routesOver(answerOf([]));
  const data = async (path: string, init?: RequestInit) => {
    const { status, text } = await ask(path, init);
    expect(status).toBe(200);
    const { status: success, data } = JSON.parse(text);
    expect(success).toBe("success");
    return data;
  };
  expect((await data("/status/buildinfo")).version).toBe("3.0.3");
  expect(await data("/labels?start=1&end=2")).toEqual([]);
  expect(await data("/labels", { method: "POST" })).toEqual([]);
  expect(await data("/label/__name__/values")).toEqual([]);
  expect(await data("/series?match[]=up")).toEqual([]);
  expect(await data("/metadata?limit=5")).toEqual({});
  expect((await ask("/nothing")).status).toBe(404);
});
