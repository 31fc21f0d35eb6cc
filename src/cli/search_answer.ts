// The answer of /api/search, read from its JSON.
import type { Attribute } from "./attribute.ts";
import { attributesOf } from "./attribute_json.ts";
import { integer, list, object, text } from "./json_fields.ts";

export interface FoundTrace {
  /** 32 hex digits. */
  id: string;
  rootService: string;
  rootName: string;
  startNanos: bigint;
  /** Whole milliseconds, cut off. */
  durationMs: bigint;
  /** None in the answer of a search by tags. */
  spanSets: FoundSpanSet[];
  /** The service with most spans first. */
  services: { name: string; spans: bigint; errors: bigint }[];
}

export interface FoundSpanSet {
  /** Of which spans may be only the first ones. */
  matched: bigint;
  /** What the spans were grouped by. */
  attributes: Attribute[];
  spans: FoundSpan[];
}

export interface FoundSpan {
  id: string;
  /** Empty unless the query selects it. */
  name: string;
  startNanos: bigint;
  durationNanos: bigint;
  attributes: Attribute[];
}

const idDigits = 32;

/**
 * The traces of an answer, in its order.
 *
 * @throws SyntaxError if the text is no JSON
 */
export function readSearchAnswer(json: string): FoundTrace[] {
  return list(object(JSON.parse(json)).traces).map(readTrace);
}

function readTrace(value: unknown): FoundTrace {
  const trace = object(value);
  const sets = trace.spanSets !== undefined ? list(trace.spanSets) : [trace.spanSet];
  const services = Object.entries(object(trace.serviceStats)).map(([name, stats]) => {
    const { spanCount, errorCount } = object(stats);
    return { name, spans: integer(spanCount), errors: integer(errorCount) };
  });
  services.sort((a, b) => Number(b.spans - a.spans) || (a.name < b.name ? -1 : 1));
  return {
    // Tempo leaves out zeros at the front.
    id: text(trace.traceID).padStart(idDigits, "0"),
    rootService: text(trace.rootServiceName),
    rootName: text(trace.rootTraceName),
    startNanos: integer(trace.startTimeUnixNano),
    durationMs: integer(trace.durationMs),
    spanSets: sets.filter((set) => set !== undefined && set !== null).map(readSpanSet),
    services,
  };
}

function readSpanSet(value: unknown): FoundSpanSet {
  const set = object(value);
  return {
    matched: integer(set.matched),
    attributes: attributesOf(set.attributes),
    spans: list(set.spans).map((entry) => {
      const span = object(entry);
      return {
        id: text(span.spanID),
        name: text(span.name),
        startNanos: integer(span.startTimeUnixNano),
        durationNanos: integer(span.durationNanos),
        attributes: attributesOf(span.attributes),
      };
    }),
  };
}
