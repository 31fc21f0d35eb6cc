// Tempo's streaming query API over gRPC: what Grafana asks while it shows what has been found so far.
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type {
  SearchRequest,
  SearchTagsRequest,
  SearchTagValuesRequest,
  StreamingQuerier,
} from "../gen/rubato/querier/v1/streaming_querier_pb.ts";
import type { MetricsQueries } from "../query/metrics_queries.ts";
import type { SearchPart, SearchQueries } from "../query/search_queries.ts";
import type { SearchParams } from "../query/search_request.ts";
import type { TagsMetrics } from "../query/search_types.ts";
import type { Lookup, TagQueries } from "../query/tag_queries.ts";
import type { TagsParams } from "../query/tags_request.ts";
import { framedSize } from "../query/wire.ts";
import { answering, inTurn, packets, searchMetricsOf } from "./answer_stream.ts";
import { metricsStreams } from "./metrics_streams.ts";
import { type TenantHeader, tenantHeader } from "./tenant.ts";

export interface QuerierDeps {
  search: SearchQueries;
  tags: TagQueries;
  metrics: MetricsQueries;
  /** The tenants that a request asks for. Throws TenantError. */
  tenantsOf(header: TenantHeader): string[];
  /** Messages are split where they would be larger; 0: never. */
  packetBytesMax: number;
}

export function streamingQuerier(deps: QuerierDeps): ServiceImpl<typeof StreamingQuerier> {
  const { search, tags, metrics, tenantsOf } = deps;
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
        ({ names, metrics }) =>
          packets(names, textSize, packetBytesMax).map((tagNames) => ({ tagNames, metrics })),
      ),

    searchTagsV2: (message, context) =>
      listing(
        context,
        () => tags.scopes(message.scope, namesParams(message), tenantsIn(context)),
        ({ scopes, metrics }) =>
          packets(scopes, scopeSize, packetBytesMax).map((part) => ({ scopes: part, metrics })),
      ),

    searchTagValues: (message, context) =>
      listing(
        context,
        () => tags.values(message.tagName, valuesParams(message), tenantsIn(context)),
        ({ values, metrics }) =>
          packets(values, textSize, packetBytesMax).map((tagValues) => ({ tagValues, metrics })),
      ),

    searchTagValuesV2: (message, context) =>
      listing(
        context,
        () => tags.typedValues(message.tagName, valuesParams(message), tenantsIn(context)),
        ({ values, metrics }) =>
          packets(values, valueSize, packetBytesMax).map((tagValues) => ({ tagValues, metrics })),
      ),

    ...metricsStreams(metrics, tenantsIn, packetBytesMax),
  };

  function* packetsOf({ traces, metrics }: SearchPart) {
    const messages = traces.map(({ message }) => message);
    for (const part of packets(messages, ({ length }) => framedSize(length), packetBytesMax)) {
      yield { traces: part as Uint8Array<ArrayBuffer>[], metrics: searchMetricsOf(metrics) };
    }
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
