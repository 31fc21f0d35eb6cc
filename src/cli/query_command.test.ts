import { describe, expect, test } from "bun:test";
import { fakeServer, run, useUtc } from "./command_fixture.ts";

useUtc();

// As Tempo writes it: zeros at the front of an id left out, 64-bit numbers as text, the first span set twice.
const first = {
  matched: 3,
  attributes: [{ key: "by(resource.service.name)", value: { stringValue: "cart" } }],
  spans: [
    {
      spanID: "00f067aa0ba902b7",
      name: "GetCart",
      startTimeUnixNano: "1768471200062300000",
      durationNanos: "45600000",
      attributes: [
        { key: "http.status_code", value: { intValue: "503" } },
        { key: "http.url", value: { stringValue: 'http://cart/?q="a"' } },
      ],
    },
    { spanID: "00f067aa0ba902b8", startTimeUnixNano: "1768471200050000000", durationNanos: "1234" },
  ],
};
const answer = JSON.stringify({
  traces: [
    {
      traceID: "af7651916cd43dd8448eb211c80319c",
      rootServiceName: "frontend",
      rootTraceName: "GET /checkout",
      startTimeUnixNano: "1768471200050000000",
      durationMs: 1557,
      spanSet: first,
      spanSets: [first, { matched: 1, spans: [] }],
      serviceStats: {
        redis: { spanCount: 2 },
        cart: { spanCount: 7, errorCount: 2 },
        frontend: { spanCount: 2, errorCount: 1 },
      },
    },
    {
      traceID: "2f3e0cee77ae5dc9c17ade3689eb2e54",
      rootServiceName: "<root span not yet received>",
      startTimeUnixNano: "1768471199000000000",
    },
  ],
  metrics: { inspectedBytes: "31826" },
});

const table = `\
START                    DURATION  TRACE                             SERVICE                       NAME           MATCHED  ERR  SERVICES
2026-01-15 10:00:00.050     1.56s  0af7651916cd43dd8448eb211c80319c  frontend                      GET /checkout     4/11    3  cart 7, frontend 2, redis 2
2026-01-15 09:59:59.000      <1ms  2f3e0cee77ae5dc9c17ade3689eb2e54  <root span not yet received>
`;

describe("rubato query", () => {
  test("prints a table of the traces", async () => {
    await using server = await fakeServer({ "/api/search": { body: answer } });
    const argv = ["{ status = error }", "-url", server.url, "-start", "1768467600", "-end", "1768471200"];
    expect(await run("query", argv)).toEqual({ status: 0, out: table, err: "2 traces\n" });
    expect(Object.fromEntries(server.requests[0]!.parameters)).toEqual({
      q: "{ status = error }",
      start: "1768467600",
      end: "1768471200",
      limit: "20",
    });
  });

  test("-spans lists what matched", async () => {
    await using server = await fakeServer({ "/api/search": { body: answer } });
    const argv = ["-spans", "-limit=2", "-spss", "2", "{ status = error }", "-url", server.url];
    const { out, err } = await run("query", argv);
    expect(out.split("\n").slice(2, -2)).toEqual([
      '    by(resource.service.name)="cart"',
      '      +12.3ms    45.6ms  00f067aa0ba902b7  GetCart  http.status_code=503 http.url="http://cart/?q=\\"a\\""',
      "          +0s    1.23µs  00f067aa0ba902b8",
      "    1 more matched; -spss shows them",
      "    1 more matched; -spss shows them",
    ]);
    expect(err).toBe("2 traces, perhaps not all: -limit shows more\n");
    expect(server.requests[0]!.parameters.get("limit")).toBe("2");
    expect(server.requests[0]!.parameters.get("spss")).toBe("2");
  });

  test("fits the terminal", async () => {
    await using server = await fakeServer({ "/api/search": { body: answer } });
    const argv = ["-spans", "{ status = error }", "-url", server.url];
    for (const width of [80, 90, 100, 120, 150, 180]) {
      const { out } = await run("query", argv, width);
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  test("colours, and nothing else changes", async () => {
    await using server = await fakeServer({ "/api/search": { body: answer } });
    const argv = ["-spans", "{ status = error }", "-url", server.url];
    const { out } = await run("query", argv, 160, true);
    expect(out).toContain("\x1b[36m0af7651916cd43dd8448eb211c80319c\x1b[0m");
    expect(out).toContain("\x1b[31m3\x1b[0m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences to leave out
    expect(out.replace(/\x1b\[[\d;]*m/g, "")).toBe((await run("query", argv, 160)).out);
  });

  test("says that nothing was found, which is no failure", async () => {
    await using server = await fakeServer({ "/api/search": { body: '{"traces":[],"metrics":{}}' } });
    expect(await run("query", ["{}", "-url", server.url])).toEqual({
      status: 0,
      out: "",
      err: "no traces match in this time range\n",
    });
  });

  test("-json prints the answer", async () => {
    await using server = await fakeServer({ "/api/search": { body: answer } });
    expect(await run("query", ["-json", "{}", "-url", server.url])).toEqual({
      status: 0,
      out: `${answer}\n`,
      err: "",
    });
  });

  test("asks about the last hour, or as long as -since says", async () => {
    await using server = await fakeServer({ "/api/search": { body: answer } });
    const before = Math.floor(Date.now() / 1000);
    await run("query", ["{}", "-url", server.url]);
    await run("query", ["{}", "-since", "2d", "-url", server.url]);
    const lengths = server.requests.map(({ parameters }) => {
      const end = Number(parameters.get("end"));
      expect(end).toBeGreaterThanOrEqual(before);
      return end - Number(parameters.get("start"));
    });
    expect(lengths).toEqual([3600, 172_800]);
  });

  test("shows nothing that the terminal would obey", async () => {
    const evil = "\x1b[2J\u009b31m\u202e";
    const span = {
      spanID: evil,
      name: evil,
      attributes: [{ key: evil, value: { stringValue: evil } }],
    };
    const trace = {
      traceID: evil,
      rootServiceName: evil,
      rootTraceName: evil,
      spanSets: [{ matched: 1, attributes: span.attributes, spans: [span] }],
      serviceStats: { [evil]: { spanCount: 1 } },
    };
    await using server = await fakeServer({ "/api/search": { body: JSON.stringify({ traces: [trace] }) } });
    await using refusing = await fakeServer({ "/api/search": { status: 500, body: evil } });
    for (const argv of [
      ["-spans", "-url", server.url],
      ["-json", "-url", server.url],
      ["-url", refusing.url],
    ]) {
      const { out, err } = await run("query", ["{}", ...argv]);
      expect(out + err).not.toBe("");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(out + err).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
  });

  test("explains a query that is none without asking, unless it is told not to check", async () => {
    const body = "invalid TraceQL query: parse error at line 1, col 12: unknown identifier: eror";
    await using server = await fakeServer({
      "/api/search": { status: 400, contentType: "text/plain", body },
    });
    const argv = ["{ status = eror }", "-url", server.url];
    const checked = await run("query", argv);
    expect(checked.err).toStartWith("rubato query: parse error at line 1, col 12: unknown identifier: eror");
    expect(checked.err).toEndWith("\n  { status = eror }\n             ^\n");
    expect(checked.status).toBe(2);
    expect(server.requests).toHaveLength(0);
    expect(await run("query", ["-no-check", ...argv])).toEqual({
      status: 1,
      out: "",
      err: `rubato query: ${server.url} answered with status 400: ${body}\n  { status = eror }\n             ^\n`,
    });
  });

  test("says why there is no answer", async () => {
    const server = await fakeServer({});
    await server[Symbol.asyncDispose]();
    expect(await run("query", ["{}", "-url", server.url])).toEqual({
      status: 1,
      out: "",
      err: `rubato query: no answer from ${server.url}: connection refused. Is the server running? -url says where it is.\n`,
    });
    await using other = await fakeServer({ "/api/search": { body: "hello" } });
    const { status, err } = await run("query", ["{}", "-url", other.url]);
    expect(err).toBe(
      `rubato query: ${other.url} answered with something other than JSON: is it a Tempo-compatible server?\n`,
    );
    expect(status).toBe(1);
  });

  test("refuses what is no command line", async () => {
    const cases: [string[], string][] = [
      [[], "expected a query, such as '{ status = error }'; see rubato query -help"],
      [["{", "status", "=", "error", "}"], "expected one query: put it between single quotes"],
      [["{}", "-limit=-1"], '-limit: expected a whole number, found "-1"'],
      [["{}", "-since=later"], '-since: expected a duration such as 90m or 2d, found "later"'],
      [["{}", "-sinc=1h"], "-sinc: unknown option, did you mean -since?"],
    ];
    for (const [argv, message] of cases) {
      expect(await run("query", argv)).toEqual({ status: 2, out: "", err: `rubato query: ${message}\n` });
    }
  });

  test("-help lists its options", async () => {
    const { status, out } = await run("query", ["-help"]);
    expect(out).toMatch(/^ {2}-since=DURATION +how far back/m);
    expect(out).toMatch(/^ {2}-tenant=NAME +sent as X-Scope-OrgID$/m);
    expect(status).toBe(0);
  });
});
