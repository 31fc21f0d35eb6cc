import { expect, test } from "bun:test";
import {
  batchOf,
  dedicatedOf,
  haveFixtures,
  inputs,
  type Row,
  readBounds,
  readMetadata,
  readRows,
  readStruct,
  type WrittenBlock,
  walkPages,
  write,
} from "./encode_fixture.ts";
import { plainPath } from "./encode_plan.ts";
import { blockSchema, type Leaf, leaves, type SchemaNode } from "./schema.ts";

const rleDictionary = 8;
const dictionaryPage = 2;
const ids = new Set(["TraceID", "TraceIDText", "rs.ss.Spans.SpanID", "rs.ss.Spans.ParentSpanID"]);

interface Chunk {
  path: string;
  pages: ReturnType<typeof walkPages>;
  start: number;
}

/** The chunks of all row groups, walked page by page. */
function chunksOf(block: WrittenBlock): Chunk[] {
  return readMetadata(block.data).row_groups.flatMap((group) =>
    group.columns.map(({ meta_data: meta }) => {
      const start = Number(meta!.dictionary_page_offset ?? meta!.data_page_offset);
      return {
        path: meta!.path_in_schema.join("."),
        start,
        pages: walkPages(block.data, start, Number(meta!.total_compressed_size)),
      };
    }),
  );
}

test.skipIf(!haveFixtures)(
  "writeBlock() writes the objects in Tempo's order, and a meta that is true",
  async () => {
    const block = await write(batchOf(inputs("rich")));
    const names = block.store.order.map((path) => path.slice(path.lastIndexOf("/") + 1));
    expect(names).toEqual(["data.parquet", "bloom-0", "index", "meta.json"]);
    const text = new TextDecoder().decode(block.object("meta.json"));
    expect(Object.keys(JSON.parse(text))).toEqual([
      "format",
      "blockID",
      "tenantID",
      "startTime",
      "endTime",
      "totalObjects",
      "size",
      "compactionLevel",
      "indexPageSize",
      "totalRecords",
      "bloomShards",
      "footerSize",
      "dedicatedColumns",
      "replicationFactor",
    ]);
    const { data, meta } = block;
    expect(meta.size).toBe(data.length);
    const footer = new DataView(data.buffer, data.byteOffset + data.length - 8).getUint32(0, true);
    expect(meta.footerSize).toBe(footer);
    expect(meta.totalRecords).toBe(readMetadata(data).row_groups.length);
    // The earliest span starts at a whole second; the latest ends within the second before this one.
    expect([meta.startTime, meta.endTime]).toEqual(["2026-01-15T09:00:00Z", "2026-01-15T11:00:40Z"]);
  },
);

/** Versions, with an input that fills their columns. */
const written = [
  ["vParquet3", "rich"],
  ["vParquet4", "rich"],
  ["vParquet5", "rich"],
  ["vParquet5", "dedicated"],
] as const;

test.skipIf(!haveFixtures).each(written)(
  "writeBlock() as %s of %s encodes every chunk all one way, with a right checksum on each page",
  async (version, tenant) => {
    for (const pageBytesMax of [512, 131_072]) {
      const options = { version, pageBytesMax, dedicatedColumns: dedicatedOf(tenant) };
      const block = await write(batchOf(inputs(tenant)), options);
      const known = new Map(
        leaves(blockSchema(version, block.meta.dedicatedColumns)).map((leaf) => [leaf.path, leaf]),
      );
      let pages = 0;
      for (const chunk of chunksOf(block)) {
        const [first, ...rest] = chunk.pages;
        expect(chunk.pages.every((page) => page.crcRight)).toBe(true);
        pages += chunk.pages.length;
        const isDictionary = first!.type === dictionaryPage;
        const leaf = known.get(chunk.path)!;
        const isBlob = leaf.node.codec === "zstd";
        // Other strings have one where they repeat; ids and blobs never do.
        const isOpen =
          leaf.node.physical === "byte_array" &&
          leaf.node.encoding !== "dict" &&
          !isBlob &&
          !ids.has(plainPath(leaf));
        if (!isOpen) {
          expect({ path: chunk.path, isDictionary }).toEqual({
            path: chunk.path,
            isDictionary: leaf.node.encoding === "dict",
          });
        }
        if (isDictionary) expect(rest.every((page) => page.encoding === rleDictionary)).toBe(true);
        if (chunk.path.endsWith(".Key")) expect(isDictionary).toBe(true);
        if (leaf.node.physical !== "byte_array") expect(isDictionary).toBe(false);
      }
      expect(pages).toBeGreaterThan(pageBytesMax === 512 && tenant === "rich" ? 800 : 75);
    }
  },
);

test.skipIf(!haveFixtures).each(written)(
  "writeBlock() as %s of %s cuts pages at rows, and its bounds hold for every value of the page",
  async (version, tenant) => {
    const block = await write(batchOf(inputs(tenant)), {
      version,
      dedicatedColumns: dedicatedOf(tenant),
      pageBytesMax: 512,
      rowGroupBytesMax: tenant === "rich" ? 60_000 : 6000,
    });
    const rows = await readRows(block.data);
    const schema = blockSchema(version, block.meta.dedicatedColumns);
    const byPath = new Map(leaves(schema).map((leaf) => [leaf.path, leaf]));
    const metadata = readMetadata(block.data);
    expect(metadata.row_groups.length).toBeGreaterThan(1);
    let firstRow = 0;
    let bounded = 0;
    for (const group of metadata.row_groups) {
      const groupRows = Number(group.num_rows);
      for (const column of group.columns) {
        const path = column.meta_data!.path_in_schema.join(".");
        const leaf = byPath.get(path)!;
        const pages = readStruct(block.data, Number(column.offset_index_offset)).fields.get(1) as Map<
          number,
          number
        >[];
        const starts = pages.map((page) => page.get(3)!);
        expect(starts[0]).toBe(0);
        const bounds = column.column_index_offset
          ? readBounds(block.data, Number(column.column_index_offset))
          : null;
        const hasDictionary = column.meta_data!.dictionary_page_offset !== undefined;
        const isBlob = leaf.node.codec === "zstd";
        const mayLack =
          isBlob || leaf.node.encoding === "dict" || hasDictionary || path.endsWith("TimeSinceStartNano");
        expect({ path, bounded: bounds !== null || mayLack }).toEqual({ path, bounded: true });
        if (isBlob)
          expect({ path, bounds: bounds?.some((page) => page !== null) ?? false }).toEqual({
            path,
            bounds: false,
          });
        for (const [i, start] of starts.entries()) {
          expect(start).toBeGreaterThanOrEqual(i ? starts[i - 1]! + 1 : 0);
          const end = starts[i + 1] ?? groupRows;
          if (!bounds) continue;
          const values = valuesOf(schema, rows.slice(firstRow + start, firstRow + end), leaf);
          const page = bounds[i]!;
          expect({ path, isNull: page === null }).toEqual({ path, isNull: values.length === 0 });
          if (!page) continue;
          bounded++;
          const [min, max] = [boundOf(page.min, leaf), boundOf(page.max, leaf)];
          for (const value of values) {
            const within = !before(value, min) && !before(max, value);
            if (!within)
              expect({ path, page: i, value, min, max }).toEqual({
                path,
                page: i,
                value: "within bounds",
                min,
                max,
              });
          }
        }
      }
      firstRow += groupRows;
    }
    expect(bounded).toBeGreaterThan(tenant === "rich" ? 300 : 50);
  },
);

/** All values of a leaf in some rows. */
function valuesOf(schema: SchemaNode, rows: Row[], leaf: Leaf): unknown[] {
  const values: unknown[] = [];
  const walk = (node: SchemaNode, value: Row, names: string[]): void => {
    if (value === null || value === undefined) return;
    if (node.repetition === "repeated") {
      for (const element of value) walk({ ...node, repetition: "required" }, element, names);
    } else if (node.logical === "list") {
      for (const element of value) walk(node.children![0]!.children![0]!, element, names.slice(2));
    } else if (node.logical === "map") {
      for (const [key, stats] of Object.entries(value)) {
        walk({ ...node.children![0]!, repetition: "required" }, { key, value: stats }, names.slice(1));
      }
    } else if (!node.children)
      values.push(typeof value === "string" ? new TextEncoder().encode(value) : value);
    else walk(node.children.find((child) => child.name === names[0])!, value[names[0]!], names.slice(1));
  };
  for (const row of rows) walk(schema, row, leaf.path.split("."));
  return values;
}

/** A bound as a value of the leaf. */
function boundOf(bytes: Uint8Array, { node }: Leaf): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (node.physical === "double") return view.getFloat64(0, true);
  if (node.physical === "boolean") return view.getUint8(0) === 1;
  if (node.physical === "int32")
    return node.logical === "u32" ? view.getUint32(0, true) : view.getInt32(0, true);
  if (node.physical === "int64") {
    return node.logical === "u64" ? view.getBigUint64(0, true) : view.getBigInt64(0, true);
  }
  return bytes;
}

function before(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) < 0;
  return (a as number) < (b as number);
}
