// What the TraceQL oracle reads of a span for an attribute or an intrinsic. Events and links have several values, one each.
import type { Attribute, AttributeField, Intrinsic } from "../../src/traceql/index.ts";
import type { Attributes, OracleSpan, OracleTrace } from "./oracle_traces.ts";
import { nil, type Value } from "./oracle_values.ts";

/** What the language leaves open, found on the way: answers may differ there. */
export type Doubts = Set<string>;

/** A place that values are stored in: unlike an attribute of a query it has one scope. */
export type Column =
  | (Omit<AttributeField, "scope" | "position"> & { scope: StoredScope })
  | Omit<Intrinsic, "position">;
type StoredScope = Exclude<AttributeField["scope"], "none">;

/** Those that an attribute may come from. `.x` is the span's, or else the resource's. */
export function columnsOf(attribute: Attribute): Column[] {
  if (attribute.kind === "intrinsic") return [{ kind: "intrinsic", name: attribute.name }];
  const { scope, ...rest } = attribute;
  return scope === "none"
    ? [
        { ...rest, scope: "span" },
        { ...rest, scope: "resource" },
      ]
    : [{ ...rest, scope }];
}

export function columnKey(column: Column): string {
  return column.kind === "intrinsic" ? column.name : `${column.scope}.${column.name}`;
}

export type Collection = "events" | "links";

/** Whether it is a matter of events or links. */
export function collectionOf(attribute: Attribute | Column): Collection | null {
  const scope = attribute.kind === "intrinsic" ? attribute.name.split(":")[0] : attribute.scope;
  return scope === "event" ? "events" : scope === "link" ? "links" : null;
}

export class Reader {
  constructor(
    private readonly trace: OracleTrace,
    private readonly doubts: Doubts = new Set(),
  ) {}

  /** The value of an attribute that is not of events or links, and where it is stored. */
  read(span: OracleSpan, attribute: Attribute): { column: Column; value: Value } {
    const found = columnsOf(attribute).map((column) => ({ column, value: this.stored(span, column) }));
    return found.find(({ value }) => value.type !== "nil") ?? found[0]!;
  }

  /** One value per event or link, in their order, nil included. */
  members(span: OracleSpan, attribute: Attribute | Column): Value[] {
    if (collectionOf(attribute) === "events") {
      return span.events.map((event): Value => {
        if (attribute.kind === "attribute") return event.attributes.get(attribute.name) ?? nil;
        if (attribute.name === "event:name") return { type: "string", value: event.name };
        return { type: "duration", value: event.timeSinceStartNanos };
      });
    }
    return span.links.map((link): Value => {
      if (attribute.kind === "attribute") return link.attributes.get(attribute.name) ?? nil;
      return { type: "string", value: attribute.name === "link:traceID" ? link.traceId : link.spanId };
    });
  }

  /** The lists that an attribute of one scope may be in. */
  owners(span: OracleSpan, { scope }: AttributeField): Attributes[] {
    switch (scope) {
      case "resource":
        return [span.resource];
      case "instrumentation":
        return [span.scope.attributes];
      case "event":
        return span.events.map(({ attributes }) => attributes);
      case "link":
        return span.links.map(({ attributes }) => attributes);
      default:
        return [span.attributes];
    }
  }

  stored(span: OracleSpan, column: Column): Value {
    if (column.kind === "intrinsic") return this.intrinsic(span, column);
    switch (column.scope) {
      case "span":
        return span.attributes.get(column.name) ?? nil;
      case "resource":
        return span.resource.get(column.name) ?? (column.name === "service.name" ? this.noService() : nil);
      case "instrumentation":
        return span.scope.attributes.get(column.name) ?? nil;
      default:
        throw new Error(`oracle: ${columnKey(column)} has no single value`);
    }
  }

  /** The one attribute that is never missing, for comparisons at least. */
  private noService(): Value {
    this.doubts.add("a resource without service name");
    return { type: "string", value: "" };
  }

  private intrinsic(span: OracleSpan, { name }: Omit<Intrinsic, "position">): Value {
    const text = (value: string): Value => ({ type: "string", value });
    const int = (value: number): Value => ({ type: "int", value: BigInt(value) });
    switch (name) {
      case "duration":
        return { type: "duration", value: span.durationNanos };
      case "name":
        return text(span.name);
      case "status":
        return { type: "status", value: span.status };
      case "statusMessage":
        return text(span.statusMessage);
      case "kind":
        return { type: "kind", value: span.kind };
      case "span:id":
        return text(span.id);
      case "span:parentID":
        return text(span.parentId.padStart(16, "0"));
      case "span:childCount":
        return int(span.children);
      case "traceDuration":
        return { type: "duration", value: this.trace.durationNanos };
      case "rootName":
        return text(this.trace.rootName);
      case "rootServiceName":
        return text(this.trace.rootServiceName);
      case "trace:id":
        return text(this.trace.id.replace(/^0+/, ""));
      case "instrumentation:name":
        return text(span.scope.name);
      case "instrumentation:version":
        return text(span.scope.version);
      case "nestedSetLeft":
        return int(span.left);
      case "nestedSetRight":
        return int(span.right);
      case "nestedSetParent":
        return int(span.parentLeft);
      default:
        throw new Error(`oracle: ${name} has no single value`);
    }
  }
}
