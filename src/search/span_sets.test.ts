import { describe, expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { QueryType } from "../../wasm/query_ids.ts";
import { doubleOf } from "../batch/double_bits.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { attribute, field, fixed64, id, request, span, text, varintField } from "../batch/wire_fixture.ts";
import { parse, validate } from "../traceql/index.ts";
import { Evaluator } from "./evaluate.ts";
import { planSearch } from "./plan.ts";
import { attributeRows, type SetAttribute, SpanSetPipeline } from "./span_sets.ts";

interface Fixture {
  id: number;
  /** 0: none, a root. */
  parent: number;
  trace?: number;
  /** ns. */
  duration?: number;
  kind?: number;
  strings?: Record<string, string>;
  ints?: Record<string, number>;
  floats?: Record<string, number>;
}

const start = 1000n;

function spanOf(one: Fixture): Uint8Array {
  const { strings = {}, ints = {}, floats = {} } = one;
  return span({
    trace: id(16, one.trace ?? 1),
    id: one.id,
    parent: one.parent,
    kind: one.kind,
    start,
    end: start + BigInt(one.duration ?? 0),
    fields: [
      ...Object.entries(strings).map(([key, value]) => field(9, attribute(key, text(1, value)))),
      ...Object.entries(ints).map(([key, value]) =>
        field(9, attribute(key, varintField(3, BigInt.asUintN(64, BigInt(value))))),
      ),
      ...Object.entries(floats).map(([key, value]) => {
        const bits = new DataView(Float64Array.of(value).buffer).getBigUint64(0, true);
        return field(9, attribute(key, fixed64(4, bits)));
      }),
    ],
  });
}

function batchOf(...spans: Fixture[]): SpanBatch {
  const batch = SpanBatch.create();
  if (spans.length > 0) batch.decode(request(spans.map(spanOf)), 0);
  return batch;
}

interface SetFixture {
  spans: number[];
  /** As "name=type value". */
  attributes: string[];
}

/** What a pipeline leaves, set by set in the order of their first spans. */
function setsOf(batch: SpanBatch, query: string, order: "stored" | "query" = "stored"): SetFixture[] {
  const tree = parse(query);
  validate(tree);
  const plan = planSearch(tree);
  if (order === "stored") batch.order();
  else batch.core.orderForQuery!(0);
  const evaluator = new Evaluator(batch, plan, order === "query");
  const pipeline = new SpanSetPipeline(evaluator);
  const sets = pipeline.run(plan.stages, pipeline.wholeTraces());
  const list = pipeline.list(sets);
  const spans = batch.u32(order === "stored" ? Column.OrderedSpan : Column.QuerySpan, list.length);
  const members = new Map<number, number[]>();
  for (const [place, set] of list.entries()) {
    if (set > 0) members.set(set, [...(members.get(set) ?? []), idOf(batch, spans[place]!)]);
  }
  return [...members].map(([set, ids]) => ({
    spans: ids,
    attributes: attributeRows(sets, set).map((row, i) => {
      const one = sets.attributes[i]!;
      return `${one.name}=${textOf(evaluator, one, row)}`;
    }),
  }));
}

function idOf(batch: SpanBatch, index: number): number {
  return batch.u8(Column.SpanId, (index + 1) * 8)[index * 8 + 7]!;
}

function textOf(evaluator: Evaluator, { values, rows }: SetAttribute, row: number): string {
  const type = evaluator.reader.type(values, row);
  const bits = evaluator.reader.word(values, rows, row);
  switch (type) {
    case QueryType.Nil:
      return "nil";
    case QueryType.String:
      return `string ${evaluator.batch.string(Number(bits))}`;
    case QueryType.Double:
      return `float ${doubleOf(bits)}`;
    case QueryType.Duration:
      return `duration ${BigInt.asIntN(64, bits)}`;
    default:
      return `${type === QueryType.Int ? "int" : QueryType[type]} ${BigInt.asIntN(64, bits)}`;
  }
}

/** Spans of each set. */
function spansOf(batch: SpanBatch, query: string): number[][] {
  return setsOf(batch, query).map(({ spans }) => spans.toSorted((a, b) => a - b));
}

describe("filters and their combinations", () => {
  const batch = () =>
    batchOf(
      { id: 1, parent: 0, ints: { a: 1 } },
      { id: 2, parent: 1, ints: { b: 1 } },
      { id: 3, parent: 1, ints: { a: 1, b: 1 } },
      { id: 4, parent: 0, trace: 2, ints: { a: 1 } },
    );

  test("keep spans of each trace apart", () => {
    expect(spansOf(batch(), "{}")).toEqual([[1, 2, 3], [4]]);
    expect(spansOf(batch(), "{ span.a = 1 }")).toEqual([[1, 3], [4]]);
    expect(spansOf(batch(), "{ span.a = 1 } | { span.b = 1 }")).toEqual([[3]]);
    expect(spansOf(batch(), "{ span.c = 1 }")).toEqual([]);
  });

  test("join what both sides have, if they have, or what either has", () => {
    expect(spansOf(batch(), "{ span.a = 1 } && { span.b = 1 }")).toEqual([[1, 2, 3]]);
    expect(spansOf(batch(), "{ span.a = 1 } && { span.c = 1 }")).toEqual([]);
    expect(spansOf(batch(), "{ span.b = 1 } || { span.c = 1 }")).toEqual([[2, 3]]);
    expect(spansOf(batch(), "{ span.a = 1 } || { span.b = 1 }")).toEqual([[1, 2, 3], [4]]);
  });

  test("join what pipelines in brackets leave, without what they computed", () => {
    const query = "({ span.a = 1 } | count() = 2) && ({ span.b = 1 } | by(span.a) | count() = 1)";
    expect(setsOf(batch(), query)).toEqual([{ spans: [1, 2, 3], attributes: [] }]);
    expect(spansOf(batch(), "({ span.a = 1 } | count() = 3) && ({ span.b = 1 } | count() > 0)")).toEqual([]);
    expect(spansOf(batch(), "({} | count() = 1) || ({ span.b = 1 } | count() = 2)")).toEqual([[2, 3], [4]]);
  });

  test("find nothing in nothing", () => {
    for (const query of [
      "{}",
      "{} >> {}",
      "{} | count() = 0",
      "{} | by(span.a) | coalesce()",
      "{} && {} || {}",
    ]) {
      expect(setsOf(batchOf(), query)).toEqual([]);
    }
  });
});

describe("structural operators", () => {
  //        1 a             6 c (a second root)
  //      /   \             |
  //   2 b     3 a          7 b
  //   /  \
  // 4 c   5 a              8 c (its parent, 99, is unknown), 9 a below it
  const tree = () =>
    batchOf(
      ...(
        [
          [1, 0, "a"],
          [2, 1, "b"],
          [3, 1, "a"],
          [4, 2, "c"],
          [5, 2, "a"],
          [6, 0, "c"],
          [7, 6, "b"],
          [8, 99, "c"],
          [9, 8, "a"],
        ] as const
      ).map(([own, parent, k]) => ({ id: own, parent, strings: { k } })),
    );
  const related: [query: string, spans: number[]][] = [
    ["{ .k = `a` } > { .k = `a` }", [3]],
    ["{ .k = `b` } > {}", [4, 5]],
    ["{} > {}", [2, 3, 4, 5, 7]],
    ["{} !> {}", [1, 6, 8, 9]],
    ["{ .k = `a` } >> {}", [2, 3, 4, 5]],
    ["{ .k = `a` } >> { .k = `a` }", [3, 5]],
    ["{ .k = `c` } >> { .k = `b` }", [7]],
    ["{ .k = `a` } !>> { .k = `a` }", [1, 9]],
    ["{ .k = `none` } !>> { .k = `c` }", [4, 6, 8]],
    ["{ .k = `none` } >> { .k = `c` }", []],
    ["{ .k = `b` } < {}", [1, 6]],
    ["{ .k = `a` } !< { .k = `b` }", [7]],
    ["{ .k = `a` } << {}", [1, 2]],
    ["{ .k = `c` } << { .k = `a` }", [1]],
    ["{ .k = `c` } !<< { .k = `a` }", [3, 5, 9]],
    ["{ .k = `b` } ~ {}", [3]],
    ["{ .k = `a` } ~ {}", [2, 4, 6]],
    ["{ .k = `a` } ~ { .k = `a` }", []],
    ["{ .k = `c` } ~ { .k = `c` }", []],
    ["{ .k = `a` } !~ { .k = `c` }", [8]],
    ["{ .k = `a` } &> { .k = `b` }", [1, 2]],
    ["{ .k = `a` } &>> { .k = `a` }", [1, 3, 5]],
    ["{ .k = `a` } &< { .k = `b` }", [2, 5]],
    ["{ .k = `c` } &<< { .k = `a` }", [1, 4]],
    ["{ .k = `b` } &~ { .k = `a` }", [2, 3]],
    ["{ .k = `a` } > { .k = `b` } > { .k = `c` }", [4]],
    ["{ .k = `a` } > ({ .k = `b` } > { .k = `c` })", []],
    ["({ .k = `a` } || { .k = `c` }) > { .k = `b` }", [2, 7]],
  ];

  test.each(related)("%s", (query, spans) => {
    expect(spansOf(tree(), query).flat()).toEqual([...spans]);
  });

  test("are the same in the order of a query, which leaves the stored one alone", () => {
    const batch = tree();
    batch.order();
    const nested = () => [...batch.i32(Column.NestedLeft, batch.spans)];
    const before = nested();
    for (const [query, spans] of related) {
      const found = setsOf(batch, query, "query").flatMap((set) => set.spans);
      expect([query, ...found.toSorted((a, b) => a - b)]).toEqual([query, ...spans]);
    }
    expect(nested()).toEqual(before);
  });

  test("relate no spans of different traces", () => {
    const batch = batchOf(
      { id: 1, parent: 0, ints: { a: 1 } },
      { id: 2, parent: 1, trace: 2, ints: { b: 1 } },
    );
    expect(spansOf(batch, "{ span.a = 1 } > { span.b = 1 }")).toEqual([]);
    expect(spansOf(batch, "{ span.a = 1 } !> { span.b = 1 }")).toEqual([[2]]);
  });

  test("know that a client and a server span share an id", () => {
    const batch = batchOf(
      { id: 1, parent: 0, kind: 3, strings: { k: "client" } },
      { id: 1, parent: 1, kind: 2, strings: { k: "server" } },
      { id: 2, parent: 1, strings: { k: "inner" } },
    );
    expect(setsOf(batch, "{ .k = `client` } > { .k = `server` }").length).toBe(1);
    expect(setsOf(batch, "{ .k = `server` } > { .k = `inner` }").length).toBe(1);
    expect(setsOf(batch, "{ .k = `client` } > { .k = `inner` }").length).toBe(0);
  });

  test("relate nothing where three spans share an id, or spans are their own ancestors", () => {
    const thrice = [1, 2, 3].map((duration) => ({ id: 1, parent: 0, duration }));
    expect(spansOf(batchOf(...thrice, { id: 2, parent: 1 }), "{} > {}")).toEqual([]);
    const circle = batchOf({ id: 1, parent: 2 }, { id: 2, parent: 1 }, { id: 3, parent: 3 });
    expect(spansOf(circle, "{} > {}")).toEqual([]);
    expect(spansOf(circle, "{} !> {}")).toEqual([[1, 2, 3]]);
  });

  // By .k the groups are 1 3 5 9, 2 7 and 4 6 8; by .k = `c` they are 1 2 3 5 7 9 and 4 6 8.
  const grouped: [query: string, sets: number[][]][] = [
    ["{} | by(.k) | {} > {}", [[3]]],
    ["{} | by(.k) | {} >> {}", [[3, 5]]],
    ["{} | by(.k) | {} < {}", [[1]]],
    ["{} | by(.k) | {} << {}", [[1]]],
    ["{} | by(.k) | {} ~ {}", []],
    [
      "{} | by(.k) | {} !> {}",
      [
        [1, 5, 9],
        [2, 7],
        [4, 6, 8],
      ],
    ],
    [
      "{} | by(.k) | {} !>> {}",
      [
        [1, 9],
        [2, 7],
        [4, 6, 8],
      ],
    ],
    ["{} | by(.k) | {} &>> {}", [[1, 3, 5]]],
    ["{} | by(.k) | {} &< {}", [[1, 3]]],
    ["{} | by(.k = `c`) | {} > {}", [[2, 3, 5]]],
    ["{} | by(.k = `c`) | {} << {}", [[1, 2]]],
    ["{} | by(.k = `c`) | {} ~ {}", [[2, 3]]],
    ["{} | by(.k = `c`) | { .k = `a` } &~ { .k = `b` }", [[2, 3]]],
    [
      "{} | by(.k = `c`) | {} !~ {}",
      [
        [1, 5, 7, 9],
        [4, 6, 8],
      ],
    ],
    ["{} | by(span:id) | {} >> {}", []],
    ["{} | by(span:id) | {} !<< {} | coalesce()", [[1, 2, 3, 4, 5, 6, 7, 8, 9]]],
  ];

  test.each(grouped)("relate within each group: %s", (query, sets) => {
    expect(spansOf(tree(), query)).toEqual(sets);
  });

  test("relate within the groups of each trace", () => {
    const batch = batchOf(
      { id: 1, parent: 0, ints: { a: 1 } },
      { id: 2, parent: 1, ints: { a: 2 } },
      { id: 3, parent: 2, ints: { a: 1 } },
      { id: 4, parent: 0, trace: 2, ints: { a: 1 } },
      { id: 5, parent: 4, trace: 2, ints: { a: 1 } },
    );
    expect(spansOf(batch, "{} | by(span.a) | {} >> {}")).toEqual([[3], [5]]);
    expect(spansOf(batch, "{} | by(span.a) | {} < {}")).toEqual([[4]]);
  });

  test("take a chain of a thousand spans", () => {
    const chain = Array.from({ length: 1000 }, (_, i) => ({ id: i + 1, parent: i, ints: { n: i } }));
    expect(setsOf(batchOf(...chain), "{ span.n = 0 } >> { span.n > 990 }")[0]!.spans.length).toBe(9);
    expect(setsOf(batchOf(...chain), "{ span.n = 999 } << {} | count() = 999").length).toBe(1);
  });
});

describe("by()", () => {
  const batch = () =>
    batchOf(
      { id: 1, parent: 0, strings: { k: "x" }, ints: { n: 1 } },
      { id: 2, parent: 1, strings: { k: "y" }, ints: { n: 1 } },
      { id: 3, parent: 1, strings: { k: "x" }, ints: { n: 2 } },
      { id: 4, parent: 1 },
      { id: 5, parent: 0, trace: 2, strings: { k: "x" }, ints: { n: 1 } },
    );

  test("splits each trace by type and value; what is missing is a group too", () => {
    expect(setsOf(batch(), "{} | by(span.k)")).toEqual([
      { spans: [1, 3], attributes: ["by(span.k)=string x"] },
      { spans: [2], attributes: ["by(span.k)=string y"] },
      { spans: [4], attributes: ["by(span.k)=nil"] },
      { spans: [5], attributes: ["by(span.k)=string x"] },
    ]);
    const mixed = batchOf({ id: 1, parent: 0, ints: { v: 1 } }, { id: 2, parent: 1, floats: { v: 1 } });
    expect(setsOf(mixed, "by(span.v)").map(({ attributes }) => attributes)).toEqual([
      ["by(span.v)=int 1"],
      ["by(span.v)=float 1"],
    ]);
  });

  test("refines the groups before it, which keep what they are called by", () => {
    expect(setsOf(batch(), "{ span.k != nil } | by(span.n) | by(span.k)")).toEqual([
      { spans: [1], attributes: ["by(span.n)=int 1", "by(span.k)=string x"] },
      { spans: [2], attributes: ["by(span.n)=int 1", "by(span.k)=string y"] },
      { spans: [3], attributes: ["by(span.n)=int 2", "by(span.k)=string x"] },
      { spans: [5], attributes: ["by(span.n)=int 1", "by(span.k)=string x"] },
    ]);
  });

  test("leaves sets what was computed between two of it", () => {
    expect(setsOf(batch(), "{} | by(span.k) | count() > 0 | by(span.n)")).toEqual([
      { spans: [1], attributes: ["by(span.k)=string x", "count()=int 2", "by(span.n)=int 1"] },
      { spans: [2], attributes: ["by(span.k)=string y", "count()=int 1", "by(span.n)=int 1"] },
      { spans: [3], attributes: ["by(span.k)=string x", "count()=int 2", "by(span.n)=int 2"] },
      { spans: [4], attributes: ["by(span.k)=nil", "count()=int 1", "by(span.n)=nil"] },
      { spans: [5], attributes: ["by(span.k)=string x", "count()=int 1", "by(span.n)=int 1"] },
    ]);
  });

  test("has its groups counted and filtered", () => {
    expect(setsOf(batch(), "{} | by(span.k) | count() > 1")).toEqual([
      { spans: [1, 3], attributes: ["by(span.k)=string x", "count()=int 2"] },
    ]);
    expect(setsOf(batch(), "{} | count() > 1 | by(span.n) | { span.k = `x` }")).toEqual([
      { spans: [1], attributes: ["count()=int 4", "by(span.n)=int 1"] },
      { spans: [3], attributes: ["count()=int 4", "by(span.n)=int 2"] },
    ]);
  });

  test("takes any expression", () => {
    expect(
      setsOf(batch(), "{} | by(span.n * 2 > 2)").map(({ spans, attributes }) => [...spans, ...attributes]),
    ).toEqual([
      [1, 2, 4, "by((span.n * 2) > 2)=Bool 0"],
      [3, "by((span.n * 2) > 2)=Bool 1"],
      [5, "by((span.n * 2) > 2)=Bool 0"],
    ]);
  });

  test("is undone by coalesce(), attributes and all", () => {
    expect(setsOf(batch(), "{} | by(span.k) | count() > 0 | coalesce() | count() > 3")).toEqual([
      { spans: [1, 2, 3, 4], attributes: ["count()=int 4"] },
    ]);
  });

  test("makes as many groups as there are spans", () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ id: i + 1, parent: 0, ints: { n: i } }));
    const sets = setsOf(batchOf(...many), "{} | by(span.n) | count() = 1");
    expect([sets.length, sets.at(-1)!.attributes]).toEqual([3000, ["by(span.n)=int 2999", "count()=int 1"]]);
  });
});

describe("aggregates", () => {
  const batch = () =>
    batchOf(
      { id: 1, parent: 0, duration: 10, ints: { n: -3 }, floats: { f: 0.5 } },
      { id: 2, parent: 1, duration: 20, ints: { n: 5 }, floats: { f: 1.5 } },
      { id: 3, parent: 1, duration: 31, strings: { n: "no number" } },
      { id: 4, parent: 0, trace: 2, duration: 7 },
    );
  const attributesOf = (query: string) => setsOf(batch(), query).map(({ attributes }) => attributes);

  test("keep the type of what they are made of; averages of ints are floats", () => {
    expect(attributesOf("{} | min(span.n) < 100")).toEqual([["min(span.n)=int -3"]]);
    expect(attributesOf("{} | max(span.n) < 100")).toEqual([["max(span.n)=int 5"]]);
    expect(attributesOf("{} | sum(span.n) < 100")).toEqual([["sum(span.n)=int 2"]]);
    expect(attributesOf("{} | avg(span.n) < 100")).toEqual([["avg(span.n)=float 1"]]);
    expect(attributesOf("{} | sum(span.f) = 2")).toEqual([["sum(span.f)=float 2"]]);
    expect(attributesOf("{} | max(duration) > 7")).toEqual([["max(duration)=duration 31"]]);
    expect(attributesOf("{} | avg(duration) > 0s")).toEqual([
      ["avg(duration)=duration 20"],
      ["avg(duration)=duration 7"],
    ]);
    expect(attributesOf("{} | sum(duration * 2) = 122")).toEqual([["sum(duration * 2)=float 122"]]);
  });

  test("of ints and floats do not depend on the order of spans", () => {
    const spans: Fixture[] = [
      { id: 1, parent: 0, floats: { v: 0.5 } },
      { id: 2, parent: 0, ints: { v: 4 } },
      { id: 3, parent: 0, floats: { v: 4 } },
      { id: 4, parent: 0, floats: { v: Number.NaN } },
      { id: 5, parent: 0, ints: { v: -1 } },
      { id: 6, parent: 0, floats: { v: -1 } },
    ];
    for (const some of [spans, spans.toReversed()]) {
      const resultOf = (query: string) => setsOf(batchOf(...some), query).flatMap((set) => set.attributes);
      expect(resultOf("{} | min(span.v) < 100")).toEqual(["min(span.v)=int -1"]);
      expect(resultOf("{} | max(span.v) < 100")).toEqual(["max(span.v)=int 4"]);
      // All begin at once, so that the first is the one with the least id.
      const numbers = "{ span:id != `0000000000000004` }";
      expect(resultOf(`${numbers} | sum(span.v) < 100`)).toEqual(["sum(span.v)=float 3.5"]);
      expect(resultOf(`${numbers} | { span:id != \`0000000000000001\` } | sum(span.v) < 100`)).toEqual([
        "sum(span.v)=int 3",
      ]);
    }
  });

  test("promote numbers where they are compared", () => {
    expect(spansOf(batch(), "{} | count() > 2.5")).toEqual([[1, 2, 3]]);
    expect(spansOf(batch(), "{} | max(duration) = 31ns")).toEqual([[1, 2, 3]]);
    expect(spansOf(batch(), "{} | avg(span.n) = 1")).toEqual([[1, 2, 3]]);
    expect(spansOf(batch(), "{} | count() != 3")).toEqual([[4]]);
  });

  test("drop a set without values, whatever they are compared to", () => {
    expect(setsOf(batch(), "{} | sum(span.missing) = 0")).toEqual([]);
    expect(setsOf(batch(), "{ span.n = `no number` } | min(span.n) != 0")).toEqual([]);
    expect(setsOf(batch(), "{ span.missing = 1 } | count() = 0")).toEqual([]);
  });

  test("are all kept, a repeated one as well, and are not computed anew", () => {
    expect(setsOf(batch(), "{} | count() > 1 | { span.n > 0 } | count() = 1")).toEqual([
      { spans: [2], attributes: ["count()=int 3", "count()=int 1"] },
    ]);
  });
});

describe("SpanSetPipeline", () => {
  test("needs no more lists than are alive at once, however long a query is", () => {
    const spans = Array.from({ length: 4000 }, (_, i) => ({ id: i + 1, parent: i > 0 ? 1 : 0 }));
    const batch = batchOf(...spans);
    // At 16 KB a list, three that were lost in each stage would fill the arena.
    const stages = Array.from({ length: 1400 }, () => "(({} &> {}) && {} || {} !~ { false })");
    expect(setsOf(batch, `{} | ${stages.join(" | ")}`)[0]!.spans.length).toBe(4000);
  });
});
