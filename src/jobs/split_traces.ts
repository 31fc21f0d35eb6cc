// Which traces lie in more than one of the stored blocks and heads. All other traces can be judged, and shown, from their one block. What
// the blocks hold is kept from one search to the next.

import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { pickTraceIds, traceIdBytes } from "../batch/trace_ids.ts";
import { type BlockMeta, isBlockVersion } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { Store } from "../store/store.ts";
import { eachBlock } from "./each_block.ts";
import { joinArrays, type SearchedTime } from "./search_job.ts";

/** What a trace takes: its id, its place in a table that is at most half full, and what both leave behind as they grow. */
const bytesPerTrace = 64;
/** Traces in several blocks. With more they are no exception. */
const splitMax = 1 << 16;

export class SplitTraces {
  readonly #store: Store;
  readonly #caches: ReadCaches;
  /** Traces of all blocks together. With more, each search looks up where its traces are. */
  readonly #tracesMax: number;
  #batch: SpanBatch | null = null;
  /** Trace ids by name of the block, those that were asked for last at the end. */
  readonly #ids = new Map<string, Uint8Array>();
  /** Blocks whose ids are noted in the batch: always blocks of #ids. */
  #noted = new Set<string>();
  /** Ids of the traces that several of the noted blocks hold. */
  #split: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** One call after the other: each notes the blocks that it asks for. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param bytesMax what all ids and their table may take */
  constructor(store: Store, caches: ReadCaches, bytesMax: number) {
    this.#store = store;
    this.#caches = caches;
    this.#tracesMax = Math.floor(bytesMax / bytesPerTrace);
  }

  /**
   * @param live ids, 16 bytes each, of the traces in heads, each once for every head
   * @param searched a block outside of it that can't be read is passed over
   * @returns ids of the traces that lie in several of the blocks and heads; null where that are too many to be told
   */
  of(
    metas: readonly BlockMeta[],
    live: Uint8Array,
    searched: SearchedTime,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const result = this.#turn.then(() => this.#of(metas, live, searched, signal));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #of(
    metas: readonly BlockMeta[],
    live: Uint8Array,
    searched: SearchedTime,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const traces = metas.reduce((sum, { totalObjects }) => sum + totalObjects, 0);
    if (traces > this.#tracesMax) return null;
    await this.#read(metas, searched, signal);
    const wanted = new Set(metas.map(nameOf));
    // A meta may say less than its block holds.
    if (this.#tracesOf(wanted) > this.#tracesMax) return null;
    // A trace is not split because a block that was compacted since, or is of another time, holds it too.
    if (![...this.#noted].every((name) => wanted.has(name))) this.#forget();
    for (const name of wanted) if (!this.#noted.has(name)) this.#note(name);
    if (this.#split.length / traceIdBytes > splitMax) return null;
    return joinArrays([this.#split, this.#alsoLive(live)], (length) => new Uint8Array(length));
  }

  /** Reads the ids that are not known yet; of blocks that are not wanted it drops the oldest above the limit. */
  async #read(metas: readonly BlockMeta[], searched: SearchedTime, signal: AbortSignal): Promise<void> {
    const unknown: BlockMeta[] = [];
    for (const meta of metas) {
      const ids = this.#ids.get(nameOf(meta));
      if (ids === undefined) {
        unknown.push(meta);
        continue;
      }
      this.#ids.delete(nameOf(meta));
      this.#ids.set(nameOf(meta), ids);
    }
    const look = async (reader: BlockReader): Promise<void> => {
      this.#ids.set(nameOf(reader.meta), await idsOf(reader));
    };
    await eachBlock(this.#store, this.#caches, unknown, signal, look, searched);
    const needed = new Set(metas.map(nameOf));
    let traces = this.#tracesOf(this.#ids.keys());
    for (const [name, ids] of this.#ids) {
      if (traces <= this.#tracesMax || needed.has(name)) break;
      this.#ids.delete(name);
      traces -= ids.length / traceIdBytes;
    }
  }

  #tracesOf(names: Iterable<string>): number {
    let bytes = 0;
    for (const name of names) bytes += this.#ids.get(name)?.length ?? 0;
    return bytes / traceIdBytes;
  }

  /** Of the traces in heads those that are in a block or in another head as well. */
  #alsoLive(live: Uint8Array): Uint8Array<ArrayBuffer> {
    if (live.length === 0) return new Uint8Array(0);
    this.#batch ??= SpanBatch.create();
    const { core } = this.#batch;
    const count = live.length / traceIdBytes;
    const address = this.#batch.give(live);
    core.wantIds!(address, count);
    core.countIds!(address, count);
    core.idCounts!(address, count);
    const heads = this.#batch.u8(Column.Output, count).slice();
    const places = [...this.#batch.u32(Column.Output, core.notedIds!(address, count))];
    for (const [place, head] of heads.entries()) if (head > 1) places.push(place);
    return pickTraceIds(live, places);
  }

  #note(name: string): void {
    const ids = this.#ids.get(name);
    // A block that is gone meanwhile.
    if (ids === undefined) return;
    this.#batch ??= SpanBatch.create();
    const repeats = this.#batch.core.noteIds!(this.#batch.give(ids), ids.length / traceIdBytes);
    this.#noted.add(name);
    if (repeats === 0 || this.#split.length / traceIdBytes > splitMax) return;
    const split = pickTraceIds(ids, [...this.#batch.u32(Column.Output, repeats)]);
    this.#split = joinArrays([this.#split, split], (length) => new Uint8Array(length));
  }

  #forget(): void {
    if (this.#batch !== null) this.#batch.core.forgetIds!();
    this.#noted = new Set();
    this.#split = new Uint8Array(0);
  }
}

async function idsOf(reader: BlockReader): Promise<Uint8Array> {
  if (!isBlockVersion(reader.meta.format)) return new Uint8Array(0);
  const groups = await reader.rowGroups();
  const ids: Uint8Array[] = [];
  for (let group = 0; group < groups; group++) ids.push(await reader.traceIds(group));
  return joinArrays(ids, (length) => new Uint8Array(length));
}

function nameOf({ tenantID, blockID }: BlockMeta): string {
  return `${tenantID}/${blockID}`;
}
