// Tags that are the same whatever is stored: the names of intrinsics, and the values of those that have few or none.
import type { Attribute, IntrinsicName } from "../traceql/index.ts";
import type { TagValue } from "./search_types.ts";

/** A limit takes them in this order, whatever order they are then shown in. */
export const intrinsicNames: readonly string[] = [
  "duration",
  "name",
  "status",
  "statusMessage",
  "kind",
  "rootServiceName",
  "rootName",
  "traceDuration",
  "event:name",
  "event:timeSinceStart",
  "link:spanID",
  "link:traceID",
  "instrumentation:name",
  "instrumentation:version",
  "trace:id",
  "span:id",
  "span:parentID",
  "span:status",
  "span:statusMessage",
  "span:duration",
  "span:name",
  "span:kind",
  "trace:rootName",
  "trace:rootService",
  "trace:duration",
];

/** Intrinsics whose values are looked for in what is stored. Of the others those that stand here have these. */
const stored: ReadonlySet<IntrinsicName> = new Set<IntrinsicName>([
  "name",
  "statusMessage",
  "rootName",
  "rootServiceName",
  "event:name",
  "instrumentation:name",
  "instrumentation:version",
]);
const keywords: Partial<Record<IntrinsicName, string[]>> = {
  status: ["ok", "error", "unset"],
  kind: ["client", "server", "producer", "consumer", "internal", "unspecified"],
};

/** The values of an attribute that need no look at the data; null if they do. */
export function fixedValues(attribute: Attribute): TagValue[] | null {
  if (attribute.kind === "attribute") return attribute.parent ? [] : null;
  if (stored.has(attribute.name)) return null;
  return (keywords[attribute.name] ?? []).map((value) => ({ type: "keyword", value }));
}

/** What the first version of the values endpoint has for names that are no attributes. */
export const virtualValues: ReadonlyMap<string, readonly string[]> = new Map([
  ["status.code", ["error", "ok", "unset"]],
  ["error", ["true"]],
]);
