// What every span, trace, event, link and instrumentation scope has without an attribute.

export type IntrinsicType = "duration" | "string" | "status" | "kind" | "int" | "nil" | "unknown";

/** By the name that it is printed under, whichever way a query spelled it. */
export const intrinsicTypes = {
  duration: "duration",
  name: "string",
  status: "status",
  statusMessage: "string",
  kind: "kind",
  "span:id": "string",
  "span:parentID": "string",
  "span:childCount": "int",
  traceDuration: "duration",
  rootName: "string",
  rootServiceName: "string",
  "trace:id": "string",
  "event:name": "string",
  "event:timeSinceStart": "duration",
  "link:traceID": "string",
  "link:spanID": "string",
  // Tempo does not check the types of these two.
  "instrumentation:name": "unknown",
  "instrumentation:version": "unknown",
  nestedSetLeft: "int",
  nestedSetRight: "int",
  nestedSetParent: "int",
  /** Reserved: parses, and is refused. */
  parent: "nil",
} as const satisfies Record<string, IntrinsicType>;

export type IntrinsicName = keyof typeof intrinsicTypes;

export type ColonScope = "trace" | "span" | "event" | "link" | "instrumentation";

/** The bare words. */
export const bareIntrinsics: ReadonlyMap<string, IntrinsicName> = new Map(
  (
    [
      "duration",
      "name",
      "status",
      "statusMessage",
      "kind",
      "traceDuration",
      "rootName",
      "rootServiceName",
      "nestedSetLeft",
      "nestedSetRight",
      "nestedSetParent",
      "parent",
    ] as const
  ).map((name) => [name, name]),
);

/** The words that may stand after a scope and its colon. */
export const scopedIntrinsics: Record<ColonScope, ReadonlyMap<string, IntrinsicName>> = {
  trace: new Map([
    ["duration", "traceDuration"],
    ["rootName", "rootName"],
    ["rootService", "rootServiceName"],
    ["id", "trace:id"],
  ]),
  span: new Map([
    ["duration", "duration"],
    ["name", "name"],
    ["status", "status"],
    ["statusMessage", "statusMessage"],
    ["kind", "kind"],
    ["id", "span:id"],
    ["parentID", "span:parentID"],
    ["childCount", "span:childCount"],
  ]),
  event: new Map([
    ["name", "event:name"],
    ["timeSinceStart", "event:timeSinceStart"],
  ]),
  link: new Map([
    ["traceID", "link:traceID"],
    ["spanID", "link:spanID"],
  ]),
  instrumentation: new Map([
    ["name", "instrumentation:name"],
    ["version", "instrumentation:version"],
  ]),
};
