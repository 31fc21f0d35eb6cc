// Searches: asks the heads and the stored blocks, newest first, joins traces that lie in several of them before they are judged, and
// stops as soon as nothing newer can come.
import type { BlockMeta } from "../block/meta.ts";
import type { BlockTraces } from "../jobs/block_pool.ts";
import type { QueryText } from "../jobs/query_text.ts";
import type {
  FirstTraces,
  FoundParts,
  Reported,
  ReportRowsParams,
  ReportTracesParams,
  SearchBlocksParams,
  SearchedTime,
  SearchTerms,
  StoredParts,
} from "../jobs/search_job.ts";
import { planSearch } from "../search/plan.ts";
import { AnswerMemory } from "./answer_memory.ts";
import { untilDone } from "./progress_ticks.ts";
import { SearchRun } from "./search_run.ts";
import type { SearchAnswer, Searcher, SearchRequest } from "./search_types.ts";
import type { SearchSources } from "./trace_places.ts";

/** What workers are asked: with the text of the query, which they plan themselves. */
export type Asked<Params> = Omit<Params, "plan"> & { query: QueryText };

/** Spans that are not in blocks yet. Ids are 16 bytes each. */
export interface LiveSearch {
  /** One of each shard. */
  search(tenant: string, terms: Asked<SearchTerms>, signal: AbortSignal): Promise<FoundParts[]>;
  /** The place of an id once for every head that holds a part of its trace. */
  locate(tenant: string, ids: Uint8Array, signal: AbortSignal): Promise<number[]>;
  /** Ids of all traces that have a span in a head, each once for every head. */
  traceIds(tenant: string, signal: AbortSignal): Promise<Uint8Array[]>;
  /** All parts of the first of some traces, of as many as fit into so many bytes and of one at least: one answer of each shard. */
  findAll(tenant: string, ids: Uint8Array, bytesMax: number, signal: AbortSignal): Promise<FirstTraces[]>;
}

/** Jobs on stored blocks. Of those that lie outside of the time that is searched, one that can't be read is passed over. */
export interface StoredSearch {
  /** Workers; each block belongs to one of them. */
  readonly workers: number;
  workerOf(meta: BlockMeta): number;
  search(worker: number, params: Asked<SearchBlocksParams>, signal: AbortSignal): Promise<StoredParts>;
  /** Pairs of the place of an id and that of a block that holds its trace. */
  locate(
    ids: Uint8Array,
    metas: readonly BlockMeta[],
    searched: SearchedTime,
    signal: AbortSignal,
  ): Promise<[number, number][]>;
  /** By place of the id, in how many blocks its trace is: one list of each worker. */
  countHolders(
    ids: Uint8Array,
    metas: readonly BlockMeta[],
    searched: SearchedTime,
    signal: AbortSignal,
  ): Promise<Uint8Array[]>;
  /**
   * Ids of the traces that lie in several of the blocks and heads; null where that can't be told.
   *
   * @param live of the traces in heads, each once for every head
   */
  splitTraces(
    metas: readonly BlockMeta[],
    live: Uint8Array,
    searched: SearchedTime,
    signal: AbortSignal,
  ): Promise<Uint8Array | null>;
  /** Of blocks that the worker reads. */
  reportRows(worker: number, params: Asked<ReportRowsParams>, signal: AbortSignal): Promise<Reported>;
  reportTraces(params: Asked<ReportTracesParams>, signal: AbortSignal): Promise<Reported>;
  find(
    tenant: string,
    traceId: Uint8Array,
    metas: readonly BlockMeta[],
    searched: SearchedTime,
    signal: AbortSignal,
  ): Promise<BlockTraces>;
}

/** The list of stored blocks as this process knows it now. */
export interface SearchBlockList {
  candidates(tenant: string, range: { start?: number; end?: number }): BlockMeta[];
}

export class SearchEngine implements Searcher {
  readonly #answers = new AnswerMemory();

  constructor(
    readonly live: LiveSearch,
    readonly list: SearchBlockList,
    readonly stored: StoredSearch,
    /** See SearchSources. */
    readonly filters: SearchSources["filters"] = null,
  ) {}

  /** @param list the blocks of this search, as it sees them from its beginning to its end */
  async *search(
    request: SearchRequest,
    signal: AbortSignal,
    list: SearchBlockList = this.list,
  ): AsyncGenerator<SearchAnswer, void, void> {
    // What is still under way when nobody wants the answer any more ends with this.
    const work = new AbortController();
    const run = new SearchRun(
      request,
      planSearch(request.query),
      AbortSignal.any([signal, work.signal]),
      { live: this.live, list, stored: this.stored, filters: this.filters },
      this.#answers,
    );
    try {
      const done = run.run();
      done.catch(() => {}); // seen below
      if (request.progress) {
        for await (const _ of untilDone(done, run.found)) {
          yield { traces: await run.progress(), metrics: run.metrics(), final: false };
        }
      }
      yield { traces: await done, metrics: run.metrics(), final: true };
    } finally {
      work.abort();
      this.#answers.release(run);
    }
  }
}
