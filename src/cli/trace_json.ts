// A trace from JSON: the answers of /api/v2/traces/{id} and of /api/traces/{id}.
import { attributesOf } from "./attribute_json.ts";
import { integer, type JsonObject, list, object, text } from "./json_fields.ts";
import {
  parentIdOf,
  resourceOf,
  type SpanDetails,
  spanKinds,
  statuses,
  type Trace,
  type TraceSpan,
} from "./trace.ts";

/** @throws SyntaxError if the text is no JSON */
export function readTraceJson(json: string): Trace {
  const answer = object(JSON.parse(json));
  // Of v2 the trace is a member; v1 is a trace, whose list has another name.
  const whole = answer.trace === undefined ? answer : object(answer.trace);
  const trace: Trace = { spans: [], resources: [], partial: null };
  for (const entry of list(whole.resourceSpans ?? whole.batches)) {
    const resourceSpans = object(entry);
    const index = trace.resources.length;
    trace.resources.push(resourceOf(attributesOf(object(resourceSpans.resource).attributes)));
    for (const scopeSpans of list(resourceSpans.scopeSpans)) {
      for (const span of list(object(scopeSpans).spans)) trace.spans.push(readSpan(object(span), index));
    }
  }
  if (answer.status === "PARTIAL" || text(answer.message) !== "") trace.partial = text(answer.message);
  return trace;
}

function readSpan(span: JsonObject, resource: number): TraceSpan {
  return {
    id: idOf(span.spanId),
    parentId: parentIdOf(idOf(span.parentSpanId)),
    name: text(span.name),
    resource,
    start: integer(span.startTimeUnixNano),
    end: integer(span.endTimeUnixNano),
    failed: statusOf(object(span.status).code) === "error",
    details: () => readDetails(span),
  };
}

function readDetails(span: JsonObject): SpanDetails {
  return {
    kind: kindOf(span.kind),
    status: statusOf(object(span.status).code),
    statusMessage: text(object(span.status).message),
    attributes: attributesOf(span.attributes),
    events: list(span.events).map((entry) => {
      const event = object(entry);
      return {
        time: integer(event.timeUnixNano),
        name: text(event.name),
        attributes: attributesOf(event.attributes),
      };
    }),
    links: list(span.links).map((entry) => {
      const link = object(entry);
      return {
        traceId: idOf(link.traceId),
        spanId: idOf(link.spanId),
        attributes: attributesOf(link.attributes),
      };
    }),
  };
}

/** Enumerations come by name, or by number. */
function kindOf(value: unknown): SpanDetails["kind"] {
  const name = text(value).replace("SPAN_KIND_", "").toLowerCase();
  return spanKinds.find((kind) => kind === name) ?? spanKinds[Number(value ?? 0)] ?? "unspecified";
}

function statusOf(value: unknown): SpanDetails["status"] {
  const name = text(value).replace("STATUS_CODE_", "").toLowerCase();
  return statuses.find((status) => status === name) ?? statuses[Number(value ?? 0)] ?? "unset";
}

const hexId = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i;

/** Ids are base64 in Tempo's JSON, and hex in OTLP's. No id is as long in one as in the other. */
function idOf(value: unknown): string {
  const id = text(value);
  return hexId.test(id) ? id.toLowerCase() : Buffer.from(id, "base64").toString("hex");
}
