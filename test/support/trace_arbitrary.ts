// Random traces for property tests: several services and scopes, attributes of every type, events, links, roots that are missing or
// many, ids that two spans share, and spans that are sent twice.
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
} from "../../src/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";

/** Few names and values, so that queries meet them. */
export const names = {
  span: ["GET /", "POST /cart", "query", "é", ""],
  service: ["front", "cart", "db"],
  event: ["exception", "retry"],
  scope: ["lib", ""],
  version: ["1", ""],
  message: ["", "boom"],
  attribute: ["a", "b", "n", "f", "flag", "list", "http.method", "http.status_code", "with space"],
};
export const texts = ["x", "y", "xyz", "GET", ""];
export const ints = [0n, 1n, 2n, 3n, -3n, 200n, 500n, 9_007_199_254_740_993n];
const floats = [0.5, 1, 2.5, -1.5];
const offsetMsMax = 40; // of starts and durations

/** A value in the form of OTLP's AnyValue. */
type PlainValue =
  | { case: "stringValue"; value: string }
  | { case: "intValue"; value: bigint }
  | { case: "doubleValue"; value: number }
  | { case: "boolValue"; value: boolean }
  | { case: "bytesValue"; value: Uint8Array }
  | { case: "arrayValue"; value: { values: { value: PlainValue }[] } }
  | { case: "kvlistValue"; value: { values: PlainAttribute[] } };

interface PlainAttribute {
  key: string;
  value: { value: PlainValue };
}

interface PlainSpan {
  id: number; // from 1
  parent: number; // 0: a root; an id that no span has: an orphan
  service: number; // index of the resource
  scope: number; // index of the scope
  name: string;
  kind: number;
  code: number;
  message: string;
  startMs: number; // after the trace's base
  durationMs: number;
  attributes: PlainAttribute[];
  events: { name: string; atMs: number; attributes: PlainAttribute[] }[];
  links: { trace: number; span: number; attributes: PlainAttribute[] }[];
  sent: number; // times
}

export interface PlainTrace {
  resources: { attributes: PlainAttribute[] }[];
  scopes: { name: string; version: string; attributes: PlainAttribute[] }[];
  spans: PlainSpan[];
}

const scalar: fc.Arbitrary<PlainValue> = fc.oneof(
  fc.constantFrom(...texts).map((value): PlainValue => ({ case: "stringValue", value })),
  fc.constantFrom(...ints).map((value): PlainValue => ({ case: "intValue", value })),
  fc.constantFrom(...floats).map((value): PlainValue => ({ case: "doubleValue", value })),
  fc.boolean().map((value): PlainValue => ({ case: "boolValue", value })),
);

function arrayOf(of: fc.Arbitrary<PlainValue>): fc.Arbitrary<PlainValue> {
  return fc
    .array(of, { maxLength: 3 })
    .map((values) => ({ case: "arrayValue", value: { values: values.map((value) => ({ value })) } }));
}

/** Mostly of the type that the name suggests. */
function valueFor(name: string): fc.Arbitrary<PlainValue> {
  const typical: Record<string, fc.Arbitrary<PlainValue>> = {
    n: fc.constantFrom(...ints).map((value) => ({ case: "intValue", value })),
    "http.status_code": fc.constantFrom(200n, 404n, 500n).map((value) => ({ case: "intValue", value })),
    f: fc.constantFrom(...floats).map((value) => ({ case: "doubleValue", value })),
    flag: fc.boolean().map((value) => ({ case: "boolValue", value })),
    list: fc.oneof(
      arrayOf(fc.constantFrom(...texts).map((value) => ({ case: "stringValue", value }))),
      arrayOf(fc.constantFrom(...ints).map((value) => ({ case: "intValue", value }))),
      arrayOf(fc.constantFrom(...floats).map((value) => ({ case: "doubleValue", value }))),
      arrayOf(fc.boolean().map((value) => ({ case: "boolValue", value }))),
    ),
  };
  const text = fc.constantFrom(...texts).map((value): PlainValue => ({ case: "stringValue", value }));
  return fc.oneof(
    { weight: 6, arbitrary: typical[name] ?? text },
    { weight: 2, arbitrary: scalar },
    { weight: 1, arbitrary: arrayOf(scalar) }, // of mixed types, often
    {
      weight: 1,
      arbitrary: fc.constantFrom<PlainValue>(
        { case: "bytesValue", value: Uint8Array.of(1, 2) },
        { case: "kvlistValue", value: { values: [] } },
      ),
    },
  );
}

function attributes(maxLength: number): fc.Arbitrary<PlainAttribute[]> {
  const one = fc
    .constantFrom(...names.attribute)
    .chain((key) => valueFor(key).map((value) => ({ key, value: { value } })));
  return fc.uniqueArray(one, { maxLength, selector: ({ key }) => key });
}

const resource = fc.record({
  service: fc.option(fc.constantFrom(...names.service), { freq: 12 }),
  others: attributes(3),
});

const scope = fc.record({
  name: fc.constantFrom(...names.scope),
  version: fc.constantFrom(...names.version),
  attributes: attributes(2),
});

const span = fc.record({
  parent: fc.double({ min: 0, max: 1, noNaN: true }),
  service: fc.nat(2),
  scope: fc.nat(1),
  name: fc.constantFrom(...names.span),
  kind: fc.nat(5),
  code: fc.nat(2),
  message: fc.constantFrom(...names.message),
  startMs: fc.nat(offsetMsMax),
  durationMs: fc.nat(offsetMsMax),
  attributes: attributes(4),
  events: fc.array(
    fc.record({ name: fc.constantFrom(...names.event), atMs: fc.nat(5), attributes: attributes(2) }),
    { maxLength: 3 },
  ),
  links: fc.array(
    fc.record({ trace: fc.integer({ min: 1, max: 3 }), span: fc.nat(2), attributes: attributes(2) }),
    {
      maxLength: 1,
    },
  ),
  sent: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(2) }),
});

/** A root is sure to be there only in most traces; others have two, or only orphans. */
export const trace: fc.Arbitrary<PlainTrace> = fc
  .record({
    resources: fc.array(resource, { minLength: 1, maxLength: 3 }),
    scopes: fc.array(scope, { minLength: 1, maxLength: 2 }),
    spans: fc.array(span, { minLength: 1, maxLength: 9 }),
    shape: fc.constantFrom("tree", "tree", "tree", "roots", "orphans", "shared"),
  })
  .map(({ resources, scopes, spans, shape }) => ({
    resources: resources.map(({ service, others }) => ({
      attributes: service === null ? others : [{ key: "service.name", value: text(service) }, ...others],
    })),
    scopes,
    spans: spans.map((one, i) => ({
      ...one,
      id: shape === "shared" && i === 2 ? 2 : i + 1,
      kind: shape === "shared" && (i === 1 || i === 2) ? i + 1 : one.kind, // a server span and a client span of one id
      parent: parentOf(one.parent, i, shape),
      service: one.service % resources.length,
      scope: one.scope % scopes.length,
    })),
  }));

const missing = 99;

function parentOf(at: number, index: number, shape: string): number {
  if (index === 0) return shape === "orphans" ? missing : 0;
  if (shape === "roots" && at < 0.3) return 0;
  if (shape === "orphans" && at < 0.3) return missing;
  return 1 + Math.floor(at * index * 0.999);
}

function text(value: string): { value: PlainValue } {
  return { value: { case: "stringValue", value } };
}

interface Placement {
  /** Unix nanoseconds of the first start. */
  baseNanos: bigint;
  traceId: string; // 32 hex digits
}

/** One request with the spans that are wanted, each as often as it is sent. */
export function requestOf(
  trace: PlainTrace,
  { baseNanos, traceId }: Placement,
  wanted: (index: number) => boolean = () => true,
): ExportTraceServiceRequest {
  const millis = 1_000_000n;
  const id = (number: number) => Buffer.from(number.toString(16).padStart(16, "0"), "hex");
  const messages = trace.spans.flatMap((one, index) => {
    if (!wanted(index)) return [];
    const startTimeUnixNano = baseNanos + BigInt(one.startMs) * millis;
    const message = {
      resource: trace.resources[one.service]!,
      scope: trace.scopes[one.scope]!,
      spans: [
        {
          traceId: Buffer.from(traceId, "hex"),
          spanId: id(one.id),
          parentSpanId: one.parent === 0 ? new Uint8Array() : id(one.parent),
          name: one.name,
          kind: one.kind,
          status: { code: one.code, message: one.message },
          startTimeUnixNano,
          endTimeUnixNano: startTimeUnixNano + BigInt(one.durationMs) * millis,
          attributes: one.attributes,
          events: one.events.map(({ name, atMs, attributes }) => ({
            name,
            timeUnixNano: startTimeUnixNano + BigInt(atMs) * millis,
            attributes,
          })),
          links: one.links.map((link) => ({
            traceId: Buffer.from(link.trace.toString(16).padStart(32, "0"), "hex"),
            spanId: id(link.span + 1),
            attributes: link.attributes,
          })),
        },
      ],
    };
    return Array.from({ length: one.sent }, () => message);
  });
  return create(ExportTraceServiceRequestSchema, {
    resourceSpans: messages.map(({ resource, scope, spans }) => ({
      resource,
      scopeSpans: [{ scope, spans }],
    })),
  });
}
