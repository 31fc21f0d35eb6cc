// What Grafana's plugin does with an answer, as checks: it decodes strictly, and breaks on values that it doesn't expect. Each says
// what is wrong in words.
import type { GrpcAnswer } from "./grpc_calls.ts";
import type { Json } from "./placeholders.ts";
import {
  type AnyValueJson,
  type AttributeJson,
  type SearchJson,
  type SpanSetJson,
  valueText,
} from "./semantic_checks.ts";
import { canonical } from "./traces.ts";

/** Members that a message may have, and what they are: "u32" a number of 32 bits, "u64" one in a string, "*" a list, "%" a map. */
const allowed: Record<string, Record<string, string>> = {
  Search: { traces: "Trace*", metrics: "Metrics" },
  Trace: {
    traceID: "string",
    rootServiceName: "string",
    rootTraceName: "string",
    startTimeUnixNano: "u64",
    durationMs: "u32",
    spanSet: "SpanSet",
    spanSets: "SpanSet*",
    serviceStats: "Stats%",
  },
  Stats: { spanCount: "u32", errorCount: "u32" },
  SpanSet: { spans: "Span*", matched: "u32", attributes: "Attribute*" },
  Span: {
    spanID: "string",
    name: "string",
    startTimeUnixNano: "u64",
    durationNanos: "u64",
    attributes: "Attribute*",
  },
  Attribute: { key: "string", value: "AnyValue" },
  AnyValue: {
    stringValue: "string",
    boolValue: "bool",
    intValue: "u64",
    doubleValue: "number",
    arrayValue: "Array",
    kvlistValue: "Map",
    bytesValue: "string",
  },
  Array: { values: "AnyValue*" },
  Map: { values: "Attribute*" },
  Metrics: {
    inspectedTraces: "u32",
    inspectedBytes: "u64",
    totalBlocks: "u32",
    completedJobs: "u32",
    totalJobs: "u32",
    totalBlockBytes: "u64",
    inspectedSpans: "u64",
  },
};

/** Problems of the body of a search: names that the plugin's messages don't have, numbers that don't fit. */
export function strictProblems(value: Json, type = "Search", path = "$"): string[] {
  if (type.endsWith("*")) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((one, i) => strictProblems(one, type.slice(0, -1), `${path}[${i}]`));
  }
  if (type.endsWith("%") || type in allowed) {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return [`${path} is no object`];
    return Object.entries(value).flatMap(([name, member]) => {
      const memberType = type.endsWith("%") ? type.slice(0, -1) : allowed[type]![name];
      if (memberType === undefined) return [`${path}.${name} is unknown`];
      return strictProblems(member, memberType, `${path}.${name}`);
    });
  }
  return fits(value, type) ? [] : [`${path} is no ${type}: ${JSON.stringify(value)}`];
}

function fits(value: Json, type: string): boolean {
  switch (type) {
    case "u32":
      return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
    case "u64":
      return (typeof value === "string" && /^-?\d+$/.test(value)) || Number.isInteger(value);
    case "bool":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number" || value === "NaN" || value === "Infinity" || value === "-Infinity";
    default:
      return typeof value === type;
  }
}

/** Problems of the tables that the plugin makes: of one key with two types, and of values that it has no column for. */
export function tableProblems({ traces = [] }: SearchJson): string[] {
  const types = new Map<string, string>();
  const problems: string[] = [];
  const see = ({ key, value }: AttributeJson) => {
    const type = typeOf(value);
    if (type === null) problems.push(`${key} is ${valueText(value)}`);
    else if ((types.get(key) ?? type) !== type) problems.push(`${key} is ${types.get(key)} and ${type}`);
    else types.set(key, type);
  };
  for (const set of traces.flatMap(({ spanSets = [] }) => spanSets)) {
    for (const attribute of set.attributes ?? []) see(attribute);
    for (const span of set.spans ?? []) for (const attribute of span.attributes ?? []) see(attribute);
  }
  return problems;
}

function typeOf(value: AnyValueJson | undefined): string | null {
  if (value?.stringValue !== undefined) return "string";
  if (value?.intValue !== undefined || value?.doubleValue !== undefined) return "number";
  return value?.boolValue === undefined ? null : "bool";
}

const messageBytesMax = 4 << 20;

/** Problems of a stream of search answers, among them what a user would not see, since of each trace the first version stays. */
export function streamProblems({ code, details, messages, bytes }: GrpcAnswer): string[] {
  if (code !== 0) return [`status ${code} ${details}`];
  const problems: string[] = [];
  if (messages.length === 0) problems.push("no message");
  for (const size of bytes) if (size > messageBytesMax) problems.push(`a message of ${size} bytes`);
  const shown = new Map<string, string>();
  for (const [i, message] of messages.entries()) {
    if (message.metrics === undefined) problems.push(`message ${i} has no metrics`);
    for (const trace of (message as SearchJson).traces ?? []) {
      for (const set of trace.spanSets ?? [])
        problems.push(...setProblems(set).map((text) => `message ${i}: ${text}`));
      if (!shown.has(trace.traceID)) shown.set(trace.traceID, canonical(trace as unknown as Json));
    }
  }
  const final = ((messages.at(-1) as SearchJson | undefined)?.traces ?? []) as unknown as {
    traceID: string;
  }[];
  for (const trace of final) {
    if (shown.get(trace.traceID) !== canonical(trace as unknown as Json)) {
      problems.push(`trace ${trace.traceID} was shown as less than it is`);
    }
  }
  return problems;
}

function setProblems({ spans = [], attributes = [] }: SpanSetJson): string[] {
  const all = [...attributes, ...spans.flatMap((span) => span.attributes ?? [])];
  const without = all.filter(({ value }) => value === undefined).map(({ key }) => `${key} has no value`);
  return spans.length === 0 ? ["a span set without spans", ...without] : without;
}

const valueTypes = ["string", "int", "float", "bool", "duration", "keyword"];

/** Problems of a list of tag names, by scope, or of typed values. */
export function tagProblems({ scopes, tagValues }: { scopes?: Json; tagValues?: Json }): string[] {
  const problems: string[] = [];
  for (const scope of (scopes ?? []) as { name?: Json; tags?: Json }[]) {
    if (!Array.isArray(scope.tags)) problems.push(`scope ${scope.name} has no tags`);
  }
  for (const value of (tagValues ?? []) as { type?: string }[]) {
    if (!valueTypes.includes(value.type ?? "")) problems.push(`a value of type ${value.type}`);
  }
  return problems;
}
