// The cases of the semantic TraceQL corpus and the traces that they are asked of. The format is described beside the corpus.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { type Double, type Typed, typedJson } from "./typed_json.ts";

/** Resource attribute with the salt of the run, on everything that is pushed. */
export const runAttribute = "conformance.run";
const saltAt = 16; // hex digits of a trace id that the salt replaces
const saltLength = 8;
const nanosPerSecond = 1_000_000_000n;

export interface SpanSetExpectation {
  trace?: string;
  spans?: string[];
  spanCount?: number;
  matched?: number;
  attributes?: Record<string, Typed>;
}

export interface TraceMeta {
  startOffsetNanos?: number;
  durationMs?: number;
  rootServiceName?: string;
  rootTraceName?: string;
  serviceStats?: Record<string, { spanCount: number; errorCount: number }>;
}

export interface SeriesExpectation {
  labels: [key: string, value: Typed][];
  /** Seconds after the run's base. All that there are. */
  samples?: [seconds: number | Double, value: number | Double][];
  /** Of an instant query. */
  value?: number | Double;
  /** Of all samples. */
  sum?: number | Double;
}

/** After the run's base, in whole seconds or exactly. */
export type TimeOffset = number | { nanos: number };

export interface Expectation {
  status?: number | number[];
  bodyContains?: string;
  // search
  traces?: string[];
  traceOrder?: string[];
  traceCount?: number;
  spans?: string[];
  spansNot?: string[];
  spanCount?: number;
  spanSets?: SpanSetExpectation[];
  spanAttributes?: Record<string, Record<string, Typed>>;
  spanNames?: Record<string, string>;
  traceMeta?: Record<string, TraceMeta>;
  // metrics
  series?: SeriesExpectation[];
  ordered?: boolean;
  seriesCount?: number;
  seriesAbsent?: [key: string, value: Typed][][];
  /** Between two samples. */
  stepMillis?: number;
  exemplars?: { min?: number; max?: number; ownTraces?: boolean };
  // tags
  values?: (string | [type: string, value: string])[];
  valuesNot?: (string | [type: string, value: string])[];
  valueCount?: number;
  scopes?: Record<string, string[]>;
  scopeNames?: string[];
  tagsNot?: Record<string, string[]>;
  tagNames?: string[];
  mode?: "exact" | "contains";
}

interface CaseOf<Kind, Params> {
  id: string;
  kind: Kind;
  traces?: string | string[];
  query: string;
  params?: Params;
  expect: Expectation;
  tags?: string[];
  note?: string;
  /** Paths of `traces`. */
  fixtures: string[];
}

export type SearchCase = CaseOf<
  "search" | "tags",
  {
    startOffset?: number;
    endOffset?: number;
    limit?: number | string;
    spss?: number;
    omit?: string[];
    tag?: string;
    version?: "v1" | "v2";
    scope?: string;
  }
>;

export type MetricsCase = CaseOf<
  "metrics",
  {
    startOffset?: TimeOffset;
    endOffset?: TimeOffset;
    step?: string;
    exemplars?: number;
    instant?: boolean;
  }
>;

export type SemanticCase = SearchCase | MetricsCase;

interface SemanticFile {
  name: string;
  cases: SemanticCase[];
}

export function loadSemanticFiles(folder: string): SemanticFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => ({ name: name.slice(0, -".json".length), cases: loadCases(join(folder, name)) }));
}

function loadCases(path: string): SemanticCase[] {
  const cases = typedJson(readFileSync(path, "utf8")) as SemanticCase[];
  return cases.map((one) => ({
    ...one,
    fixtures: [one.traces ?? []].flat().map((name) => normalize(join(dirname(path), name))),
  }));
}

/** Everything that differs from one run to the next. */
export class SemanticRun {
  /** Unix seconds that the times of fixtures are relative to: all data is a little old, and none is of the future. */
  readonly base: number;
  readonly salt: string;

  constructor(nowMs: number) {
    this.base = Math.floor((nowMs / 1000 - 45) / 30) * 30;
    this.salt = ((nowMs % 0xf0000000) + 0x10000000).toString(16).slice(0, saltLength);
  }

  salted(traceId: string): string {
    return traceId.slice(0, saltAt) + this.salt + traceId.slice(saltAt + saltLength);
  }

  /** Unix seconds or nanoseconds, as a parameter. */
  time(offset: TimeOffset): string {
    return typeof offset === "number" ? String(this.base + offset) : String(this.nanos(offset.nanos));
  }

  nanos(offset: string | number): bigint {
    return BigInt(this.base) * nanosPerSecond + BigInt(offset);
  }

  fill(text: string): string {
    return text
      .replaceAll("{{run}}", this.salt)
      .replace(/\{\{trace:([0-9a-f]{32})\}\}/g, (_, id) => this.salted(id))
      .replace(/\{\{shorttrace:([0-9a-f]{32})\}\}/g, (_, id) => this.salted(id).replace(/^0+/, ""))
      .replace(/\{\{base([+-]\d+)\}\}/g, (_, offset) => String(this.base + Number(offset)))
      .replace(/\{\{nanos([+-]\d+)\}\}/g, (_, offset) => String(this.nanos(offset)));
  }
}

interface OtlpSpan {
  traceId: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  events?: { timeUnixNano: string }[];
}

interface OtlpRequest {
  resourceSpans: {
    resource?: { attributes?: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: OtlpSpan[] }[];
  }[];
}

/** A fixture file, made concrete for a run: one OTLP JSON request for each trace. */
export class SemanticFixture {
  readonly traceIds: string[]; // of the file, without salt
  readonly requests: OtlpRequest[];

  constructor(path: string, run: SemanticRun) {
    const { traces } = JSON.parse(readFileSync(path, "utf8")) as { traces: OtlpRequest[] };
    this.traceIds = [...new Set(traces.flatMap(spansOf).map(({ traceId }) => traceId))];
    this.requests = traces.map((request) => concrete(request, run));
  }
}

function spansOf(request: OtlpRequest): OtlpSpan[] {
  return request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

function concrete(request: OtlpRequest, run: SemanticRun): OtlpRequest {
  for (const group of request.resourceSpans) {
    const attributes = group.resource?.attributes ?? [];
    for (const { value } of attributes) {
      if (value.stringValue !== undefined) value.stringValue = run.fill(value.stringValue);
    }
    attributes.push({ key: runAttribute, value: { stringValue: run.salt } });
    group.resource = { ...group.resource, attributes };
  }
  for (const span of spansOf(request)) {
    span.traceId = run.salted(span.traceId);
    span.startTimeUnixNano = String(run.nanos(span.startTimeUnixNano));
    span.endTimeUnixNano = String(run.nanos(span.endTimeUnixNano));
    for (const event of span.events ?? []) event.timeUnixNano = String(run.nanos(event.timeUnixNano));
  }
  return request;
}
