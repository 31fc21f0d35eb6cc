import { expect, test } from "bun:test";
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
import type { DedicatedColumn } from "./dedicated.ts";
import {
  batchOf,
  defaultOptions,
  MemoryStore,
  type Row,
  readMetadata,
  readRows,
  write,
} from "./encode_fixture.ts";
import { BlockWriteError, writeBlock } from "./write.ts";

const second = 1_000_000_000n;
const start = 1_700_000_000n * second;

function doubleField(number: number, value: number): Uint8Array {
  return fixed64(number, new BigUint64Array(Float64Array.of(value).buffer)[0]!);
}

/** An AnyValue that holds an array of these. */
function array(...values: Uint8Array[]): Uint8Array {
  return field(5, message(...values.map((value) => field(1, value))));
}

test("writeBlock() refuses a batch without spans", async () => {
  await expect(write(SpanBatch.create())).rejects.toBeInstanceOf(BlockWriteError);
});

test("writeBlock() of one bare span gives one row, with empty lists and null columns", async () => {
  const block = await write(batchOf([request([span({ trace: id(16, 0x1a), id: 2 })], "")]));
  const [row, ...rest] = await readRows(block.data);
  expect(rest).toEqual([]);
  expect(row.TraceIDText).toBe("1a");
  expect(row.TraceID).toEqual(id(16, 0x1a));
  expect(row.ServiceStats).toEqual({ "": { SpanCount: 1, ErrorCount: 0 } });
  const [{ Resource, ss }] = row.rs;
  expect([Resource.ServiceName, Resource.Attrs, Resource.Cluster]).toEqual(["", [], null]);
  const [{ Spans }] = ss;
  expect(Spans.length).toBe(1);
  expect([Spans[0].ParentID, Spans[0].NestedSetLeft, Spans[0].NestedSetRight]).toEqual([-1, 1, 2]);
  expect([Spans[0].Attrs, Spans[0].Events, Spans[0].Links]).toEqual([[], [], []]);
  expect([Spans[0].ParentSpanID.length, Spans[0].HttpStatusCode]).toEqual([0, null]);
  // Times of zero are covered by the meta, too.
  expect([block.meta.startTime, block.meta.endTime]).toEqual([
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
  ]);
});

test("writeBlock() maps every type of attribute value", async () => {
  const attributes: [string, Uint8Array][] = [
    ["string", text(1, "a")],
    ["bool", varintField(2, 1n)],
    ["int", varintField(3, 2n ** 64n - 5n)],
    ["double", doubleField(4, -0.5)],
    ["nan", doubleField(4, Number.NaN)],
    ["strings", array(text(1, "x"), text(1, ""), text(1, "x"))],
    ["ints", array(varintField(3, 1n), varintField(3, 2n))],
    ["doubles", array(doubleField(4, 1.5))],
    ["bools", array(varintField(2, 0n), varintField(2, 1n), varintField(2, 1n))],
    ["none", array()],
    ["mixed", array(text(1, "x"), varintField(3, 1n))],
    ["nested", array(array(text(1, "x")))],
    ["map", field(6, field(1, attribute("k", varintField(3, 7n))))],
    ["bytes", field(7, Uint8Array.of(0, 255))],
    ["absent", message()],
    ["string", text(1, "b")],
  ];
  const fields = attributes.map(([key, value]) => field(9, attribute(key, value)));
  const spans = [span({ trace: id(16, 1), id: 1, fields }), span({ trace: id(16, 1), id: 2, parent: 1 })];
  const rows = await readRows((await write(batchOf([request(spans)]))).data);
  const [first, other] = rows[0].rs[0].ss[0].Spans;
  expect(other.Attrs).toEqual([]);
  const value = (overrides: Row) => ({
    IsArray: false,
    Value: [],
    ValueInt: [],
    ValueDouble: [],
    ValueBool: [],
    ValueUnsupported: null,
    ...overrides,
  });
  expect(first.Attrs).toEqual(
    [
      { Key: "string", Value: ["a"] },
      { Key: "bool", ValueBool: [true] },
      { Key: "int", ValueInt: [-5n] },
      { Key: "double", ValueDouble: [-0.5] },
      { Key: "nan", ValueDouble: [Number.NaN] },
      { Key: "strings", IsArray: true, Value: ["x", "", "x"] },
      { Key: "ints", IsArray: true, ValueInt: [1n, 2n] },
      { Key: "doubles", IsArray: true, ValueDouble: [1.5] },
      { Key: "bools", IsArray: true, ValueBool: [false, true, true] },
      { Key: "none", IsArray: true },
      { Key: "mixed", ValueUnsupported: '{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"1"}]}}' },
      {
        Key: "nested",
        ValueUnsupported: '{"arrayValue":{"values":[{"arrayValue":{"values":[{"stringValue":"x"}]}}]}}',
      },
      { Key: "map", ValueUnsupported: '{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"7"}}]}}' },
      { Key: "bytes", ValueUnsupported: '{"bytesValue":"AP8="}' },
      { Key: "absent", ValueUnsupported: "{}" },
      { Key: "string", Value: ["b"] },
    ].map(value),
  );
});

test("writeBlock() puts attributes into their columns by key and type, and the last of two counts", async () => {
  const fields = [
    field(9, attribute("http.status_code", text(1, "200"))),
    field(9, attribute("http.status_code", varintField(3, 201n))),
    field(9, attribute("http.method", text(1, "GET"))),
    field(9, attribute("http.method", text(1, "PUT"))),
    field(9, attribute("http.method", varintField(3, 1n))),
    field(9, attribute("url.path", text(1, "/a"))),
  ];
  const rows = await readRows(
    (
      await write(
        batchOf([
          request([span({ trace: id(16, 1), id: 1, fields }), span({ trace: id(16, 1), id: 2, parent: 1 })]),
        ]),
      )
    ).data,
  );
  const [first, other] = rows[0].rs[0].ss[0].Spans;
  expect([first.HttpMethod, first.HttpStatusCode, first.DedicatedAttributes.String02]).toEqual([
    "PUT",
    201n,
    "/a",
  ]);
  expect([other.HttpMethod, other.HttpStatusCode, other.DedicatedAttributes.String02]).toEqual([
    null,
    null,
    null,
  ]);
  expect(first.Attrs.map((attr: Row) => [attr.Key, attr.Value, attr.ValueInt])).toEqual([
    ["http.status_code", ["200"], []],
    ["http.method", [], [1n]],
  ]);
});

test("writeBlock() merges resources that differ in the order of their attributes only", async () => {
  const resource = (...attributes: Uint8Array[]) => message(...attributes.map((a) => field(1, a)));
  const a = attribute("a", text(1, "1"));
  const b = attribute("b", varintField(3, 2n));
  const of = (content: Uint8Array, spanId: number) =>
    field(
      1,
      message(
        field(1, content),
        field(2, field(2, span({ trace: id(16, 1), id: spanId, start: start + BigInt(spanId) }))),
      ),
    );
  const noService = attribute("service.name", text(1, ""));
  const batch = batchOf([
    message(
      of(resource(a, b), 1),
      of(resource(b, a), 2),
      of(resource(a, noService, b), 3),
      of(resource(a, a, b), 4),
    ),
  ]);
  const [row] = await readRows((await write(batch)).data);
  expect(row.rs.map(({ ss }: Row) => ss.map(({ Spans }: Row) => Spans.length))).toEqual([[3], [1]]);
  expect(row.rs[0].Resource.Attrs.map(({ Key }: Row) => Key)).toEqual(["a", "b"]);
});

test("writeBlock() leaves the dictionary out where most of many values differ", async () => {
  const spans: Uint8Array[] = [];
  for (let i = 1; i <= 5000; i++) {
    const fields = [
      field(9, attribute("http.url", text(1, `https://shop.example/orders/${i}`))),
      field(9, attribute("url.path", text(1, `/orders/${i % 4000}`))),
      field(9, attribute(`key.${i}`, text(1, "v"))),
    ];
    spans.push(span({ trace: id(16, Math.ceil(i / 7)), id: i, start: start + BigInt(i), fields }));
  }
  const block = await write(batchOf([request(spans)]));
  const chunks = readMetadata(block.data).row_groups[0]!.columns;
  const hasDictionary = (end: string) =>
    chunks.find(({ meta_data }) => meta_data!.path_in_schema.join(".").endsWith(end))!.meta_data!
      .dictionary_page_offset !== undefined;
  expect(hasDictionary(".HttpUrl")).toBe(false);
  // 4000 distinct values are few enough.
  expect(hasDictionary("Spans.list.element.DedicatedAttributes.String02")).toBe(true);
  // Keys are listed from the dictionary.
  expect(hasDictionary("Spans.list.element.Attrs.list.element.Key")).toBe(true);
  const rows = await readRows(block.data);
  const urls = rows.flatMap((row) =>
    row.rs.flatMap(({ ss }: Row) =>
      ss.flatMap(({ Spans }: Row) => Spans.map(({ HttpUrl }: Row) => HttpUrl as string)),
    ),
  );
  expect(urls.length).toBe(5000);
  expect(urls[4999]).toBe("https://shop.example/orders/5000");
});

test("writeBlock() pauses, and queries between its slices do no harm", async () => {
  const spans: Uint8Array[] = [];
  for (let i = 1; i <= 3000; i++) {
    const fields = [
      field(9, attribute("n", varintField(3, BigInt(i)))),
      field(9, attribute("s", text(1, `${i}`))),
    ];
    spans.push(span({ trace: id(16, Math.ceil(i / 3)), id: i, start: start + BigInt(i), fields }));
  }
  const calm = await write(batchOf([request(spans)]));
  const batch = batchOf([request(spans)]);
  let pauses = 0;
  const store = new MemoryStore();
  await writeBlock(batch, store, defaultOptions, async () => {
    pauses++;
    expect(batch.findTrace(id(16, 1 + (pauses % 1000)))!.length).toBeGreaterThan(0);
  });
  expect(pauses).toBeGreaterThan(0);
  const path = [...store.objects.keys()].find((name) => name.endsWith("data.parquet"))!;
  expect(store.objects.get(path)).toEqual(calm.data);
});

/** Deletes objects in the moment before the meta is written, or after it. */
class SweptStore extends MemoryStore {
  constructor(
    readonly when: "before" | "after",
    readonly names: readonly string[],
  ) {
    super();
  }
  override async write(path: string, bytes: Uint8Array): Promise<void> {
    const isMeta = path.endsWith("/meta.json");
    if (isMeta && this.when === "before") this.#sweep();
    await super.write(path, bytes);
    if (isMeta && this.when === "after") this.#sweep();
  }
  #sweep(): void {
    for (const path of this.objects.keys())
      if (this.names.some((name) => path.endsWith(name))) this.objects.delete(path);
  }
}

test("writeBlock() fails if others have removed its objects before there was a meta, not if they were merged after", async () => {
  const batch = () => batchOf([request([span({ trace: id(16, 1), id: 2 })])]);
  const swept = new SweptStore("before", ["data.parquet", "index"]);
  await expect(writeBlock(batch(), swept, defaultOptions, async () => {})).rejects.toThrow(
    "has been removed",
  );
  const merged = new SweptStore("after", ["data.parquet", "index", "meta.json"]);
  await writeBlock(batch(), merged, defaultOptions, async () => {});
});

test("writeBlock() leaves attributes where they are for which there are no more columns", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `n${i}`);
  const fields = names.map((name) => field(9, attribute(name, text(1, name))));
  const dedicatedColumns = names.map(
    (name): DedicatedColumn => ({ scope: "span", name, type: "string", options: [] }),
  );
  const batch = batchOf([request([span({ trace: id(16, 1), id: 1, fields })])]);
  const { data } = await write(batch, { dedicatedColumns });
  const [one] = (await readRows(data))[0].rs[0].ss[0].Spans;
  expect(one.DedicatedAttributes.String10).toBe("n9");
  expect(one.Attrs.map(({ Key }: Row) => Key)).toEqual(["n10", "n11"]);
});
