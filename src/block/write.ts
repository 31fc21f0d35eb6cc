// A batch into a block: data.parquet, blooms, index, and meta.json last, so that a reader sees the block whole or not at all.

import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { Store } from "../store/store.ts";
import { bloomObject, bloomShape } from "./bloom.ts";
import { type DedicatedColumn, filterDedicatedColumns, spareColumn, staticColumnsV4 } from "./dedicated.ts";
import { anyValueToJson, emptyAnyValue } from "./encode_any_value.ts";
import { ChunkWriter } from "./encode_chunk.ts";
import { pageCompressor } from "./encode_compress.ts";
import { type EncodeCore, encodeCore } from "./encode_core.ts";
import { BlockOutput } from "./encode_output.ts";
import { planRowGroup, type Step, type StructureStep } from "./encode_plan.ts";
import { Slices } from "./encode_slices.ts";
import { magic, type RowGroupEntry, writeFooter } from "./footer_writer.ts";
import { printIndex } from "./index.ts";
import { type BlockMeta, printMeta } from "./meta.ts";
import { blockSchema, leaves } from "./schema.ts";

/** The version of the blocks that we write. */
const version = "vParquet4";
/** Row groups of a file, at most: their ordinal is a 16-bit number. */
const rowGroupsMax = 32767;
const nanosPerSecond = 1_000_000_000n;

export interface BlockWriteOptions {
  tenant: string;
  /** UUID text. */
  blockId: string;
  /** As configured; what a block of this version has no column for is left out. */
  dedicatedColumns: readonly DedicatedColumn[];
  /** Estimated size at which a row group is cut. */
  rowGroupBytesMax: number;
  /** Size of a data page before compression; a trace is never split. */
  pageBytesMax: number;
  /** 1 (fast) to 22 (small). */
  zstdLevel: number;
  bloomFalsePositive: number;
  bloomShardBytes: number;
  replicationFactor: 1;
}

/** What writing a block needs of a store. */
export type BlockStore = Pick<Store, "create" | "write">;

/** A batch that no block can be made of, or a block that its format cannot hold. */
export class BlockWriteError extends Error {
  override name = "BlockWriteError";
}

/**
 * Writes the spans of a batch as a block, and orders the batch for it. No span may be added meanwhile; queries may go on.
 *
 * @param pause awaited between slices of work of about 10 ms
 * @returns the meta as written
 * @throws BlockWriteError if the batch has no spans; what the store throws. Without meta.json what was written is no block
 */
export async function writeBlock(
  batch: SpanBatch,
  store: BlockStore,
  options: BlockWriteOptions,
  pause: () => Promise<void>,
): Promise<BlockMeta> {
  const core = encodeCore(batch);
  core.mergeEqualResources();
  const { traces } = batch.order();
  if (traces === 0) throw new BlockWriteError("block: no spans to write");
  const slices = new Slices(pause);
  await slices.rest();
  const dedicated = filterDedicatedColumns(version, options.dedicatedColumns);
  await internTexts(batch, core, slices);
  const keyColumns = beginKeys(batch, core, dedicated);
  const folder = `${options.tenant}/${options.blockId}`;

  const writer = await store.create(`${folder}/data.parquet`);
  const output = new BlockOutput(writer);
  const lastIds: Uint8Array[] = [];
  let footerBytes = 0;
  try {
    output.write(magic);
    const schema = blockSchema(version, dedicated);
    const plan = planRowGroup(leaves(schema), keyColumns);
    const chunks = new ChunkWriter(
      batch,
      output,
      pageCompressor(options.zstdLevel),
      slices,
      options.pageBytesMax,
    );
    const rowGroups: RowGroupEntry[] = [];
    for (let from = 0; from < traces; ) {
      const to = core.rowGroupEnd(from, options.rowGroupBytesMax);
      if (rowGroups.length === rowGroupsMax) throw new BlockWriteError("block: too many row groups");
      await slices.turn();
      core.beginRowGroup(from, to);
      await slices.turn();
      chunks.beginRowGroup();
      rowGroups.push({ rows: to - from, chunks: await writeChunks(core, plan, chunks, slices) });
      lastIds.push(traceIdAt(batch, to - 1));
      from = to;
    }
    footerBytes = writeFooter(schema, rowGroups, (bytes) => output.write(bytes)).footerBytes;
    await output.flush();
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }

  const bloomShards = await writeBlooms(batch, core, store, folder, options, slices);
  await store.write(`${folder}/index`, utf8.encode(printIndex(lastIds)));
  const meta: BlockMeta = {
    format: version,
    blockID: options.blockId,
    tenantID: options.tenant,
    ...timeRange(batch, core),
    totalObjects: traces,
    size: output.position,
    compactionLevel: 0,
    indexPageSize: 0,
    totalRecords: lastIds.length,
    bloomShards,
    footerSize: footerBytes,
    dedicatedColumns: dedicated,
    replicationFactor: options.replicationFactor,
  };
  await store.write(`${folder}/meta.json`, utf8.encode(printMeta(meta)));
  return meta;
}

const utf8 = new TextEncoder();

/** Id of a string in the batch's dictionary, which is added if it is new. */
function intern(batch: SpanBatch, core: EncodeCore, text: string): number {
  const bytes = utf8.encode(text);
  batch.give(bytes);
  return core.internInput(bytes.length);
}

/** Puts the texts of values without a type of their own into the dictionary. */
async function internTexts(batch: SpanBatch, core: EncodeCore, slices: Slices): Promise<void> {
  core.resolveBlobs(intern(batch, core, emptyAnyValue));
  for (let blob = core.blobWithoutText(0); blob >= 0; blob = core.blobWithoutText(blob + 1)) {
    core.setBlobText(blob, intern(batch, core, anyValueToJson(batch.blob(blob))));
    if (slices.due) await slices.rest();
  }
}

/** Tells the core which attributes have columns of their own. Returns their numbers by leaf; absent if the batch has no such key. */
function beginKeys(batch: SpanBatch, core: EncodeCore, dedicated: DedicatedColumn[]): Map<string, number> {
  const wanted = [
    { scope: "resource", name: "service.name", type: "string", leaf: "ServiceName" },
    ...staticColumnsV4.map((column) => ({ ...column, leaf: column.column })),
    ...dedicated.map((column, i) => ({
      ...column,
      leaf: `DedicatedAttributes.${spareColumn(dedicated, i)}`,
    })),
  ].map(({ scope, name, type, leaf }) => {
    const known = core.strings();
    const key = intern(batch, core, name);
    return { scope, key, isNew: key === known, type, leaf };
  });
  core.beginEncode();
  const columns = new Map<string, number>();
  for (const { scope, key, isNew, type, leaf } of wanted) {
    if (isNew) continue;
    if (scope === "resource") columns.set(`rs.Resource.${leaf}`, core.addResourceColumn(key));
    else columns.set(`rs.ss.Spans.${leaf}`, core.addSpanColumn(key, type === "int" ? 1 : 0));
  }
  return columns;
}

async function writeChunks(
  core: EncodeCore,
  plan: Step[],
  chunks: ChunkWriter,
  slices: Slices,
): Promise<RowGroupEntry["chunks"]> {
  const written: RowGroupEntry["chunks"] = [];
  for (const step of plan) {
    if (step.kind === "leaf") written.push(await chunks.write(step));
    else await makeStructure(core, step, slices);
  }
  return written;
}

async function makeStructure(core: EncodeCore, step: StructureStep, slices: Slices): Promise<void> {
  const { kind, parent, target, owner, repetition, emptyDefinition } = step;
  const toExpand =
    kind === "attributes"
      ? core.beginAttributes(parent, target, owner, repetition, emptyDefinition)
      : core.beginEvents(kind === "links" ? 1 : 0, repetition, emptyDefinition);
  await slices.turn();
  if (toExpand) await slices.over(core.structureSlots(parent), (from, to) => core.expand(from, to));
}

async function writeBlooms(
  batch: SpanBatch,
  core: EncodeCore,
  store: BlockStore,
  folder: string,
  options: BlockWriteOptions,
  slices: Slices,
): Promise<number> {
  const traces = core.orderedTraces();
  const shape = bloomShape(traces, options.bloomFalsePositive, options.bloomShardBytes);
  await slices.turn();
  const bytes = core.beginBlooms(shape.shards, shape.bits);
  await slices.over(traces, (from, to) => core.addToBlooms(from, to, shape.shards, shape.bits, shape.hashes));
  for (let shard = 0; shard < shape.shards; shard++) {
    const filter = new Uint8Array(
      core.memory.buffer,
      batch.columnAddress(Column.Encode7) + shard * bytes,
      bytes,
    );
    await store.write(`${folder}/bloom-${shard}`, bloomObject(shape, filter));
  }
  return shape.shards;
}

function traceIdAt(batch: SpanBatch, rank: number): Uint8Array {
  const trace = batch.u32(Column.OrderedTrace, rank + 1)[rank]!;
  return batch.u8(Column.TraceId, (trace + 1) * traceIdBytes).slice(trace * traceIdBytes);
}

/** Whole seconds around all spans: readers skip blocks by these times. */
function timeRange(batch: SpanBatch, core: EncodeCore): { startTime: string; endTime: string } {
  core.spanTimeBounds();
  const bounds = new DataView(core.memory.buffer, batch.columnAddress(Column.Output), 16);
  const earliest = bounds.getBigUint64(0, true) / nanosPerSecond;
  const latest = (bounds.getBigUint64(8, true) + nanosPerSecond - 1n) / nanosPerSecond;
  return { startTime: timeText(earliest), endTime: timeText(latest) };
}

/** RFC 3339 of seconds since the epoch. */
function timeText(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}
