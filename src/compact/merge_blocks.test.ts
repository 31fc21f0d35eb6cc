import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  batchOf,
  dedicatedOf,
  defaultOptions,
  fixtures,
  haveFixtures,
  inputs,
  type Row,
  readMetadata,
  readRows,
} from "../block/encode_fixture.ts";
import { type BlockMeta, blockVersions, parseMeta } from "../block/meta.ts";
import { BlockReader } from "../block/read.ts";
import { writeBlock, writeMeta } from "../block/write.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { blockOf, mergeOptions, type SpanOf, spanTexts } from "./compact_fixture.ts";
import { type MergeOptions, mergeBlocks } from "./merge_blocks.ts";

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function merge(store: MemoryStore, metas: BlockMeta[], options: Partial<MergeOptions> = {}) {
  const blockId = crypto.randomUUID();
  const merged = await mergeBlocks(store, metas, { ...mergeOptions, ...options, blockId }, async () => {});
  return { ...merged, data: store.objects.get(`t/${blockId}/data.parquet`)!.bytes };
}

const dataOf = (store: MemoryStore, { blockID }: BlockMeta) =>
  store.objects.get(`t/${blockID}/data.parquet`)!.bytes;

test("mergeBlocks() of random blocks is the union of their spans, in row groups that ascend", async () => {
  for (let seed = 1; seed <= 15; seed++) {
    const random = seeded(seed * 7919);
    const below = (n: number) => Math.floor(random() * n);
    const store = new MemoryStore();
    const metas: BlockMeta[] = [];
    const traces = 1 + below(300);
    for (let block = 0; block < 1 + below(6); block++) {
      const spans: SpanOf[] = Array.from({ length: 1 + below(400) }, () => {
        const trace = 1 + below(traces);
        // Few numbers, so that spans repeat within and between blocks.
        const span = 1 + below(20);
        return {
          trace,
          span,
          parent: below(3) === 0 ? 0 : 1 + below(20),
          service: `s${span % 3}`,
          second: span % 5,
        };
      });
      const version = blockVersions[seed % 3]!;
      const written = {
        version,
        rowGroupBytesMax: 500 * 2 ** below(8),
        pageBytesMax: 64 << below(8),
      } as const;
      metas.push(await blockOf(store, spans, written));
    }
    const expected = new Set<string>();
    for (const meta of metas)
      for (const one of spanTexts(await readRows(dataOf(store, meta)))) expected.add(one);
    const rowGroupSpansMax = 16 << below(8);
    const { meta, data, spans } = await merge(store, metas, {
      rowGroupSpansMax,
      pageBytesMax: 64 << below(12),
    });
    const rows = await readRows(data);
    expect({ seed, spans: spanTexts(rows).sort() }).toEqual({ seed, spans: [...expected].sort() });
    expect(spans).toBe(expected.size);
    const ids = rows.map((row) => row.TraceIDText.padStart(32, "0"));
    expect(ids).toEqual([...new Set(ids)].sort());
    const groups = readMetadata(data).row_groups;
    expect(meta).toMatchObject({ totalObjects: ids.length, totalRecords: groups.length, size: data.length });
    if (rowGroupSpansMax < expected.size / 4) expect(groups.length).toBeGreaterThan(1);
    // Every id is found, through bloom filters and indexes.
    await writeMeta(store, meta);
    const reader = await BlockReader.open(store, meta);
    for (const id of ids) expect(await reader.findTrace(Buffer.from(id, "hex"))).not.toBeNull();
  }
});

test("mergeBlocks() counts anew what is said of a trace that lay in two blocks", async () => {
  const store = new MemoryStore();
  const metas = [
    await blockOf(store, [{ trace: 1, span: 2, parent: 1, service: "b", second: 1 }]),
    await blockOf(store, [
      { trace: 1, span: 1, name: "root", service: "a" },
      { trace: 1, span: 3, parent: 2, service: "b", second: 2 },
    ]),
  ];
  const { data } = await merge(store, metas);
  const [row, ...others] = await readRows(data);
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    RootServiceName: "a",
    RootSpanName: "root",
    DurationNano: 2_000_001_000n,
    ServiceStats: { a: { SpanCount: 1, ErrorCount: 0 }, b: { SpanCount: 2, ErrorCount: 0 } },
  });
  const nested = row.rs
    .flatMap(({ ss }: { ss: { Spans: Record<string, unknown>[] }[] }) => ss.flatMap(({ Spans }) => Spans))
    .map((span: Record<string, unknown>) => [
      (span.SpanID as Uint8Array)[7],
      span.NestedSetLeft,
      span.NestedSetRight,
      span.ParentID,
    ])
    .sort();
  expect(nested).toEqual([
    [1, 1, 6, -1],
    [2, 2, 5, 1],
    [3, 3, 4, 2],
  ]);
});

test("mergeBlocks() refuses what it cannot merge, and names the block", async () => {
  const store = new MemoryStore();
  const good = await blockOf(store, [{ trace: 1, span: 1 }]);
  const other = await blockOf(store, [{ trace: 2, span: 2 }]);
  expect(merge(store, [good, { ...other, format: "vParquet5" }])).rejects.toMatchObject({
    blockId: other.blockID,
  });
  await store.delete(`t/${other.blockID}/data.parquet`);
  expect(merge(store, [good, other])).rejects.toMatchObject({ name: "MergeError", blockId: other.blockID });
});

test("mergeBlocks() fails where a block has fewer spans than its footer says", async () => {
  const store = new MemoryStore();
  const copied = [
    await blockOf(store, [{ trace: 1, span: 1 }]),
    await blockOf(store, [{ trace: 2, span: 2 }]),
  ];
  const combined = [
    await blockOf(store, [{ trace: 1, span: 1 }]),
    await blockOf(store, [{ trace: 1, span: 2 }]),
  ];
  const failure = (metas: BlockMeta[]) =>
    merge(store, metas).then(
      () => expect.unreachable(),
      (error) => error.message,
    );
  const { readRowGroup, groupSize } = BlockReader.prototype;
  try {
    BlockReader.prototype.readRowGroup = async () => {};
    expect(await failure(combined)).toContain("0 of 1 traces were combined");
    let calls = 0;
    BlockReader.prototype.readRowGroup = async function (...args) {
      if (calls++ === 0) await readRowGroup.apply(this, args);
    };
    expect(await failure(combined)).toContain("1 of 2 spans were read");
    BlockReader.prototype.groupSize = async function (group) {
      const { rows, spans } = await groupSize.call(this, group);
      return { rows, spans: spans + 1 };
    };
    expect(await failure(copied)).toContain("2 of 4 spans were read");
  } finally {
    Object.assign(BlockReader.prototype, { readRowGroup, groupSize });
  }
});

test("mergeBlocks() lets others have their turn, and ends when its pause throws", async () => {
  const store = new MemoryStore();
  const metas = [await blockOf(store, [{ trace: 1, span: 1 }])];
  const options = { ...mergeOptions, blockId: "o" };
  const failing = async () => {
    throw new Error("stop");
  };
  const now = performance.now;
  let ms = 0;
  performance.now = () => (ms += 100);
  try {
    expect(mergeBlocks(store, metas, options, failing)).rejects.toThrow("stop");
  } finally {
    performance.now = now;
  }
  expect(store.objects.has("t/o/data.parquet")).toBe(false);
});

test.skipIf(!haveFixtures).each([
  ["vParquet4", "rich"],
  ["vParquet5", "rich"],
  ["vParquet5", "dedicated"],
] as const)(
  "mergeBlocks() as %s of %s keeps every kind of attribute, event, link and resource",
  async (version, tenant) => {
    const store = new MemoryStore();
    const metas: BlockMeta[] = [];
    const written = { ...defaultOptions, version, dedicatedColumns: dedicatedOf(tenant) };
    for (const request of inputs(tenant)) {
      const options = { ...written, blockId: crypto.randomUUID() };
      metas.push(await writeBlock(batchOf([request]), store, options, async () => {}));
    }
    const options = { ...written, blockId: "whole" };
    const one = await writeBlock(batchOf(inputs(tenant)), store, options, async () => {});
    const { data, meta } = await merge(store, metas, { rowGroupSpansMax: tenant === "rich" ? 50 : 5 });
    expect(meta).toMatchObject({ format: version, dedicatedColumns: one.dedicatedColumns });
    expect(meta.totalRecords).toBeGreaterThan(1);
    const [got, want] = [await readRows(data), await readRows(dataOf(store, one))];
    expect(got.length).toBe(want.length);
    for (const [i, row] of got.entries()) expect(ordered(row)).toEqual(ordered(want[i]));
  },
);

/** A block of the fixtures, as it is stored. */
async function fixtureBlock(store: MemoryStore, path: string): Promise<BlockMeta> {
  const [id] = readdirSync(join(fixtures, path)).filter((name) => name.includes("-"));
  const folder = join(fixtures, path, id!);
  const meta = { ...parseMeta(readFileSync(join(folder, "meta.json"), "utf8")), tenantID: "t" };
  await store.write(`t/${meta.blockID}/data.parquet`, readFileSync(join(folder, "data.parquet")));
  return meta;
}

test.skipIf(!haveFixtures)(
  "mergeBlocks() leaves rows as they are whose trace lies in one block, whoever wrote it and however",
  async () => {
    const store = new MemoryStore();
    const blocks = [
      "vParquet3/rich",
      "vParquet4/rich",
      "vParquet4/smallrg",
      "vParquet5/rich",
      "vParquet5/smallrg",
      ...readdirSync(join(fixtures, "foreign-vParquet4")).map((name) => `foreign-vParquet4/${name}`),
    ];
    for (const path of blocks) {
      const meta = await fixtureBlock(store, path);
      const other = await fixtureBlock(store, `${meta.format}/edge`);
      const others = await readRows(dataOf(store, other));
      const rows = await readRows(dataOf(store, meta));
      const ids = new Set(rows.map(({ TraceIDText }) => TraceIDText));
      expect(others.some(({ TraceIDText }) => ids.has(TraceIDText))).toBe(false);
      const { data } = await merge(store, [meta, other], { rowGroupSpansMax: 300, pageBytesMax: 4096 });
      const want = [...rows, ...others].sort((a, b) => Buffer.compare(a.TraceID, b.TraceID));
      expect({ path, rows: await readRows(data) }).toEqual({ path, rows: want });
    }
  },
);

test("mergeBlocks() gives a column a dictionary where texts repeat between blocks, and none where most differ", async () => {
  const store = new MemoryStore();
  const spansOf = (block: number, name: (span: number) => string): SpanOf[] =>
    Array.from({ length: 9000 }, (_, i) => ({
      trace: 1 + block + 2 * (i % 900),
      span: 1 + i,
      name: name(i),
    }));
  for (const [name, isIndexed] of [
    [(block: number, span: number) => `${block} of ${span}`, false],
    [(_: number, span: number) => `one of ${span}`, true],
  ] as const) {
    const metas: BlockMeta[] = [];
    const want: string[] = [];
    for (const block of [0, 1]) {
      const spans = spansOf(block, (span) => name(block, span));
      metas.push(await blockOf(store, spans));
      want.push(...spans.map((span) => span.name!));
    }
    const { data } = await merge(store, metas, { rowGroupSpansMax: 50_000 });
    const columns = readMetadata(data).row_groups[0]!.columns.map(({ meta_data }) => meta_data!);
    const names = columns.find(
      ({ path_in_schema: path }) =>
        path.slice(-3).join(".") === "list.element.Name" && path.includes("Spans"),
    )!;
    expect(names.encodings.includes("RLE_DICTIONARY")).toBe(isIndexed);
    const got = (await readRows(data)).flatMap(({ rs }) =>
      rs.flatMap(({ ss }: Row) => ss.flatMap(({ Spans }: Row) => Spans.map(({ Name }: Row) => Name))),
    );
    expect(got.sort()).toEqual(want.sort());
  }
});

/** With lists whose order means nothing in one order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(ordered).sort((a, b) => (print(a) < print(b) ? -1 : 1));
  }
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, ordered(inner)]));
}

function print(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? `${inner}` : inner));
}

test("mergeBlocks() holds no more spans than it is told to, however the traces differ in size", async () => {
  const store = new MemoryStore();
  const metas: BlockMeta[] = [];
  for (const first of [0, 1]) {
    const spans: SpanOf[] = [];
    for (let trace = 1; trace <= 400; trace++) {
      const size = trace % 100 === 50 ? 700 : 1 + (trace % 3);
      for (let span = 1; span <= size; span++) spans.push({ trace: trace * 2 + first, span });
    }
    metas.push(await blockOf(store, spans, { pageBytesMax: 512 }));
  }
  const { data } = await merge(store, metas, { rowGroupSpansMax: 1000 });
  const sizes = readMetadata(data).row_groups.map(({ columns }) =>
    Number(
      columns.find(({ meta_data }) => meta_data!.path_in_schema.at(-1) === "SpanID")!.meta_data!.num_values,
    ),
  );
  // A page of span ids is what the estimate goes by: 64 spans.
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1000 + 2 * 64);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(metas.length * (4 * 700 + 791));
});
