import { expect, test } from "bun:test";
import { queryTable } from "./query_table.ts";
import type { FoundTrace } from "./search_answer.ts";

const start = new Date(2026, 0, 15, 10, 0, 0, 50);
const later = new Date(2026, 0, 15, 12);
const startNanos = BigInt(start.getTime()) * 1_000_000n;

const trace: FoundTrace = {
  id: "0af7651916cd43dd8448eb211c80319c",
  rootService: "frontend",
  rootName: "GET /checkout/confirm",
  startNanos,
  durationMs: 1557n,
  spanSets: [
    {
      matched: 3n,
      attributes: [],
      spans: [
        {
          id: "00f067aa0ba902b7",
          name: "",
          startNanos: startNanos - 2_000_000n,
          durationNanos: 45_600_000n,
          attributes: [{ key: "http.url", value: "http://cart/items?of=somebody&page=17" }],
        },
      ],
    },
  ],
  services: [
    { name: "cart", spans: 7n, errors: 2n },
    { name: "frontend", spans: 3n, errors: 0n },
  ],
};

const lines = (columns: number, traces = [trace]) =>
  queryTable(traces, { columns, colours: false }, false, later);

test("queryTable() fits the width, and leaves out what has no room to read well", () => {
  expect(lines(125)).toEqual([
    "START         DURATION  TRACE                             SERVICE   NAME                   MATCHED  ERR  SERVICES",
    "10:00:00.050     1.56s  0af7651916cd43dd8448eb211c80319c  frontend  GET /checkout/confirm     3/10    2  cart 7, frontend 3",
  ]);
  expect(lines(116)).toEqual([
    "START         DURATION  TRACE                             SERVICE   NAME              MATCHED  ERR  SERVICES",
    "10:00:00.050     1.56s  0af7651916cd43dd8448eb211c80319c  frontend  GET /checkout/c…     3/10    2  cart 7, fronten…",
  ]);
  expect(lines(115)).toEqual([
    "START         DURATION  TRACE                             SERVICE   NAME                   MATCHED  ERR",
    "10:00:00.050     1.56s  0af7651916cd43dd8448eb211c80319c  frontend  GET /checkout/confirm     3/10    2",
  ]);
  expect(lines(100)).toEqual([
    "START         DURATION  TRACE                             SERVICE   NAME                MATCHED  ERR",
    "10:00:00.050     1.56s  0af7651916cd43dd8448eb211c80319c  frontend  GET /checkout/con…     3/10    2",
  ]);
  expect(lines(80)).toEqual([
    "START         DURATION  TRACE                             SERVICE  NAME      ERR",
    "10:00:00.050     1.56s  0af7651916cd43dd8448eb211c80319c  fronte…  GET /ch…    2",
  ]);
});

test("queryTable() lists the matched spans under their trace, cut to the width", () => {
  const [, , span, more] = queryTable([trace], { columns: 80, colours: false }, true, later);
  expect(span).toBe('         -2ms    45.6ms  00f067aa0ba902b7  http.url="http://cart/items?of=someb…');
  expect(more).toBe("    2 more matched; -spss shows them");
});

test("queryTable() counts what there is", () => {
  const matched = (part: Partial<FoundTrace>) => {
    const [, line] = queryTable([{ ...trace, rootService: "", rootName: "", ...part }], pipe, false, later);
    return line!.split(/ {2,}/).slice(3);
  };
  const pipe = { columns: null, colours: false };
  expect(matched({ services: [] })).toEqual(["3"]);
  expect(matched({ spanSets: [] })).toEqual(["10", "2", "cart 7, frontend 3"]);
  expect(matched({ spanSets: [], services: [] })).toEqual([]);
});
