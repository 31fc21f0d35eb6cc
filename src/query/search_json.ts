// The answer of a search as JSON, written straight from the messages of its traces.
import { JsonText } from "./json_text.ts";
import { writeMessage } from "./message_json.ts";
import { searchMetrics, searchMetricsMessage, traceSearchMetadata } from "./search_messages.ts";
import type { SearchMetrics } from "./search_types.ts";

/** @param traces a tempopb.TraceSearchMetadata each */
export function searchJson(traces: readonly Uint8Array[], metrics: SearchMetrics): Uint8Array {
  const out = new JsonText();
  out.text('{"traces":[');
  for (const trace of traces) {
    out.separate();
    writeMessage(out, trace, traceSearchMetadata);
  }
  out.text('],"metrics":');
  writeMessage(out, searchMetricsMessage(metrics), searchMetrics);
  out.text("}");
  return out.bytes();
}
