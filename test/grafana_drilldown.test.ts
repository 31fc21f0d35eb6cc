// Every query of Traces Drilldown, in its own words, stray spaces and all: of every primary signal, over spans in heads and in blocks.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { tableProblems } from "./conformance/grafana_checks.ts";
import { type AttributeJson, valueText } from "./conformance/semantic_checks.ts";
import { grafanaGet, grafanaRange, grafanaSearch, type Params } from "./support/grafana_requests.ts";
import { comparedSums, samplesByName } from "./support/grafana_series.ts";
import { base, pushShop, traces } from "./support/grafana_shop.ts";
import { Rubato } from "./support/rubato.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

/** The last half hour as the app asks for it, with its steps: a 64th, a 24th, the whole of it. */
const minutes30 = { start: String(base - 1200), end: String(base + 600) };
const [step64, step24, stepWhole] = [28, 75, 1800];

/** Of each signal, its spans, and those of them that failed. */
const signals: [signal: string, spans: string[], failed: string[]][] = [
  ["nestedSetParent<0", ["GET /cart", "GET /cart", "POST /pay", "bare"], ["POST /pay"]],
  [
    "true",
    ["GET /cart", "GET /cart", "POST /pay", "bare", "charge", "late", "query"],
    ["POST /pay", "charge"],
  ],
  ["kind=server", ["GET /cart", "GET /cart", "POST /pay", "charge"], ["POST /pay", "charge"]],
  ["kind=consumer", ["bare"], []],
  ['span.db.system.name!=""', ["query"], []],
];

/** Filters as the app joins them, of all spans. */
const filters: [filter: string, spans: string[]][] = [
  [
    'resource.service.name="payment"&&span.http.method=~"P.*"&&kind=server&&status=error&&duration>=500ms',
    ["POST /pay", "charge"],
  ],
  ['name="GET /cart"&&duration<=0.2s', ["GET /cart"]],
  ['span:status=error&&span:kind=server&&trace:duration>700ms&&event.exception.type!="x"', ["POST /pay"]],
  ['event.exception.message="no \\"answer\\" in 3 s"', ["charge"]],
  ['rootName="GET /cart"&&rootServiceName="frontend"', ["GET /cart", "GET /cart", "charge", "query"]],
];

const structureColumns =
  "select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)";

let server: Rubato;
beforeAll(async () => {
  server = await Rubato.start();
  await pushShop(server);
});
afterAll(() => server?.remove());

const range = async (q: string, step: number, params: Params = minutes30) =>
  (await grafanaRange(server, q, { step: `${step}s`, ...params })).series ?? [];
/** Sums of the samples by series. */
const sums = async (q: string, step: number) =>
  Object.fromEntries(
    Object.entries(samplesByName(await range(q, step), base)).map(([name, samples]) => [
      name,
      samples.reduce((sum, [, value]) => sum + value, 0),
    ]),
  );
/** The same of rates, as how many spans that makes. */
const counts = async (q: string, step = step64) =>
  Object.fromEntries(
    Object.entries(await sums(q, step)).map(([name, sum]) => [name, Math.round(sum * step * 1e6) / 1e6]),
  );
const search = async (q: string, params: Params) => {
  const body = await grafanaSearch(server, q, { ...minutes30, ...params });
  expect(tableProblems(body)).toEqual([]);
  return body.traces ?? [];
};
const shown = (attributes: AttributeJson[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, valueText(value)]));
const matched = async (q: string, params: Params = { limit: "200", spss: "10" }) =>
  (await search(q, params)).reduce(
    (sum, { spanSets = [] }) => sum + spanSets.reduce((of, { matched = 0 }) => of + matched, 0),
    0,
  );

describe("Traces Drilldown over heads", drilldown);

describe("Traces Drilldown over blocks", () => {
  beforeAll(() => server.flush());
  drilldown();
});

function drilldown(): void {
  test("the probe, of the last minute", async () => {
    const now = Math.floor(Date.now() / 1000);
    const params = { start: String(now - 60), end: String(now) };
    const { series } = await grafanaRange(server, "{} | rate()", params);
    expect(series).toHaveLength(1);
  });

  for (const [signal, spans, failed] of signals) {
    describe(signal, () => {
      test("rate and errors", async () => {
        expect(await counts(`{${signal} && true} | rate()  with(sample=true)`)).toEqual({
          rate: spans.length,
        });
        expect(await counts(`{${signal} && true && status=error} | rate()  with(sample=true)`)).toEqual({
          rate: failed.length,
        });
      });

      test("durations", async () => {
        const found = await sums(
          `{${signal} && true} | histogram_over_time(duration) with(sample=true)`,
          step24,
        );
        expect(Object.values(found).reduce((a, b) => a + b, 0)).toBe(spans.length);
      });

      test("breakdown", async () => {
        const byName = (names: string[]) =>
          Object.fromEntries(Object.entries(Object.groupBy(names, (name) => name)).map(countOf));
        const by = "name != nil} | rate() by(name)";
        expect(await counts(`{${signal} && true && ${by}`)).toEqual(byName(spans));
        expect(await counts(`{${signal} && true && status=error && ${by}`)).toEqual(byName(failed));
        const quantiles = await range(
          `{${signal} && true && name != nil} | quantile_over_time(duration, 0.5,0.75,0.9,0.95,0.99) by(name)`,
          step64,
        );
        expect(quantiles).toHaveLength(new Set(spans).size * 5);
        for (const { labels = [] } of quantiles) {
          expect(labels.map(({ key }) => key)).toEqual(["name", "p"]);
          expect(labels[1]!.value).toEqual({ doubleValue: expect.any(Number) });
        }
      });

      test("comparison", async () => {
        const found = comparedSums(
          await range(`{${signal} && true} | compare({status = error}, 10)`, stepWhole),
        );
        const total = (side: string) => found[`${side}_total name=nil`] ?? 0;
        expect([total("selection"), total("baseline")]).toEqual([
          failed.length,
          spans.length - failed.length,
        ]);
      });

      test("lists of spans", async () => {
        expect(await matched(`{${signal} && true}`)).toBe(spans.length);
        const selected = `{${signal} && true} | select(span.http.method, resource.service.name)`;
        expect(await matched(selected)).toBe(spans.length);
        expect(await matched(`{${signal} && true && status = error}`)).toBe(failed.length);
        const slow = `{${signal} && true&& duration >= 1ms && duration <= 10s}`;
        expect(await matched(slow)).toBe(spans.length);
      });
    });
  }

  test.each(filters)("filters: %s", async (filter, spans) => {
    expect(await counts(`{true && ${filter}} | rate()  with(sample=true)`)).toEqual({ rate: spans.length });
    expect(await matched(`{true && ${filter}}`)).toBe(spans.length);
    const found = await search(`{true && ${filter}} | select(name)`, { limit: "200", spss: "10" });
    const names = found.flatMap(({ spanSets = [] }) =>
      spanSets.flatMap(({ spans = [] }) => spans.map(({ name }) => name)),
    );
    expect(names.sort()).toEqual(spans.toSorted());
  });

  test.each([
    ["resource.service.name", { "": 1, cart: 1, frontend: 2, orphan: 1, payment: 2 }],
    ["span.http.method", { GET: 2, POST: 2 }],
    ["span.db.system.name", { postgresql: 1 }],
    ["event.exception.type", { Timeout: 2 }],
    ["kind", { client: 1, consumer: 1, internal: 1, server: 4 }],
    ["status", { error: 2, unset: 5 }],
    ["rootName", { "": 1, "GET /cart": 4, "POST /pay": 1, bare: 1 }],
  ])("breakdown by %s, and its tiles", async (attribute, wanted: Record<string, number>) => {
    const series = await range(`{true && true && ${attribute} != nil} | rate() by(${attribute})`, step64);
    for (const { labels = [] } of series) expect(labels.map(({ key }) => key)).toEqual([attribute]);
    const found = await counts(`{true && true && ${attribute} != nil} | rate() by(${attribute})`);
    expect(found).toEqual(wanted);
    if (["kind", "status"].includes(attribute)) return; // their values are no texts
    for (const [value, count] of Object.entries(wanted)) {
      const tile = `{true && true && ${attribute}="${value}"} | rate() by(${attribute})`;
      expect(await counts(tile)).toEqual({ [value]: count });
    }
  });

  test("comparison of durations", async () => {
    const q = "{nestedSetParent<0 && true} | compare({duration >= 500ms && duration <= 2s}, 10)";
    const found = comparedSums(await range(q, stepWhole));
    expect([found["selection name=POST /pay"], found["selection_total name=nil"]]).toEqual([1, 1]);
    expect([found["baseline name=GET /cart"], found["baseline_total name=nil"]]).toEqual([2, 3]);
  });

  test("a threshold that isn't known yet", async () => {
    for (const path of ["/api/search", "/api/metrics/query_range"]) {
      const q = "{nestedSetParent<0 && true&& duration > }";
      const answer = await grafanaGet(server, `${path}?${new URLSearchParams({ q, ...minutes30 })}`);
      expect([answer.status, answer.header("content-type")]).toEqual([400, "text/plain; charset=utf-8"]);
    }
  });

  test("exceptions", async () => {
    const list =
      "{true && true && status = error} | select(resource.service.name, event.exception.message,event.exception.stacktrace,event.exception.type) with(most_recent=true)";
    const found = await search(list, { limit: "400", spss: "10" });
    const exceptions = found.map(({ spanSets }) => shown(spanSets![0]!.spans![0]!.attributes));
    expect(exceptions.map((one) => one["exception.message"])).toEqual([
      'string no "answer" in 5 s',
      'string no "answer" in 3 s',
    ]);
    for (const one of exceptions) {
      expect(one).toMatchObject({
        "exception.type": "string Timeout",
        "service.name": "string payment",
        status: "string error",
      });
    }
    const detail = (message: string) =>
      `{true && true && status = error && event.exception.message ${message} && event.exception.type = "Timeout"} | select(name,resource.service.name)`;
    const params = { limit: "100", spss: "10" };
    expect(await matched(detail('= "no \\"answer\\" in 5 s"'), params)).toBe(1);
    expect(await matched(detail('=~ "^no \\"answer\\" in\\\\s+[0-9]+ s$"'), params)).toBe(2);
  });

  test.each([
    ["", "kind = server", ["GET /cart charge", "GET /cart", "POST /pay", "bare"]],
    ["&& status = error", "status = error", ["POST /pay"]],
    ["&& duration > 50ms", "duration > 500ms", ["GET /cart charge", "GET /cart", "POST /pay"]],
  ])("structure: roots %s, and below them %s", async (narrowed, below, wanted) => {
    const roots = `{nestedSetParent<0 && true ${narrowed}}`;
    const found = await search(`(${roots} &>> { ${below} }) || (${roots}) | ${structureColumns}`, {
      limit: "200",
      spss: "20",
    });
    const trees = found.map(({ spanSets = [] }) => {
      expect(spanSets).toHaveLength(1);
      const spans = spanSets[0]!.spans!;
      for (const { name, startTimeUnixNano, durationNanos, attributes } of spans) {
        expect([name, startTimeUnixNano, durationNanos]).not.toContain(undefined);
        const columns = shown(attributes);
        expect(columns).toMatchObject({
          nestedSetLeft: expect.stringMatching(/^int \d+$/),
          nestedSetRight: expect.stringMatching(/^int \d+$/),
          status: expect.stringMatching(/^string (unset|error)$/),
          "service.name": expect.stringMatching(/^string/),
        });
      }
      return spans
        .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano!) - BigInt(b.startTimeUnixNano!)))
        .map(({ name }) => name)
        .join(" ");
    });
    expect(trees.sort()).toEqual(wanted.sort());
  });

  test("the time seeker: days from midnight to midnight", async () => {
    const day = 86_400;
    const midnight = base - (base % day);
    const q = "{nestedSetParent<0 && true} | rate()  with(sample=true)";
    const params = { start: String(midnight), end: String(midnight + day) };
    const [rate] = await range(q, 30, params);
    expect(rate!.samples).toHaveLength(2881);
    const sum = rate!.samples!.reduce((total, { value = 0 }) => total + Number(value) * 30, 0);
    expect(sum).toBeCloseTo(4, 9);
  });

  test("a trace of the drawer", async () => {
    for (const id of Object.values(traces)) {
      const answer = await grafanaGet(server, `/api/v2/traces/${id}`, "application/protobuf");
      expect([id, answer.status, answer.body.length > 20]).toEqual([id, 200, true]);
    }
  });
}

function countOf([name, all]: [string, string[] | undefined]): [string, number] {
  return [name, all?.length ?? 0];
}
