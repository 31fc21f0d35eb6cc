import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { attribute, field, fixed64, id, message, span, text, varintField } from "../batch/wire_fixture.ts";
import { parseIdentifier } from "../traceql/index.ts";
import { type ListedSpans, tagNamesOf, tagValuesOf } from "./tags_batch.ts";
import type { TagNamesQuery, ValueLists } from "./tags_lists.ts";

const all: ListedSpans = { spans: 0, stored: false };
const traceA = id(16, 0xa);
const traceB = id(16, 0xb);
const traceC = id(16, 0xc);

const string = (value: string): Uint8Array => text(1, value);
const bool = (value: boolean): Uint8Array => varintField(2, value ? 1n : 0n);
const int = (value: bigint): Uint8Array => varintField(3, BigInt.asUintN(64, value));
const double = (value: number): Uint8Array =>
  fixed64(4, new DataView(Float64Array.of(value).buffer).getBigUint64(0, true));
const array = (...elements: Uint8Array[]): Uint8Array =>
  field(5, message(...elements.map((element) => field(1, element))));
const kvlist = (key: string, value: Uint8Array): Uint8Array => field(6, field(1, attribute(key, value)));
const bytes = (...content: number[]): Uint8Array => field(7, Uint8Array.from(content));

const spanAttribute = (key: string, value: Uint8Array) => field(9, attribute(key, value));
const event = (name: string, ...attributes: Uint8Array[]) =>
  field(11, message(text(2, name), ...attributes.map((a) => field(3, a))));
const link = (...attributes: Uint8Array[]) =>
  field(13, message(field(1, traceB), field(2, id(8, 9)), ...attributes.map((a) => field(4, a))));
const statusMessage = (value: string) => field(15, text(2, value));

interface ScopeFixture {
  name?: string;
  version?: string;
  attributes?: Uint8Array[];
}

function request(resource: Uint8Array[], scope: ScopeFixture, spans: Uint8Array[]): Uint8Array {
  const scopeMessage = message(
    ...(scope.name ? [text(1, scope.name)] : []),
    ...(scope.version ? [text(2, scope.version)] : []),
    ...(scope.attributes ?? []).map((a) => field(3, a)),
  );
  const scopeSpans = message(field(1, scopeMessage), ...spans.map((s) => field(2, s)));
  return field(1, message(field(1, message(...resource.map((a) => field(1, a)))), field(2, scopeSpans)));
}

/** Two resources with a scope each; spans 0 to 2 are of the first, 3 of the second. */
function shop(): SpanBatch {
  const batch = SpanBatch.create();
  batch.decode(
    request(
      [
        attribute("service.name", string("cart")),
        attribute("region", string("eu")),
        attribute("cpu", int(4n)),
      ],
      { name: "lib/http", version: "1.2", attributes: [attribute("lang", string("go"))] },
      [
        span({
          trace: traceA,
          id: 1,
          name: "GET /",
          fields: [
            spanAttribute("http.method", string("GET")),
            spanAttribute("status", int(200n)),
            event("retry", attribute("attempt", int(2n))),
            event("exception", attribute("exception.type", string("E1"))),
          ],
        }),
        span({
          trace: traceA,
          id: 2,
          parent: 1,
          name: "SELECT",
          fields: [
            spanAttribute("http.method", string("POST")),
            spanAttribute("status", string("ok")),
            spanAttribute("region", string("inner")),
            link(attribute("reason", string("retry"))),
            statusMessage("failed"),
          ],
        }),
        span({
          trace: traceB,
          id: 3,
          parent: 7,
          name: "orphan",
          fields: [spanAttribute("status", double(0.5))],
        }),
      ],
    ),
    0,
  );
  batch.decode(
    request([attribute("region", string("us"))], {}, [
      span({ trace: traceC, id: 4, name: "tick", fields: [spanAttribute("blob", bytes(1, 2))] }),
    ]),
    0,
  );
  return batch;
}

/** The address of a byte for each span, as an evaluator gives it. */
function only(batch: SpanBatch, wanted: (span: number) => boolean): ListedSpans {
  const address = batch.reserveColumn(Column.Output, batch.spans);
  for (let i = 0; i < batch.spans; i++) batch.u8(Column.Output, batch.spans)[i] = wanted(i) ? 1 : 0;
  return { spans: address, stored: false };
}

const namesQuery = (scope: TagNamesQuery["scope"] = "none", bounds = {}): TagNamesQuery => ({
  scope,
  groups: null,
  limit: 0,
  bytesMax: 0,
  ...bounds,
});

function values(batch: SpanBatch, tag: string, listed = all, bounds = {}): ValueLists {
  const query = { attribute: parseIdentifier(tag), groups: null, limit: 0, bytesMax: 0, ...bounds };
  return tagValuesOf(batch, query, listed);
}

describe("tagNamesOf()", () => {
  test("lists the names of each scope, sorted, whatever type their values have", () => {
    expect(tagNamesOf(shop(), namesQuery(), all)).toEqual({
      resource: ["cpu", "region", "service.name"],
      instrumentation: ["lang"],
      span: ["blob", "http.method", "region", "status"],
      event: ["attempt", "exception.type"],
      link: ["reason"],
    });
  });

  test("lists one scope where only that is asked for", () => {
    expect(tagNamesOf(shop(), namesQuery("link"), all)).toEqual({ link: ["reason"] });
  });

  test("lists what the given spans have, with their resources, scopes, events and links", () => {
    const batch = shop();
    expect(
      tagNamesOf(
        batch,
        namesQuery(),
        only(batch, (i) => i === 3),
      ),
    ).toEqual({
      resource: ["region"],
      span: ["blob"],
    });
    expect(
      tagNamesOf(
        batch,
        namesQuery(),
        only(batch, (i) => i === 1 || i === 3),
      ),
    ).toEqual({
      resource: ["cpu", "region", "service.name"],
      instrumentation: ["lang"],
      span: ["blob", "http.method", "region", "status"],
      link: ["reason"],
    });
    expect(
      tagNamesOf(
        batch,
        namesQuery(),
        only(batch, () => false),
      ),
    ).toEqual({});
  });

  test("keeps the first of each scope, and one more so that lists can be joined", () => {
    expect(tagNamesOf(shop(), namesQuery("resource", { limit: 1 }), all)).toEqual({
      resource: ["cpu", "region"],
    });
    // "cpu", then "region" is 9 bytes in all.
    expect(tagNamesOf(shop(), namesQuery("resource", { bytesMax: 9 }), all)).toEqual({
      resource: ["cpu", "region", "service.name"],
    });
    expect(tagNamesOf(shop(), namesQuery("resource", { bytesMax: 8 }), all)).toEqual({
      resource: ["cpu", "region"],
    });
  });
});

describe("tagValuesOf()", () => {
  test("lists values by their type", () => {
    expect(values(shop(), "span.status")).toEqual({ string: ["ok"], int: ["200"], float: ["0.5"] });
    expect(values(shop(), "span.http.method")).toEqual({ string: ["GET", "POST"] });
    expect(values(shop(), "event.attempt")).toEqual({ int: ["2"] });
    expect(values(shop(), "link.reason")).toEqual({ string: ["retry"] });
    expect(values(shop(), "instrumentation.lang")).toEqual({ string: ["go"] });
    expect(values(shop(), "resource.cpu")).toEqual({ int: ["4"] });
    expect(values(shop(), "span.cpu")).toEqual({});
    expect(values(shop(), "span.nothing")).toEqual({});
  });

  test("lists spans' and resources' values of an attribute without scope", () => {
    expect(values(shop(), ".region")).toEqual({ string: ["eu", "inner", "us"] });
    expect(values(shop(), ".attempt")).toEqual({});
  });

  test("lists the values of given spans", () => {
    const batch = shop();
    expect(
      values(
        batch,
        ".region",
        only(batch, (i) => i === 3),
      ),
    ).toEqual({ string: ["us"] });
    expect(
      values(
        batch,
        "span.http.method",
        only(batch, (i) => i > 0),
      ),
    ).toEqual({ string: ["POST"] });
    expect(
      values(
        batch,
        "event.attempt",
        only(batch, (i) => i > 0),
      ),
    ).toEqual({});
  });

  test("prints numbers as queries spell them", () => {
    const batch = SpanBatch.create();
    const numbers = [int(-(2n ** 63n)), int(2n ** 63n - 1n), double(1), double(-0.25), double(1e300)];
    const odd = [double(Number.NaN), double(Number.NEGATIVE_INFINITY), bool(false), bool(true)];
    const fields = [...numbers, ...odd, string("")].map((value) => spanAttribute("n", value));
    batch.decode(request([], {}, [span({ trace: traceA, id: 1, fields })]), 0);
    expect(values(batch, "span.n")).toEqual({
      string: [""],
      int: ["-9223372036854775808", "9223372036854775807"],
      float: ["-0.25", "-Inf", "1.0", "1e+300", "NaN"],
      bool: ["false", "true"],
    });
  });

  test("lists the elements of arrays, and passes over what the language does not see", () => {
    const batch = SpanBatch.create();
    const fields = [
      array(string("b"), string("a")),
      array(string("a"), string("")),
      array(int(1n), int(-2n)),
      array(double(2)),
      array(bool(true)),
      array(),
      array(int(7n), string("mixed")),
      array(array(string("nested"))),
      array(string("beside nothing"), new Uint8Array(0)),
      kvlist("k", string("v")),
      bytes(1, 2),
      new Uint8Array(0),
    ].map((value) => spanAttribute("a", value));
    batch.decode(request([], {}, [span({ trace: traceA, id: 1, fields })]), 0);
    expect(values(batch, "span.a")).toEqual({
      string: ["", "a", "b"],
      int: ["-2", "1"],
      float: ["2.0"],
      bool: ["true"],
    });
    expect(tagNamesOf(batch, namesQuery(), all)).toEqual({ span: ["a"] });
  });

  test("lists intrinsics that are texts", () => {
    const batch = shop();
    expect(values(batch, "name")).toEqual({ string: ["GET /", "SELECT", "orphan", "tick"] });
    expect(values(batch, "statusMessage")).toEqual({ string: ["", "failed"] });
    expect(values(batch, "event:name")).toEqual({ string: ["exception", "retry"] });
    expect(values(batch, "instrumentation:name")).toEqual({ string: ["", "lib/http"] });
    expect(values(batch, "instrumentation:version")).toEqual({ string: ["", "1.2"] });
    expect(
      values(
        batch,
        "event:name",
        only(batch, (i) => i > 0),
      ),
    ).toEqual({});
    expect(
      values(
        batch,
        "name",
        only(batch, (i) => i > 1),
      ),
    ).toEqual({ string: ["orphan", "tick"] });
    expect(values(batch, "duration")).toEqual({});
    expect(values(batch, "trace:id")).toEqual({});
  });

  test("lists roots: of the traces that a given span is in, and an empty text for a trace without root", () => {
    const batch = shop();
    expect(values(batch, "rootName")).toEqual({ string: ["", "GET /", "tick"] });
    expect(values(batch, "rootServiceName")).toEqual({ string: ["", "cart"] });
    expect(
      values(
        batch,
        "rootName",
        only(batch, (i) => i === 1),
      ),
    ).toEqual({ string: ["GET /"] });
    expect(
      values(
        batch,
        "rootName",
        only(batch, (i) => i === 2),
      ),
    ).toEqual({ string: [""] });
  });

  test("takes an empty service.name for none, as blocks do", () => {
    const batch = SpanBatch.create();
    for (const service of ["", "a"]) {
      batch.decode(
        request([attribute("service.name", string(service))], {}, [span({ trace: traceA, id: 1 })]),
        0,
      );
    }
    expect(values(batch, "resource.service.name")).toEqual({ string: ["a"] });
    expect(values(batch, ".service.name")).toEqual({ string: ["a"] });
  });

  test("shows bytes that are no UTF-8 as one text", () => {
    const batch = SpanBatch.create();
    const fields = [0xff, 0xfe].map((byte) => spanAttribute("s", field(1, Uint8Array.of(0x61, byte))));
    batch.decode(request([], {}, [span({ trace: traceA, id: 1, fields })]), 0);
    expect(values(batch, "span.s")).toEqual({ string: ["a\ufffd"] });
  });
});

describe("listing a batch equals a plain listing", () => {
  const keys = ["a", "b", "é", "😀", "service.name"];
  const scalar = fc.oneof(
    fc
      .string({ unit: "grapheme", maxLength: 4 })
      .map((value) => ({ type: "string", value, wire: string(value) })),
    fc
      .bigInt({ min: -3n, max: 3n })
      .map((value) => ({ type: "int", value: String(value), wire: int(value) })),
    fc.boolean().map((value) => ({ type: "bool", value: String(value), wire: bool(value) })),
    fc
      .constantFrom(0.5, -1.25)
      .map((value) => ({ type: "float", value: String(value), wire: double(value) })),
  );
  const attributes = fc.array(fc.tuple(fc.constantFrom(...keys), scalar), { maxLength: 5 });
  const model = fc.record({
    resource: attributes,
    scope: attributes,
    spans: fc.array(
      fc.record({
        attributes,
        events: fc.array(attributes, { maxLength: 2 }),
        links: fc.array(attributes, { maxLength: 2 }),
        wanted: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  });
  type Attributes = typeof attributes extends fc.Arbitrary<infer Value> ? Value : never;
  const wire = (list: Attributes) => list.map(([key, { wire }]) => attribute(key, wire));
  /** Lists of UTF-8 in the order of its bytes. */
  const sorted = (texts: Iterable<string>) =>
    [...new Set(texts)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

  test("for all spans and for some", () => {
    fc.assert(
      fc.property(fc.array(model, { minLength: 1, maxLength: 4 }), fc.boolean(), (requests, filtered) => {
        const batch = SpanBatch.create();
        const wanted: boolean[] = [];
        const owned: Record<string, Attributes> = {
          resource: [],
          instrumentation: [],
          span: [],
          event: [],
          link: [],
        };
        let number = 1;
        for (const { resource, scope, spans } of requests) {
          const messages = spans.map((s) => {
            wanted.push(s.wanted);
            const fields = [
              ...wire(s.attributes).map((a) => field(9, a)),
              ...s.events.map((e) => event("e", ...wire(e))),
              ...s.links.map((l) => link(...wire(l))),
            ];
            if (s.wanted || !filtered) {
              owned.resource!.push(...resource);
              owned.instrumentation!.push(...scope);
              owned.span!.push(...s.attributes);
              owned.event!.push(...s.events.flat());
              owned.link!.push(...s.links.flat());
            }
            return span({ trace: id(16, 1 + (number % 3)), id: number++, fields });
          });
          batch.decode(request(wire(resource), { attributes: wire(scope) }, messages), 0);
        }
        const listed = filtered ? only(batch, (i) => wanted[i]!) : all;
        const names: Record<string, string[]> = {};
        for (const [owner, list] of Object.entries(owned)) {
          if (list.length > 0) names[owner] = sorted(list.map(([key]) => key));
        }
        expect(tagNamesOf(batch, namesQuery(), listed)).toEqual(names);
        for (const key of keys) {
          for (const owner of [...Object.keys(owned), "none"]) {
            const lists = owner === "none" ? [...owned.span!, ...owned.resource!] : owned[owner]!;
            const own = lists.filter(([name]) => name === key).map(([, value]) => value);
            const expected: Record<string, string[]> = {};
            for (const type of ["string", "int", "float", "bool"]) {
              const texts = sorted(
                own.filter((value) => value.type === type).map(({ value }) => value),
              ).filter(
                (value) =>
                  value !== "" || key !== "service.name" || (owner !== "resource" && owner !== "none"),
              );
              if (texts.length > 0) expected[type] = texts;
            }
            const scope = owner as "none" | "span";
            const position = { offset: 0, line: 1, column: 1 };
            const target = { kind: "attribute", parent: false, scope, name: key, position } as const;
            const query = { attribute: target, groups: null, limit: 0, bytesMax: 0 };
            expect(tagValuesOf(batch, query, listed)).toEqual(expected);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
