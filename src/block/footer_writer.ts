// What a Parquet file says about its pages: page headers, column index and offset index, and the footer. Numbers and field ids are those
// of parquet.thrift.
import type { Leaf, SchemaNode } from "./schema.ts";
import { ThriftWriter, thriftType } from "./thrift_writer.ts";

export const physicalTypes = { boolean: 0, int32: 1, int64: 2, double: 5, byte_array: 6 } as const;
export const encodings = { plain: 0, rle: 3, delta: 5, delta_length: 6, dict: 8 } as const;
const zstdCodec = 6;
const repetitions = { required: 0, optional: 1, repeated: 2 } as const;
const convertedTypes = { string: 0, map: 1, list: 3, u32: 13, u64: 14, i32: 17, i64: 18 } as const;
const dataPage = 0;
const dictionaryPage = 2;
const unordered = 0;
const ascending = 1;
const fileVersion = 2;
const createdBy = "rubato";

/** One data page of a chunk. */
export interface PageEntry {
  offset: number;
  /** Length in the file, header included. */
  bytes: number;
  firstRow: number;
  nulls: number;
  /** Plain-encoded bounds; null on a page without values. */
  min: Uint8Array | null;
  max: Uint8Array | null;
}

/** One leaf of one row group, as written. */
export interface ChunkEntry {
  leaf: Leaf;
  encoding: keyof typeof encodings;
  /** Slots, nulls included. */
  slots: number;
  nulls: number;
  uncompressedBytes: number;
  compressedBytes: number;
  /** 0 if the chunk has none. */
  dictionaryOffset: number;
  pages: PageEntry[];
  /** True if every page with values has bounds, which then go to a column index. */
  bounded: boolean;
  /** True if the bounds of the pages ascend. */
  ascending: boolean;
  /** Bounds of the whole chunk, null if not known. */
  min: Uint8Array | null;
  max: Uint8Array | null;
}

export interface RowGroupEntry {
  rows: number;
  chunks: ChunkEntry[];
}

interface IndexPlace {
  offset: number;
  bytes: number;
}

/** Writes the header of a V1 data page, up to its body. */
export function dataPageHeader(
  thrift: ThriftWriter,
  rawBytes: number,
  compressedBytes: number,
  crc: number,
  slots: number,
  encoding: keyof typeof encodings,
): Uint8Array {
  beginPageHeader(thrift, dataPage, rawBytes, compressedBytes, crc);
  thrift.struct(5);
  thrift.i32(1, slots);
  thrift.i32(2, encodings[encoding]);
  thrift.i32(3, encodings.rle);
  thrift.i32(4, encodings.rle);
  thrift.end();
  thrift.end();
  return thrift.bytes();
}

/** Writes the header of a dictionary page. */
export function dictionaryPageHeader(
  thrift: ThriftWriter,
  rawBytes: number,
  compressedBytes: number,
  crc: number,
  entries: number,
): Uint8Array {
  beginPageHeader(thrift, dictionaryPage, rawBytes, compressedBytes, crc);
  thrift.struct(7);
  thrift.i32(1, entries);
  thrift.i32(2, encodings.plain);
  thrift.end();
  thrift.end();
  return thrift.bytes();
}

function beginPageHeader(
  thrift: ThriftWriter,
  type: number,
  rawBytes: number,
  compressedBytes: number,
  crc: number,
): void {
  thrift.reset();
  thrift.i32(1, type);
  thrift.i32(2, rawBytes);
  thrift.i32(3, compressedBytes);
  thrift.i32(4, crc | 0);
}

/** Writes both indexes of all chunks and the footer with its length and magic. `write` returns the offset that it wrote to. */
export function writeFooter(
  schema: SchemaNode,
  rowGroups: RowGroupEntry[],
  write: (bytes: Uint8Array) => number,
): { footerBytes: number } {
  const thrift = new ThriftWriter();
  const put = (): IndexPlace => {
    const bytes = thrift.bytes();
    return { offset: write(bytes), bytes: bytes.length };
  };
  const columnIndexes = rowGroups.map(({ chunks }) =>
    chunks.map((chunk) => {
      if (!chunk.bounded) return null;
      columnIndex(thrift, chunk);
      return put();
    }),
  );
  const offsetIndexes = rowGroups.map(({ chunks }) =>
    chunks.map((chunk) => {
      offsetIndex(thrift, chunk);
      return put();
    }),
  );

  thrift.reset();
  thrift.i32(1, fileVersion);
  const elements = flatten(schema);
  thrift.list(2, thriftType.struct, elements.length);
  for (const [i, element] of elements.entries()) schemaElement(thrift, element, i === 0);
  thrift.i64(3, total(rowGroups.map((group) => group.rows)));
  thrift.list(4, thriftType.struct, rowGroups.length);
  for (const [i, group] of rowGroups.entries())
    rowGroup(thrift, group, i, columnIndexes[i]!, offsetIndexes[i]!);
  thrift.binary(6, createdBy);
  const leafCount = rowGroups[0]?.chunks.length ?? 0;
  thrift.list(7, thriftType.struct, leafCount);
  for (let i = 0; i < leafCount; i++) {
    thrift.beginStructElement();
    thrift.struct(1);
    thrift.end();
    thrift.end();
  }
  thrift.end();
  const footerBytes = put().bytes;
  const tail = new Uint8Array(8);
  new DataView(tail.buffer).setUint32(0, footerBytes, true);
  tail.set(magic, 4);
  write(tail);
  return { footerBytes };
}

/** What a Parquet file begins and ends with. */
export const magic = new Uint8Array([0x50, 0x41, 0x52, 0x31]);

function flatten(node: SchemaNode): SchemaNode[] {
  return [node, ...(node.children ?? []).flatMap(flatten)];
}

function total(numbers: number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

function schemaElement(thrift: ThriftWriter, node: SchemaNode, isRoot: boolean): void {
  thrift.beginStructElement();
  if (node.physical) thrift.i32(1, physicalTypes[node.physical]);
  if (!isRoot) thrift.i32(3, repetitions[node.repetition]);
  thrift.binary(4, node.name);
  if (node.children) thrift.i32(5, node.children.length);
  if (node.logical) {
    thrift.i32(6, convertedTypes[node.logical]);
    thrift.struct(10);
    logicalType(thrift, node.logical);
    thrift.end();
  }
  thrift.end();
}

function logicalType(thrift: ThriftWriter, logical: NonNullable<SchemaNode["logical"]>): void {
  if (logical === "string" || logical === "map" || logical === "list") {
    thrift.struct(logical === "string" ? 1 : logical === "map" ? 2 : 3);
    thrift.end();
    return;
  }
  thrift.struct(10);
  thrift.i8(1, logical.endsWith("32") ? 32 : 64);
  thrift.bool(2, logical.startsWith("i"));
  thrift.end();
}

function columnIndex(thrift: ThriftWriter, chunk: ChunkEntry): void {
  const { pages } = chunk;
  const none = new Uint8Array(0);
  thrift.reset();
  thrift.list(1, thriftType.true, pages.length);
  for (const page of pages) thrift.boolElement(page.min === null);
  thrift.list(2, thriftType.binary, pages.length);
  for (const page of pages) thrift.binaryElement(page.min ?? none);
  thrift.list(3, thriftType.binary, pages.length);
  for (const page of pages) thrift.binaryElement(page.max ?? none);
  thrift.i32(4, chunk.ascending && pages.length > 1 ? ascending : unordered);
  thrift.list(5, thriftType.i64, pages.length);
  for (const page of pages) thrift.intElement(page.nulls);
  thrift.end();
}

function offsetIndex(thrift: ThriftWriter, chunk: ChunkEntry): void {
  thrift.reset();
  thrift.list(1, thriftType.struct, chunk.pages.length);
  for (const page of chunk.pages) {
    thrift.beginStructElement();
    thrift.i64(1, page.offset);
    thrift.i32(2, page.bytes);
    thrift.i64(3, page.firstRow);
    thrift.end();
  }
  thrift.end();
}

function rowGroup(
  thrift: ThriftWriter,
  group: RowGroupEntry,
  ordinal: number,
  columnIndexes: (IndexPlace | null)[],
  offsetIndexes: IndexPlace[],
): void {
  const first = group.chunks[0]!;
  thrift.beginStructElement();
  thrift.list(1, thriftType.struct, group.chunks.length);
  for (const [i, chunk] of group.chunks.entries()) {
    columnChunk(thrift, chunk, columnIndexes[i]!, offsetIndexes[i]!);
  }
  thrift.i64(2, total(group.chunks.map((chunk) => chunk.uncompressedBytes)));
  thrift.i64(3, group.rows);
  thrift.i64(5, first.dictionaryOffset || first.pages[0]!.offset);
  thrift.i64(6, total(group.chunks.map((chunk) => chunk.compressedBytes)));
  thrift.i16(7, ordinal);
  thrift.end();
}

function columnChunk(
  thrift: ThriftWriter,
  chunk: ChunkEntry,
  columnIndexPlace: IndexPlace | null,
  offsetIndexPlace: IndexPlace,
): void {
  const { leaf } = chunk;
  thrift.beginStructElement();
  thrift.i64(2, 0);
  thrift.struct(3);
  thrift.i32(1, physicalTypes[leaf.node.physical!]);
  const used = new Set<number>([encodings[chunk.encoding]]);
  if (chunk.dictionaryOffset) used.add(encodings.plain);
  if (leaf.maxDefinition + leaf.maxRepetition > 0) used.add(encodings.rle);
  thrift.list(2, thriftType.i32, used.size);
  for (const encoding of used) thrift.intElement(encoding);
  const path = leaf.path.split(".");
  thrift.list(3, thriftType.binary, path.length);
  for (const name of path) thrift.binaryElement(name);
  thrift.i32(4, zstdCodec);
  thrift.i64(5, chunk.slots);
  thrift.i64(6, chunk.uncompressedBytes);
  thrift.i64(7, chunk.compressedBytes);
  thrift.i64(9, chunk.pages[0]!.offset);
  if (chunk.dictionaryOffset) thrift.i64(11, chunk.dictionaryOffset);
  thrift.struct(12);
  thrift.i64(3, chunk.nulls);
  if (chunk.max) thrift.binary(5, chunk.max);
  if (chunk.min) thrift.binary(6, chunk.min);
  thrift.end();
  thrift.end();
  thrift.i64(4, offsetIndexPlace.offset);
  thrift.i32(5, offsetIndexPlace.bytes);
  if (columnIndexPlace) {
    thrift.i64(6, columnIndexPlace.offset);
    thrift.i32(7, columnIndexPlace.bytes);
  }
  thrift.end();
}
