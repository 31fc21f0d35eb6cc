import { describe, expect, test } from "bun:test";
import { fakeServer, run, useUtc } from "./command_fixture.ts";
import { partialMessage, responseProtobuf, traceId, traceJson, traceProtobuf } from "./trace_fixture.ts";

const protobuf = "application/protobuf";
const v1 = `/api/traces/${traceId}`;
const v2 = `/api/v2/traces/${traceId}`;

useUtc();

// Forty columns for 400 ms: ten milliseconds a column.
const picture = `\
Trace 0af7651916cd43dd8448eb211c80319c  frontend GET /checkout
2026-01-15 10:00:00.000, 400ms, 5 spans of 4 services, 1 failed

                                                0                   200ms          400ms
frontend GET /checkout                          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━     400ms
├─ cart GetCart                                      ━━━━━━━━━━                              100ms
│  └─ redis HGETALL                                   ━━━━                                    40ms
└─ payment Charge                                                   ━━━━━━━━━━━━━━━━━━━━     200ms ✗
cart late (parent 00000000000000ff is missing)                                ━               10ms
`;

describe("rubato trace", () => {
  test("draws a trace from protobuf, and says if it is not whole", async () => {
    await using server = await fakeServer({ [v2]: { contentType: protobuf, body: responseProtobuf(true) } });
    expect(await run("trace", ["-url", server.url, traceId])).toEqual({
      status: 0,
      out: picture,
      err: `warning: the trace is not whole: ${partialMessage}\n`,
    });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.headers.accept).toContain(protobuf);
  });

  test("draws the same from every other form of answer", async () => {
    const whole = JSON.stringify({ trace: traceJson("tempo", "resourceSpans"), metrics: {} });
    const forms = {
      "protobuf of v2": { [v2]: { contentType: protobuf, body: responseProtobuf(false) } },
      "protobuf of v1": { [v1]: { contentType: protobuf, body: traceProtobuf() } },
      "JSON of v2": { [v2]: { body: whole } },
      "JSON of v1": { [v1]: { body: JSON.stringify(traceJson("tempo", "batches")) } },
      "OTLP's JSON": { [v2]: { body: JSON.stringify({ trace: traceJson("otlp", "resourceSpans") }) } },
    };
    for (const [form, routes] of Object.entries(forms)) {
      await using server = await fakeServer(routes);
      const shown = await run("trace", [traceId, "-url", server.url]);
      expect({ form, ...shown }).toEqual({ form, status: 0, out: picture, err: "" });
      const [plain, detailed] = [
        (await run("trace", [traceId, "-attributes", "-url", server.url])).out.split("\n"),
        details.split("\n"),
      ];
      expect({ form, detailed: plain.slice(4) }).toEqual({ form, detailed });
    }
  });

  test("fits the terminal, in ASCII if asked", async () => {
    await using server = await fakeServer({ [v2]: { contentType: protobuf, body: responseProtobuf(false) } });
    const { out } = await run("trace", ["-ascii", "-url", server.url, traceId], 60);
    // 27 columns for the tree, 19 for the bars: 400 / 19 = 21.05 ms each.
    expect(out.split("\n").slice(2)).toEqual([
      "",
      "                             0             400ms",
      "frontend GET /checkout       ===================     400ms",
      "|- cart GetCart                ======                100ms",
      "|  `- redis HGETALL            ===                    40ms",
      "`- payment Charge                     ==========     200ms x",
      "cart late (parent 00000000~                =          10ms",
      "",
    ]);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
  });

  test("draws no more spans than the limit", async () => {
    await using server = await fakeServer({ [v2]: { contentType: protobuf, body: responseProtobuf(false) } });
    const { out } = await run("trace", ["-limit=2", "-url", server.url, traceId]);
    expect(out.split("\n").slice(3)).toEqual([
      "                                                0                   200ms          400ms",
      "frontend GET /checkout +3                       ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━     400ms",
      "cart late (parent 00000000000000ff is missing)                                ━               10ms",
      "",
      "3 more spans not shown, 1 of them failed; -limit=0 shows all",
      "",
    ]);
  });

  test("colours services and failures, and nothing else changes", async () => {
    await using server = await fakeServer({ [v2]: { contentType: protobuf, body: responseProtobuf(false) } });
    const { out } = await run("trace", ["-url", server.url, traceId], 120, true);
    expect(out).toContain("\x1b[38;5;33mfrontend\x1b[0m");
    expect(out).toContain("\x1b[31m Charge\x1b[0m");
    expect(out).toContain("\x1b[31m✗\x1b[0m");
    const plain = (await run("trace", ["-url", server.url, traceId], 120)).out;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences to leave out
    expect(out.replace(/\x1b\[[\d;]*m/g, "")).toBe(plain);
  });

  test("shows nothing that the terminal would obey", async () => {
    const evil = "\x1b[2J\u009b31m\u202e";
    const body = JSON.stringify({
      trace: {
        resourceSpans: [
          {
            resource: { attributes: [{ key: "service.name", value: { stringValue: evil } }] },
            scopeSpans: [
              {
                spans: [
                  {
                    spanId: "AAAAAAAAAAE=",
                    name: evil,
                    startTimeUnixNano: "1",
                    endTimeUnixNano: "2",
                    status: { code: "STATUS_CODE_ERROR", message: evil },
                    attributes: [{ key: evil, value: { arrayValue: { values: [{ stringValue: evil }] } } }],
                    events: [{ name: evil, timeUnixNano: "1" }],
                  },
                ],
              },
            ],
          },
        ],
      },
      status: "PARTIAL",
      message: evil,
    });
    await using server = await fakeServer({ [v2]: { body } });
    const shown = [
      await run("trace", ["-attributes", "-url", server.url, traceId]),
      await run("trace", ["-json", "-url", server.url, traceId]),
    ];
    for (const { status, out, err } of shown) {
      expect(status).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(out + err).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
    expect(JSON.parse(shown[1]!.out)).toEqual(JSON.parse(body));
  });

  test("takes spans without times, ids and names", async () => {
    const body = JSON.stringify({
      trace: { resourceSpans: [{ scopeSpans: [{ spans: [{}, { name: "x" }] }] }] },
    });
    await using server = await fakeServer({ [v2]: { body } });
    expect((await run("trace", ["-url", server.url, traceId])).out).toBe(
      [
        `Trace ${traceId}`,
        "at an unknown time, 2 spans of 1 service",
        "",
        `${" ".repeat(52)}?`,
        `x${" ".repeat(51)}?`,
        "",
      ].join("\n"),
    );
  });

  test("-json prints the answer", async () => {
    await using server = await fakeServer({ [v2]: { body: '{"trace":{}}\n' } });
    expect(await run("trace", ["-json", "-url", server.url, traceId])).toEqual({
      status: 0,
      out: '{"trace":{}}\n',
      err: "",
    });
    expect(server.requests[0]!.headers.accept).toBe("application/json");
  });

  test("says that there is no such trace, of servers of both ages", async () => {
    const ages: Parameters<typeof fakeServer>[0][] = [
      { [v2]: { body: '{"trace":{},"metrics":{}}' } },
      { [v1]: { status: 404 } },
    ];
    for (const routes of ages) {
      await using server = await fakeServer(routes);
      expect(await run("trace", ["-url", server.url, traceId])).toEqual({
        status: 1,
        out: "",
        err: `rubato trace: ${server.url} has no trace ${traceId}\n`,
      });
    }
  });

  test("says what the server says", async () => {
    const cases: [Parameters<typeof fakeServer>[0], string][] = [
      [
        { [v2]: { status: 401, contentType: "text/plain", body: "no org id\n" } },
        "answered with status 401: no org id",
      ],
      [{ [v1]: { status: 404, body: "404 page not found" } }, "answered with status 404: 404 page not found"],
      [
        { [v2]: { status: 502, contentType: "text/html", body: "<html>…</html>" } },
        "answered with status 502: a web page; is this the address of a Tempo-compatible server?",
      ],
      [{ [v2]: { body: "<!doctype html>" } }, "answered with something other than a trace: "],
      [{ [v2]: { contentType: protobuf, body: "\x0a\xff" } }, "answered with something other than a trace: "],
    ];
    for (const [routes, message] of cases) {
      await using server = await fakeServer(routes);
      const { status, out, err } = await run("trace", ["-url", server.url, traceId]);
      expect(err).toStartWith(`rubato trace: ${server.url} ${message}`);
      expect({ status, out }).toEqual({ status: 1, out: "" });
    }
  });

  test("sends the tenant, one header and the credentials of the URL", async () => {
    await using server = await fakeServer({ [v2]: { contentType: protobuf, body: responseProtobuf(false) } });
    const url = server.url.replace("//", "//me:s%40cret@");
    const argv = ["-url", `${url}/`, "-tenant", "team-a", "-header", "X-Extra: a b", traceId];
    expect((await run("trace", argv)).status).toBe(0);
    expect(server.requests[0]).toMatchObject({
      path: v2,
      headers: { "x-scope-orgid": "team-a", "x-extra": "a b", authorization: `Basic ${btoa("me:s@cret")}` },
    });
  });

  test("refuses what is no command line", async () => {
    const cases: [string[], string][] = [
      [[], "expected the id of one trace; see rubato trace -help"],
      [["1", "2"], "expected the id of one trace; see rubato trace -help"],
      [["{}"], 'expected a trace id of up to 32 hex digits, found "{}"'],
      [["1".repeat(33)], "expected a trace id of up to 32 hex digits"],
      [["-limit=all", "1"], '-limit: expected a whole number, found "all"'],
      [["-url=ftp://host", "1"], '-url: expected the URL of a server, found "ftp://host"'],
      [["-header=nonsense", "1"], '-header: expected NAME: VALUE, found "nonsense"'],
      [["-atributes", "1"], "-atributes: unknown option, did you mean -attributes?"],
    ];
    for (const [argv, message] of cases) {
      const { status, out, err } = await run("trace", argv);
      expect(err).toStartWith(`rubato trace: ${message}`);
      expect({ status, out }).toEqual({ status: 2, out: "" });
    }
  });
});

const details = `\
frontend GET /checkout                          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━     400ms
│  span 0000000000000001  kind server
├─ cart GetCart                                      ━━━━━━━━━━                              100ms
│  │  span 0000000000000002  kind server
│  └─ redis HGETALL                                   ━━━━                                    40ms
│        span 0000000000000003  kind client
└─ payment Charge                                                   ━━━━━━━━━━━━━━━━━━━━     200ms ✗
      span 0000000000000004  kind client
      status error "card declined"
      amount=12.5
      attempt=2
      event +190ms exception exception.type="Declined"
      link 07070707070707070707070707070707 0000000000000009
cart late (parent 00000000000000ff is missing)                                ━               10ms
   span 0000000000000005  kind consumer

Resources
  service.name="frontend"
  service.name="cart"
  service.name="redis"
  service.name="payment"
`;
