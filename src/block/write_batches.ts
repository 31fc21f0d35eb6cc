// Batches into the objects of a block, in the ascending order of their trace ids: data.parquet row group by row group, then blooms and
// index. meta.json is the caller's to write: with it the block becomes one.

import { Column } from "../../wasm/column_ids.ts";
import type { OrderedCounts, SpanBatch } from "../batch/span_batch.ts";
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { ObjectWriter, Store } from "../store/store.ts";
import { bloomShape } from "./bloom.ts";
import { type DedicatedColumn, filterDedicatedColumns } from "./dedicated.ts";
import { ChunkWriter } from "./encode_chunk.ts";
import { type CompressedPage, pageCompressor } from "./encode_compress.ts";
import { type EncodeCore, encodeCore } from "./encode_core.ts";
import { beginKeys, internTexts } from "./encode_keys.ts";
import { BlockOutput } from "./encode_output.ts";
import { planRowGroup, type Step, type StructureStep } from "./encode_plan.ts";
import type { Slices } from "./encode_slices.ts";
import { magic, type RowGroupEntry, writeFooter } from "./footer_writer.ts";
import { printIndex } from "./index.ts";
import type { BlockMeta } from "./meta.ts";
import { type BlockVersion, blockSchema, leaves, type SchemaNode } from "./schema.ts";
import { BloomFilters } from "./write_blooms.ts";

/** Row groups of a file, at most: their ordinal is a 16-bit number. */
const rowGroupsMax = 32767;
const nanosPerSecond = 1_000_000_000n;

export interface BlockWriteOptions {
  version: BlockVersion;
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
  /** 1; of blocks of Tempo 2.x, 0. */
  replicationFactor: number;
}

/** What writing a block needs of a store. */
export type BlockStore = Pick<Store, "create" | "write">;

/** A batch that no block can be made of, or a block that its format cannot hold. */
export class BlockWriteError extends Error {
  override name = "BlockWriteError";
}

/** Puts a batch in the order in which it is stored. No span may be added from now on. */
export function orderForBlock(batch: SpanBatch): OrderedCounts {
  encodeCore(batch).mergeEqualResources();
  return batch.order();
}

export class BlockWriter {
  readonly #store: BlockStore;
  readonly #options: BlockWriteOptions;
  readonly #folder: string;
  readonly #writer: ObjectWriter;
  readonly #output: BlockOutput;
  readonly #dedicated: DedicatedColumn[];
  readonly #schema: SchemaNode;
  readonly #compress: (raw: Uint8Array) => CompressedPage;
  readonly #blooms: BloomFilters;
  readonly #rowGroups: RowGroupEntry[] = [];
  readonly #lastIds: Uint8Array[] = [];
  #closed = false;
  #traces = 0;
  #spans = 0;
  #earliest: bigint | null = null;
  #latest = 0n;

  private constructor(store: BlockStore, options: BlockWriteOptions, writer: ObjectWriter, traces: number) {
    this.#store = store;
    this.#options = options;
    this.#folder = folderOf(options);
    this.#writer = writer;
    this.#output = new BlockOutput(writer);
    this.#dedicated = filterDedicatedColumns(options.version, options.dedicatedColumns);
    this.#schema = blockSchema(options.version, this.#dedicated);
    this.#compress = pageCompressor(options.zstdLevel);
    this.#blooms = new BloomFilters(bloomShape(traces, options.bloomFalsePositive, options.bloomShardBytes));
    this.#output.write(magic);
  }

  /**
   * Begins a block.
   *
   * @param traces how many it will have, at most: the size of the bloom filters
   */
  static async create(store: BlockStore, options: BlockWriteOptions, traces: number): Promise<BlockWriter> {
    const writer = await store.create(`${folderOf(options)}/data.parquet`);
    return new BlockWriter(store, options, writer, traces);
  }

  /** Spans written so far: entries of the column of their ids. */
  get spans(): number {
    return this.#spans;
  }

  /**
   * Appends a batch, which orderForBlock() has put in order: one row group or several.
   *
   * @throws BlockWriteError if an id is not behind those that are written; what the store throws
   */
  async append(batch: SpanBatch, slices: Slices): Promise<void> {
    const core = encodeCore(batch);
    const traces = core.orderedTraces();
    if (traces === 0) return;
    const before = this.#lastIds.at(-1);
    if (before && Buffer.compare(before, traceIdAt(batch, 0)) >= 0) {
      throw new BlockWriteError("block: trace ids do not ascend");
    }
    const { pageBytesMax, rowGroupBytesMax, version } = this.#options;
    await internTexts(version, batch, core, slices);
    const keyColumns = beginKeys(version, batch, core, this.#dedicated);
    const plan = planRowGroup(leaves(this.#schema), keyColumns);
    const chunks = new ChunkWriter(batch, this.#output, this.#compress, slices, pageBytesMax);
    for (let from = 0; from < traces; ) {
      const to = core.rowGroupEnd(from, rowGroupBytesMax);
      if (this.#rowGroups.length === rowGroupsMax) throw new BlockWriteError("block: too many row groups");
      await slices.turn();
      core.beginRowGroup(from, to, version === "vParquet5" ? 1 : 0);
      await slices.turn();
      chunks.beginRowGroup();
      const written = await writeChunks(core, plan, chunks, slices);
      this.#rowGroups.push({ rows: to - from, chunks: written });
      this.#spans += written.find(({ leaf }) => leaf.path.endsWith(".SpanID"))!.slots;
      this.#lastIds.push(traceIdAt(batch, to - 1));
      from = to;
    }
    await this.#blooms.add(batch, slices);
    this.#traces += traces;
    this.#noteTimes(batch, core);
  }

  /**
   * Writes what remains of the objects.
   *
   * @returns the meta that is to be written now, of a block that was merged from no others
   */
  async finish(): Promise<BlockMeta> {
    const output = this.#output;
    const { footerBytes } = writeFooter(this.#schema, this.#rowGroups, (bytes) => output.write(bytes));
    await output.flush();
    this.#closed = true;
    await this.#writer.close();
    let bloomShards = 0;
    for (const object of this.#blooms.objects()) {
      await this.#store.write(`${this.#folder}/bloom-${bloomShards++}`, object);
    }
    await this.#store.write(`${this.#folder}/index`, utf8.encode(printIndex(this.#lastIds)));
    const { version, tenant, blockId, replicationFactor } = this.#options;
    return {
      format: version,
      blockID: blockId,
      tenantID: tenant,
      ...this.#timeRange(),
      totalObjects: this.#traces,
      size: output.position,
      compactionLevel: 0,
      indexPageSize: 0,
      totalRecords: this.#rowGroups.length,
      bloomShards,
      footerSize: footerBytes,
      dedicatedColumns: this.#dedicated,
      replicationFactor,
    };
  }

  /** Gives the block up. Objects that were written whole stay: without meta.json they are none. */
  async abort(): Promise<void> {
    if (!this.#closed) await this.#writer.abort();
  }

  #noteTimes(batch: SpanBatch, core: EncodeCore): void {
    core.spanTimeBounds();
    const bounds = new DataView(core.memory.buffer, batch.columnAddress(Column.Output), 16);
    const earliest = bounds.getBigUint64(0, true);
    const latest = bounds.getBigUint64(8, true);
    if (this.#earliest === null || earliest < this.#earliest) this.#earliest = earliest;
    if (latest > this.#latest) this.#latest = latest;
  }

  /** Whole seconds around all spans: readers skip blocks by these times. */
  #timeRange(): { startTime: string; endTime: string } {
    const earliest = (this.#earliest ?? 0n) / nanosPerSecond;
    const latest = (this.#latest + nanosPerSecond - 1n) / nanosPerSecond;
    return { startTime: timeText(earliest), endTime: timeText(latest) };
  }
}

const utf8 = new TextEncoder();

function folderOf({ tenant, blockId }: BlockWriteOptions): string {
  return `${tenant}/${blockId}`;
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

function traceIdAt(batch: SpanBatch, rank: number): Uint8Array {
  const trace = batch.u32(Column.OrderedTrace, rank + 1)[rank]!;
  return batch.u8(Column.TraceId, (trace + 1) * traceIdBytes).slice(trace * traceIdBytes);
}

/** RFC 3339 of seconds since the epoch. */
function timeText(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}
