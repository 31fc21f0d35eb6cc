// Where traces lie: which of them are in several heads and blocks, and all that there is of some of them.
import { pickTraceIds, traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { BlockFilters } from "../filter/block_filters.ts";
import type { BlockTraces } from "../jobs/block_pool.ts";
import { joinArrays, type SearchedTime } from "../jobs/search_job.ts";
import { TraceIdSet } from "./id_set.ts";
import type { LiveSearch, SearchBlockList, StoredSearch } from "./search_engine.ts";
import type { SearchRequest } from "./search_types.ts";

/** Other parts of a trace are looked for in blocks that are at most this far from the time that is searched. */
const partGapSeconds = 3600;
/** Traces that are read from blocks at a time, before it is known how large they are. */
const readAtOnceMax = 8;

/** So few traces are looked for by the filters of all blocks, each of which takes some tenths of a millisecond. */
const filteredIdsMax = 256;
/** Blocks that are read to make sure of what filters say. With more it is better to know the ids of all. */
const assuredBlocksMax = 64;

export interface SearchSources {
  live: LiveSearch;
  list: SearchBlockList;
  stored: StoredSearch;
  /** Where requests go over a network: which blocks may hold a trace, of which none is read. Null where blocks are read as fast. */
  filters: Pick<BlockFilters, "mayHoldEach"> | null;
}

/** All parts of some traces. */
export interface WholeTraces {
  /** OTLP TracesData. */
  parts: Uint8Array[];
  /** So many of the traces that were asked for. */
  count: number;
  /** Of blocks that were read. */
  inspectedBytes: number;
}

/** Of the traces of one search. */
export class TracePlaces {
  /** Tenants that had spans in heads when those were asked. */
  readonly liveTenants = new Set<string>();
  readonly #request: Pick<SearchRequest, "tenants" | "start" | "end">;
  readonly #signal: AbortSignal;
  readonly #sources: SearchSources;
  #liveIds: Uint8Array = new Uint8Array(0);
  #areHeadsAsked = false;
  #finding: Promise<void> | null = null;
  #split: { ids: Uint8Array; set: TraceIdSet } | null = null;

  constructor(
    request: Pick<SearchRequest, "tenants" | "start" | "end">,
    signal: AbortSignal,
    sources: SearchSources,
  ) {
    this.#request = request;
    this.#signal = signal;
    this.#sources = sources;
  }

  /** Ids of the traces that lie in several heads and blocks; null where that is not known yet, or can't be told. */
  get split(): Uint8Array | null {
    return this.#split?.ids ?? null;
  }

  get #searched(): SearchedTime {
    const { start, end } = this.#request;
    return { start, end };
  }

  /** Blocks of the searched time, and so many seconds around it. */
  blocks(gapSeconds: number): BlockMeta[] {
    const { start, end } = this.#request;
    const range = { start: Math.max(0, start - gapSeconds), end: end + gapSeconds };
    return this.#request.tenants.flatMap((tenant) => this.#sources.list.candidates(tenant, range));
  }

  /** Asks the heads of the live tenants for their traces. To be done before blocks are listed. */
  async askHeads(): Promise<void> {
    const { live } = this.#sources;
    const heads = await Promise.all(
      [...this.liveTenants].map((tenant) => live.traceIds(tenant, this.#signal)),
    );
    this.#liveIds = joinArrays(heads.flat(), (length) => new Uint8Array(length));
    this.#areHeadsAsked = true;
  }

  /** Whether it can be told of a few traces where they are, without the ids of all others. */
  get isFiltered(): boolean {
    return this.#sources.filters !== null;
  }

  /** Finds out which traces are split, of those in the heads as they were asked and in the blocks that are listed now. */
  findSplit(): Promise<void> {
    this.#finding ??= this.#findSplit();
    return this.#finding;
  }

  async #findSplit(): Promise<void> {
    const metas = this.blocks(partGapSeconds);
    const ids = await this.#sources.stored.splitTraces(metas, this.#liveIds, this.#searched, this.#signal);
    this.#split = ids && { ids, set: new TraceIdSet(ids) };
  }

  /** Places of the ids whose traces lie in several heads and blocks. */
  async inSeveral(ids: Uint8Array): Promise<number[]> {
    const filtered = this.#split === null ? await this.#inSeveralByFilters(ids) : null;
    if (filtered !== null) return filtered;
    if (this.#areHeadsAsked) await this.findSplit();
    if (this.#split !== null) return this.#split.set.among(ids);
    const holders = await this.#countHolders(ids);
    return [...holders.keys()].filter((i) => holders[i]! > 1);
  }

  /** The same, as far as it can be told by what filters say and reading the blocks of those that may be in several; null if not. */
  async #inSeveralByFilters(ids: Uint8Array): Promise<number[] | null> {
    const { filters } = this.#sources;
    if (filters === null || ids.length / traceIdBytes > filteredIdsMax) return null;
    const inHeads = await this.#countHeads(ids);
    const metas = this.blocks(partGapSeconds);
    const doubtful: number[] = [];
    const asked = new Set<BlockMeta>();
    let place = 0;
    for await (const found of filters.mayHoldEach(metas, ids, this.#signal)) {
      const i = place++;
      if (inHeads[i]! + found.length < 2) continue;
      doubtful.push(i);
      for (const { meta } of found) asked.add(meta);
      if (asked.size > assuredBlocksMax) return null;
    }
    if (doubtful.length === 0) return [];
    // Not the heads as they are now: what has left them since may be in a block that was not listed yet.
    const holders = Uint32Array.from(doubtful, (i) => inHeads[i]!);
    await this.#addBlocks(holders, pickTraceIds(ids, doubtful), [...asked]);
    return doubtful.filter((_, i) => holders[i]! > 1);
  }

  async #countHeads(ids: Uint8Array): Promise<Uint32Array> {
    const holders = new Uint32Array(ids.length / traceIdBytes);
    for (const tenant of this.liveTenants) {
      for (const place of await this.#sources.live.locate(tenant, ids, this.#signal)) holders[place]!++;
    }
    return holders;
  }

  /** In how many heads and blocks each trace is. */
  async #countHolders(ids: Uint8Array): Promise<Uint32Array> {
    const holders = await this.#countHeads(ids);
    await this.#addBlocks(holders, ids, this.blocks(partGapSeconds));
    return holders;
  }

  /** Adds in how many of the blocks each trace is. */
  async #addBlocks(holders: Uint32Array, ids: Uint8Array, metas: BlockMeta[]): Promise<void> {
    const { stored } = this.#sources;
    for (const counts of await stored.countHolders(ids, metas, this.#searched, this.#signal)) {
      for (let i = 0; i < counts.length; i++) holders[i]! += counts[i]!;
    }
  }

  /** All that there is of the first of some traces: of as many as fit into so many bytes, and of one at least. */
  async partsOf(ids: Uint8Array, bytesMax: number): Promise<WholeTraces> {
    const { live } = this.#sources;
    // Heads first: what leaves them meanwhile is in a block that is listed by then.
    const heads = await Promise.all(
      [...this.liveTenants].map((tenant) => live.findAll(tenant, ids, bytesMax, this.#signal)),
    );
    const all = heads.flat();
    const total = Math.min(ids.length / traceIdBytes, ...all.map(({ count }) => count));
    const parts: Uint8Array[][] = Array.from({ length: total }, () => []);
    for (const { traces, places } of all) {
      for (const [i, trace] of traces.entries()) parts[places[i]!]?.push(trace);
    }
    // A view would be posted with all ids.
    const blocks = await this.#blocksOf(ids.slice(0, total * traceIdBytes), total);
    const whole: WholeTraces = { parts: [], count: 0, inspectedBytes: 0 };
    let bytes = 0;
    while (whole.count < total) {
      const some = blocks.slice(whole.count, whole.count + readAtOnceMax);
      for (const { traces, inspectedBytes } of await this.#read(ids, whole.count, some)) {
        whole.inspectedBytes += inspectedBytes;
        const own = [...parts[whole.count]!, ...traces];
        bytes += own.reduce((sum, { length }) => sum + length, 0);
        if (bytes > bytesMax && whole.count > 0) return whole;
        whole.parts.push(...own);
        whole.count++;
      }
    }
    return whole;
  }

  /** By place of the id, the blocks that hold its trace. */
  async #blocksOf(ids: Uint8Array, count: number): Promise<BlockMeta[][]> {
    const metas = this.blocks(partGapSeconds);
    const blocks: BlockMeta[][] = Array.from({ length: count }, () => []);
    const located = await this.#sources.stored.locate(ids, metas, this.#searched, this.#signal);
    for (const [place, block] of located) blocks[place]!.push(metas[block]!);
    return blocks;
  }

  /** Parts of traces from their blocks; their ids begin at `first`. */
  #read(ids: Uint8Array, first: number, blocks: readonly BlockMeta[][]): Promise<BlockTraces[]> {
    const { stored } = this.#sources;
    return Promise.all(
      blocks.map((own, i) =>
        own.length === 0
          ? { traces: [], inspectedBytes: 0 }
          : stored.find(
              this.#request.tenants[0]!,
              traceIdAt(ids, first + i).slice(),
              own,
              this.#searched,
              this.#signal,
            ),
      ),
    );
  }
}
