import { describe, expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { BatchError, SpanBatch } from "./span_batch.ts";
import { attribute, field, fixed64, id, message, request, span, text, varintField } from "./wire_fixture.ts";

const TRACE_A = id(16, 0xa1);
const TRACE_B = id(16, 0x0b);

/** Local numbers of the ordered spans, as [name, left, right, parent]. */
function nested(batch: SpanBatch): [string, number, number, number][] {
  const { spans } = batch.order();
  const order = batch.u32(Column.OrderedSpan, spans);
  const names = batch.u32(Column.SpanName, batch.spans);
  const left = batch.i32(Column.NestedLeft, batch.spans);
  const right = batch.i32(Column.NestedRight, batch.spans);
  const parent = batch.i32(Column.NestedParent, batch.spans);
  return [...order].map((i) => [batch.string(names[i]!), left[i]!, right[i]!, parent[i]!]);
}

describe("SpanBatch.decode()", () => {
  test("counts spans and distinct traces", () => {
    const batch = SpanBatch.create();
    const added = batch.decode(
      request([
        span({ trace: TRACE_A, id: 1 }),
        span({ trace: TRACE_B, id: 2 }),
        span({ trace: TRACE_A, id: 3 }),
      ]),
      0,
    );
    expect([added, batch.spans, batch.traces]).toEqual([3, 3, 2]);
  });

  test("adds nothing of a malformed request", () => {
    const batch = SpanBatch.create();
    const good = request([span({ trace: TRACE_A, id: 1 })]);
    batch.decode(good, 0);
    const two = request([span({ trace: TRACE_B, id: 2 }), span({ trace: TRACE_B, id: 3 })]);
    expect(() => batch.decode(two.subarray(0, two.length - 1), 0)).toThrow(BatchError);
    expect(batch.spans).toBe(1);
    expect(batch.findTrace(TRACE_B)).toBeNull();
    expect(batch.order()).toEqual({ traces: 1, spans: 1 });
  });

  test("cuts keys and string values to the limit and counts the cuts by scope", () => {
    const batch = SpanBatch.create();
    const long = "x".repeat(30);
    batch.decode(
      request([span({ trace: TRACE_A, id: 1, fields: [field(9, attribute(long, text(1, long)))] })]),
      12,
    );
    expect(batch.string(batch.u32(Column.SpanAttrKey, 1)[0]!)).toBe("xxxxxxxxxxxx");
    expect(batch.string(Number(batch.u64(Column.SpanAttrValue, 1)[0]!))).toBe("xxxxxxxxxxxx");
    expect([batch.truncated("span"), batch.truncated("resource")]).toEqual([2, 0]);
  });

  test("cuts no character of UTF-8 in two", () => {
    const batch = SpanBatch.create();
    // 4 bytes of text, then characters of 2, 3 and 4 bytes; a limit of 12 ends inside the last one.
    const value = text(1, "abcdé€😀");
    const stray = field(1, new Uint8Array(20).fill(0x80));
    batch.decode(
      request([
        span({
          trace: TRACE_A,
          id: 1,
          fields: [field(9, attribute("a", value)), field(9, attribute("b", stray))],
        }),
      ]),
      12,
    );
    const values = [...batch.u64(Column.SpanAttrValue, 2)].map((v) => [...batch.stringBytes(Number(v))]);
    expect(Buffer.from(values[0]!).toString()).toBe("abcdé€");
    expect(values[1]).toEqual(new Array(12).fill(0x80));
  });

  test("takes equal resources once", () => {
    const batch = SpanBatch.create();
    const bytes = request([span({ trace: TRACE_A, id: 1 })], "shop");
    batch.decode(bytes, 0);
    batch.decode(bytes, 0);
    expect(batch.core.resourceCount!()).toBe(1);
    expect(batch.string(batch.u32(Column.ResourceService, 1)[0]!)).toBe("shop");
  });
});

describe("SpanBatch.findTrace()", () => {
  test("gives a span back with every field", () => {
    const original = message(
      field(1, TRACE_A),
      field(2, id(8, 7)),
      text(3, "state=1"),
      field(4, id(8, 6)),
      text(5, "GET /"),
      varintField(6, 2n),
      fixed64(7, 1_000n),
      fixed64(8, 5_000n),
      field(9, attribute("s", text(1, "v"))),
      field(9, attribute("b", varintField(2, 0n))),
      field(9, attribute("i", varintField(3, 0xffff_ffff_ffff_fffbn))),
      field(9, attribute("d", fixed64(4, 0x3ff8_0000_0000_0000n))),
      field(9, attribute("a", field(5, field(1, text(1, "x"))))),
      varintField(10, 1n),
      field(
        11,
        message(
          fixed64(1, 2_000n),
          text(2, "event"),
          field(3, attribute("k", text(1, "e"))),
          varintField(4, 2n),
        ),
      ),
      varintField(12, 3n),
      field(
        13,
        message(
          field(1, TRACE_B),
          field(2, id(8, 9)),
          text(3, "l"),
          field(4, attribute("k", text(1, "l"))),
          varintField(5, 4n),
        ),
      ),
      varintField(14, 5n),
      field(15, message(text(2, "bad"), varintField(3, 2n))),
    );
    const bytes = field(
      1,
      message(
        field(1, message(field(1, attribute("service.name", text(1, "shop"))), varintField(2, 6n))),
        field(2, message(field(1, message(text(1, "lib"), text(2, "1.0"))), field(2, original))),
      ),
    );
    const batch = SpanBatch.create();
    batch.decode(bytes, 0);
    // The writer puts fields in the order of their numbers, as the input has them: the bytes are the same.
    expect(Buffer.from(batch.findTrace(TRACE_A)!).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
  });

  test("gives a span that was sent twice back once", () => {
    const batch = SpanBatch.create();
    const two = request([
      span({ trace: TRACE_A, id: 1, name: "a" }),
      span({ trace: TRACE_A, id: 1, name: "b" }),
    ]);
    batch.decode(two, 0);
    const once = batch.findTrace(TRACE_A)!;
    batch.decode(two, 0);
    expect(Buffer.from(batch.findTrace(TRACE_A)!).equals(once)).toBe(true);
  });

  test("is null for a trace that is not there", () => {
    expect(SpanBatch.create().findTrace(TRACE_A)).toBeNull();
  });
});

describe("SpanBatch.order()", () => {
  test("sorts traces by id as unsigned bytes", () => {
    const batch = SpanBatch.create();
    batch.decode(
      request([
        span({ trace: TRACE_A, id: 1 }),
        span({ trace: TRACE_B, id: 2 }),
        span({ trace: id(16, 1), id: 3 }),
      ]),
      0,
    );
    const { traces } = batch.order();
    const ids = batch.u8(Column.TraceId, 48);
    expect([...batch.u32(Column.OrderedTrace, traces)].map((t) => ids[t * 16 + 15])).toEqual([1, 0x0b, 0xa1]);
  });

  test("numbers a tree depth first", () => {
    // a(b(d), c): a 1-8, b 2-5, d 3-4, c 6-7.
    const batch = SpanBatch.create();
    batch.decode(
      request([
        span({ trace: TRACE_A, id: 4, parent: 2, name: "d" }),
        span({ trace: TRACE_A, id: 1, name: "a" }),
        span({ trace: TRACE_A, id: 2, parent: 1, name: "b" }),
        span({ trace: TRACE_A, id: 3, parent: 1, name: "c" }),
      ]),
      0,
    );
    expect(nested(batch)).toEqual([
      ["d", 3, 4, 2],
      ["a", 1, 8, -1],
      ["b", 2, 5, 1],
      ["c", 6, 7, 1],
    ]);
  });

  test("leaves orphans, cycles and traces without a root at 0", () => {
    const batch = SpanBatch.create();
    batch.decode(
      request([
        span({ trace: TRACE_A, id: 1, name: "root" }),
        span({ trace: TRACE_A, id: 2, parent: 99, name: "orphan" }),
        span({ trace: TRACE_A, id: 3, parent: 4, name: "cycle" }),
        span({ trace: TRACE_A, id: 4, parent: 3, name: "cycle" }),
        span({ trace: TRACE_A, id: 5, parent: 5, name: "self" }),
      ]),
      0,
    );
    expect(nested(batch)).toEqual([
      ["root", 1, 2, -1],
      ["orphan", 0, 0, 0],
      ["cycle", 0, 0, 0],
      ["cycle", 0, 0, 0],
      ["self", 0, 0, 0],
    ]);
  });

  test("hangs children of a shared id under its server span, and the server span under the client's", () => {
    const [SERVER, CLIENT] = [2, 3];
    const batch = SpanBatch.create();
    batch.decode(
      request([
        span({ trace: TRACE_A, id: 1, name: "root" }),
        span({ trace: TRACE_A, id: 2, parent: 1, name: "client", kind: CLIENT }),
        span({ trace: TRACE_A, id: 2, parent: 2, name: "server", kind: SERVER }),
        span({ trace: TRACE_A, id: 3, parent: 2, name: "child" }),
      ]),
      0,
    );
    expect(nested(batch)).toEqual([
      ["root", 1, 8, -1],
      ["client", 2, 7, 1],
      ["server", 3, 6, 2],
      ["child", 4, 5, 3],
    ]);
  });

  test("leaves out a span that came twice and keeps one that differs", () => {
    const batch = SpanBatch.create();
    const twice = request([span({ trace: TRACE_A, id: 1, name: "a" })]);
    batch.decode(twice, 0);
    batch.decode(twice, 0);
    batch.decode(request([span({ trace: TRACE_A, id: 1, name: "b" })]), 0);
    expect(nested(batch).map(([name]) => name)).toEqual(["a", "b"]);
  });

  test("a span id three times leaves the whole trace unnumbered", () => {
    const batch = SpanBatch.create();
    batch.decode(request(["a", "b", "c"].map((name) => span({ trace: TRACE_A, id: 1, name }))), 0);
    expect(nested(batch).map(([, left]) => left)).toEqual([0, 0, 0]);
  });

  test("sums up bounds, root and service stats of a trace", () => {
    const batch = SpanBatch.create();
    batch.decode(
      request([span({ trace: TRACE_A, id: 1, name: "root", start: 100n, end: 900n })], "front"),
      0,
    );
    batch.decode(
      request(
        [
          span({
            trace: TRACE_A,
            id: 2,
            parent: 1,
            start: 50n,
            end: 950n,
            fields: [field(15, varintField(3, 2n))],
          }),
        ],
        "back",
      ),
      0,
    );
    batch.order();
    expect(batch.u64(Column.TraceStart, 1)[0]).toBe(50n);
    expect(batch.u64(Column.TraceEnd, 1)[0]).toBe(950n);
    expect(batch.string(batch.u32(Column.TraceRootService, 1)[0]!)).toBe("front");
    expect(batch.string(batch.u32(Column.TraceRootName, 1)[0]!)).toBe("root");
    const services = [...batch.u32(Column.StatsService, 2)].map((s) => batch.string(s));
    expect([services, [...batch.u32(Column.StatsSpans, 2)], [...batch.u32(Column.StatsErrors, 2)]]).toEqual([
      ["front", "back"],
      [1, 1],
      [0, 1],
    ]);
  });
});

test("reset() empties the batch and keeps it usable", () => {
  const batch = SpanBatch.create();
  for (let round = 0; round < 3; round++) {
    for (let i = 1; i <= 5000; i++)
      batch.decode(request([span({ trace: id(16, i), id: i, name: `n${i}` })]), 0);
    expect(batch.order()).toEqual({ traces: 5000, spans: 5000 });
    expect(batch.findTrace(id(16, 4321))).not.toBeNull();
    batch.reset();
    expect([batch.spans, batch.traces]).toEqual([0, 0]);
    expect(batch.findTrace(id(16, 4321))).toBeNull();
  }
});

test("reserveColumn() ends at the end of the address space, and does not begin again at its start", () => {
  const batch = SpanBatch.create();
  batch.decode(request([span({ trace: TRACE_A, id: 1 })]), 0);
  const gibibyte = 2 ** 30; // nothing of it is written to, so it costs no memory
  const columns = [Column.Scratch0, Column.Scratch1, Column.Scratch2];
  const addresses = columns.map((column) => batch.reserveColumn(column, gibibyte));
  expect(() => batch.reserveColumn(Column.Scratch3, gibibyte)).toThrow();
  // What still fits lies behind the others.
  expect(batch.reserveColumn(Column.Scratch4, 1 << 20)).toBeGreaterThan(Math.max(...addresses));
  expect(batch.findTrace(TRACE_A)).not.toBeNull();
});
