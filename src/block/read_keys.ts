// Names of the attributes that a row group has, for the listing of tags.
import { Column } from "../../wasm/column_ids.ts";
import { Keep } from "../../wasm/parquet_decode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type { AttributeOwner } from "../search/projection.ts";
import type { OwnerLeaves, ReadLeaf, TraceLeaves } from "./read_columns.ts";
import type { BlockFile, OpenFile } from "./read_file.ts";
import { readAll, wholeChunk } from "./read_group.ts";
import { decodeLeaf } from "./read_leaf.ts";
import { isEmptyChunk } from "./read_plan.ts";
import { projectedRecords } from "./read_projection.ts";

/** The table of a block whose attributes an owner has. */
function tableOf(leaves: TraceLeaves, owner: AttributeOwner): OwnerLeaves {
  switch (owner) {
    case "resource":
      return leaves.resources;
    case "instrumentation":
      return leaves.scopes;
    case "span":
      return leaves.spans;
    case "event":
      return leaves.events;
    case "link":
      return leaves.links;
  }
}

/** Names of the attributes of an owner, each once. */
export async function keyNames(
  file: BlockFile,
  batch: SpanBatch,
  open: OpenFile,
  group: number,
  owner: AttributeOwner,
): Promise<string[]> {
  const table = tableOf(open.leaves, owner);
  const names = new Set<string>();
  if (table.key) for (const name of await textsOf(file, batch, open, group, table.key)) names.add(name);
  for (const read of [...table.dedicated, ...table.statics]) {
    if (!names.has(read.name) && (await hasValues(file, batch, open, group, read))) names.add(read.name);
  }
  if (table.serviceName) {
    const services = await textsOf(file, batch, open, group, table.serviceName);
    if (services.some((name) => name !== "")) names.add("service.name");
  }
  if (owner === "link" && open.leaves.linkMessages && !open.leaves.linkTraceId) {
    for (const name of await linkNames(file, batch, open, group)) names.add(name);
  }
  return [...names];
}

/** Distinct values of a leaf of strings. */
async function textsOf(
  file: BlockFile,
  batch: SpanBatch,
  open: OpenFile,
  group: number,
  read: ReadLeaf,
): Promise<string[]> {
  const rowGroup = open.file.rowGroups[group]!;
  if (isEmptyChunk(rowGroup, read, open.leaves.zeroIsDefault)) return [];
  if (await file.isIndexed(open, group, read.leaf)) {
    const dictionary = await file.dictionary(open, group, read.leaf);
    if (dictionary) {
      return Array.from({ length: dictionary.count }, (_, i) => decoder.decode(dictionary.entry(i)));
    }
  }
  const count = await decodeValues(file, batch, open, group, read);
  const address = batch.core.decodedValues!(read.leaf.index) >>> 0;
  const ids = new Set(new Uint32Array(batch.core.memory.buffer, address, count));
  return [...ids].map((id) => batch.string(id));
}

async function hasValues(
  file: BlockFile,
  batch: SpanBatch,
  open: OpenFile,
  group: number,
  read: ReadLeaf,
): Promise<boolean> {
  const { nulls, slots } = open.file.rowGroups[group]!.chunks;
  const { index } = read.leaf;
  if (nulls[index]! >= 0) return nulls[index]! < slots[index]!;
  return (await decodeValues(file, batch, open, group, read)) > 0;
}

/** Decodes the values of a whole leaf into an empty batch. Returns their number. */
async function decodeValues(
  file: BlockFile,
  batch: SpanBatch,
  open: OpenFile,
  group: number,
  read: ReadLeaf,
): Promise<number> {
  const chunk = await file.chunk(open, group, read.leaf);
  batch.reset();
  batch.core.beginLeaves!();
  const request = { ...read, keep: Keep.Values };
  decodeLeaf(batch, request, wholeChunk(file, open, group, read.leaf, chunk), "all");
  return batch.core.decodedValueCount!(read.leaf.index);
}

/** Names of the attributes of links that are stored as messages. */
async function linkNames(
  file: BlockFile,
  batch: SpanBatch,
  open: OpenFile,
  group: number,
): Promise<string[]> {
  const rowGroup = open.file.rowGroups[group]!;
  const projection = { traceIds: false, columns: [], attributes: { link: "all" } } as const;
  batch.reset();
  await readAll(
    file,
    batch,
    open,
    group,
    projectedRecords(open.leaves, projection, rowGroup, new Map()),
    rowGroup.rows,
  );
  const links = batch.core.linkCount!();
  const starts = batch.u32(Column.LinkAttrStart, links);
  const counts = batch.u32(Column.LinkAttrCount, links);
  const ids = new Set<number>();
  for (let link = 0; link < links; link++) {
    const end = starts[link]! + counts[link]!;
    for (const id of batch.u32(Column.AttrKey, end).subarray(starts[link]!)) ids.add(id);
  }
  return [...ids].map((id) => batch.string(id));
}

const decoder = new TextDecoder();
