// Where traces lie: which of them are in several heads and blocks, and all that there is of some of them.
import { traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import { joinArrays } from "../jobs/search_job.ts";
import { TraceIdSet } from "./id_set.ts";
import type { LiveSearch, SearchBlockList, StoredSearch } from "./search_engine.ts";
import type { SearchRequest } from "./search_types.ts";

/** Other parts of a trace are looked for in blocks that are at most this far from the time that is searched. */
const partGapSeconds = 3600;

export interface SearchSources {
  live: LiveSearch;
  list: SearchBlockList;
  stored: StoredSearch;
}

/** Of the traces of one search. */
export class TracePlaces {
  /** Tenants that had spans in heads when those were asked. */
  readonly liveTenants = new Set<string>();
  readonly #request: Pick<SearchRequest, "tenants" | "start" | "end">;
  readonly #signal: AbortSignal;
  readonly #sources: SearchSources;
  #liveIds: Uint8Array = new Uint8Array(0);
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
  }

  /** Finds out which traces are split, of those in the heads as they were asked and in the blocks that are listed now. */
  async findSplit(): Promise<void> {
    const metas = this.blocks(partGapSeconds);
    const ids = await this.#sources.stored.splitTraces(metas, this.#liveIds, this.#signal);
    this.#split = ids && { ids, set: new TraceIdSet(ids) };
  }

  /** Places of the ids whose traces lie in several heads and blocks. */
  async inSeveral(ids: Uint8Array): Promise<number[]> {
    if (this.#split !== null) return this.#split.set.among(ids);
    const holders = await this.#countHolders(ids);
    return [...holders.keys()].filter((i) => holders[i]! > 1);
  }

  /** In how many heads and blocks each trace is. */
  async #countHolders(ids: Uint8Array): Promise<Uint32Array> {
    const { live, stored } = this.#sources;
    const holders = new Uint32Array(ids.length / traceIdBytes);
    for (const tenant of this.liveTenants) {
      for (const place of await live.locate(tenant, ids, this.#signal)) holders[place]!++;
    }
    for (const counts of await stored.countHolders(ids, this.blocks(partGapSeconds), this.#signal)) {
      for (let i = 0; i < counts.length; i++) holders[i]! += counts[i]!;
    }
    return holders;
  }

  /** OTLP of all that there is of some traces, and the bytes of blocks that were read for it. */
  async partsOf(ids: Uint8Array): Promise<{ parts: Uint8Array[]; inspectedBytes: number }> {
    const { live, stored } = this.#sources;
    const { tenants } = this.#request;
    // Heads first: what leaves them meanwhile is in a block that is listed by then.
    const heads = await Promise.all(
      [...this.liveTenants].map((tenant) => live.findAll(tenant, ids, this.#signal)),
    );
    const metas = this.blocks(partGapSeconds);
    const blocks = new Map<number, BlockMeta[]>();
    for (const [place, block] of await stored.locate(ids, metas, this.#signal)) {
      const own = blocks.get(place);
      if (own) own.push(metas[block]!);
      else blocks.set(place, [metas[block]!]);
    }
    // A view would be posted with all ids.
    const found = await Promise.all(
      [...blocks].map(([place, own]) =>
        stored.find(tenants[0]!, traceIdAt(ids, place).slice(), own, this.#signal),
      ),
    );
    return {
      parts: [...heads, ...found.map(({ traces }) => traces)].flat(),
      inspectedBytes: found.reduce((sum, { inspectedBytes }) => sum + inspectedBytes, 0),
    };
  }
}
