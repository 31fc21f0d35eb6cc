// One trace out of the parts of it that heads and blocks hold: each span once, in order, with ids of their own, within
// the size limit. Works on OTLP bytes: a span is copied, never decoded.
import { findSharedSpanIds, type SharedSpanIds } from "./shared_span_ids.ts";
import {
  type Envelope,
  envelopeSize,
  type ResourceGroup,
  type ScopeGroup,
  TraceIndex,
} from "./trace_index.ts";
import { framedSize, setU32be, writeFrame } from "./wire.ts";

export interface CombineOptions {
  /** Most bytes of spans with their scopes and resources. 0 = no limit. */
  bytesMax: number;
  /** Beyond the limit: cut the trace after the span that crosses it (true), or throw (false). */
  allowPartial: boolean;
}

export interface CombinedTrace {
  /** OTLP TracesData; empty if no source holds anything. */
  trace: Uint8Array;
  spans: number;
  /** The size limit cut the trace. */
  partial: boolean;
  /** Earliest start and latest end in nanoseconds, to a double's precision. Infinity and 0 if no span has a start. */
  startNanos: number;
  endNanos: number;
}

export class TraceTooLarge extends Error {
  override name = "TraceTooLarge";
  constructor(readonly bytesMax: number) {
    super(`trace exceeds max size (max bytes: ${bytesMax})`);
  }
}

/**
 * Joins the parts of one trace.
 *
 * A single source keeps its order and its repeats, as it is what one block or head holds. Several are de-duplicated by
 * (span id, kind), the first source winning, and sorted: spans by start and id, scopes and resources by their first
 * span. Server spans that share their id with a client span get an id of their own. Every resource span, scope span and
 * span of the result has a resource, a scope and a status, since Grafana takes no answer without.
 *
 * @param sources OTLP TracesData, each
 * @throws TraceTooLarge, WireError
 */
export function combineTraces(sources: Uint8Array[], options: CombineOptions): CombinedTrace {
  const parts = sources.filter((source) => source.length > 0);
  const index = new TraceIndex(parts, { bytesMax: options.bytesMax, merge: parts.length > 1 });
  if (index.overLimit && !options.allowPartial) throw new TraceTooLarge(options.bytesMax);

  const { order, scopeStart } = spansByScope(index);
  if (parts.length > 1) sortByFirstSpan(index, order, scopeStart);
  const outputOrder = parts.length > 1 ? inOutputOrder(index, order, scopeStart) : order;
  const shared = findSharedSpanIds(index, outputOrder);
  const asIs = parts.length === 1 && shared === null && !index.incomplete && !index.overLimit;
  return {
    trace: asIs ? parts[0]! : write(index, order, scopeStart, shared),
    spans: index.spans,
    partial: index.overLimit,
    startNanos: index.startNanos,
    endNanos: index.endNanos,
  };
}

/** Spans grouped by scope: those of scope s are order[scopeStart[s]..scopeStart[s + 1]). */
function spansByScope(index: TraceIndex): { order: Uint32Array; scopeStart: Uint32Array } {
  const scopeStart = new Uint32Array(index.scopes.length + 1);
  for (let span = 0; span < index.spans; span++) scopeStart[index.scope[span]! + 1]!++;
  for (let scope = 0; scope < index.scopes.length; scope++) scopeStart[scope + 1]! += scopeStart[scope]!;
  const next = scopeStart.slice();
  const order = new Uint32Array(index.spans);
  for (let span = 0; span < index.spans; span++) order[next[index.scope[span]!]!++] = span;
  return { order, scopeStart };
}

function sortByFirstSpan(index: TraceIndex, order: Uint32Array, scopeStart: Uint32Array): void {
  const { startHi, startLo, idHi, idLo } = index;
  const bySpan = (a: number, b: number): number =>
    startHi[a]! - startHi[b]! ||
    startLo[a]! - startLo[b]! ||
    idHi[a]! - idHi[b]! ||
    idLo[a]! - idLo[b]! ||
    index.kind[a]! - index.kind[b]!;
  for (let scope = 0; scope < index.scopes.length; scope++)
    order.subarray(scopeStart[scope]!, scopeStart[scope + 1]!).sort(bySpan);
  const firstOf = (scope: ScopeGroup): number => order[scopeStart[scope.number]!]!;
  for (const resource of index.resources) resource.scopes.sort((a, b) => bySpan(firstOf(a), firstOf(b)));
  index.resources.sort((a, b) => bySpan(firstOf(a.scopes[0]!), firstOf(b.scopes[0]!)));
}

function inOutputOrder(index: TraceIndex, order: Uint32Array, scopeStart: Uint32Array): Uint32Array {
  const output = new Uint32Array(order.length);
  let at = 0;
  for (const resource of index.resources) {
    for (const scope of resource.scopes) {
      const spans = order.subarray(scopeStart[scope.number]!, scopeStart[scope.number + 1]!);
      output.set(spans, at);
      at += spans.length;
    }
  }
  return output;
}

/** Parent id and status that a span lacks are appended to it: field, length 8, id; and an empty status message. */
const parentFieldBytes = 10;
const statusFieldBytes = 2;

function write(
  index: TraceIndex,
  order: Uint32Array,
  scopeStart: Uint32Array,
  shared: SharedSpanIds | null,
): Uint8Array {
  const spanSize = (span: number): number => {
    let size = index.end[span]! - index.start[span]!;
    if (shared !== null && shared.id[span] !== 0 && index.parentAt[span] === 0) size += parentFieldBytes;
    if (index.hasStatus[span] === 0) size += statusFieldBytes;
    return size;
  };
  const scopeSizes = new Float64Array(index.scopes.length);
  for (const scope of index.scopes) {
    let size = envelopeSize(scope);
    for (let at = scopeStart[scope.number]!; at < scopeStart[scope.number + 1]!; at++)
      size += framedSize(spanSize(order[at]!));
    scopeSizes[scope.number] = size;
  }
  const resourceSize = (resource: ResourceGroup): number =>
    resource.scopes.reduce(
      (size, scope) => size + framedSize(scopeSizes[scope.number]!),
      envelopeSize(resource),
    );

  const resourceSizes = index.resources.map(resourceSize);
  const out = new Uint8Array(resourceSizes.reduce((size, each) => size + framedSize(each), 0));
  let at = 0;
  index.resources.forEach((resource, which) => {
    at = writeFrame(out, at, 1, resourceSizes[which]!);
    at = writeMessage(index, out, at, resource);
    for (const scope of resource.scopes) {
      at = writeFrame(out, at, 2, scopeSizes[scope.number]!);
      at = writeMessage(index, out, at, scope);
      for (let i = scopeStart[scope.number]!; i < scopeStart[scope.number + 1]!; i++) {
        const span = order[i]!;
        at = writeSpan(index, out, writeFrame(out, at, 2, spanSize(span)), span, shared);
      }
      at = writeSchemaUrl(index, out, at, scope);
    }
    at = writeSchemaUrl(index, out, at, resource);
  });
  return out;
}

function writeMessage(index: TraceIndex, out: Uint8Array, at: number, envelope: Envelope): number {
  if (envelope.start < 0) return writeFrame(out, at, 1, 0);
  const payload = writeFrame(out, at, 1, envelope.end - envelope.start);
  return copy(index, out, payload, envelope.source, envelope.start, envelope.end);
}

function writeSchemaUrl(index: TraceIndex, out: Uint8Array, at: number, envelope: Envelope): number {
  const length = envelope.schemaEnd - envelope.schemaStart;
  if (length === 0) return at;
  const payload = writeFrame(out, at, 3, length);
  return copy(index, out, payload, envelope.source, envelope.schemaStart, envelope.schemaEnd);
}

function writeSpan(
  index: TraceIndex,
  out: Uint8Array,
  at: number,
  span: number,
  shared: SharedSpanIds | null,
): number {
  const start = index.start[span]!;
  let end = copy(index, out, at, index.source[span]!, start, index.end[span]!);
  if (shared !== null && shared.id[span] !== 0) {
    setU32be(out, at + index.idAt[span]! - start, 0);
    setU32be(out, at + index.idAt[span]! - start + 4, shared.id[span]!);
    let parent = at + index.parentAt[span]! - start;
    if (index.parentAt[span] === 0) {
      parent = writeFrame(out, end, 4, 8);
      end += parentFieldBytes;
    }
    setU32be(out, parent, index.idHi[span]!);
    setU32be(out, parent + 4, index.idLo[span]!);
  } else if (shared !== null && shared.parent[span] !== 0) {
    const parent = at + index.parentAt[span]! - start;
    setU32be(out, parent, 0);
    setU32be(out, parent + 4, shared.parent[span]!);
  }
  return index.hasStatus[span] === 0 ? writeFrame(out, end, 15, 0) : end;
}

function copy(
  index: TraceIndex,
  out: Uint8Array,
  at: number,
  source: number,
  start: number,
  end: number,
): number {
  return at + index.sources[source]!.copy(out, at, start, end);
}
