// OTLP requests as the plain traces that the TraceQL oracle looks at: every span with all that is around it, and the tree.
import { fromBinary, fromJson, type JsonValue } from "@bufbuild/protobuf";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
} from "../../src/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import type { AnyValue, KeyValue } from "../../src/gen/opentelemetry/proto/common/v1/common_pb.ts";
import type { Span } from "../../src/gen/opentelemetry/proto/trace/v1/trace_pb.ts";
import type { KindName, StatusName } from "../../src/traceql/index.ts";
import { arrayOf, keyOf, nil, type Scalar, type Value } from "./oracle_values.ts";

/** What the language sees of a list of attributes; nil for values that it can't see. */
export type Attributes = ReadonlyMap<string, Value>;

interface OracleEvent {
  name: string;
  timeSinceStartNanos: bigint;
  attributes: Attributes;
}

interface OracleLink {
  traceId: string; // hex without leading zeros
  spanId: string; // 16 hex digits
  attributes: Attributes;
}

export interface OracleSpan {
  id: string; // 16 hex digits
  parentId: string; // "" for a root
  name: string;
  kind: KindName;
  status: StatusName;
  statusMessage: string;
  startNanos: bigint;
  endNanos: bigint;
  /** Negative where it ends before it starts. */
  durationNanos: bigint;
  attributes: Attributes;
  resource: Attributes;
  scope: { name: string; version: string; attributes: Attributes };
  events: OracleEvent[];
  links: OracleLink[];
  /** Of the nested set model; 0 outside of the tree. */
  left: number;
  right: number;
  /** The parent's left, -1 for a root, 0 outside of the tree. */
  parentLeft: number;
  /** Where the parent is in the trace and has a path to a root. */
  parent: OracleSpan | null;
  children: number;
}

export interface OracleTrace {
  id: string; // 32 hex digits
  spans: OracleSpan[];
  startNanos: bigint;
  endNanos: bigint;
  durationNanos: bigint;
  /** Both empty without a root. */
  rootName: string;
  rootServiceName: string;
  stats: Map<string, { spanCount: number; errorCount: number }>;
}

const kinds: readonly KindName[] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const statuses: readonly StatusName[] = ["unset", "ok", "error"];
const scalarTypes = {
  stringValue: "string",
  boolValue: "bool",
  intValue: "int",
  doubleValue: "float",
} as const;

export function requestFromBinary(bytes: Uint8Array): ExportTraceServiceRequest {
  return fromBinary(ExportTraceServiceRequestSchema, bytes);
}

/** OTLP JSON: ids in hex. */
export function requestFromJson(json: unknown): ExportTraceServiceRequest {
  return fromJson(ExportTraceServiceRequestSchema, withBase64Ids(json) as JsonValue);
}

function withBase64Ids(node: unknown, key = ""): unknown {
  if (Array.isArray(node)) return node.map((item) => withBase64Ids(item));
  if (typeof node === "object" && node !== null) {
    return Object.fromEntries(
      Object.entries(node).map(([name, value]) => [name, withBase64Ids(value, name)]),
    );
  }
  const isId = key === "traceId" || key === "spanId" || key === "parentSpanId";
  return isId && typeof node === "string" ? Buffer.from(node, "hex").toString("base64") : node;
}

/**
 * The traces of some requests, in no order, the spans of each as a store has them: by resource and scope, in order of appearance.
 *
 * @param keepRepeats a span that was sent twice counts twice, as in a block that Tempo hasn't compacted yet
 */
export function tracesOf(requests: ExportTraceServiceRequest[], keepRepeats = false): OracleTrace[] {
  const spans = new Map<string, Map<string, OracleSpan>>();
  /** What may be a root, with the service that it would be the root's: of two names the first. */
  const roots = new Map<OracleSpan, string>();
  for (const request of requests) {
    for (const { resource, scopeSpans } of request.resourceSpans) {
      const resourceAttributes = attributesOf(resource?.attributes ?? []);
      const services = (resource?.attributes ?? []).filter(({ key }) => key === "service.name");
      const firstService = services
        .map(({ value }) => plainValue(value))
        .find(({ type }) => type === "string");
      for (const { scope, spans: members } of scopeSpans) {
        const owner = {
          name: scope?.name ?? "",
          version: scope?.version ?? "",
          attributes: attributesOf(scope?.attributes ?? []),
        };
        for (const span of members) {
          const traceId = hex(span.traceId);
          const trace = spans.get(traceId) ?? new Map<string, OracleSpan>();
          spans.set(traceId, trace);
          const one = { ...plainSpan(span), resource: resourceAttributes, scope: owner };
          if (one.parentId === "" && !isChildByLink(span)) {
            roots.set(one, firstService?.type === "string" ? firstService.value : "");
          }
          const identity = [one.id, one.kind, one.name, one.parentId, one.startNanos, one.durationNanos].join(
            "|",
          );
          const key = keepRepeats ? `${identity}|${trace.size}` : identity;
          if (!trace.has(key)) trace.set(key, one);
        }
      }
    }
  }
  return [...spans].map(([id, members]) => traceOf(id, grouped([...members.values()]), roots));
}

function grouped(spans: OracleSpan[]): OracleSpan[] {
  return groups(spans, ({ resource }) => keyOfAttributes(resource)).flatMap((same) =>
    groups(same, ({ scope }) => `${scope.name}|${scope.version}|${keyOfAttributes(scope.attributes)}`).flat(),
  );
}

function groups(spans: OracleSpan[], keyOfSpan: (span: OracleSpan) => string): OracleSpan[][] {
  return [...Map.groupBy(spans, keyOfSpan).values()];
}

function keyOfAttributes(attributes: Attributes): string {
  return [...attributes]
    .map(([key, value]) => `${key}=${keyOf(value)}`)
    .sort()
    .join("|");
}

function traceOf(id: string, spans: OracleSpan[], roots: Map<OracleSpan, string>): OracleTrace {
  number(spans);
  let [start, end] = [spans[0]!.startNanos, 0n];
  const stats = new Map<string, { spanCount: number; errorCount: number }>();
  for (const span of spans) {
    if (span.startNanos < start) start = span.startNanos;
    if (span.endNanos > end) end = span.endNanos;
    const service = serviceOf(span);
    const counts = stats.get(service) ?? { spanCount: 0, errorCount: 0 };
    counts.spanCount++;
    if (span.status === "error") counts.errorCount++;
    stats.set(service, counts);
  }
  const root = spans.filter((span) => roots.has(span)).at(-1);
  return {
    id,
    spans,
    startNanos: start,
    endNanos: end,
    durationNanos: end - start,
    rootName: root?.name ?? "",
    rootServiceName: root === undefined ? "" : roots.get(root)!,
    stats,
  };
}

function serviceOf(span: OracleSpan): string {
  const service = span.resource.get("service.name");
  return service?.type === "string" ? service.value : "";
}

/** Numbers the spans on a walk from the roots, children in the order of the spans. */
function number(spans: OracleSpan[]): void {
  const byId = new Map<string, OracleSpan[]>();
  for (const span of spans) byId.set(span.id, [...(byId.get(span.id) ?? []), span]);
  if ([...byId.values()].some((same) => same.length > 2)) return;
  const parentOf = (span: OracleSpan): OracleSpan | null => {
    const [one, other] = byId.get(span.parentId) ?? [];
    if (one === undefined || other === undefined) return one ?? null;
    // Client and server spans of one id: the server is the client's child, and the parent of what follows.
    const kind = span.kind === "server" ? "client" : "server";
    return one.kind === kind ? one : other.kind === kind ? other : null;
  };
  const children = new Map<OracleSpan, OracleSpan[]>();
  for (const span of spans) {
    const parent = span.parentId === "" ? null : parentOf(span);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  let next = 1;
  // A stack instead of recursion: traces may be deep.
  const walk: { span: OracleSpan; leave: boolean }[] = spans
    .filter((span) => span.parentId === "")
    .reverse()
    .map((span) => ({ span, leave: false }));
  for (let step = walk.pop(); step !== undefined; step = walk.pop()) {
    const { span, leave } = step;
    if (leave) {
      span.right = next++;
      continue;
    }
    span.left = next++;
    span.parentLeft = span.parent === null ? -1 : span.parent.left;
    walk.push({ span, leave: true });
    const own = children.get(span) ?? [];
    span.children = own.length;
    for (const child of own.toReversed()) {
      child.parent = span;
      walk.push({ span: child, leave: false });
    }
  }
}

type BareSpan = Omit<OracleSpan, "resource" | "scope">;

function plainSpan(span: Span): BareSpan {
  const parentId = hex(span.parentSpanId);
  return {
    id: hex(span.spanId),
    parentId: /^0*$/.test(parentId) ? "" : parentId,
    name: span.name,
    // Numbers without a name are kept, and are none of those that a query can name.
    kind: kinds[span.kind] ?? (String(span.kind) as KindName),
    status: statuses[span.status?.code ?? 0] ?? (String(span.status?.code) as StatusName),
    statusMessage: span.status?.message ?? "",
    startNanos: span.startTimeUnixNano,
    endNanos: span.endTimeUnixNano,
    durationNanos: span.endTimeUnixNano - span.startTimeUnixNano,
    attributes: attributesOf(span.attributes),
    events: span.events.map((event) => ({
      name: event.name,
      timeSinceStartNanos: event.timeUnixNano - span.startTimeUnixNano,
      attributes: attributesOf(event.attributes),
    })),
    links: span.links.map((link) => ({
      traceId: hex(link.traceId).replace(/^0+/, ""),
      spanId: hex(link.spanId).padStart(16, "0"),
      attributes: attributesOf(link.attributes),
    })),
    left: 0,
    right: 0,
    parentLeft: 0,
    parent: null,
    children: 0,
  };
}

/** A link of OpenTracing within the trace says whose child a span without a parent is. */
function isChildByLink(span: Span): boolean {
  return span.links.some(
    (link) =>
      hex(link.traceId) === hex(span.traceId) &&
      link.attributes.some(
        ({ key, value }) => key === "opentracing.ref_type" && value?.value.value === "child_of",
      ),
  );
}

function attributesOf(list: KeyValue[]): Attributes {
  const attributes = new Map<string, Value>();
  for (const { key, value } of list) {
    // Of two equal keys the later one counts.
    attributes.set(key, plainValue(value));
  }
  return attributes;
}

/** Nil for what the language can't see: bytes, key-value lists, arrays of several types or of none. */
function plainValue(value: AnyValue | undefined): Value {
  if (value?.value.case !== "arrayValue") return scalarOf(value) ?? nil;
  const elements = value.value.value.values.map(scalarOf);
  const [first] = elements;
  if (elements.some((element) => element === null || element.type !== first?.type)) return nil;
  return arrayOf(elements as Scalar[]);
}

function scalarOf(value: AnyValue | undefined): Scalar | null {
  const kind = value?.value.case;
  if (kind === undefined || !(kind in scalarTypes)) return null;
  return { type: scalarTypes[kind as keyof typeof scalarTypes], value: value!.value.value } as Scalar;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
