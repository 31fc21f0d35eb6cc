// For tests of reading: the golden blocks, and what batches that were read from them hold.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AttrType, Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type { AttributeOwner } from "../search/projection.ts";
import { LocalStore } from "../store/local_store.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { batchOf, fixtures, haveFixtures, inputs, write } from "./encode_fixture.ts";
import { type BlockMeta, parseMeta } from "./meta.ts";
import { BlockReader, type ReadCaches } from "./read.ts";

export interface GoldenTenant {
  root: string;
  tenant: string;
}

/** Tenants of all golden blocks, of every version, re-encoded ones included. */
export function goldenTenants(): GoldenTenant[] {
  if (!haveFixtures) return [];
  return ["vParquet3", "vParquet4", "vParquet5", "foreign-vParquet4"].flatMap((root) =>
    readdirSync(join(fixtures, root), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
      .map((tenant) => ({ root, tenant })),
  );
}

/** Blocks of a golden tenant, without those of preview formats. */
export async function openGolden(
  { root, tenant }: GoldenTenant,
  caches?: ReadCaches,
): Promise<BlockReader[]> {
  const store = new LocalStore(join(fixtures, root));
  const readers: BlockReader[] = [];
  for (const block of (await store.list(tenant)).sort()) {
    const path = join(fixtures, root, tenant, block, "meta.json");
    if (!existsSync(path)) continue;
    // Re-encoded variants keep the tenant of the block that they were made from in their meta.
    const meta: BlockMeta = { ...parseMeta(readFileSync(path, "utf8")), tenantID: tenant };
    if (!meta.format.includes("preview")) readers.push(await BlockReader.open(store, meta, caches));
  }
  return readers;
}

/** A golden tenant's input in a block of ours. */
export async function ownBlock(tenant: string, pageBytesMax: number): Promise<BlockReader> {
  const { meta, store } = await write(batchOf(inputs(tenant)), { pageBytesMax });
  const own = new MemoryStore();
  for (const [path, bytes] of store.objects) await own.write(path, bytes);
  return BlockReader.open(own, meta);
}

/** The file of a golden block. */
export function goldenData({ root, tenant }: GoldenTenant, { meta }: BlockReader): Uint8Array {
  return new Uint8Array(readFileSync(join(fixtures, root, tenant, meta.blockID, "data.parquet")));
}

export interface ReadAttribute {
  key: string;
  type: AttrType;
  value: string;
}

/** Columns with an attribute range, and how many rows the table has. */
function rangeOf(batch: SpanBatch, owner: AttributeOwner, row: number): [start: number, end: number] {
  if (owner === "span") {
    const starts = batch.u32(Column.SpanAttrStart, row + 2);
    return [starts[row]!, starts[row + 1]!];
  }
  const column = {
    resource: Column.ResourceAttrStart,
    instrumentation: Column.ScopeAttrStart,
    event: Column.EventAttrStart,
    link: Column.LinkAttrStart,
  }[owner];
  const start = batch.u32(column, row + 1)[row]!;
  return [start, start + batch.u32(column + 1, row + 1)[row]!];
}

/** Attributes of one row of a table, in order. */
export function attributesOf(batch: SpanBatch, owner: AttributeOwner, row: number): ReadAttribute[] {
  const [keys, types, values] =
    owner === "span"
      ? [Column.SpanAttrKey, Column.SpanAttrType, Column.SpanAttrValue]
      : ([Column.AttrKey, Column.AttrType, Column.AttrValue] as const);
  const [start, end] = rangeOf(batch, owner, row);
  const found: ReadAttribute[] = [];
  for (let i = start; i < end; i++) {
    const type: AttrType = batch.u8(types, i + 1)[i]!;
    const content = batch.u64(values, i + 1)[i]!;
    let value = String(content);
    if (type === AttrType.String) value = batch.string(Number(content));
    else if (type >= AttrType.Array) value = Buffer.from(batch.blob(Number(content))).toString("hex");
    found.push({ key: batch.string(batch.u32(keys, i + 1)[i]!), type, value });
  }
  return found;
}

/** Rows of the tables. */
export function rowsOf(batch: SpanBatch, owner: AttributeOwner): number {
  const { core, spans } = batch;
  switch (owner) {
    case "resource":
      return core.resourceCount!();
    case "instrumentation":
      return core.scopeCount!();
    case "span":
      return spans;
    case "event":
      return core.eventCount!();
    case "link":
      return core.linkCount!();
  }
}

/** Columns that hold ids of strings. */
const textColumns: ReadonlySet<Column> = new Set([
  Column.ResourceService,
  Column.ScopeName,
  Column.ScopeVersion,
  Column.SpanName,
  Column.SpanStatusMessage,
  Column.SpanState,
  Column.EventName,
  Column.LinkTraceId,
  Column.LinkSpanId,
  Column.LinkState,
  Column.TraceRootService,
  Column.TraceRootName,
  Column.StatsService,
]);

const wideColumns: ReadonlySet<Column> = new Set([
  Column.SpanId,
  Column.SpanParent,
  Column.SpanStart,
  Column.SpanDuration,
  Column.EventTime,
  Column.TraceStart,
  Column.TraceEnd,
  Column.TraceDuration,
]);

/** Values of a column, strings as texts. */
export function columnOf(batch: SpanBatch, column: Column, count: number): unknown[] {
  if (wideColumns.has(column)) return [...batch.u64(column, count)];
  const values = [...batch.i32(column, count)];
  return textColumns.has(column) ? values.map((id) => batch.string(id)) : values;
}
