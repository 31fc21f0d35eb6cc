import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parquetMetadata } from "hyparquet";
import { parseMeta } from "./meta.ts";
import { type BlockVersion, blockSchema, leaves, type SchemaNode } from "./schema.ts";

const fixtures = join(import.meta.dir, "../../../shared/fixtures/tempo-blocks");

interface Element {
  name: string;
  repetition_type?: string;
  type?: string;
  converted_type?: string;
  num_children?: number;
}

const converted: Record<string, string> = {
  string: "UTF8",
  i32: "INT_32",
  u32: "UINT_32",
  i64: "INT_64",
  u64: "UINT_64",
  list: "LIST",
  map: "MAP",
};

function flatten(node: SchemaNode, root = true): Element[] {
  const element: Element = { name: node.name };
  if (!root) element.repetition_type = node.repetition.toUpperCase();
  if (node.physical) element.type = node.physical.toUpperCase();
  if (node.logical) element.converted_type = converted[node.logical];
  if (node.children) element.num_children = node.children.length;
  return [element, ...(node.children ?? []).flatMap((child) => flatten(child, false))];
}

function goldenBlocks(version: BlockVersion): string[] {
  return ["rich", "dedicated", "edge", "load"].flatMap((tenant) => {
    const folder = join(fixtures, version, tenant);
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  });
}

test.skipIf(!existsSync(fixtures))("schemas equal those in the footers of Tempo's blocks", () => {
  for (const version of ["vParquet3", "vParquet4", "vParquet5"] as const) {
    for (const block of goldenBlocks(version)) {
      const meta = parseMeta(readFileSync(join(block, "meta.json"), "utf8"));
      const file = readFileSync(join(block, "data.parquet"));
      const footer = parquetMetadata(
        file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer,
      );
      const schema = blockSchema(version, meta.dedicatedColumns);
      const golden = footer.schema.map(({ name, repetition_type, type, converted_type, num_children }) =>
        JSON.parse(JSON.stringify({ name, repetition_type, type, converted_type, num_children })),
      );
      expect(flatten(schema)).toEqual(golden);

      const columns = footer.row_groups[0]!.columns;
      const ours = leaves(schema);
      expect(ours.map((leaf) => leaf.path)).toEqual(
        columns.map((c) => c.meta_data!.path_in_schema.join(".")),
      );
      const encodings = {
        plain: "PLAIN",
        dict: "RLE_DICTIONARY",
        delta: "DELTA_BINARY_PACKED",
        delta_length: "DELTA_LENGTH_BYTE_ARRAY",
      };
      const codecs = { none: "UNCOMPRESSED", snappy: "SNAPPY", zstd: "ZSTD" };
      for (const [i, leaf] of ours.entries()) {
        const column = columns[i]!.meta_data!;
        expect(`${leaf.path} ${codecs[leaf.node.codec!]}`).toBe(`${leaf.path} ${column.codec}`);
        const dataEncodings = column
          .encoding_stats!.filter((s) => s.page_type !== "DICTIONARY_PAGE")
          .map((s) => s.encoding);
        expect(`${leaf.path} ${encodings[leaf.node.encoding!]}`).toBe(`${leaf.path} ${dataEncodings[0]}`);
      }
    }
  }
});

test("leaves() gives levels and file order", () => {
  const v4 = leaves(blockSchema("vParquet4", []));
  expect(v4.length).toBe(103);
  const value = v4.find((leaf) =>
    leaf.path.endsWith("Spans.list.element.Attrs.list.element.Value.list.element"),
  )!;
  expect([value.maxRepetition, value.maxDefinition]).toEqual([5, 5]);
  const url = v4.find((leaf) => leaf.path.endsWith("HttpUrl"))!;
  expect([url.maxRepetition, url.maxDefinition]).toEqual([3, 4]);
  expect(leaves(blockSchema("vParquet3", [])).length).toBe(76);
});
