import { describe, expect, test } from "bun:test";
import { SpanBatch } from "../batch/span_batch.ts";
import { attribute, field, id, message, request, span, text, varintField } from "../batch/wire_fixture.ts";
import { InvalidRequest, Splitter } from "./splitter.ts";

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function refusal(bytes: Uint8Array): string {
  try {
    new Splitter(2).split(bytes);
  } catch (error) {
    if (error instanceof InvalidRequest) return `${error.reason}: ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe("Splitter.split()", () => {
  test("counts the rows of spans, attributes, events and links, however short they are", () => {
    const empty = new Uint8Array(0);
    const event = message(field(3, empty), field(3, empty));
    const link = field(4, empty);
    const fields = [field(9, empty), field(11, event), field(11, empty), field(13, link)];
    const bytes = request([span({ trace: id(16, 1), id: 1, fields }), span({ trace: id(16, 1), id: 2 })]);
    // By wasm/column_ids.ts: spans of 136 bytes, events of 24, links of 28, attributes of 13; one more is the resource's.
    expect(new Splitter(2).split(bytes).rowBytes).toBe(2 * 136 + 2 * 24 + 28 + 5 * 13);
  });

  test("keeps every trace whole in one part, with resource and scope", () => {
    const splitter = new Splitter(4);
    const spans = [];
    for (let i = 1; i <= 200; i++) spans.push(span({ trace: id(16, i % 50), id: i, name: `n${i}` }));
    // Trace id 0 is not valid: 50 becomes one of its own.
    const bytes = request(
      spans.map((s, i) => ((i + 1) % 50 ? s : span({ trace: id(16, 50), id: i + 1 }))),
      "shop",
    );
    const { spans: total, parts } = splitter.split(bytes);
    expect(total).toBe(200);
    const seen = new Map<number, number>();
    for (const [shard, part] of parts.entries()) {
      const batch = SpanBatch.create();
      expect(batch.decode(part!.request, 0)).toBe(part!.spans);
      for (let i = 1; i <= 50; i++) {
        if (!batch.findTrace(id(16, i))) continue;
        expect(seen.has(i)).toBe(false);
        seen.set(i, shard);
      }
      expect(batch.string(1)).toBe("service.name");
    }
    expect(seen.size).toBe(50);
    expect(parts.reduce((sum, part) => sum + part!.spans, 0)).toBe(200);
  });

  test("with one shard gives back the same bytes", () => {
    const bytes = request([span({ trace: id(16, 1), id: 1 }), span({ trace: id(16, 2), id: 2 })]);
    expect(Buffer.from(new Splitter(1).split(bytes).parts[0]!.request).equals(bytes)).toBe(true);
  });

  test("an empty request has no part", () => {
    expect(new Splitter(2).split(new Uint8Array())).toEqual({ spans: 0, rowBytes: 0, parts: [null, null] });
    expect(new Splitter(2).split(request([])).parts).toEqual([null, null]);
  });

  test.each([
    [
      "short trace id",
      { trace: id(8, 1), id: 1 },
      "invalid_trace_id: trace ids must be 128 bit, received 64 bits",
    ],
    [
      "zero trace id",
      { trace: id(16, 0), id: 1 },
      "invalid_trace_id: trace ids must be 128 bit, received 128 bits",
    ],
    [
      "zero span id",
      { trace: id(16, 1), id: 0 },
      "invalid_span_id: span ids must be 64 bit and not all zero, received 64 bits",
    ],
  ])("refuses a %s", (_, fixture, expected) => {
    expect(refusal(request([span({ trace: id(16, 9), id: 9 }), span(fixture)]))).toBe(expected);
  });

  test("says how many spans the refused request had", () => {
    const bad = [
      span({ trace: id(16, 1), id: 1 }),
      span({ trace: id(4, 1), id: 2 }),
      span({ trace: id(16, 1), id: 3 }),
    ];
    try {
      new Splitter(2).split(message(request(bad), request(bad)));
      expect.unreachable();
    } catch (error) {
      expect((error as InvalidRequest).spans).toBe(6);
    }
  });

  test("refuses damage at any depth", () => {
    const good = span({ trace: id(16, 1), id: 1 });
    const damaged = message(field(9, attribute("k", field(5, field(1, Uint8Array.of(0x0a, 0x05, 0x61))))));
    expect(refusal(request([message(good, damaged)]))).toBe("malformed: malformed ExportTraceServiceRequest");
    // kind as a string, the resource as a number
    expect(refusal(request([message(good, text(6, "SERVER"))]))).toStartWith("malformed");
    expect(refusal(field(1, varintField(1, 1n)))).toStartWith("malformed");
  });

  test("refuses values nested too deep", () => {
    let value = text(1, "x");
    for (let depth = 0; depth < 64; depth++) value = field(5, field(1, value));
    const at = (v: Uint8Array) =>
      request([message(span({ trace: id(16, 1), id: 1 }), field(9, attribute("k", v)))]);
    expect(refusal(at(value))).toBe("accepted");
    expect(refusal(at(field(5, field(1, value))))).toStartWith("malformed");
  });

  test("whatever it accepts decodes, and damaged bytes never do more than fail", () => {
    const next = random(7);
    const splitter = new Splitter(3);
    const base = request(
      [1, 2, 3].map((i) =>
        message(
          span({ trace: id(16, i), id: i, name: "name" }),
          field(9, attribute("key", text(1, "value"))),
          field(9, attribute("list", field(5, field(1, varintField(3, 5n))))),
          field(11, message(text(2, "event"), field(3, attribute("a", varintField(2, 1n))))),
          field(13, message(field(1, id(16, 9)), field(4, attribute("a", text(1, "b"))))),
          field(15, message(text(2, "message"), varintField(3, 2n))),
        ),
      ),
    );
    const batch = SpanBatch.create();
    let accepted = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = base.slice(0, round % 3 ? base.length : Math.floor(next() * base.length));
      for (let k = 0; k < 1 + next() * 3; k++)
        bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
      let parts: ReturnType<Splitter["split"]>["parts"];
      try {
        parts = splitter.split(bytes).parts;
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidRequest);
        continue;
      }
      accepted++;
      batch.reset();
      for (const part of parts) if (part) expect(batch.decode(part.request, 0)).toBe(part.spans);
      batch.order();
    }
    expect(accepted).toBeGreaterThan(100);
  });
});
