import { describe, expect, test } from "bun:test";
import { SpanBatch } from "../batch/span_batch.ts";
import {
  attribute,
  field,
  fixed64,
  id,
  message,
  request,
  span,
  text,
  varintField,
} from "../batch/wire_fixture.ts";
import { type FieldExpression, parse, type SpansetFilter, validate } from "../traceql/index.ts";
import { Evaluator } from "./evaluate.ts";
import { planSearch, type SearchPlan } from "./plan.ts";

const traceA = id(16, 0xa);
const traceB = id(16, 0xb);

const string = (value: string): Uint8Array => text(1, value);
const bool = (value: boolean): Uint8Array => varintField(2, value ? 1n : 0n);
const int = (value: bigint): Uint8Array => varintField(3, BigInt.asUintN(64, value));
const double = (value: number): Uint8Array =>
  fixed64(4, new DataView(Float64Array.of(value).buffer).getBigUint64(0, true));
const array = (...elements: Uint8Array[]): Uint8Array =>
  field(5, message(...elements.map((element) => field(1, element))));
const kvlist = (): Uint8Array => field(6, field(1, attribute("k", int(1n))));

type Attributes = Record<string, Uint8Array>;

interface EventFixture {
  name?: string;
  /** ns after the start of the span. */
  after?: bigint;
  attributes?: Attributes;
}

interface Fixture {
  trace?: Uint8Array;
  parent?: number;
  name?: string;
  kind?: number;
  status?: number;
  start?: bigint;
  end?: bigint;
  attributes?: Attributes;
  events?: EventFixture[];
  links?: { trace: Uint8Array; span: Uint8Array; attributes?: Attributes }[];
}

const start = 1_000_000n;

function keyValues(number: number, attributes: Attributes = {}): Uint8Array[] {
  return Object.entries(attributes).map(([key, value]) => field(number, attribute(key, value)));
}

interface Around {
  resource?: Attributes;
  scope?: { name: string; attributes?: Attributes };
}

/** Spans of one resource and scope. They are called by their place, from 1, which is also their id. */
function batchOf(spans: Fixture[], { resource, scope }: Around = {}): SpanBatch {
  const spanBytes = spans.map((one, i) =>
    span({
      trace: one.trace ?? traceA,
      id: i + 1,
      parent: one.parent,
      name: one.name,
      kind: one.kind,
      start: one.start ?? start,
      end: one.end ?? one.start ?? start,
      fields: [
        ...keyValues(9, one.attributes),
        ...(one.events ?? []).map(({ name = "", after = 0n, attributes }) =>
          field(
            11,
            message(fixed64(1, (one.start ?? start) + after), text(2, name), ...keyValues(3, attributes)),
          ),
        ),
        ...(one.links ?? []).map((link) =>
          field(13, message(field(1, link.trace), field(2, link.span), ...keyValues(4, link.attributes))),
        ),
        ...(one.status ? [field(15, varintField(3, BigInt(one.status)))] : []),
      ],
    }),
  );
  const scopeBytes = message(...(scope ? [text(1, scope.name), ...keyValues(3, scope.attributes)] : []));
  const batch = SpanBatch.create();
  batch.decode(
    field(
      1,
      message(
        field(1, message(...keyValues(1, resource))),
        field(2, message(field(1, scopeBytes), ...spanBytes.map((bytes) => field(2, bytes)))),
      ),
    ),
    0,
  );
  batch.order();
  return batch;
}

function planOf(condition: string): SearchPlan {
  const query = parse(`{ ${condition} }`);
  validate(query);
  return planSearch(query);
}

function filterOf({ stages }: SearchPlan): FieldExpression {
  return (stages[0] as SpansetFilter).expression;
}

/** Numbers of the spans that a filter keeps. */
function kept(batch: SpanBatch, condition: string): number[] {
  const plan = planOf(condition);
  const evaluator = new Evaluator(batch, plan, false);
  return spansOf(evaluator, evaluator.truths(filterOf(plan)));
}

function spansOf(evaluator: Evaluator, truth: number): number[] {
  return Array.from({ length: evaluator.spans }, (_, i) => i).flatMap((i) =>
    evaluator.reader.type(truth, i) === 1 ? [i + 1] : [],
  );
}

/** Every condition with what it keeps. */
function expectKept(batch: SpanBatch, cases: Record<string, number[]>): void {
  for (const [condition, spans] of Object.entries(cases)) {
    expect([condition, ...kept(batch, condition)]).toEqual([condition, ...spans]);
  }
}

const of = (key: string, ...values: (Uint8Array | null)[]): Fixture[] =>
  values.map((value) => (value === null ? {} : { attributes: { [key]: value } }));

describe("comparisons with a literal", () => {
  test("see values of the literal's own type", () => {
    expectKept(batchOf(of("x", int(1n), double(1), string("1"), bool(true), null, kvlist())), {
      "span.x = 1": [1],
      "span.x != 2": [1],
      "span.x = 1.0": [2],
      "span.x != 2.0": [2],
      'span.x = "1"': [3],
      'span.x != "2"': [3],
      'span.x =~ ".*"': [3],
      "span.x = true": [4],
      "span.x != false": [4],
      "span.x = 1ns": [],
      "span.x = ok": [],
      "span.x != ok": [],
      "span.x + 0 = 1.0": [1, 2],
    });
  });

  test("of whole numbers are exact to the last bit", () => {
    const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
    expectKept(batchOf(of("x", int(least), int(-1n), int(0n), int(most - 1n), int(most))), {
      "span.x = minInt": [1],
      "span.x = maxInt": [5],
      "span.x < maxInt": [1, 2, 3, 4],
      "span.x >= 9223372036854775806": [4, 5],
      "span.x < 0": [1, 2],
      "0 > span.x": [1, 2],
      "-1 <= span.x": [2, 3, 4, 5],
    });
  });

  test("of floats follow IEEE", () => {
    const floats = [Number.NaN, Number.POSITIVE_INFINITY, -0, 0.1, 1e308];
    expectKept(batchOf(of("x", ...floats.map(double))), {
      "span.x = 0.0": [3],
      "span.x > 1.0": [2, 5],
      "span.x < 0.2": [3, 4],
      "span.x != 0.1": [1, 2, 3, 5],
      "span.x = span.x": [2, 3, 4, 5],
    });
  });

  test("order strings by their bytes", () => {
    expectKept(
      batchOf(of("x", string(""), string("a"), string("ab"), string("b"), string("é"), string("😀"))),
      {
        'span.x < "ab"': [1, 2],
        'span.x <= "ab"': [1, 2, 3],
        'span.x > "b"': [5, 6],
        'span.x > "é"': [6],
        'span.x = ""': [1],
        'span.x >= ""': [1, 2, 3, 4, 5, 6],
        '"b" < span.x': [5, 6],
        'span.x = "none of them"': [],
        'span.x != "none of them"': [1, 2, 3, 4, 5, 6],
      },
    );
  });

  test("match patterns as a whole", () => {
    expectKept(batchOf(of("x", string("a"), string("ab"), string("b\nc"), string("A"), int(1n))), {
      'span.x =~ "a"': [1],
      'span.x =~ "a|b"': [1],
      'span.x =~ "a.*"': [1, 2],
      'span.x =~ "b.c"': [3],
      'span.x =~ "(?i)a"': [1, 4],
      'span.x !~ "a.*"': [3, 4],
      'span.x =~ ""': [],
      'span.x =~ "a" || span.x =~ "b.*"': [1, 3],
      'span.x !~ "a" && span.x !~ "A"': [2, 3],
    });
  });

  test("of intrinsics promote numbers, durations as nanoseconds", () => {
    const batch = batchOf([{ end: start + 1n }, { end: start + 2_000_000n }, { end: start - 1n }]);
    expectKept(batch, {
      "duration > 1ms": [2],
      "duration = 2ms": [2],
      "duration = 1": [1],
      "duration < 1.5": [1, 3],
      "duration < 0s": [3],
      "duration + 1 > 2000000": [2],
    });
  });

  test("of status and kind know equality alone, and codes that have no name", () => {
    const batch = batchOf([{ status: 2, kind: 2 }, { status: 1, kind: 3 }, { kind: 9 }]);
    expectKept(batch, {
      "status = error": [1],
      "status != error": [2, 3],
      "status = unset": [3],
      "kind = server": [1],
      "kind != client": [1, 3],
      "kind = client || kind = server": [1, 2],
      "status = status": [1, 2, 3],
    });
  });

  test("take the ends of vectors as they are: 16 spans are worked on at once", () => {
    for (const count of [0, 1, 15, 16, 17, 31, 32, 33]) {
      const all = Array.from({ length: count }, (_, i) => i + 1);
      const odd = all.filter((n) => n % 2 === 1);
      const batch = batchOf(
        all.map((n) => ({ status: n % 2 === 1 ? 2 : 0, attributes: { n: int(BigInt(n)) } })),
      );
      expectKept(batch, {
        "status = error": odd,
        "!(status = error)": all.filter((n) => n % 2 === 0),
        "status = error && span.n > 0": odd,
        "status = error || span.n = 2": all.filter((n) => n % 2 === 1 || n === 2),
        "span.n != nil": all,
        "span.n = nil": [],
        true: all,
        false: [],
      });
    }
  });
});

describe("values that are missing", () => {
  test("compare with nothing, not even by !=", () => {
    expectKept(batchOf(of("x", string("a"), null)), {
      'span.x != "b"': [1],
      "span.x != span.y": [],
      "span.y = span.z": [],
      '!(span.x = "a")': [2],
      'span.y !~ "a"': [],
      "span.x = nil": [2],
      "span.x != nil": [1],
      "!(span.x != nil)": [2],
    });
  });

  test("are also lists without elements, of several types, and key-value lists", () => {
    expectKept(batchOf(of("x", array(), array(int(1n), string("a")), kvlist(), array(int(1n)), string(""))), {
      "span.x != nil": [4, 5],
    });
  });

  test("are no bool: what is joined with them is false, from the left two at a time", () => {
    expectKept(batchOf([{ attributes: { t: bool(true), f: bool(false), n: int(1n) } }]), {
      "span.t": [1],
      "span.f": [],
      "span.n": [],
      "span.t || span.missing": [],
      "span.missing || true": [],
      "span.missing || span.t || span.t": [1],
      "span.t || span.t || span.missing": [],
      "span.t && span.n": [],
      "!span.f": [1],
      "!span.n": [],
      "!span.missing": [],
      "!(!span.t)": [1],
      "!(!span.missing)": [],
      "!(!span.n)": [],
    });
  });

  test("alone in a filter are those of spans that have others", () => {
    const batch = batchOf([{ attributes: { a: int(1n) } }, { attributes: { b: int(1n) } }, {}], {
      resource: { r: int(1n) },
      scope: { name: "lib" },
    });
    const evaluator = new Evaluator(batch, planOf("true"), false);
    const absent = (scope: "span" | "resource" | "instrumentation" | "none", name: string) => {
      const at = { line: 1, column: 1, offset: 0 };
      const truth = evaluator.truthsOfAbsence({
        kind: "attribute",
        parent: false,
        scope,
        name,
        position: at,
      });
      return spansOf(evaluator, truth);
    };
    expect(absent("span", "a")).toEqual([2]);
    expect(absent("resource", "a")).toEqual([1, 2, 3]);
    expect(absent("resource", "r")).toEqual([]);
    expect(absent("instrumentation", "a")).toEqual([]); // the scope has no attributes
    expect(absent("none", "a")).toEqual([2, 3]);
  });
});

describe("attributes", () => {
  const around = {
    resource: { x: string("resource"), only: int(1n) },
    scope: { name: "lib", attributes: { x: int(7n) } },
  };

  test("without a scope are the span's, of whatever type, or else its resource's", () => {
    expectKept(batchOf(of("x", string("span"), int(1n), null), around), {
      '.x = "span"': [1],
      '.x = "resource"': [3],
      ".x = 1": [2],
      ".only = 1": [1, 2, 3],
      'resource.x = "resource"': [1, 2, 3],
      "instrumentation.x = 7": [1, 2, 3],
      "span.only = nil": [1, 2, 3],
    });
  });

  test("may be called as intrinsics are", () => {
    const batch = batchOf([
      { name: "n", attributes: { name: string("attribute"), duration: int(5n), status: string("ok") } },
    ]);
    expectKept(batch, {
      '.name = "attribute"': [1],
      'name = "n"': [1],
      "span.duration = 5": [1],
      'span.status = "ok"': [1],
      "status = ok": [],
    });
  });

  test("compare with each other by what they are", () => {
    const batch = batchOf([
      { attributes: { a: int(1n), b: double(1) } },
      { attributes: { a: int(1n), b: string("1") } },
      { attributes: { a: string("x"), b: string("x") } },
      { attributes: { a: array(string("x"), string("y")), b: string("x") } },
      { attributes: { a: bool(true), b: bool(true) } },
    ]);
    expectKept(batch, {
      "span.a = span.b": [1, 3, 4, 5],
      "span.a != span.b": [],
      "span.b = span.a": [1, 3, 4, 5],
      "span.a <= span.b": [1, 3, 4],
      "span.a < span.b": [],
      "span.b < span.a": [4],
    });
  });
});

describe("arithmetic", () => {
  test("of ints wraps, truncates, and is no number where it divides by zero", () => {
    const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
    expectKept(batchOf(of("x", int(7n), int(-7n), int(0n), int(least), int(most))), {
      "span.x + 1 = minInt": [5],
      "span.x - 1 = maxInt": [4],
      "span.x / 2 = 3": [1],
      "span.x / 2 = -3": [2],
      "span.x % 4 = -3": [2],
      "span.x / -1 = minInt": [4],
      "span.x % -1 = 0": [1, 2, 3, 4, 5],
      "7 / span.x = 1": [1],
      "7 / span.x != 1": [2, 4, 5],
      "-span.x = 7": [2],
      "-span.x = minInt": [4],
      "span.x ^ 2 = 49": [1, 2],
      "span.x ^ -1 = 0": [],
    });
  });

  test("with floats, and of durations, gives floats", () => {
    const batch = batchOf([{ end: start + 3n, attributes: { i: int(2n), f: double(0.5), s: string("2") } }]);
    expectKept(batch, {
      "span.i + span.f = 2.5": [1],
      "span.i * 1.5 = 3": [1],
      "span.f / 0 > 1e300": [1],
      "duration + duration = 6": [1],
      "duration / 2 = 1.5": [1],
      "span.i + span.s > 0": [],
      "span.i + span.missing > 0": [],
      "span.i + 1 + span.i = 5": [1],
      "span.i = 2 && span.i + 1 = 3 && span.i = 2": [1], // what was computed is not kept for what was loaded
    });
  });
});

describe("arrays", () => {
  test("fit where an element does", () => {
    const batch = batchOf(
      of(
        "x",
        array(string("a"), string("b")),
        array(string("a")),
        array(int(1n), int(5n)),
        array(bool(true)),
        array(double(2)),
      ),
    );
    expectKept(batch, {
      'span.x = "a"': [1, 2],
      'span.x =~ "b.*"': [1],
      'span.x > "a"': [1],
      "span.x < 2": [3],
      "span.x = true": [4],
      "span.x = 2.0": [5],
      "span.x = 2": [],
      'span.x = "a" || span.x = "c"': [1, 2],
    });
  });

  test("fit a negative where all elements do of those that the query sees", () => {
    const batch = batchOf(of("x", array(string("a"), string("b")), array(string("a")), array(string("b"))));
    expectKept(batch, {
      'span.x != "a"': [1, 3], // of the first, b alone is seen
      'span.x !~ "a.*"': [1, 3],
      'span.x != "a" && span.x != "b"': [],
      'span.x != "a" && span.x != nil': [3], // all is seen
      '!(span.x = "a")': [3],
    });
  });
});

describe("events and links", () => {
  const batch = () =>
    batchOf([
      {
        events: [
          { name: "e", after: 5n, attributes: { a: int(1n) } },
          { name: "f", after: 9n, attributes: { a: int(2n), b: int(2n) } },
        ],
      },
      { events: [{ name: "e", attributes: { a: int(1n), b: int(2n) } }] },
      { links: [{ trace: traceB, span: id(8, 0x0a01), attributes: { a: int(1n) } }] },
      {},
    ]);

  test("hold for a span of which one does", () => {
    expectKept(batch(), {
      "event.a = 1": [1, 2],
      'event:name = "f"': [1],
      'event:name != "e"': [1],
      "event.a != 1": [1],
      "!(event.a = 1)": [3, 4],
      "event:timeSinceStart > 5ns": [1],
      "event.b != nil": [1, 2],
      "event.c != nil": [],
      "link.a = 1": [3],
      "link.a != nil": [3],
      'link:traceID = "b"': [3],
      'link:spanID = "0000000000000a01"': [3],
      'link:spanID =~ "0+a.*"': [3],
      'link:spanID != "0000000000000a01"': [],
    });
  });

  test("joined by && hold for one and the same, by || for any", () => {
    expectKept(batch(), {
      "event.a = 1 && event.b = 2": [2],
      'event:name = "f" && event.a = 2 && event.b != nil': [1],
      "event.a = 1 || event.b = 2": [1, 2],
      "event.a = 1 && (event.b = 2 || event:timeSinceStart = 5ns)": [1, 2],
      "event.a = 1 && link.a = 1": [],
      "event.a = 1 && status = unset": [1, 2],
    });
  });

  test("give an expression the first one that fits", () => {
    expectKept(batch(), {
      "event.a + 1 = 2": [1, 2],
      "event.b + 0 = 2": [1, 2],
      "event.a = 2 && event.a + 0 = 2": [1],
    });
  });
});

describe("ids", () => {
  test("are texts: of traces without leading zeros, of spans with them", () => {
    const batch = batchOf([{}, { parent: 1 }, { trace: traceB }]);
    expectKept(batch, {
      'trace:id = "a"': [1, 2],
      'trace:id = "000a"': [1, 2],
      'trace:id != "a"': [3],
      'trace:id =~ "[ab]"': [1, 2, 3],
      'trace:id = "A"': [],
      'trace:id != "no id"': [1, 2, 3],
      'span:id = "0000000000000002"': [2],
      'span:id = "2"': [],
      'span:id != "2"': [1, 2, 3],
      'span:id =~ "0+[12]"': [1, 2],
      'span:parentID = "0000000000000000"': [1, 3],
      "span:parentID = span:id": [],
      'trace:id < "b"': [],
    });
  });
});

describe("lists of numbers", () => {
  test("see what a comparison with each of them does", () => {
    const batch = batchOf(
      of("x", int(1n), int(-2n), int(3n), double(1), double(-0), double(Number.NaN), string("1"), null),
    );
    expectKept(batch, {
      "span.x = 1 || span.x = -2 || span.x = 7": [1, 2],
      "span.x != 1 && span.x != -2": [3],
      "span.x = 1.0 || span.x = 0.0": [4, 5],
      "span.x != 1.0 && span.x != 0.0": [6],
    });
  });

  test("see the elements of arrays", () => {
    const batch = batchOf(
      of("x", array(int(1n), int(5n)), array(int(5n), int(6n)), array(double(1), double(2)), array()),
    );
    expectKept(batch, {
      "span.x = 1 || span.x = 2": [1],
      "span.x = 2.0 || span.x = 7.0": [3],
    });
  });
});

describe("ids of all kinds", () => {
  const batch = () =>
    batchOf([
      { attributes: { s: string("0000000000000001"), list: array(string("x"), string("0000000000000001")) } },
      { parent: 1, attributes: { s: string("2"), n: int(2n) }, links: [{ trace: traceA, span: id(8, 1) }] },
      {
        trace: traceB,
        parent: 5,
        attributes: { s: string("b") },
        links: [{ trace: id(8, 0xb), span: id(4, 3) }],
      },
      { trace: traceB, links: [{ trace: traceB, span: id(9, 3) }] },
    ]);

  test("compare with each other, and with strings, as texts", () => {
    expectKept(batch(), {
      "span.s = span:id": [1],
      "span.s != span:id": [2, 3],
      "span.s = trace:id": [3],
      "span.n = span:id": [],
      "span.n != span:id": [],
      "span.list = span:id": [1],
      "span.list != span:id": [],
      "span:id = span:id": [1, 2, 3, 4],
      "span:id != span:id": [],
      "span:parentID < span:id": [1, 2, 4],
      "span:parentID >= span:id": [3],
      "trace:id = trace:id": [1, 2, 3, 4],
      "span:id < trace:id": [1, 2, 3, 4],
      "span:id > trace:id": [],
      "link:traceID = trace:id": [2, 3, 4],
      "link:spanID = span:id": [3],
    });
  });

  test("of links are of any length", () => {
    expectKept(batch(), {
      'link:traceID = "b"': [3, 4],
      'link:traceID != "b"': [2],
      'link:traceID = "00b"': [],
      'link:traceID != "00b"': [2, 3, 4],
      'link:traceID =~ "[ab]"': [2, 3, 4],
      'link:spanID = "0000000000000003"': [3],
      'link:spanID != "0000000000000003"': [2, 4],
      'link:spanID = "000000000000000003"': [4],
      'link:spanID = "3"': [],
      'link:spanID !~ ".*3"': [2],
    });
  });

  test("are matched by what takes a whole regular expression engine", () => {
    expectKept(batch(), {
      "span:id =~ `0+[13]\\b`": [1, 3],
      "span:id !~ `0+[13]\\b`": [2, 4],
      "trace:id =~ `b\\b`": [3, 4],
    });
  });
});

describe("attributes with the same key", () => {
  const twice = (key: string, ...values: Uint8Array[]): Uint8Array =>
    span({
      trace: traceA,
      id: 1,
      fields: values.map((value) => field(9, attribute(key, value))),
    });
  const keeps = (bytes: Uint8Array, condition: string): boolean => {
    const batch = SpanBatch.create();
    batch.decode(request([bytes]), 0);
    batch.order();
    return kept(batch, condition).length > 0;
  };

  test("count by the last one", () => {
    expect(keeps(twice("x", string("a"), string("b")), 'span.x = "b"')).toBe(true);
    expect(keeps(twice("x", int(1n), double(2)), "span.x = 2.0")).toBe(true);
    expect(keeps(twice("x", int(1n), double(2)), "span.x = 1")).toBe(false);
  });

  test("count by what a block has in a column of its own, if it may have one", () => {
    for (const values of [
      [string("a"), int(1n)],
      [int(1n), string("a")],
    ]) {
      expect(keeps(twice("http.method", ...values), 'span.http.method = "a"')).toBe(true);
      expect(keeps(twice("http.method", ...values), "span.http.method = 1")).toBe(false);
      expect(keeps(twice("http.status_code", ...values), "span.http.status_code = 1")).toBe(true);
      expect(keeps(twice("http.status_code", ...values), '.http.status_code = "a"')).toBe(false);
    }
  });
});

describe("what belongs to the trace", () => {
  test("is the same for all of its spans", () => {
    const batch = batchOf([
      { name: "root", end: start + 5n },
      { parent: 1, start: start + 10n, end: start + 30n },
      { trace: traceB, parent: 9 },
    ]);
    expectKept(batch, {
      "traceDuration = 30ns": [1, 2],
      'rootName = "root"': [1, 2],
      'rootName = ""': [3],
      "span:childCount = 1": [1],
      "nestedSetParent = -1": [1],
      "nestedSetParent = 1": [2],
      "nestedSetLeft = 0": [3],
      "nestedSetLeft + nestedSetRight = 5": [1, 2],
    });
  });
});

describe("Evaluator", () => {
  test("has results show what fits a condition, and of arrays the elements that do", () => {
    const batch = batchOf(of("x", array(string("a"), string("b")), string("b"), string("c"), int(1n)));
    const plan = planOf('span.x = "a" || span.x = "b" || span.y = nil');
    const evaluator = new Evaluator(batch, plan, false);
    const { attribute: x } = plan.loads.get("span.x")!;
    expect(spansOf(evaluator, evaluator.shown(x)!)).toEqual([1, 2]);
    const blob = Number(evaluator.reader.word(evaluator.values(x).at, evaluator.spans, 0));
    const decoder = new TextDecoder();
    const elements = evaluator.shownElements(x, blob).map((element) => decoder.decode(element as Uint8Array));
    expect(elements).toEqual(["a", "b"]);
    expect(spansOf(evaluator, evaluator.shown(plan.loads.get("span.y")!.attribute)!)).toEqual([]);
    expect(new Evaluator(batch, planOf("span.x != nil"), false).shown(x)).toBe(null);
  });

  test("gives back what it has used: a query of any length needs what is alive at once", () => {
    const batch = batchOf(
      Array.from({ length: 4000 }, (_, n) => ({ attributes: { n: int(BigInt(n)), s: string("x") } })),
    );
    const plan = planOf(
      'span.n * 2 + span.n > 5 && (span.n = span.s || !(span.s =~ "x.*")) || -span.n < 3 && event.a = nil',
    );
    const expression = filterOf(plan);
    const evaluator = new Evaluator(batch, plan, false);
    const truth = evaluator.truths(expression);
    const spans = spansOf(evaluator, truth);
    evaluator.giveTruth(truth);
    // At 36 KB a vector, one that was lost each time would fill the arena.
    for (let i = 0; i < 2000; i++) evaluator.giveTruth(evaluator.truths(expression));
    expect(spansOf(evaluator, evaluator.truths(expression))).toEqual(spans);
  });

  test("keeps of what it has loaded no more than there is room for", () => {
    const names = Array.from({ length: 20 }, (_, i) => `a${i}`);
    const one = span({ trace: traceA, id: 1, fields: names.map((key) => field(9, attribute(key, int(1n)))) });
    const batch = SpanBatch.create();
    const request100 = request(Array.from({ length: 100 }, () => one));
    for (let i = 0; i < 4000; i++) batch.decode(request100, 0);
    // At 3.6 MB a vector, twenty of them would fill the arena.
    const condition = names.map((name) => `span.${name} + 0 = 1`).join(" && ");
    const plan = planOf(condition);
    const evaluator = new Evaluator(batch, plan, false);
    const truth = evaluator.truths(filterOf(plan));
    expect(evaluator.reader.types(truth, evaluator.spans).every((one) => one === 1)).toBe(true);
  });

  test("adds nothing to the batch that it looks at", () => {
    const batch = batchOf(of("x", string("a")));
    const { spans, dataBytes } = batch;
    kept(batch, 'span.unknown = "also unknown" || resource.other =~ "new.*"');
    expect([batch.spans, batch.dataBytes]).toEqual([spans, dataBytes]);
  });

  test("takes literals of every type on either side", () => {
    const batch = batchOf([{ status: 2, kind: 3, attributes: { a: int(3n), s: string("x") } }]);
    expectKept(batch, {
      "3 = span.a": [1],
      '"x" = span.s': [1],
      '"y" != span.s': [1],
      "error = status": [1],
      "client = kind": [1],
      "2.5 < duration + 3": [1],
      "nil != span.a": [1],
    });
  });
});
