import { describe, expect, test } from "bun:test";
import { fakeServer, run, useUtc } from "./command_fixture.ts";

useUtc();

const rangePath = "/api/metrics/query_range";
const startSeconds = 1768467600; // 2026-01-15 09:00:00
/** Ten intervals of a minute, as of the first that ends at the start. */
const range = ["-start", String(startSeconds), "-end", String(startSeconds + 540), "-step", "1m"];

type LabelValue = { stringValue: string } | { doubleValue: number } | { intValue: string };

/** As Tempo writes it: a value of 0 is left out. Null: there is no sample. */
function series(labels: Record<string, LabelValue>, values: readonly (number | null)[]) {
  return {
    labels: Object.entries(labels).map(([key, value]) => ({ key, value })),
    samples: values.flatMap((value, i) => {
      const timestampMs = String((startSeconds + i * 60) * 1000);
      return value === null ? [] : [value === 0 ? { timestampMs } : { timestampMs, value }];
    }),
    exemplars: [],
  };
}

const answerOf = (...all: object[]) => ({ body: JSON.stringify({ series: all, metrics: {} }) });

const _ = null;
const rate = series({ __name__: { stringValue: "rate" } }, [0, 0, 0, _, 4, 4, _, 2, _, 1]);
const quantiles = [
  series({ p: { doubleValue: 0.99 } }, [0.4, 0.4, 0.3, _, 0, 0.2, 0.2, 0.2, 0.4, 0.4]),
  series({ p: { doubleValue: 0.5 } }, [0.025, 0.05, 0.1, _, 0, 0, 0, 0.001, 0.2, 0.225]),
];
const histogram = [
  series({ __bucket: { doubleValue: 0.001048576 } }, [1, 3, 7, 15, 0, _, 2, 4, 8, 1]),
  series({ __bucket: { doubleValue: 0.004194304 } }, [0, 0, 0, 1, 0, _, 0, 0, 0, 15]),
];

const lines = `\
2026-01-15 09:00:00 to 09:09:00, step 1…

4/s ┤               ⢀⣀⣀⣀⡀
    │
3/s ┤
    │
2/s ┤                           ⡀
    │
1/s ┤                                  ⢀
    │
0/s ┤⣀⣀⣀⣀⣀⣀⣀⣀
    └┬──────────────────┬───────────────
     09:00            09:05

SERIES  LAST  MIN  MAX     AVG
rate     1/s  0/s  4/s  1.57/s
`;

const small = `\
2026-01-15 09:00:00 to 09:09:00, step 1m0s

{p=0.5}  last 225ms  min 0s  max 225ms  avg 66.8ms
400ms ┤                                    ▁▁▁▁
   0s ┤▁▁▁▁▂▂▂▂▄▄▄▄    ············▁▁▁▁████████
{p=0.99}  last 400ms  min 0s  max 400ms  avg 278ms
400ms ┤████████▄▄▄▄                    ████████
   0s ┤████████████    ····████████████████████
      └┬───────────────────┬───────────────────
       09:00             09:05
`;

const heat = `\
2026-01-15 09:00:00 to 09:09:00, step 1m0s

4.19ms ┤·········░░░···   ·········███
 2.1ms ┤···············   ············
1.05ms ┤░░░▒▒▒▓▓▓███···   ▒▒▒▓▓▓███░░░
       └┬──────────────┬──────────────
        09:00        09:05

· 0  ░ 1  ▒ 2–3  ▓ 4–7  █ 8–15 spans
`;

describe("rubato metrics", () => {
  test("draws one series as a line: a sample missing is a gap, a value missing is a zero", async () => {
    await using server = await fakeServer({ [rangePath]: answerOf(rate) });
    const argv = ["{ status = error } | rate()", "-url", server.url, ...range];
    expect(await run("metrics", argv, 40)).toEqual({ status: 0, out: lines, err: "1 series\n" });
    expect(Object.fromEntries(server.requests[0]!.parameters)).toEqual({
      q: "{ status = error } | rate()",
      start: "1768467600",
      end: "1768468140",
      step: "1m0s",
    });
  });

  test("draws several without colours as small charts on one scale, sorted by their labels", async () => {
    await using server = await fakeServer({ [rangePath]: answerOf(...quantiles) });
    const argv = ["{} | quantile_over_time(duration, .99, .5)", "-url", server.url, ...range];
    expect(await run("metrics", argv, 51)).toEqual({ status: 0, out: small, err: "2 series\n" });
  });

  test("draws several with colours as lines in one chart", async () => {
    await using server = await fakeServer({ [rangePath]: answerOf(...quantiles) });
    const argv = ["{} | quantile_over_time(duration, .99, .5)", "-url", server.url, ...range];
    const { out } = await run("metrics", argv, 60, true);
    expect(out).toContain("\x1b[38;5;33m{p=0.5}\x1b[0m ");
    expect(out).toContain("\x1b[38;5;172m{p=0.99}\x1b[0m ");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences to leave out
    const plain = out.replace(/\x1b\[[\d;]*m/g, "").split("\n");
    const marks = plain.flatMap((line) => /^ *(\S*) [┤│]/.exec(line)?.[1] ?? []);
    expect(marks).toEqual(["400ms", "", "300ms", "", "200ms", "", "100ms", "", "0s"]);
    expect(plain.slice(-3)).toEqual([
      "{p=0.5}   225ms   0s  225ms  66.8ms",
      "{p=0.99}  400ms   0s  400ms   278ms",
      "",
    ]);
  });

  test("draws a histogram as a heat map, with a row for a bucket that nothing fell into", async () => {
    await using server = await fakeServer({ [rangePath]: answerOf(...histogram) });
    const argv = ["{} | histogram_over_time(duration)", "-url", server.url, ...range];
    expect(await run("metrics", argv, 45)).toEqual({ status: 0, out: heat, err: "1 histogram\n" });
  });

  test("-limit shows the highest, and the rest is counted", async () => {
    const byCode = (code: string, value: number) =>
      series({ "span.http.status_code": { intValue: code } }, Array(10).fill(value));
    const answer = answerOf(byCode("1000", 1), byCode("200", 3), byCode("404", 2));
    await using server = await fakeServer({ [rangePath]: answer });
    const argv = ["{} | rate() by (span.http.status_code)", "-url", server.url, ...range];
    const labels = async (...more: string[]) => {
      const { out, err } = await run("metrics", [...argv, ...more]);
      return { labels: out.match(/status_code=\d+/g), err };
    };
    expect(await labels("-limit=2")).toEqual({
      labels: ["status_code=200", "status_code=404"],
      err: "2 of 3 series, those with the highest averages; 1 not shown, -limit=0 shows all\n",
    });
    expect(await labels("-limit=0")).toEqual({
      labels: ["status_code=200", "status_code=404", "status_code=1000"],
      err: "3 series\n",
    });
  });

  test("-instant prints a table with bars, the highest first", async () => {
    const names = { a: undefined, b: 8, c: 3.3 };
    const answer = Object.entries(names).map(([name, value]) => ({
      labels: [{ key: "name", value: { stringValue: name } }],
      value,
    }));
    await using server = await fakeServer({ "/api/metrics/query": answerOf(...answer) });
    const argv = ["-instant", "{} | rate() by (name)", "-url", server.url, ...range.slice(0, 4)];
    // The bar of 8 has the 16 columns that are left of 35; that of 3.3 has 6.6 of them, in eighths 6 5/8.
    expect(await run("metrics", argv, 35)).toEqual({
      status: 0,
      out: `\
SERIES      VALUE
{name="b"}    8/s  ${"█".repeat(16)}
{name="c"}  3.3/s  ${"█".repeat(6)}▋
{name="a"}    0/s
`,
      err: "3 series\n",
    });
    expect(Object.fromEntries(server.requests[0]!.parameters)).toEqual({
      q: "{} | rate() by (name)",
      start: "1768467600",
      end: "1768468140",
    });
  });

  test("-instant lists the buckets of a histogram in their order", async () => {
    const buckets = [8, 2].map((bound, i) => ({
      labels: [{ key: "__bucket", value: { doubleValue: bound } }],
      value: i + 1,
    }));
    await using server = await fakeServer({ "/api/metrics/query": answerOf(...buckets) });
    const { out } = await run("metrics", [
      "-instant",
      "{} | histogram_over_time(span.size)",
      "-url",
      server.url,
    ]);
    expect(out).toBe(`\
SERIES  VALUE
≤ 2         2  ${"█".repeat(40)}
≤ 4         0
≤ 8         1  ${"█".repeat(20)}
`);
  });

  test("fits the terminal", async () => {
    await using lined = await fakeServer({ [rangePath]: answerOf(...quantiles) });
    await using heated = await fakeServer({ [rangePath]: answerOf(...histogram) });
    const value = { stringValue: "a name that is longer than the terminal is wide, by far" };
    await using named = await fakeServer({ [rangePath]: answerOf(series({ name: value }, [1]), rate) });
    for (const { url } of [lined, heated, named]) {
      for (const width of [60, 79, 80, 100, 200]) {
        for (const limit of ["1", "10"]) {
          const { out } = await run(
            "metrics",
            ["{} | rate()", "-limit", limit, "-url", url, ...range],
            width,
          );
          expect(out).toContain("┬");
          for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
        }
      }
    }
  });

  test("colours, and nothing else changes", async () => {
    await using server = await fakeServer({ [rangePath]: answerOf(...histogram) });
    const argv = ["{} | histogram_over_time(duration)", "-url", server.url, ...range];
    const { out } = await run("metrics", argv, 45, true);
    expect(out).toContain("\x1b[38;5;203m█\x1b[0m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences to leave out
    expect(out.replace(/\x1b\[[\d;]*m/g, "")).toBe(heat);
  });

  test("says of a partial answer that it is one, and why", async () => {
    const message = "Response exceeds maximum series limit of 1, a partial response is returned.";
    const body = JSON.stringify({ series: [rate], status: "PARTIAL", message });
    await using server = await fakeServer({ [rangePath]: { body } });
    const argv = ["{ status = error } | rate()", "-url", server.url, ...range];
    const warning = `warning: the answer is not whole: ${message}\n`;
    expect(await run("metrics", argv, 40)).toEqual({ status: 0, out: lines, err: `${warning}1 series\n` });
    expect(await run("metrics", ["-json", ...argv])).toEqual({ status: 0, out: `${body}\n`, err: warning });
  });

  test("says that nothing was found, which is no failure", async () => {
    await using server = await fakeServer({ [rangePath]: answerOf(series({}, [])) });
    expect(await run("metrics", ["{} | rate()", "-url", server.url])).toEqual({
      status: 0,
      out: "",
      err: "no series: no span counts in this time range\n",
    });
  });

  test("asks for steps that fit the width", async () => {
    await using server = await fakeServer({ [rangePath]: answerOf(rate) });
    const argv = ["{} | rate()", "-url", server.url, "-start", "1768467600", "-end", "1768471200"];
    // 3600 s in at most 64, 104 and 20 intervals are 56.25, 34.6 and 180 s each, at least.
    for (const width of [null, 120, 30]) await run("metrics", argv, width);
    expect(server.requests.map(({ parameters }) => parameters.get("step"))).toEqual(["1m0s", "1m0s", "5m0s"]);
  });

  test("shows nothing that the terminal would obey", async () => {
    const evil = "\x1b[2J\u009b31m\u202e";
    const labels = { [evil]: { stringValue: evil } };
    const evilSeries = { ...series(labels, [1, 2]), value: 1 };
    const body = JSON.stringify({ series: [evilSeries, rate], status: "PARTIAL", message: evil });
    const bucketed = series({ ...labels, __bucket: { intValue: "2" } }, [1]);
    await using server = await fakeServer({ [rangePath]: { body }, "/api/metrics/query": { body } });
    await using heated = await fakeServer({ [rangePath]: answerOf(bucketed) });
    await using refusing = await fakeServer({ [rangePath]: { status: 500, body: evil } });
    for (const argv of [
      ["-url", server.url],
      ["-limit=1", "-url", server.url],
      ["-instant", "-url", server.url],
      ["-json", "-url", server.url],
      ["-url", heated.url],
      ["-url", refusing.url],
    ]) {
      const { out, err } = await run("metrics", [
        "{} | rate()",
        ...argv,
        ...(argv[0] === "-instant" ? [] : range),
      ]);
      expect(out + err).toMatch(/\\x1b|\\u001b/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(out + err).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
  });

  test("draws whatever a server makes of it", async () => {
    const strange = [
      { timestampMs: "99999999999999999999", value: 1 },
      { timestampMs: String(startSeconds * 1000), value: "Infinity" },
      { timestampMs: String(startSeconds * 1000 + 60_000), value: { valueOf: 1, toString: 1 } },
      { timestampMs: String(startSeconds * 1000 + 120_000), value: 3 },
      null,
    ];
    const body = JSON.stringify({ series: [null, 7, { labels: 7, samples: strange }] });
    await using server = await fakeServer({ [rangePath]: { body } });
    const { status, out } = await run("metrics", ["{} | rate()", "-url", server.url, ...range]);
    expect(status).toBe(0);
    expect(out).toEndWith("\n{}       3/s  3/s  3/s  3/s\n");
  });

  test("explains a query that is none, or not one for series, without asking", async () => {
    await using server = await fakeServer({});
    const none = await run("metrics", ["{} | rat()", "-url", server.url]);
    expect(none.status).toBe(2);
    expect(none.err).toStartWith("rubato metrics: parse error at line 1, col 6: ");
    expect(await run("metrics", ["{}", "-url", server.url])).toEqual({
      status: 2,
      out: "",
      err: "rubato metrics: the query has no metrics function, such as | rate() or | quantile_over_time(duration, .9)\n",
    });
    expect(server.requests).toHaveLength(0);
  });

  test("shows what the server says against it", async () => {
    const body = "metrics query time range exceeds the maximum allowed duration of 24h0m0s";
    await using server = await fakeServer({ [rangePath]: { status: 400, contentType: "text/plain", body } });
    expect(await run("metrics", ["-no-check", "-since=2d", "{}", "-url", server.url])).toEqual({
      status: 1,
      out: "",
      err: `rubato metrics: ${server.url} answered with status 400: ${body}\n`,
    });
    await using other = await fakeServer({ [rangePath]: { body: "hello" } });
    expect(await run("metrics", ["-json", "{} | rate()", "-url", other.url])).toEqual({
      status: 1,
      out: "",
      err: `rubato metrics: ${other.url} answered with something other than JSON: is it a Tempo-compatible server?\n`,
    });
  });

  test("refuses what is no command line", async () => {
    const query = "{} | rate()";
    const cases: [string[], string][] = [
      [[], "expected a query, such as '{} | rate()'; see rubato metrics -help"],
      [["{}", "|", "rate()"], "expected one query: put it between single quotes"],
      [[query, "-limit=few"], '-limit: expected a whole number, found "few"'],
      [[query, "-instant", "-step=1m"], "-instant and -step exclude each other"],
      [[query, "-step=0s"], '-step: expected a duration of whole milliseconds such as 15s or 5m, found "0s"'],
      [
        [query, "-step=1us"],
        '-step: expected a duration of whole milliseconds such as 15s or 5m, found "1us"',
      ],
      [[query, "-step=1ms"], "-step: too short, the range has more than 10000 such intervals"],
    ];
    for (const [argv, message] of cases) {
      expect(await run("metrics", argv)).toEqual({
        status: 2,
        out: "",
        err: `rubato metrics: ${message}\n`,
      });
    }
  });

  test("-help lists its options", async () => {
    const { status, out } = await run("metrics", ["-help"]);
    expect(out).toMatch(/^ {2}-step=DURATION +from value to value/m);
    expect(out).toMatch(/^ {2}-since=DURATION +how far back/m);
    expect(status).toBe(0);
  });
});
