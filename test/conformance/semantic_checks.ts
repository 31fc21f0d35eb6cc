// Whether an answer is what a case of the semantic TraceQL corpus expects: the rules of the corpus's own runner.
import { Mismatch } from "./matcher.ts";
import {
  type Expectation,
  runAttribute,
  type SearchCase,
  type SemanticFixture,
  type SemanticRun,
  type SpanSetExpectation,
  type TraceMeta,
} from "./semantic_cases.ts";
import { Double, type Typed } from "./typed_json.ts";

export interface AnyValueJson {
  stringValue?: string;
  intValue?: string | number;
  doubleValue?: number | string;
  boolValue?: boolean;
  arrayValue?: { values?: AnyValueJson[] };
}

export interface AttributeJson {
  key: string;
  value?: AnyValueJson;
}

interface SpanJson {
  spanID: string;
  name?: string;
  startTimeUnixNano?: string;
  durationNanos?: string;
  attributes?: AttributeJson[];
}

export interface SpanSetJson {
  spans?: SpanJson[];
  matched?: number;
  attributes?: AttributeJson[];
}

export interface TraceJson {
  traceID: string;
  rootServiceName?: string;
  rootTraceName?: string;
  startTimeUnixNano?: string;
  durationMs?: number;
  spanSets?: SpanSetJson[];
  spanSet?: SpanSetJson;
  serviceStats?: Record<string, { spanCount?: number; errorCount?: number }>;
}

/** Body of an answer of /api/search. */
export interface SearchJson {
  traces?: TraceJson[];
  metrics?: Record<string, string | number>;
}

export interface TagsJson {
  tagNames?: string[];
  tagValues?: (string | { type?: string; value?: string })[];
  scopes?: { name: string; tags?: string[] }[];
}

export function checkStatus(expect: Expectation, status: number, text: string): void {
  const statuses = [expect.status ?? 200].flat();
  if (!statuses.includes(status)) fail(`status ${status}, not ${statuses}: ${text.slice(0, 200)}`);
  if (expect.bodyContains !== undefined && !text.includes(expect.bodyContains)) {
    fail(`body lacks ${expect.bodyContains}: ${text.slice(0, 200)}`);
  }
}

export function checkSearch(
  { expect }: SearchCase,
  answer: SearchJson,
  fixtures: SemanticFixture[],
  run: SemanticRun,
): void {
  const own = new Map(
    fixtures.flatMap(({ traceIds }) => traceIds).map((id) => [run.salted(id).padStart(32, "0"), id]),
  );
  const traces = (answer.traces ?? []).flatMap((trace) => {
    const id = own.get(trace.traceID.padStart(32, "0"));
    return id === undefined ? [] : [{ id, trace }];
  });
  const ids = traces.map(({ id }) => id);
  if (expect.traces !== undefined) same("traces", ids.toSorted(), expect.traces.toSorted());
  if (expect.traceOrder !== undefined) same("order of traces", ids, expect.traceOrder);
  if (expect.traceCount !== undefined) same("count of traces", ids.length, expect.traceCount);
  const sets = traces.flatMap(({ id, trace }) => (trace.spanSets ?? []).map((set) => ({ id, set })));
  const spans = new Map(
    sets.flatMap(({ set }) => (set.spans ?? []).map((span) => [padded(span.spanID), span])),
  );
  const spanIds = [...spans.keys()].sort();
  if (expect.spans !== undefined) same("spans", spanIds, [...new Set(expect.spans.map(padded))].sort());
  for (const id of expect.spansNot ?? []) if (spans.has(padded(id))) fail(`span ${id} must not be returned`);
  if (expect.spanCount !== undefined) same("count of spans", spanIds.length, expect.spanCount);
  if (expect.spanSets !== undefined) checkSpanSets(sets, expect.spanSets);
  for (const [id, attributes] of Object.entries(expect.spanAttributes ?? {})) {
    const span = spans.get(padded(id)) ?? fail(`span ${id} is missing`);
    same(`attributes of span ${id}`, attributeMap(span.attributes), wantedMap(attributes));
  }
  for (const [id, name] of Object.entries(expect.spanNames ?? {})) {
    const span = spans.get(padded(id)) ?? fail(`span ${id} is missing`);
    same(`name of span ${id}`, span.name ?? "", name);
  }
  for (const [id, meta] of Object.entries(expect.traceMeta ?? {})) {
    const { trace } = traces.find((one) => one.id === id) ?? fail(`trace ${id} is missing`);
    checkMeta(trace, meta, run);
  }
}

function checkMeta(trace: TraceJson, meta: TraceMeta, run: SemanticRun): void {
  const stats = Object.entries(trace.serviceStats ?? {}).map(([service, counts]) => [
    service,
    { spanCount: counts.spanCount ?? 0, errorCount: counts.errorCount ?? 0 },
  ]);
  const found: Required<TraceMeta> = {
    startOffsetNanos: Number(BigInt(trace.startTimeUnixNano ?? 0) - run.nanos(0)),
    durationMs: trace.durationMs ?? 0,
    rootServiceName: trace.rootServiceName ?? "",
    rootTraceName: trace.rootTraceName ?? "",
    serviceStats: Object.fromEntries(stats),
  };
  for (const key of Object.keys(meta) as (keyof TraceMeta)[])
    same(`${key} of a trace`, found[key], meta[key]);
}

function checkSpanSets(found: { id: string; set: SpanSetJson }[], wanted: SpanSetExpectation[]): void {
  const left = [...found];
  for (const one of wanted) {
    const at = left.findIndex(({ id, set }) => fits(id, set, one));
    if (at < 0) fail(`no span set like ${JSON.stringify(one)} in ${JSON.stringify(left).slice(0, 700)}`);
    left.splice(at, 1);
  }
  if (left.length > 0) fail(`unexpected span sets ${JSON.stringify(left).slice(0, 700)}`);
}

function fits(id: string, set: SpanSetJson, wanted: SpanSetExpectation): boolean {
  const spans = (set.spans ?? []).map(({ spanID }) => padded(spanID));
  if (wanted.trace !== undefined && wanted.trace !== id) return false;
  if (wanted.spans !== undefined && !equal(spans.sort(), wanted.spans.map(padded).sort())) return false;
  if (wanted.spanCount !== undefined && wanted.spanCount !== spans.length) return false;
  if (wanted.matched !== undefined && wanted.matched !== (set.matched ?? 0)) return false;
  return wanted.attributes === undefined || equal(attributeMap(set.attributes), wantedMap(wanted.attributes));
}

export function checkTags({ expect, params = {} }: SearchCase, answer: TagsJson, run: SemanticRun): void {
  const compare = (what: string, got: Iterable<string>, want: string[]) => {
    const found = [...new Set(got)].sort();
    const missing = want.filter((one) => !found.includes(one));
    if (missing.length > 0) fail(`${what}: no ${missing} in ${found}`);
    if ((expect.mode ?? "exact") === "exact") same(what, found, [...new Set(want)].sort());
  };
  const typed = params.version !== "v1";
  const text = (value: string | { type?: string; value?: string } | [string, string]): string => {
    if (typeof value === "string") return run.fill(value);
    const [type = "", plain = ""] = Array.isArray(value) ? value : [value.type, value.value];
    return typed ? `${type} ${run.fill(plain)}` : plain;
  };
  const values = (answer.tagValues ?? []).map(text);
  if (expect.values !== undefined) compare("tag values", values, expect.values.map(text));
  for (const value of expect.valuesNot ?? [])
    if (values.includes(text(value))) fail(`tag value ${value} must be absent`);
  if (expect.valueCount !== undefined) same("count of tag values", values.length, expect.valueCount);
  const scopes = new Map((answer.scopes ?? []).map(({ name, tags }) => [name, tags ?? []]));
  const withoutRun = (tags: string[]) => tags.filter((tag) => tag !== runAttribute);
  for (const [name, tags] of Object.entries(expect.scopes ?? {})) {
    compare(`tags of scope ${name}`, withoutRun(scopes.get(name) ?? []), tags);
  }
  if (expect.scopeNames !== undefined) compare("scopes", scopes.keys(), expect.scopeNames);
  for (const [name, tags] of Object.entries(expect.tagsNot ?? {})) {
    for (const tag of tags) if (scopes.get(name)?.includes(tag)) fail(`tag ${name}.${tag} must be absent`);
  }
  if (expect.tagNames !== undefined) compare("tag names", withoutRun(answer.tagNames ?? []), expect.tagNames);
}

/** A value with its type, as text. */
export function valueText(value: AnyValueJson | undefined): string {
  if (value === undefined) return "none";
  if (value.stringValue !== undefined) return `string ${value.stringValue}`;
  if (value.intValue !== undefined) return `int ${value.intValue}`;
  if (value.doubleValue !== undefined) return `double ${doubleText(Number(value.doubleValue))}`;
  if (value.boolValue !== undefined) return `bool ${value.boolValue}`;
  if (value.arrayValue !== undefined) return `[${(value.arrayValue.values ?? []).map(valueText).join(", ")}]`;
  return JSON.stringify(value);
}

/** To as many digits as sums in another order agree. */
function doubleText(value: number): string {
  return value.toPrecision(12);
}

export function wantedText(value: Typed): string {
  if (value instanceof Double) return `double ${doubleText(value.value)}`;
  if (Array.isArray(value)) return `[${value.map(wantedText).join(", ")}]`;
  if (typeof value === "number") return `int ${value}`;
  return typeof value === "boolean" ? `bool ${value}` : `string ${value}`;
}

function attributeMap(attributes: AttributeJson[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueText(value)]));
}

function wantedMap(attributes: Record<string, Typed>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, wantedText(value)]));
}

function padded(spanId: string): string {
  return spanId.toLowerCase().replace(/^0+/, "").padStart(16, "0");
}

function equal(got: unknown, want: unknown): boolean {
  return Bun.deepEquals(got, want);
}

export function same(what: string, got: unknown, want: unknown): void {
  if (!equal(got, want)) fail(`${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`);
}

export function fail(reason: string): never {
  throw new Mismatch(reason);
}
