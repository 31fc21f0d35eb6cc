// Tempo's streaming query API over gRPC: what Grafana asks while it shows what has been found so far.
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type {
  SearchRequest,
  SearchTagsRequest,
  SearchTagValuesRequest,
  StreamingQuerier,
} from "../gen/rubato/querier/v1/streaming_querier_pb.ts";
import type { QueryTurns } from "../query/query_turns.ts";
import type { SearchPart, SearchQueries } from "../query/search_queries.ts";
import type { SearchParams } from "../query/search_request.ts";
import type { SearchMetrics, TagsMetrics } from "../query/search_types.ts";
import type { Lookup, TagQueries } from "../query/tag_queries.ts";
import type { TagsParams } from "../query/tags_request.ts";
import { framedSize } from "../query/wire.ts";
import { log } from "../telemetry/log.ts";
import { refusalOf } from "./refusal.ts";
import { type TenantHeader, tenantHeader } from "./tenant.ts";

export interface QuerierDeps {
  search: SearchQueries;
  tags: TagQueries;
  /** The tenants that a request asks for. Throws TenantError. */
  tenantsOf(header: TenantHeader): string[];
  /** Messages are split where they would be larger; 0: never. */
  packetBytesMax: number;
}

/** What the metrics of a message take at most, with their frame. */
const metricsBytesMax = 64;

export function streamingQuerier(deps: QuerierDeps): ServiceImpl<typeof StreamingQuerier> {
  const { search, tags, tenantsOf } = deps;
  const packetBytesMax = deps.packetBytesMax || Number.POSITIVE_INFINITY;
  const tenantsIn = ({ requestHeader }: HandlerContext) => tenantsOf(requestHeader.get(tenantHeader));

  return {
    search: (message, context) =>
      answering(context, async function* () {
        const request = search.request(searchParams(message), tenantsIn(context), true);
        const found = inTurn(search.turns, context.signal, () => search.search(request, context.signal));
        for await (const part of found) yield* packetsOf(part);
      }),

    searchTags: (message, context) =>
      listing(
        context,
        () => tags.names(message.scope, namesParams(message), tenantsIn(context)),
        ({ names, metrics }) => packets(names, textSize).map((tagNames) => ({ tagNames, metrics })),
      ),

    searchTagsV2: (message, context) =>
      listing(
        context,
        () => tags.scopes(message.scope, namesParams(message), tenantsIn(context)),
        ({ scopes, metrics }) => packets(scopes, scopeSize).map((part) => ({ scopes: part, metrics })),
      ),

    searchTagValues: (message, context) =>
      listing(
        context,
        () => tags.values(message.tagName, valuesParams(message), tenantsIn(context)),
        ({ values, metrics }) => packets(values, textSize).map((tagValues) => ({ tagValues, metrics })),
      ),

    searchTagValuesV2: (message, context) =>
      listing(
        context,
        () => tags.typedValues(message.tagName, valuesParams(message), tenantsIn(context)),
        ({ values, metrics }) => packets(values, valueSize).map((tagValues) => ({ tagValues, metrics })),
      ),

    metricsQueryRange: noMetricsQueries,
    metricsQueryInstant: noMetricsQueries,
  };

  function* packetsOf({ traces, metrics }: SearchPart) {
    const messages = traces.map(({ message }) => message);
    for (const part of packets(messages, ({ length }) => framedSize(length))) {
      yield { traces: part as Uint8Array<ArrayBuffer>[], metrics: searchMetrics(metrics) };
    }
  }

  /** The elements in lists that fit into a message each. At least one list. */
  function packets<T>(elements: T[], sizeOf: (element: T) => number): T[][] {
    const lists: T[][] = [[]];
    let bytes = metricsBytesMax;
    for (const element of elements) {
      const size = sizeOf(element);
      if (bytes + size > packetBytesMax && lists.at(-1)!.length > 0) {
        lists.push([]);
        bytes = metricsBytesMax;
      }
      bytes += size;
      lists.at(-1)!.push(element);
    }
    return lists;
  }

  function listing<T extends { metrics: TagsMetrics }, M>(
    context: HandlerContext,
    prepare: () => Lookup<T>,
    messagesOf: (found: Omit<T, "metrics"> & { metrics: ReturnType<typeof tagsMetrics> }) => M[],
  ): AsyncGenerator<M, void, void> {
    return answering(context, async function* () {
      const lookup = prepare();
      const found = inTurn(tags.turns, context.signal, async function* () {
        yield await lookup(context.signal);
      });
      for await (const each of found) yield* messagesOf({ ...each, metrics: tagsMetrics(each.metrics) });
    });
  }
}

// biome-ignore lint/correctness/useYield: it only fails
async function* noMetricsQueries(): AsyncGenerator<never, void, void> {
  throw new ConnectError("this version does not answer TraceQL metrics queries", Code.Unimplemented);
}

/** Yields what `find` does, in a turn. */
async function* inTurn<T>(
  turns: QueryTurns,
  client: AbortSignal,
  find: () => AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  await turns.begin(client);
  try {
    yield* find();
  } finally {
    turns.end(0)();
  }
}

/** Yields what `answer` does, and fails in the words and codes that clients of Tempo know. */
async function* answering<M>(
  { signal, method }: HandlerContext,
  answer: () => AsyncGenerator<M, void, void>,
): AsyncGenerator<M, void, void> {
  try {
    yield* answer();
  } catch (error) {
    // Why the call has ended, where it was the call that did: its time is over.
    if (signal.aborted && signal.reason instanceof ConnectError) throw signal.reason;
    const { status, message } = refusalOf(error);
    if (status === 500) log.error("query failed", { method: method.name, error: error as Error });
    throw new ConnectError(message, codeOf(status));
  }
}

/** A missing tenant is of unknown code in Tempo. */
const codes: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  401: Code.Unknown,
  422: Code.ResourceExhausted,
  429: Code.ResourceExhausted,
  499: Code.Canceled,
};

function codeOf(
  status: number, // of HTTP
): Code {
  return codes[status] ?? Code.Internal;
}

function searchParams(message: SearchRequest): SearchParams {
  return {
    query: message.Query,
    tags: new Map(Object.entries(message.Tags)),
    minDurationMs: message.MinDurationMs,
    maxDurationMs: message.MaxDurationMs,
    limit: message.Limit,
    spansPerSpanSet: message.SpansPerSpanSet,
    start: message.start,
    end: message.end,
    since: "",
  };
}

function namesParams({ query, start, end, maxTagsPerScope: limit }: SearchTagsRequest): TagsParams {
  return { query, start, end, since: "", limit };
}

function valuesParams({ query, start, end, maxTagValues: limit }: SearchTagValuesRequest): TagsParams {
  return { query, start, end, since: "", limit };
}

function searchMetrics(metrics: SearchMetrics) {
  return {
    ...metrics,
    inspectedBytes: BigInt(metrics.inspectedBytes),
    totalBlockBytes: BigInt(metrics.totalBlockBytes),
    inspectedSpans: BigInt(metrics.inspectedSpans),
  };
}

function tagsMetrics(metrics: TagsMetrics) {
  return {
    ...metrics,
    inspectedBytes: BigInt(metrics.inspectedBytes),
    totalBlockBytes: BigInt(metrics.totalBlockBytes),
  };
}

function textSize(text: string): number {
  return framedSize(Buffer.byteLength(text));
}

function valueSize({ type, value }: { type: string; value: string }): number {
  return framedSize(textSize(type) + textSize(value));
}

/** A scope stays whole: clients replace what they have of it. */
function scopeSize({ name, tags }: { name: string; tags: string[] }): number {
  return framedSize(tags.reduce((sum, tag) => sum + textSize(tag), textSize(name)));
}
