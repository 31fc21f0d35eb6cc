// A trace as JSON, in the forms of both versions of the endpoint.
import { JsonText } from "./json_text.ts";
import { writeMessage } from "./message_json.ts";
import { batches, tracesData } from "./otlp_messages.ts";

/** Answer of `/api/traces/{id}`. */
export function traceV1Json(trace: Uint8Array): Uint8Array {
  const out = new JsonText();
  writeMessage(out, trace, batches);
  return out.bytes();
}

export interface TraceAnswer {
  /** OTLP TracesData; empty if nothing was found. */
  trace: Uint8Array;
  inspectedBytes: number;
  /** Set if the trace was cut: says why. */
  partialMessage: string | null;
}

/** Answer of `/api/v2/traces/{id}`. */
export function traceV2Json(answer: TraceAnswer): Uint8Array {
  const out = new JsonText();
  out.text('{"trace":');
  writeMessage(out, answer.trace, tracesData);
  out.text(
    answer.inspectedBytes > 0 ? `,"metrics":{"inspectedBytes":"${answer.inspectedBytes}"}` : ',"metrics":{}',
  );
  if (answer.partialMessage !== null)
    out.text(`,"status":"PARTIAL","message":${JSON.stringify(answer.partialMessage)}`);
  out.text("}");
  return out.bytes();
}
