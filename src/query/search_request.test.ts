import { describe, expect, test } from "bun:test";
import { defaultConfig } from "../config/defaults.ts";
import { print } from "../traceql/index.ts";
import { InvalidRequest } from "./query_errors.ts";
import { parseSearchParams, searchRequest } from "./search_request.ts";

/** 2023-11-14T22:13:20.5Z */
const now = 1_700_000_000_500;

function requestOf(
  query: string | Record<string, string>,
  change: (config: ReturnType<typeof defaultConfig>) => void = () => {},
) {
  const config = defaultConfig();
  change(config);
  const params = new URLSearchParams(query);
  return searchRequest(
    parseSearchParams((name) => params.get(name) ?? undefined),
    ["team"],
    config,
    now,
  );
}
const refusal = (query: string | Record<string, string>, change?: Parameters<typeof requestOf>[1]) => {
  try {
    requestOf(query, change);
  } catch (error) {
    if (error instanceof InvalidRequest) return error.message;
    throw error;
  }
  return null;
};

test("without parameters it is everything of the last 15 minutes, 20 traces", () => {
  const { query, ...rest } = requestOf("");
  expect(print(query)).toBe("{ true }");
  expect(rest).toEqual({
    tenants: ["team"],
    limit: 20,
    spansPerSpanSet: 3,
    start: 1_700_000_000 - 900,
    end: 1_700_000_001,
    spanSets: false,
  });
});

test("reads TraceQL and the numbers", () => {
  const { query, ...rest } = requestOf(
    "q={status=error}&limit=7&spss=100&start=1600000000&end=1600000060&tag=x&skip_ast_transformations=a,b",
  );
  expect(print(query)).toBe("{ status = error }");
  expect(rest).toEqual({
    tenants: ["team"],
    limit: 7,
    spansPerSpanSet: 100,
    start: 1_600_000_000,
    end: 1_600_000_060,
    spanSets: true,
  });
});

test("unknown parameters and empty ones say nothing", () => {
  expect(requestOf("q=&tags=&limit=&spss=&minDuration=&start=&end=&since=&service.name=x")).toEqual(
    requestOf(""),
  );
});

describe("time", () => {
  test("`since` goes before start and end", () => {
    expect(requestOf("since=1h&start=5&end=9")).toMatchObject({
      start: 1_700_000_000 - 3600,
      end: 1_700_000_001,
    });
    expect(requestOf("since=1d12h").start).toBe(1_700_000_000 - 129_600);
  });

  test("a cutoff keeps the newest out", () => {
    const cutoff = (config: ReturnType<typeof defaultConfig>) => {
      config.query_frontend.query_end_cutoff = 30_000;
    };
    expect(requestOf("", cutoff)).toMatchObject({ start: 1_699_999_100, end: 1_699_999_971 });
    expect(requestOf("start=1699999000&end=1800000000", cutoff)).toMatchObject({
      start: 1_699_999_000,
      end: 1_699_999_970,
    });
    expect(requestOf("start=1699999990&end=1800000000", cutoff)).toMatchObject({
      start: 1_699_999_100,
      end: 1_699_999_970,
    });
    expect(requestOf("start=5&end=9", cutoff)).toMatchObject({ start: 5, end: 9 });
  });
});

describe("limits", () => {
  test("spans per span set: all only where the configuration has no maximum", () => {
    expect(requestOf("q={}&spss=0").spansPerSpanSet).toBe(3);
    const unlimited = (config: ReturnType<typeof defaultConfig>) => {
      config.query_frontend.search.max_spans_per_span_set = 0;
      config.query_frontend.search.default_spans_per_span_set = 0;
    };
    expect(requestOf("q={}", unlimited).spansPerSpanSet).toBe(0);
    expect(requestOf("q={}&spss=5000", unlimited).spansPerSpanSet).toBe(5000);
    const capped = (config: ReturnType<typeof defaultConfig>) => {
      config.query_frontend.search.default_spans_per_span_set = 0;
    };
    expect(requestOf("q={}", capped).spansPerSpanSet).toBe(100);
  });

  test("the configured ones hold", () => {
    expect(requestOf("limit=262144").limit).toBe(262_144);
    expect(
      refusal("q={}&limit=2", (config) => {
        config.query_frontend.search.max_result_limit = 1;
      }),
    ).toBe("limit 2 exceeds max limit 1");
    expect(
      refusal("start=100&end=200", (config) => {
        config.overrides.defaults.read.max_search_duration = 60_000;
      }),
    ).toBe("range specified by start and end exceeds 1m0s. received start=100 end=200");
    expect(
      refusal("since=2m", (config) => {
        config.query_frontend.search.max_duration = 60_000;
      }),
    ).toStartWith("range specified by start and end exceeds 1m0s.");
    expect(
      refusal("start=100&end=200000000", (config) => {
        config.query_frontend.search.max_duration = 0;
      }),
    ).toBeNull();
    const tooLong =
      "TraceQL expression exceeds the configured maximum size of 10 bytes, reduce the query expression size or contact your system administrator";
    const short = (config: ReturnType<typeof defaultConfig>) => {
      config.query_frontend.max_query_expression_size_bytes = 10;
    };
    expect(refusal({ q: "{ .a = 12 }" }, short)).toBe(tooLong);
    expect(refusal({ tags: "abcdef=ghijk" }, short)).toBe(tooLong);
    expect(refusal({ q: "{ .a = 1 }" }, short)).toBeNull();
  });
});

test("refuses what is wrong in Tempo's words", () => {
  for (const [query, message] of [
    ["q={}&tags=a=b", "invalid request: can't specify tags and q in the same query"],
    ["tags=a=b a=c", "invalid tags: tag a has been set twice"],
    ["minDuration=5", 'invalid minDuration: time: invalid duration "5"'],
    ["minDuration=1d", 'invalid minDuration: time: invalid duration "1d"'],
    ["maxDuration=x", 'invalid maxDuration: time: invalid duration "x"'],
    ["minDuration=2s&maxDuration=1s", "invalid maxDuration: must be greater than minDuration"],
    ["limit=0", "invalid limit: must be a positive number"],
    ["limit=-1", "invalid limit: must be a positive number"],
    ["limit=x", 'invalid limit: strconv.ParseUint: parsing "x": invalid syntax'],
    ["limit=300000", "limit 300000 exceeds max limit 262144"],
    ["spss=-1", "invalid spss: must be a non-negative number"],
    ["spss=101", "spans per span set exceeds 100. received 101"],
    ["start=5", "error parsing date range: only one of start and end provided: must provide both or neither"],
    ["end=5", "error parsing date range: only one of start and end provided: must provide both or neither"],
    ["start=5&end=5", "http parameter start must be before end. received start=5 end=5"],
    ["start=1.5&end=9", 'invalid start: strconv.ParseUint: parsing "1.5": invalid syntax'],
    [
      "start=5&end=1700000000000000000",
      'invalid end: strconv.ParseUint: parsing "1700000000000000000": value out of range',
    ],
    [
      "start=1000&end=605801",
      "range specified by start and end exceeds 168h0m0s. received start=1000 end=605801",
    ],
    [
      "since=x",
      `error parsing date range: could not parse 'since' parameter: not a valid duration string: "x"`,
    ],
  ] as const)
    expect(refusal(query)).toBe(message);
  expect(refusal({ q: "{" })).toStartWith("invalid TraceQL query: parse error at line 1, col 2: ");
  expect(refusal({ q: "{ 1 + true }" })).toStartWith("invalid TraceQL query: ");
  expect(refusal("start=1000&end=605800")).toBeNull();
});

describe("tags", () => {
  const queryOf = (query: Record<string, string>) => print(requestOf(query).query);

  test("of well-known names take a part of the value in any case, others the whole of it", () => {
    expect(queryOf({ tags: "service.name=Front.x" })).toBe(
      "{ resource.service.name =~ `(?is).*Front\\.x.*` }",
    );
    expect(queryOf({ tags: "name=render" })).toBe("{ name =~ `(?is).*render.*` }");
    expect(queryOf({ tags: "root.name=a" })).toBe("{ rootName =~ `(?is).*a.*` }");
    expect(queryOf({ tags: "root.service.name=a" })).toBe("{ rootServiceName =~ `(?is).*a.*` }");
    expect(queryOf({ tags: "http.method=P" })).toBe("{ span.http.method =~ `(?is).*P.*` }");
    expect(queryOf({ tags: "mail.to=x" })).toBe("{ (span.mail.to = `x`) || (resource.mail.to = `x`) }");
  });

  test("compare with every type that the value reads as", () => {
    expect(queryOf({ tags: "n=5" })).toBe(
      "{ (span.n = `5`) || (span.n = 5) || (resource.n = `5`) || (resource.n = 5) }",
    );
    expect(queryOf({ tags: "n=2.5" })).toContain("span.n = 2.5");
    expect(queryOf({ tags: "n=true" })).toContain("span.n = true");
    expect(queryOf({ tags: "n=99999999999999999999" })).not.toContain("= 9");
  });

  test("that are no attributes", () => {
    expect(queryOf({ tags: "status.code=error" })).toBe("{ status = error }");
    expect(queryOf({ tags: "status.code=2" })).toBe("{ status = error }");
    expect(queryOf({ tags: "status.code=odd" })).toBe("{ false }");
    expect(queryOf({ tags: "error=true" })).toBe("{ status = error }");
    expect(queryOf({ tags: "error=false" })).toBe("{ status != error }");
  });

  test("have to hold for the trace, each on a span of its own if need be", () => {
    expect(queryOf({ tags: "name=a root.name=b" })).toBe(
      "{ name =~ `(?is).*a.*` } && { rootName =~ `(?is).*b.*` }",
    );
    expect(queryOf({ minDuration: "700ms", maxDuration: "1.5s" })).toBe(
      "{ (traceDuration >= 700ms) && (traceDuration <= 1.5s) }",
    );
    expect(queryOf({ tags: "error=true", minDuration: "1s" })).toBe(
      "{ traceDuration >= 1s } && { status = error }",
    );
    const many = Array.from({ length: 300 }, (_, i) => `t${i}=x`).join(" ");
    expect(queryOf({ tags: many })).toContain("span.t299 = `x`");
  });
});
