import { afterEach, expect, test } from "bun:test";
import { log } from "./log.ts";
import { Registry } from "./metrics.ts";

afterEach(() => log.configure({ sink: (line) => process.stderr.write(line) }));

test("Registry.render() writes each kind as Prometheus reads it", async () => {
  const registry = new Registry();
  registry.counter("b_total", "Things.\nAnd \\ more.");
  const discarded = registry.counter("a_total", "Spans.", ["reason", "tenant"]);
  discarded.inc({ reason: "x", tenant: "t" });
  discarded.inc({ reason: "x", tenant: "t" }, 4);
  discarded.inc({ reason: 'q"\\\n', tenant: "" }, 0.5);
  registry.gauge("c", "Level.").set({}, -1.5);
  const h = registry.histogram("d_seconds", "Time.", [0.1, 1], ["route"]);
  for (const value of [0.1, 0.2, 1, 7]) h.observe({ route: "r" }, value);
  expect(await registry.render()).toBe(
    [
      "# HELP a_total Spans.",
      "# TYPE a_total counter",
      'a_total{reason="x",tenant="t"} 5',
      'a_total{reason="q\\"\\\\\\n"} 0.5',
      "# HELP b_total Things.\\nAnd \\\\ more.",
      "# TYPE b_total counter",
      "b_total 0",
      "# HELP c Level.",
      "# TYPE c gauge",
      "c -1.5",
      "# HELP d_seconds Time.",
      "# TYPE d_seconds histogram",
      'd_seconds_bucket{route="r",le="0.1"} 1',
      'd_seconds_bucket{route="r",le="1"} 3',
      'd_seconds_bucket{route="r",le="+Inf"} 4',
      'd_seconds_sum{route="r"} 8.3',
      'd_seconds_count{route="r"} 4',
      "",
    ].join("\n"),
  );
});

test("Registry.render() as OpenMetrics names families without _total, writes bounds as floats and ends in EOF", async () => {
  const registry = new Registry();
  registry.counter("a_total", 'Say "x".').inc();
  registry.counter("odd", "No suffix.");
  registry.histogram("h", "H.", [1]).observe({}, Number.POSITIVE_INFINITY);
  expect(await registry.render("openmetrics")).toBe(
    [
      '# HELP a Say \\"x\\".',
      "# TYPE a counter",
      "a_total 1",
      "# HELP h H.",
      "# TYPE h histogram",
      'h_bucket{le="1.0"} 0',
      'h_bucket{le="+Inf"} 1',
      "h_sum +Inf",
      "h_count 1",
      "# HELP odd No suffix.",
      "# TYPE odd unknown",
      "odd 0",
      "# EOF",
      "",
    ].join("\n"),
  );
});

test("a metric's series are bounded: what comes after shares one", async () => {
  const registry = new Registry();
  const c = registry.counter("c_total", "C.", ["tenant", "reason"], { seriesMax: 2 });
  for (let i = 0; i < 50; i++) c.inc({ tenant: `t${i}`, reason: "r" });
  c.inc({ tenant: "t1", reason: "r" });
  expect((await registry.render()).split("\n").slice(2)).toEqual([
    'c_total{tenant="t0",reason="r"} 1',
    'c_total{tenant="t1",reason="r"} 2',
    'c_total{tenant="__overflow__",reason="__overflow__"} 48',
    "",
  ]);
});

test("label values that look alike when joined stay apart", () => {
  const registry = new Registry();
  const g = registry.gauge("g", "G.", ["a", "b"]);
  g.set({ a: "x", b: "y,z" }, 1);
  g.set({ a: "x,y", b: "z" }, 2);
  expect([g.with({ a: "x", b: "y,z" }).value, g.with({ a: "x,y", b: "z" }).value]).toEqual([1, 2]);
});

test("clear() forgets series", async () => {
  const registry = new Registry();
  const g = registry.gauge("g", "G.", ["tenant"]);
  g.set({ tenant: "gone" }, 1);
  g.clear();
  g.set({ tenant: "here" }, 2);
  expect(await registry.render()).toBe('# HELP g G.\n# TYPE g gauge\ng{tenant="here"} 2\n');
});

test("a metric without series is not shown", async () => {
  const registry = new Registry();
  registry.counter("c_total", "C.", ["tenant"]);
  expect(await registry.render()).toBe("\n");
});

test("Registry gives the same metric twice and refuses another shape, bad names and bad buckets", () => {
  const registry = new Registry();
  const c = registry.counter("c_total", "C.", ["a"]);
  expect(registry.counter("c_total", "C.", ["a"])).toBe(c);
  expect(() => registry.counter("c_total", "C.")).toThrow(
    "metric c_total: already a counter with labels [a]",
  );
  expect(() => registry.gauge("c_total", "C.", ["a"])).toThrow("metric c_total: already a counter");
  expect(() => registry.gauge("1x", "")).toThrow("metric 1x: not a valid name");
  expect(() => registry.gauge("x", "", ["__a"])).toThrow("metric x: not a valid label name: __a");
  expect(() => registry.histogram("x", "", [1], ["le"])).toThrow("metric x: not a valid label name: le");
  expect(() => registry.histogram("x", "", [1, 1])).toThrow("metric x: buckets must be finite and growing");
});

test("onCollect() runs before each rendering, together for scrapes that come together, and can be taken off", async () => {
  const registry = new Registry();
  const g = registry.gauge("g", "G.");
  let runs = 0;
  const off = registry.onCollect(async () => {
    await Promise.resolve();
    g.set({}, ++runs);
  });
  const [a, b] = await Promise.all([registry.render(), registry.render()]);
  expect(a).toContain("g 1");
  expect(b).toBe(a);
  expect(await registry.render()).toContain("g 2");
  off();
  expect(await registry.render()).toContain("g 2");
});

test("a collector that fails is logged and the rest is rendered", async () => {
  const lines: string[] = [];
  log.configure({ sink: (line) => lines.push(line) });
  const registry = new Registry();
  const g = registry.gauge("g", "G.");
  registry.onCollect(() => {
    throw new Error("worker is gone");
  });
  registry.onCollect(() => g.set({}, 7));
  expect(await registry.render()).toContain("g 7");
  expect(lines.length).toBe(1);
  expect(lines[0]).toContain('level=warn msg="metrics collector failed" err="worker is gone"');
});
