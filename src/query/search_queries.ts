// Searches, as every protocol asks them: checked and held to the limits, in their turn and within their time, counted.
import type { Config } from "../config/config.ts";
import type { QueryMetrics } from "../telemetry/query_metrics.ts";
import { queryAnswers } from "./query_answers.ts";
import { QueryTurns } from "./query_turns.ts";
import { type SearchParams, searchRequest } from "./search_request.ts";
import { withPaddedId } from "./search_response.ts";
import type { SearchAnswer, Searcher, SearchMetrics, SearchRequest } from "./search_types.ts";

export interface SearchQueriesDeps {
  searcher: Searcher;
  config: Config;
  queries: QueryMetrics;
  /** Default: one with the limits of its own. */
  turns?: QueryTurns;
  /** Unix milliseconds. Default: the clock's. */
  now?: () => number;
}

/** A SearchAnswer as clients get it. */
export interface SearchPart {
  /** A tempopb.TraceSearchMetadata each; newest first if it is the last part. */
  traces: { id: string; message: Uint8Array }[];
  metrics: SearchMetrics;
  final: boolean;
}

export class SearchQueries {
  readonly turns: QueryTurns;
  readonly #deps: SearchQueriesDeps;

  constructor(deps: SearchQueriesDeps) {
    this.#deps = deps;
    this.turns = deps.turns ?? new QueryTurns("search");
  }

  /**
   * @param progress whether what is found so far is wanted meanwhile
   * @throws InvalidRequest
   */
  request(params: SearchParams, tenants: string[], progress: boolean): SearchRequest {
    const { config, now = Date.now } = this.#deps;
    return { ...searchRequest(params, tenants, config, now()), progress };
  }

  /**
   * Call it in a turn.
   *
   * @param client aborted when the client goes away
   * @throws QueryTimeout, QueryCanceled, QueryTooLarge, and what the searcher throws
   */
  async *search(request: SearchRequest, client: AbortSignal): AsyncGenerator<SearchPart, void, void> {
    const { searcher, config, queries } = this.#deps;
    const { tenants } = request;
    const query = {
      op: "search",
      tenants,
      client,
      msMax: config.querier.search.query_timeout,
      queries,
    } as const;
    for await (const answer of queryAnswers(query, (signal) => searcher.search(request, signal))) {
      yield partOf(answer, config.overrides.defaults.read.left_pad_trace_ids);
    }
  }

  /** The whole answer at once. Call it in a turn. Throws as `search` does. */
  async whole(request: SearchRequest, client: AbortSignal): Promise<SearchPart> {
    for await (const part of this.search(request, client)) if (part.final) return part;
    throw new Error("the search ended without an answer");
  }
}

function partOf({ traces, metrics, final }: SearchAnswer, padIds: boolean): SearchPart {
  const messages = traces.map((trace) => ({
    id: trace.traceId,
    message: padIds ? withPaddedId(trace) : trace.message,
  }));
  return { traces: messages, metrics, final };
}
