// Traces in a form that two answers can be compared in: one canonical text per span, holding its resource, its scope and itself.
// How spans are grouped, the order of spans and attributes, and what proto3 JSON may leave out do not count.
import { readFileSync } from "node:fs";
import type { Json, Renderer } from "./placeholders.ts";
import { enums } from "./proto_reader.ts";

type JsonObject = { [key: string]: Json };

const valueNames = new Set([
  "stringValue",
  "boolValue",
  "intValue",
  "doubleValue",
  "bytesValue",
  "arrayValue",
  "kvlistValue",
]);
const defaults: Record<string, Json> = { kind: "SPAN_KIND_UNSPECIFIED", code: "STATUS_CODE_UNSET" };

interface Push {
  headers?: Record<string, string>;
  body: { resourceSpans: { scopeSpans: { spans: { traceId: string }[] }[] }[] };
}

interface FixtureFile {
  traces: Record<string, string>;
  pushes: Json[];
  stored?: Record<string, Json>;
  tenants?: Record<string, string>;
}

/** What is pushed before the cases run, and what a query should return for it. */
export class Fixture {
  readonly pushes: Push[];
  readonly traces: Record<string, string>; // label to trace id
  readonly tenants: Record<string, string>; // label to tenant
  private readonly stored: Record<string, Json>;

  constructor(path: string, renderer: Renderer) {
    const file = JSON.parse(readFileSync(path, "utf8")) as FixtureFile;
    this.pushes = renderer.render(file.pushes) as unknown as Push[];
    this.traces = file.traces;
    this.tenants = file.tenants ?? {};
    this.stored = Object.fromEntries(
      Object.entries(file.stored ?? {}).map(([k, v]) => [k, renderer.render(v)]),
    );
  }

  /** The spans of a fixture trace, each once. `stored` replaces what was pushed where a server changes a trace. */
  expected(label: string): string[] {
    const stored = this.stored[label] as JsonObject | undefined;
    if (stored !== undefined) return flatten(toAnswerForm(stored.resourceSpans!));
    const wanted = this.traces[label];
    const spans = new Set<string>();
    for (const push of this.pushes) {
      for (const resource of push.body.resourceSpans) {
        for (const scope of resource.scopeSpans) {
          const mine = scope.spans.filter((span) => span.traceId === wanted);
          if (mine.length === 0) continue;
          const one = { ...resource, scopeSpans: [{ ...scope, spans: mine }] };
          for (const text of flatten([toAnswerForm(one as unknown as Json)])) spans.add(text);
        }
      }
    }
    return [...spans].sort();
  }
}

/** OTLP JSON (hex ids, numbers for enums) in the form of answers (base64 ids, names for enums). */
function toAnswerForm(node: Json, key = ""): Json {
  if (Array.isArray(node)) return node.map((item) => toAnswerForm(item));
  if (node !== null && typeof node === "object") {
    return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, toAnswerForm(v, k)]));
  }
  if (typeof node === "string" && /^(traceId|spanId|parentSpanId)$/.test(key)) {
    return Buffer.from(node, "hex").toString("base64");
  }
  if (typeof node === "number" && (key === "kind" || key === "code")) return enums[key][node] ?? node;
  return node;
}

/** Drops what proto3 JSON may leave out; attribute values keep their zeros. */
function strip(node: Json): Json {
  if (Array.isArray(node)) return node.map(strip);
  if (node === null || typeof node !== "object") return node;
  const out: JsonObject = {};
  for (const [key, raw] of Object.entries(node)) {
    const value = strip(raw);
    if (valueNames.has(key)) out[key] = value;
    else if (isEmpty(value)) {
      if (key === "value") out[key] = value;
    } else if (defaults[key] !== value) out[key] = value;
  }
  return out;
}

function isEmpty(value: Json): boolean {
  if (value === "" || value === false || value === 0 || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function sortAttributes(node: Json): Json {
  if (Array.isArray(node)) return node.map(sortAttributes);
  if (node === null || typeof node !== "object") return node;
  const out: JsonObject = {};
  for (const [key, raw] of Object.entries(node)) {
    const value = sortAttributes(raw);
    out[key] = key === "attributes" && Array.isArray(value) ? value.toSorted(byKey) : value;
  }
  return out;
}

function byKey(a: Json, b: Json): number {
  const left = String((a as JsonObject).key ?? "");
  const right = String((b as JsonObject).key ?? "");
  return left < right ? -1 : left > right ? 1 : 0;
}

/** JSON text with members in order. */
export function canonical(node: Json): string {
  if (Array.isArray(node)) return `[${node.map(canonical).join(",")}]`;
  if (node === null || typeof node !== "object") return JSON.stringify(node);
  const members = Object.keys(node).sort();
  return `{${members.map((k) => `${JSON.stringify(k)}:${canonical(node[k]!)}`).join(",")}}`;
}

export function flatten(resourceSpans: Json): string[] {
  const out: string[] = [];
  for (const raw of (resourceSpans ?? []) as JsonObject[]) {
    const resource = sortAttributes(strip(raw)) as JsonObject;
    for (const scope of (resource.scopeSpans ?? []) as JsonObject[]) {
      for (const span of (scope.spans ?? []) as Json[]) {
        out.push(canonical([resource.resource ?? {}, scope.scope ?? {}, span]));
      }
    }
  }
  return out.sort();
}
