// Batches into the objects of a block, in the ascending order of their trace ids: data.parquet row group by row group, then blooms and
// index. meta.json is the caller's to write: with it the block becomes one.

import { Column } from "../../wasm/column_ids.ts";
import type { OrderedCounts, SpanBatch } from "../batch/span_batch.ts";
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { ObjectWriter, Store } from "../store/store.ts";
import { bloomShape } from "./bloom.ts";
import { type DedicatedColumn, filterDedicatedColumns } from "./dedicated.ts";
import { ChunkWriter } from "./encode_chunk.ts";
import { type CompressedPage, type PageContent, pageCompressor } from "./encode_compress.ts";
import { encodeCore } from "./encode_core.ts";
import { beginKeys, internTexts } from "./encode_keys.ts";
import { BatchLeaves, leafSteps, type RowGroupLeaves } from "./encode_leaves.ts";
import { BlockOutput } from "./encode_output.ts";
import { type LeafStep, plainPath, planRowGroup, type Step } from "./encode_plan.ts";
import type { Slices } from "./encode_slices.ts";
import { magic, type RowGroupEntry, writeFooter } from "./footer_writer.ts";
import { printIndex } from "./index.ts";
import type { BlockMeta } from "./meta.ts";
import { type BlockVersion, blockSchema, leaves, type SchemaNode } from "./schema.ts";
import { BloomFilters } from "./write_blooms.ts";

/** Row groups of a file, at most: their ordinal is a 16-bit number. */
const rowGroupsMax = 32767;
const nanosPerSecond = 1_000_000_000n;
/** The leaves that tell which time a block covers; a span may also start behind what its trace says of its end. */
const earliestTimes = "rs.ss.Spans.StartTimeUnixNano";
const latestTimes = "EndTimeUnixNano";

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

/** The columns of a block that we write. */
export interface BlockColumns {
  schema: SchemaNode;
  /** As its meta lists them. */
  dedicated: DedicatedColumn[];
}

/** @param configured dedicated columns; what a block of this version has no column for is left out */
export function blockColumns(version: BlockVersion, configured: readonly DedicatedColumn[]): BlockColumns {
  const dedicated = filterDedicatedColumns(version, configured);
  return { dedicated, schema: blockSchema(version, dedicated) };
}

/** What writing a block needs of a store. */
export type BlockStore = Pick<Store, "create" | "write" | "size">;

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
  readonly #columns: BlockColumns;
  /** The leaves that a row group has. */
  readonly steps: readonly LeafStep[];
  readonly #compress: (raw: Uint8Array, content: PageContent) => CompressedPage;
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
    this.#columns = blockColumns(options.version, options.dedicatedColumns);
    this.steps = leafSteps(planRowGroup(leaves(this.#columns.schema), new Map()));
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
    const plan = await this.#plan(batch, slices);
    for (let from = 0; from < traces; ) {
      const to = core.rowGroupEnd(from, this.#options.rowGroupBytesMax);
      await slices.turn();
      core.beginRowGroup(from, to, this.#byService);
      await slices.turn();
      await this.appendLeaves(new BatchLeaves(batch, to - from, plan, slices), slices);
      from = to;
    }
  }

  /** The leaves of a batch that is in order, all its traces as one row group, for appendLeaves() or as a part of what it takes. */
  async leavesOf(batch: SpanBatch, slices: Slices): Promise<BatchLeaves> {
    const core = encodeCore(batch);
    const traces = core.orderedTraces();
    const plan = await this.#plan(batch, slices);
    core.beginRowGroup(0, traces, this.#byService);
    return new BatchLeaves(batch, traces, plan, slices);
  }

  get #byService(): number {
    return this.#options.version === "vParquet5" ? 1 : 0;
  }

  async #plan(batch: SpanBatch, slices: Slices): Promise<Step[]> {
    const core = encodeCore(batch);
    const { version } = this.#options;
    const { schema, dedicated } = this.#columns;
    await internTexts(version, batch, core, slices);
    return planRowGroup(leaves(schema), beginKeys(version, batch, core, dedicated));
  }

  /**
   * Appends a row group.
   *
   * @throws as append()
   */
  async appendLeaves(source: RowGroupLeaves, slices: Slices): Promise<void> {
    if (this.#rowGroups.length === rowGroupsMax) throw new BlockWriteError("block: too many row groups");
    const { batch, rows } = source;
    const chunks = new ChunkWriter(batch, this.#output, this.#compress, slices, this.#options.pageBytesMax);
    const written: RowGroupEntry["chunks"] = [];
    let ids = new Uint8Array(0);
    for (const step of source.steps) {
      const levels = await source.load(step);
      const path = plainPath(step.leaf);
      if (path === "TraceID") ids = this.#takeIds(batch, rows);
      else if (path === "rs.ss.Spans.SpanID") this.#spans += encodeCore(batch).leafValueCount();
      else if (path === latestTimes || path === earliestTimes) this.#noteTimes(batch, path);
      written.push(await chunks.write(step, levels));
    }
    this.#rowGroups.push({ rows, chunks: written });
    this.#lastIds.push(ids.slice(-traceIdBytes));
    this.#traces += rows;
    await this.#blooms.add(batch, ids, slices);
  }

  /** The trace ids of a row group, which the core holds. */
  #takeIds(batch: SpanBatch, rows: number): Uint8Array<ArrayBuffer> {
    const core = encodeCore(batch);
    const ids = batch.u8(Column.Encode7, rows * traceIdBytes).slice();
    const before = this.#lastIds.at(-1);
    const follows = !before || Buffer.compare(before, ids.subarray(0, traceIdBytes)) < 0;
    if (core.leafValueCount() !== rows || !follows || !core.idsAscend()) {
      throw new BlockWriteError("block: trace ids do not ascend");
    }
    return ids;
  }

  /**
   * Writes what remains of the objects.
   *
   * @returns the meta that is to be written now, of a block that was merged from no others
   */
  async finish(): Promise<BlockMeta> {
    const output = this.#output;
    const { footerBytes } = writeFooter(this.#columns.schema, this.#rowGroups, (bytes) =>
      output.write(bytes),
    );
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
      dedicatedColumns: this.#columns.dedicated,
      replicationFactor,
    };
  }

  /** Gives the block up. Objects that were written whole stay: without meta.json they are none. */
  async abort(): Promise<void> {
    if (!this.#closed) await this.#writer.abort();
  }

  /** Takes the times that the core holds into account. */
  #noteTimes(batch: SpanBatch, path: string): void {
    const core = encodeCore(batch);
    if (core.leafValueCount() === 0) return;
    core.leafExtent();
    const extent = new DataView(core.memory.buffer, batch.columnAddress(Column.Output), 16);
    const earliest = extent.getBigUint64(0, true);
    const latest = extent.getBigUint64(8, true);
    const isStart = path === earliestTimes;
    if (isStart && (this.#earliest === null || earliest < this.#earliest)) this.#earliest = earliest;
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

/** RFC 3339 of seconds since the epoch. */
function timeText(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}
