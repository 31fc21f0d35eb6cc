// Whether a stored block is whole: everything in it is read, and held against what its other objects say.

import { SpanBatch } from "../batch/span_batch.ts";
import { traceIdBytes } from "../batch/trace_ids.ts";
import { bloomMayHold, bloomShard, bloomShards } from "../block/find_bloom.ts";
import type { BlockMeta } from "../block/meta.ts";
import { ParquetError } from "../block/parquet_error.ts";
import { BlockReader } from "../block/read.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { slicesOf } from "../jobs/row_slices.ts";
import { readIfThere } from "../store/read_if_there.ts";
import type { Store } from "../store/store.ts";

/** Of one block. Further ones are counted. */
const problemsMax = 8;
/** A thousand million traces have so many at the usual size. */
const shardsMax = 10_000;
/** Filters are held together, as the traces of a row group are spread over all of them. */
const bloomBytesMax = 256 << 20;

export interface CheckedBlock {
  traces: number;
  spans: number;
  /** What is wrong, each in a few words; none if nothing is. */
  problems: string[];
}

/**
 * Reads a block whole.
 *
 * @param meta of a block of a format that can be read
 * @param progress told how many of the block's row groups have been read
 * @throws StoreNotFound if there is no data file; StoreError if the store fails
 */
export async function checkBlock(
  store: Store,
  meta: BlockMeta,
  progress: (done: number, of: number) => void,
): Promise<CheckedBlock> {
  const check = new BlockCheck(store, meta);
  try {
    await check.run(progress);
  } catch (error) {
    // Where the file can't be read there is no way on.
    if (!(error instanceof ParquetError)) throw error;
    check.say(error.message);
  }
  return check.result();
}

class BlockCheck {
  readonly #store: Store;
  readonly #meta: BlockMeta;
  readonly #problems: string[] = [];
  #unsaid = 0;
  #traces = 0;
  #spans = 0;
  readonly #blooms: (Uint8Array | null)[] = [];
  /** Traces that a filter does not have. */
  #unknown = 0;
  #last: string | null = null;
  readonly #lastIds: string[] = [];

  constructor(store: Store, meta: BlockMeta) {
    this.#store = store;
    this.#meta = meta;
  }

  say(problem: string): void {
    if (this.#problems.length < problemsMax) this.#problems.push(problem);
    else this.#unsaid++;
  }

  result(): CheckedBlock {
    const more = this.#unsaid > 0 ? [`and ${this.#unsaid} problems more`] : [];
    return { traces: this.#traces, spans: this.#spans, problems: [...this.#problems, ...more] };
  }

  async run(progress: (done: number, of: number) => void): Promise<void> {
    const { size, blockID, tenantID } = this.#meta;
    const found = await this.#store.size(`${tenantID}/${blockID}/data.parquet`);
    if (size !== 0 && found !== size) {
      this.say(`data.parquet has ${found} bytes, meta.json says ${size}`);
      return;
    }
    await this.#readBlooms();
    // Caches of its own: what is read once need not be remembered.
    const reader = await BlockReader.open(this.#store, this.#meta, new ReadCaches());
    const groups = await reader.rowGroups();
    const batch = SpanBatch.create();
    for (let group = 0; group < groups; group++) {
      progress(group, groups);
      await this.#group(reader, batch, group);
    }
    this.#judgeTotals();
    await this.#judgeIndex();
  }

  async #group(reader: BlockReader, batch: SpanBatch, group: number): Promise<void> {
    const size = await reader.groupSize(group);
    for (const rows of slicesOf([{ start: 0, end: size.rows }], size)) {
      batch.reset();
      await reader.readRowGroup(batch, group, { rows });
      this.#spans += batch.spans;
    }
    this.#traces += size.rows;
    batch.reset();
    const ids = await reader.traceIds(group);
    for (let at = 0; at < ids.length; at += traceIdBytes) {
      const id = ids.subarray(at, at + traceIdBytes);
      this.#judgeOrder(id, group);
      this.#judgeBloom(batch, id);
    }
    this.#lastIds.push(this.#last ?? "");
  }

  #judgeOrder(id: Uint8Array, group: number): void {
    const hex = Buffer.from(id.buffer, id.byteOffset, id.length).toString("hex");
    if (this.#last !== null && hex <= this.#last) {
      const how = hex === this.#last ? "is there twice" : "is out of order";
      this.say(`trace ${hex} ${how}, in row group ${group}`);
    }
    this.#last = hex;
  }

  async #readBlooms(): Promise<void> {
    const { tenantID, blockID } = this.#meta;
    const shards = bloomShards(this.#meta.bloomShards);
    if (shards > shardsMax) {
      this.say(`meta.json says ${shards} bloom filters`);
      return;
    }
    let bytes = 0;
    for (let shard = 0; shard < shards; shard++) {
      const filter = await readIfThere(this.#store, `${tenantID}/${blockID}/bloom-${shard}`);
      bytes += filter?.length ?? 0;
      if (bytes > bloomBytesMax) {
        this.say(`its bloom filters have more than ${bloomBytesMax} bytes: they are not all checked`);
        return;
      }
      if (filter === null) this.say(`bloom-${shard} is missing: every lookup reads the block`);
      this.#blooms.push(filter);
    }
  }

  #judgeBloom(batch: SpanBatch, id: Uint8Array): void {
    const shard = bloomShard(batch, id, this.#meta.bloomShards);
    const filter = this.#blooms[shard];
    if (!filter) return;
    try {
      if (!bloomMayHold(batch, filter, id)) this.#unknown++;
    } catch (error) {
      if (!(error instanceof ParquetError)) throw error;
      this.say(`bloom-${shard}: ${error.message}`);
      this.#blooms[shard] = null;
    }
  }

  #judgeTotals(): void {
    const { totalObjects } = this.#meta;
    if (totalObjects !== this.#traces) {
      this.say(`${this.#traces} traces, meta.json says ${totalObjects}`);
    }
    if (this.#unknown > 0) this.say(`${this.#unknown} traces can't be found: their bloom filter lacks them`);
  }

  /** A block without an index object is read all the same: its footer has the bounds. */
  async #judgeIndex(): Promise<void> {
    const bytes = await readIfThere(this.#store, `${this.#meta.tenantID}/${this.#meta.blockID}/index`);
    if (bytes === null) return;
    const said = indexIds(bytes);
    if (said === null) this.say("index: not the index of a block");
    else if (said.length !== this.#lastIds.length || said.some((id, i) => id !== this.#lastIds[i])) {
      this.say("index: its trace ids are not the last ones of the row groups");
    }
  }
}

/** The last trace ids that an index object names, in hex; null if it is none. */
function indexIds(bytes: Uint8Array): string[] | null {
  try {
    const { rowGroups } = JSON.parse(new TextDecoder().decode(bytes)) as { rowGroups?: unknown };
    if (!Array.isArray(rowGroups)) return null;
    return rowGroups.map((id: unknown) => Buffer.from(String(id), "base64").toString("hex"));
  } catch {
    return null;
  }
}
