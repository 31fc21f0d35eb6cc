import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { listed, peerJson, sourceOf, type TestSpan, traceBytes } from "./otlp_peer.ts";
import { combineTraces, TraceTooLarge } from "./trace_combine.ts";
import { WireError } from "./wire.ts";

const golden = new URL("../../../shared/fixtures/tempo-blocks/", import.meta.url).pathname;
const haveGolden = existsSync(golden);
if (!haveGolden) console.warn("trace_combine.test: golden blocks are missing, their cases are skipped");

const noLimit = { bytesMax: 0, allowPartial: false };
const combine = (...sources: Uint8Array[]): string[] => listed(combineTraces(sources, noLimit).trace);
const id = (n: number): string => n.toString(16).padStart(16, "0");
const server = 2;
const client = 3;

describe("combineTraces()", () => {
  test("gives nothing for no sources", () => {
    expect(combineTraces([], noLimit)).toEqual({
      trace: new Uint8Array(0),
      spans: 0,
      partial: false,
      startNanos: Number.POSITIVE_INFINITY,
      endNanos: 0,
    });
    expect(combineTraces([new Uint8Array(0)], noLimit).trace.length).toBe(0);
  });

  test("leaves a single source as it is, repeats and order included", () => {
    const source = sourceOf({
      b: [{ id: id(2), start: 5 }],
      a: [
        { id: id(1), start: 1 },
        { id: id(2), start: 5 },
        { id: id(2), start: 5 },
      ],
    });
    const combined = combineTraces([new Uint8Array(0), source], noLimit);
    expect(combined.trace).toBe(source);
    expect(combined.spans).toBe(4);
  });

  test("knows when the trace started and ended", () => {
    const source = sourceOf({
      a: [
        { id: id(1) },
        { id: id(2), start: 3_000_000_000n, end: 4_000_000_000n },
        { id: id(3), start: 2_000_000_000n, end: 1n },
      ],
    });
    const { startNanos, endNanos } = combineTraces([source], noLimit);
    expect([startNanos, endNanos]).toEqual([2e9, 4e9]);
  });

  test("keeps the first of spans with equal id and kind, and spans that differ in kind", () => {
    const first = sourceOf({ a: [{ id: id(1), name: "one", kind: 1, start: 1 }] });
    const second = sourceOf({
      a: [
        { id: id(1), name: "again", kind: 1, start: 1 },
        { id: id(1), name: "other kind", kind: 4, start: 2 },
        { id: id(2), name: "two", kind: 1, start: 3 },
      ],
    });
    expect(combine(first, second)).toEqual([
      `a one ${id(1)} -`,
      `a other kind ${id(1)} -`,
      `a two ${id(2)} -`,
    ]);
  });

  test("drops resources and scopes that are left without spans", () => {
    const first = sourceOf({ a: [{ id: id(1), start: 1 }] });
    const second = sourceOf({ gone: [{ id: id(1), start: 1 }], b: [{ id: id(2), start: 2 }] });
    const trace = peerJson(combineTraces([first, second], noLimit).trace) as { resourceSpans: unknown[] };
    expect(trace.resourceSpans.length).toBe(2);
    expect(JSON.stringify(trace)).not.toContain("gone");
  });

  test("sorts spans by start and id, scopes and resources by their first span", () => {
    const first = sourceOf({
      late: [{ id: id(9), start: 50 }],
      b: [
        { id: id(5), start: 20 },
        { id: id(4), start: 20 },
      ],
    });
    const second = sourceOf({
      a: [
        { id: id(7), start: 30 },
        { id: id(6), start: 10 },
      ],
      b: [{ id: id(3), start: 2n ** 40n }],
    });
    expect(combine(first, second)).toEqual([
      `a ${id(6)} ${id(6)} -`,
      `a ${id(7)} ${id(7)} -`,
      `b ${id(4)} ${id(4)} -`,
      `b ${id(5)} ${id(5)} -`,
      `b ${id(3)} ${id(3)} -`,
      `late ${id(9)} ${id(9)} -`,
    ]);
  });

  test("merges resources and scopes that are equal, schema URLs included", () => {
    const part = (span: number, scopes: [string, string][]): Uint8Array =>
      traceBytes({
        resourceSpans: [
          {
            resource: { attributes: [{ key: "k", value: { intValue: "1" } }] },
            schemaUrl: "r",
            scopeSpans: scopes.map(([name, schemaUrl], i) => ({
              scope: { name },
              schemaUrl,
              spans: [
                {
                  spanId: Buffer.from(id(span + i), "hex").toString("base64"),
                  startTimeUnixNano: span + i,
                  status: {},
                },
              ],
            })),
          },
        ],
      });
    const combined = combineTraces(
      [
        part(1, [["x", "s"]]),
        part(2, [
          ["x", "s"],
          ["x", "t"],
          ["y", "s"],
        ]),
      ],
      noLimit,
    );
    const { resourceSpans } = peerJson(combined.trace) as unknown as {
      resourceSpans: {
        schemaUrl: string;
        scopeSpans: { scope: { name: string }; schemaUrl: string; spans: unknown[] }[];
      }[];
    };
    expect(resourceSpans.map((each) => each.schemaUrl)).toEqual(["r"]);
    expect(
      resourceSpans[0]!.scopeSpans.map((each) => [each.scope.name, each.schemaUrl, each.spans.length]),
    ).toEqual([
      ["x", "s", 2],
      ["x", "t", 1],
      ["y", "s", 1],
    ]);
  });

  test("adds the resource, scope and status that a sender left out", () => {
    const bare = traceBytes({
      resourceSpans: [{ scopeSpans: [{ spans: [{ spanId: "AQIDBAUGBwg=", name: "bare" }] }] }],
    });
    const whole = {
      resourceSpans: [
        {
          resource: {},
          scopeSpans: [{ scope: {}, spans: [{ spanId: "AQIDBAUGBwg=", name: "bare", status: {} }] }],
        },
      ],
    };
    expect(peerJson(combineTraces([bare], noLimit).trace)).toEqual(whole);
    expect(peerJson(combineTraces([bare, bare], noLimit).trace)).toEqual(whole);
  });

  test("takes spans without a proper id as different", () => {
    const odd = traceBytes({
      resourceSpans: [{ scopeSpans: [{ spans: [{ name: "none" }, { spanId: "AQI=", name: "short" }] }] }],
    });
    expect(combineTraces([odd, odd], noLimit).spans).toBe(4);
  });

  test("malformed sources are a WireError", () => {
    expect(() => combineTraces([Uint8Array.of(0x0a, 4, 0x12, 9, 0, 0)], noLimit)).toThrow(WireError);
    const numberAsSpanId = [0x0a, 6, 0x12, 4, 0x12, 2, 0x10, 1];
    expect(() => combineTraces([Uint8Array.from(numberAsSpanId)], noLimit)).toThrow(WireError);
  });
});

describe("size limit", () => {
  const spans = Array.from({ length: 10 }, (_, i) => ({ id: id(i + 1), start: i + 1 }));
  const source = sourceOf({ a: spans });

  test("is no matter below it, and an error beyond it", () => {
    expect(combineTraces([source], { bytesMax: source.length, allowPartial: false }).spans).toBe(10);
    const tooLarge = (): unknown => combineTraces([source, source], { bytesMax: 200, allowPartial: false });
    expect(tooLarge).toThrow(TraceTooLarge);
    expect(tooLarge).toThrow("trace exceeds max size (max bytes: 200)");
  });

  test("repeats do not count", () => {
    expect(
      combineTraces([source, source, source], { bytesMax: source.length, allowPartial: false }).spans,
    ).toBe(10);
  });

  test("a partial trace stops after the span that crosses it", () => {
    const size = (count: number): number => sourceOf({ a: spans.slice(0, count) }).length;
    const combined = combineTraces([source, sourceOf({ b: spans })], {
      bytesMax: size(4) + 1,
      allowPartial: true,
    });
    expect(combined.partial).toBe(true);
    expect(listed(combined.trace)).toEqual(spans.slice(0, 5).map((span) => `a ${span.id} ${span.id} -`));
    expect(combineTraces([source], { bytesMax: 1, allowPartial: true }).spans).toBe(1);
    expect(combineTraces([source], { bytesMax: source.length, allowPartial: true }).partial).toBe(false);
  });
});

describe("shared span ids", () => {
  test("the server's end becomes a child of the client's and takes its children over", () => {
    const source = sourceOf({
      shop: [
        { id: id(0xaa), name: "root", kind: server },
        { id: id(0xbb), parent: id(0xaa), name: "call", kind: client },
      ],
      cart: [
        { id: id(0xbb), parent: id(0xaa), name: "serve", kind: server },
        { id: id(0xcc), parent: id(0xbb), name: "work", kind: 1 },
      ],
    });
    expect(combine(source)).toEqual([
      `shop root ${id(0xaa)} -`,
      `shop call ${id(0xbb)} ${id(0xaa)}`,
      `cart serve ${id(1)} ${id(0xbb)}`,
      `cart work ${id(0xcc)} ${id(1)}`,
    ]);
  });

  test("fresh ids are the smallest that no span has", () => {
    const source = sourceOf({
      a: [
        { id: id(1), kind: client },
        { id: id(2), kind: client, parent: id(1) },
        { id: id(1), kind: server },
        { id: id(2), kind: server, parent: id(1) },
        { id: id(4), kind: 1, parent: id(2) },
      ],
    });
    expect(combine(source).map((span) => span.split(" ").slice(2).join(" "))).toEqual([
      `${id(1)} -`,
      `${id(2)} ${id(3)}`,
      `${id(3)} ${id(1)}`,
      `${id(5)} ${id(2)}`,
      `${id(4)} ${id(5)}`,
    ]);
  });

  test("the two ends may come from different sources, and other kinds keep the id", () => {
    const one = sourceOf({ a: [{ id: id(0xbb), name: "call", kind: client, start: 1 }] });
    const two = sourceOf({
      b: [
        { id: id(0xbb), name: "serve", kind: server, start: 2 },
        { id: id(0xbb), name: "take", kind: 5, start: 3 },
      ],
    });
    expect(combine(one, two)).toEqual([
      `a call ${id(0xbb)} -`,
      `b serve ${id(1)} ${id(0xbb)}`,
      `b take ${id(0xbb)} -`,
    ]);
    expect(combine(two, one)).toEqual(combine(one, two));
  });
});

describe.skipIf(!haveGolden)("golden inputs", () => {
  for (const id of ["22220000000000000000000000000004", "22220000000000000000000000000005"])
    test(`shared ids of ${id} come out as Tempo's`, () => {
      const traceId = Buffer.from(id, "hex").toString("base64");
      const sent = peerJson(
        readFileSync(`${golden}inputs/rich/02-structure.otlp.pb`),
      ) as unknown as SentSpans;
      for (const resource of sent.resourceSpans)
        for (const scope of resource.scopeSpans)
          scope.spans = scope.spans.filter((span) => span.traceId === traceId);
      const answers = JSON.parse(readFileSync(`${golden}expected/vParquet4/rich.json`, "utf8")) as Answer[];
      const expected = listed(traceBytes(answers.find((each) => each.name === `trace-${id}`)!.body.trace));
      expect(expected.some((span) => span.includes("0000000000000001"))).toBe(true);
      expect(combine(traceBytes(sent)).map(withoutService)).toEqual(expected.map(withoutService));
    });
});

interface SentSpans {
  resourceSpans: { scopeSpans: { spans: { traceId: string }[] }[] }[];
}

interface Answer {
  name: string;
  body: { trace: unknown };
}

/** A block puts service.name behind the other attributes, so `listed` may show another one first. */
function withoutService(listedSpan: string): string {
  return listedSpan.slice(listedSpan.indexOf(" "));
}

describe("properties", () => {
  const span = fc.record({
    id: fc.integer({ min: 1, max: 12 }).map(id),
    parent: fc.option(fc.integer({ min: 1, max: 14 }).map(id), { nil: undefined }),
    kind: fc.constantFrom(1, 4, 5),
    service: fc.constantFrom("a", "b", "c"),
  });
  // Equal tokens are equal spans here, as they are when a span is stored twice.
  const whole = (each: { id: string; kind: number; service: string; parent?: string }): TestSpan => ({
    id: each.id,
    kind: each.kind,
    name: `${each.id}/${each.kind}`,
    start: Number.parseInt(each.id, 16) % 5,
  });
  const source = fc.array(span, { minLength: 1, maxLength: 10 }).map((spans) => {
    const services: Record<string, TestSpan[]> = {};
    for (const each of spans) {
      const service = each.id < id(6) ? "low" : "high";
      services[service] = [...(services[service] ?? []), whole(each)];
    }
    return sourceOf(services);
  });

  test("neither the order of the sources nor repeating them changes the answer", () => {
    fc.assert(
      fc.property(fc.array(source, { minLength: 2, maxLength: 5 }), (sources) => {
        const once = combine(...sources);
        expect(new Set(once).size).toBe(once.length);
        expect(combine(...sources.toReversed())).toEqual(once);
        expect(combine(...sources, ...sources)).toEqual(once);
        const all = new Set(sources.flatMap((each) => listed(each)));
        expect(new Set(once)).toEqual(all);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test("mutated bytes give a trace or a WireError", () => {
    const seed = sourceOf({
      a: [
        { id: id(1), kind: server },
        { id: id(1), kind: client, parent: id(2) },
      ],
      b: [{ id: id(3), start: 9 }],
    });
    const change = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(change, fc.boolean(), (changes, twice) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          const { trace, spans } = combineTraces(twice ? [bytes, seed] : [bytes], noLimit);
          expect(combineTraces([trace], noLimit).spans).toBe(spans);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { seed: 4, numRuns: 3000 },
    );
  });

  test("a hundred thousand spans in overlapping sources are each there once", () => {
    const count = 100_000;
    const part = (from: number, to: number): Uint8Array =>
      sourceOf({
        a: Array.from({ length: to - from }, (_, i) => ({
          id: id(from + i + 1),
          name: "n",
          start: count - from - i,
        })),
      });
    const combined = combineTraces([part(0, 60_000), part(40_000, count), part(10_000, 90_000)], noLimit);
    expect(combined.spans).toBe(count);
    const spans = listed(combined.trace);
    expect(spans.length).toBe(count);
    expect(spans[0]).toBe(`a n ${id(count)} -`);
    expect(spans.at(-1)).toBe(`a n ${id(1)} -`);
  });
});
