// TraceQL metrics over gRPC: what is counted so far in packets, and all of it in the last ones.
import { Code, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  PartialStatus,
  type QueryInstantRequest,
  type QueryRangeRequest,
  type StreamingQuerier,
} from "../gen/rubato/querier/v1/streaming_querier_pb.ts";
import { instantSeriesMessage, timeSeriesMessage } from "../query/metrics_messages.ts";
import type { MetricsPart, MetricsQueries } from "../query/metrics_queries.ts";
import type { MetricsParams } from "../query/metrics_request.ts";
import type { MetricsRequest, Series } from "../query/metrics_types.ts";
import { framedSize } from "../query/wire.ts";
import { answering, inTurn, packets, searchMetricsOf } from "./answer_stream.ts";

type MetricsStreams = Pick<ServiceImpl<typeof StreamingQuerier>, "metricsQueryRange" | "metricsQueryInstant">;

/** What metrics, status and message of a packet take at most, with their frames. */
const otherBytesMax = 512;

/** @param packetBytesMax messages are split where they would be larger */
export function metricsStreams(
  metrics: MetricsQueries,
  tenantsIn: (context: HandlerContext) => string[],
  packetBytesMax: number,
): MetricsStreams {
  return {
    metricsQueryRange: (message, context) =>
      stream(
        context,
        () => metrics.rangeRequest(rangeParams(message), tenantsIn(context), true),
        timeSeriesMessage,
      ),

    metricsQueryInstant: (message, context) =>
      stream(
        context,
        () => metrics.instantRequest(instantParams(message), tenantsIn(context), true),
        instantSeriesMessage,
      ),
  };

  function stream(
    context: HandlerContext,
    prepare: () => MetricsRequest,
    messageOf: (series: Series, timesMs: Float64Array) => Uint8Array,
  ) {
    const { signal } = context;
    return answering(
      context,
      async function* () {
        const request = prepare();
        const parts = inTurn(metrics.turns, signal, () => metrics.answers(request, signal));
        for await (const part of parts) yield* packetsOf(part, messageOf);
      },
      // Tempo's metrics streams give no other code for what goes wrong.
      () => Code.Unknown,
    );
  }

  function* packetsOf(
    { series, timesMs, metrics: measured, partial }: MetricsPart,
    messageOf: (series: Series, timesMs: Float64Array) => Uint8Array,
  ) {
    const messages = series.map((each) => messageOf(each, timesMs) as Uint8Array<ArrayBuffer>);
    const parts = packets(messages, ({ length }) => framedSize(length), packetBytesMax, otherBytesMax);
    for (const [index, part] of parts.entries()) {
      const packet = { series: part, metrics: searchMetricsOf(measured) };
      const isLast = index === parts.length - 1;
      yield isLast && partial !== null
        ? { ...packet, status: PartialStatus.PARTIAL, message: partial }
        : packet;
    }
  }
}

function rangeParams({ query, start, end, step, exemplars, maxSeries }: QueryRangeRequest): MetricsParams {
  return {
    query,
    startNanos: start || null,
    endNanos: end || null,
    sinceNanos: null,
    stepNanos: step || null,
    exemplars,
    seriesMax: maxSeries,
  };
}

function instantParams({ query, start, end }: QueryInstantRequest): MetricsParams {
  return {
    query,
    startNanos: start || null,
    endNanos: end || null,
    sinceNanos: null,
    stepNanos: null,
    exemplars: 0,
    seriesMax: 0,
  };
}
