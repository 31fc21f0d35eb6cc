// How queries are answered by streams of messages, whatever they ask: in their turn, in packets, and with gRPC's codes for what
// goes wrong.
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { QueryTurns } from "../query/query_turns.ts";
import type { SearchMetrics } from "../query/search_types.ts";
import { log } from "../telemetry/log.ts";
import { refusalOf } from "./refusal.ts";

/** Yields what `find` does, in a turn. */
export async function* inTurn<T>(
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

/**
 * Yields what `answer` does, and fails in the words and codes that clients of Tempo know.
 *
 * @param codeOf of a status of HTTP
 */
export async function* answering<M>(
  { signal, method }: HandlerContext,
  answer: () => AsyncGenerator<M, void, void>,
  codeOf = codeOfStatus,
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

function codeOfStatus(
  status: number, // of HTTP
): Code {
  return codes[status] ?? Code.Internal;
}

/** What the metrics of a message take at most, with their frame. */
const metricsBytesMax = 64;

/**
 * The elements in lists that fit into a message each. At least one list.
 *
 * @param bytesMax of a message, unless one element alone takes more
 * @param otherBytes what else is in a message
 */
export function packets<T>(
  elements: T[],
  sizeOf: (element: T) => number,
  bytesMax: number,
  otherBytes = metricsBytesMax,
): T[][] {
  const lists: T[][] = [[]];
  let bytes = otherBytes;
  for (const element of elements) {
    const size = sizeOf(element);
    if (bytes + size > bytesMax && lists.at(-1)!.length > 0) {
      lists.push([]);
      bytes = otherBytes;
    }
    bytes += size;
    lists.at(-1)!.push(element);
  }
  return lists;
}

/** tempopb.SearchMetrics */
export function searchMetricsOf(metrics: SearchMetrics) {
  return {
    ...metrics,
    inspectedBytes: BigInt(metrics.inspectedBytes),
    totalBlockBytes: BigInt(metrics.totalBlockBytes),
    inspectedSpans: BigInt(metrics.inspectedSpans),
  };
}
