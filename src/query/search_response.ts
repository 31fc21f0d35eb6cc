// The answer of a search as a tempopb.SearchResponse around the messages of its traces.
import { ascii } from "./json_text.ts";
import { searchMetricsMessage } from "./search_messages.ts";
import type { FoundSummary, SearchMetrics } from "./search_types.ts";
import { Fields, framedSize, writeFrame } from "./wire.ts";

/**
 * Metrics are always there, even if empty: Grafana fails on an answer without them.
 *
 * @param traces a tempopb.TraceSearchMetadata each
 */
export function searchResponse(traces: readonly Uint8Array[], metrics: SearchMetrics): Uint8Array {
  const measured = searchMetricsMessage(metrics);
  const size = traces.reduce((sum, trace) => sum + framedSize(trace.length), framedSize(measured.length));
  const out = new Uint8Array(size);
  let at = 0;
  for (const trace of traces) {
    at = writeFrame(out, at, 1, trace.length);
    out.set(trace, at);
    at += trace.length;
  }
  out.set(measured, writeFrame(out, at, 2, measured.length));
  return out;
}

/** The message of a trace with its id in all its 32 digits. */
export function withPaddedId({ traceId, message }: FoundSummary): Uint8Array {
  const fields = new Fields(message);
  if (!fields.next() || fields.number !== 1 || fields.end - fields.start === traceId.length) return message;
  const rest = message.subarray(fields.end);
  const out = new Uint8Array(framedSize(traceId.length) + rest.length);
  const at = writeFrame(out, 0, 1, traceId.length);
  out.set(ascii(traceId), at);
  out.set(rest, at + traceId.length);
  return out;
}
