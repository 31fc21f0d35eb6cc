// A shard over a store that only remembers, for tests.

import { Column } from "../../wasm/column_ids.ts";
import { id, request, span } from "../batch/wire_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { CutDone } from "../telemetry/ingest_metrics.ts";
import type { Head } from "./head.ts";
import { Shard, type ShardEvents, type ShardSettings, type ShardStore } from "./shard.ts";
import { WalDirectory } from "./wal_directory.ts";
import type { WalFiles } from "./wal_files.ts";

export interface RememberedBlock {
  tenant: string;
  spans: number;
  /** Names of the spans, sorted: what the block holds. */
  names: string[];
}

/** Blocks by id. What is set in `faults` is thrown by the next writes, one each. */
export class RememberingStore implements ShardStore {
  readonly blocks = new Map<string, RememberedBlock>();
  readonly writes: string[] = [];
  readonly dropped: string[] = [];
  faults: Error[] = [];
  /** Every write waits for it. */
  gate: Promise<void> = Promise.resolve();

  async writeBlock(head: Head, pause: () => Promise<void>): Promise<BlockMeta> {
    const { blockId, tenant } = head;
    this.writes.push(blockId);
    const { traces } = head.batch.order();
    await pause();
    await this.gate;
    const fault = this.faults.shift();
    if (fault) throw fault;
    this.blocks.set(blockId, { tenant, spans: head.batch.spans, names: spanNames(head) });
    return metaOf(tenant, blockId, traces);
  }

  async findBlock(tenant: string, blockId: string): ReturnType<ShardStore["findBlock"]> {
    const block = this.blocks.get(blockId);
    return block ? metaOf(tenant, blockId, block.spans) : null;
  }

  async dropPartial(_tenant: string, blockId: string): Promise<void> {
    this.dropped.push(blockId);
  }

  /** Names of the spans in all blocks, sorted. */
  get names(): string[] {
    return [...this.blocks.values()].flatMap((block) => block.names).sort();
  }
}

function spanNames({ batch }: Head): string[] {
  return [...batch.u32(Column.SpanName, batch.spans)].map((name) => batch.string(name)).sort();
}

export function metaOf(tenantID: string, blockID: string, totalObjects: number): BlockMeta {
  return {
    format: "vParquet4",
    blockID,
    tenantID,
    startTime: "2026-01-01T00:00:00Z",
    endTime: "2026-01-01T00:00:01Z",
    totalObjects,
    size: 1,
    compactionLevel: 0,
    indexPageSize: 0,
    totalRecords: 1,
    bloomShards: 1,
    footerSize: 1,
    dedicatedColumns: [],
    replicationFactor: 1,
  };
}

export interface ShardFixture {
  shard: Shard;
  store: RememberingStore;
  listed: BlockMeta[];
  cuts: CutDone[];
  failures: string[];
  broken: string[];
}

export interface ShardFixtureOptions extends Partial<ShardSettings> {
  store?: RememberingStore;
  shardIndex?: number;
  shards?: number;
  files?: WalFiles;
  listBlock?: ShardEvents["listBlock"];
}

export function makeShard(root: string, options: ShardFixtureOptions = {}): ShardFixture {
  const {
    store = new RememberingStore(),
    shardIndex = 0,
    shards = 1,
    files,
    listBlock,
    ...settings
  } = options;
  const listed: BlockMeta[] = [];
  const cuts: CutDone[] = [];
  const failures: string[] = [];
  const broken: string[] = [];
  const directory = new WalDirectory(root, shardIndex, shards, false, files);
  const events: ShardEvents = {
    listBlock: async (meta) => {
      await listBlock?.(meta);
      listed.push(meta);
    },
    cutDone: (cut) => cuts.push(cut),
    cutFailed: (_, error) => failures.push(error.message),
    broke: (error) => broken.push(error.message),
  };
  const defaults: ShardSettings = {
    memoryBytesMax: 64 << 20,
    sync: "off",
    syncIntervalMs: 5,
    blockBytesMax: 50 << 20,
    attributeBytesMax: 2048,
  };
  return {
    shard: new Shard({ ...defaults, ...settings }, directory, store, events),
    store,
    listed,
    cuts,
    failures,
    broken,
  };
}

export function traceId(number: number): Uint8Array {
  const bytes = id(16, number);
  bytes[0] = 0x80; // number 0 must not be the id of zeros
  return bytes;
}

/** A request with one span in each of these traces; the span's name is `<prefix><trace>`. */
export function spansIn(traces: number[], prefix = "span-"): Uint8Array<ArrayBuffer> {
  const spans = traces.map((trace) =>
    span({ trace: traceId(trace), id: trace + 1, name: `${prefix}${trace}`, start: 1n, end: 2n }),
  );
  return new Uint8Array(request(spans));
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
