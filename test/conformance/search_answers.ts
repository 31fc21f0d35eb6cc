// Answers of search and tags endpoints in a form that two of them can be compared in: without metrics, and without the order of what
// has none (traces, span sets, spans, attributes, tags and values).
import {
  type AttributeJson,
  type SearchJson,
  type SpanSetJson,
  type TagsJson,
  valueText,
} from "./semantic_checks.ts";

/** One text per trace, sorted. */
export function comparableSearch({ traces = [] }: SearchJson): string[] {
  return traces
    .map((trace) => {
      const stats = Object.entries(trace.serviceStats ?? {}).map(
        ([service, { spanCount = 0, errorCount = 0 }]) =>
          `${service}: ${spanCount} spans, ${errorCount} errors`,
      );
      return JSON.stringify(
        {
          traceID: trace.traceID,
          root: [trace.rootServiceName ?? "", trace.rootTraceName ?? ""],
          start: trace.startTimeUnixNano ?? "0",
          durationMs: trace.durationMs ?? 0,
          stats: stats.sort(),
          spanSets: (trace.spanSets ?? []).map(comparableSet).sort(),
        },
        null,
        1,
      );
    })
    .sort();
}

function comparableSet({ spans = [], matched = 0, attributes }: SpanSetJson): string {
  const texts = spans.map((span) =>
    [
      span.spanID,
      span.name || "-",
      span.startTimeUnixNano ?? "0",
      span.durationNanos ?? "0",
      ...comparableAttributes(span.attributes),
    ].join(" "),
  );
  return [`${matched} matched`, ...comparableAttributes(attributes), ...texts.sort()].join("\n");
}

function comparableAttributes(attributes: AttributeJson[] = []): string[] {
  return attributes.map(({ key, value }) => `${key}=${valueText(value)}`).sort();
}

/** One text per tag or value, sorted. */
export function comparableTags({ tagNames = [], tagValues = [], scopes = [] }: TagsJson): string[] {
  const values = tagValues.map((one) =>
    typeof one === "string" ? one : `${one.type ?? ""} ${one.value ?? ""}`,
  );
  const tags = scopes.flatMap(({ name, tags: names = [] }) => names.map((tag) => `${name}.${tag}`));
  return [...tagNames, ...values, ...tags].sort();
}
