// The protobuf answer of `/api/v2/traces/{id}`: a tempopb.TraceByIDResponse around the bytes of a trace.
import type { TraceAnswer } from "./trace_json.ts";
import { framedSize, varintSize, writeFrame, writeVarint } from "./wire.ts";

const statusPartial = 1;

/** Trace and metrics are always there, even if empty: Grafana fails on an answer without a trace. */
export function traceByIdResponse({ trace, inspectedBytes, partialMessage }: TraceAnswer): Uint8Array {
  const metricsBytes = inspectedBytes > 0 ? 1 + varintSize(inspectedBytes) : 0;
  const message = partialMessage === null ? null : new TextEncoder().encode(partialMessage);
  const partialBytes = message === null ? 0 : 2 + framedSize(message.length);
  const out = new Uint8Array(framedSize(trace.length) + framedSize(metricsBytes) + partialBytes);

  let at = writeFrame(out, 0, 1, trace.length);
  out.set(trace, at);
  at = writeFrame(out, at + trace.length, 2, metricsBytes);
  if (inspectedBytes > 0) {
    out[at] = 1 << 3;
    at = writeVarint(out, at + 1, inspectedBytes);
  }
  if (message !== null) {
    out[at] = 3 << 3;
    at = writeFrame(out, writeVarint(out, at + 1, statusPartial), 4, message.length);
    out.set(message, at);
  }
  return out;
}
