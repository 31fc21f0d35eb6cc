// From the stages of a query to the columns that they read.
import { Column } from "../../wasm/column_ids.ts";
import type { Attribute, AttributeField, IntrinsicName, SpansetExpression, Stage } from "../traceql/index.ts";
import { absentIn } from "./absence.ts";
import { loadsOf } from "./loads.ts";
import type { AttributeOwner, Projection } from "./projection.ts";

/** Columns by intrinsic; trace:id is apart. */
const columnsOf: Partial<Record<IntrinsicName, readonly Column[]>> = {
  duration: [Column.SpanDuration],
  name: [Column.SpanName],
  status: [Column.SpanStatus],
  statusMessage: [Column.SpanStatusMessage],
  kind: [Column.SpanKind],
  "span:id": [Column.SpanId],
  "span:parentID": [Column.SpanParent],
  "span:childCount": [Column.NestedLeft, Column.NestedParent],
  traceDuration: [Column.TraceDuration],
  rootName: [Column.TraceRootName],
  rootServiceName: [Column.TraceRootService],
  "event:name": [Column.EventName],
  "event:timeSinceStart": [Column.EventTime, Column.SpanStart],
  "link:traceID": [Column.LinkTraceId],
  "link:spanID": [Column.LinkSpanId],
  "instrumentation:name": [Column.ScopeName],
  "instrumentation:version": [Column.ScopeVersion],
  nestedSetLeft: [Column.NestedLeft],
  nestedSetRight: [Column.NestedRight],
  nestedSetParent: [Column.NestedParent],
};

const nested = [Column.NestedLeft, Column.NestedRight, Column.NestedParent] as const;

/** What it takes to tell whether a trace matches, and when it began. */
export function judgeProjection(stages: readonly Stage[]): Projection {
  return projectionOf(stages, [Column.TraceStart, Column.TraceEnd], false);
}

/** What it takes to show a trace. */
export function reportProjection(stages: readonly Stage[], showsName: boolean): Projection {
  const columns = [
    Column.TraceStart,
    Column.TraceEnd,
    Column.TraceDuration,
    Column.TraceRootService,
    Column.TraceRootName,
    Column.TraceStatsStart,
    Column.SpanId,
    Column.SpanStart,
    Column.SpanDuration,
    ...(showsName ? [Column.SpanName] : []),
  ];
  return projectionOf(stages, columns, true);
}

/** What it takes to tell which spans stages leave and when they began, with attributes beside those that the stages mention. */
export function metricsProjection(
  stages: readonly Stage[],
  attributes: readonly Attribute[],
  columns: readonly Column[],
): Projection {
  return projectionOf(stages, [Column.SpanStart, ...columns], false, attributes);
}

/** All attributes, and whatever else compare() looks at. */
export function compareProjection(stages: readonly Stage[]): Projection {
  const columns = [
    Column.SpanName,
    Column.SpanKind,
    Column.SpanStatus,
    Column.SpanStatusMessage,
    Column.TraceRootName,
    Column.TraceRootService,
    Column.ScopeName,
    Column.ScopeVersion,
  ];
  const { attributes, ...projection } = metricsProjection(stages, [], columns);
  const all = { resource: "all", instrumentation: "all", span: "all" } as const;
  return { ...projection, attributes: { ...attributes, ...all } };
}

function projectionOf(
  stages: readonly Stage[],
  always: readonly Column[],
  traceIds: boolean,
  attributes: readonly Attribute[] = [],
): Projection {
  const builder = new ProjectionBuilder();
  builder.columns(always);
  if (traceIds) builder.traceIds = true;
  for (const { attribute } of loadsOf(stages).values()) builder.attribute(attribute);
  for (const attribute of attributes) builder.attribute(attribute);
  for (const { scope } of absences(stages)) if (scope !== "none") builder.allAttributes(scope);
  if (stages.some(isStructural)) builder.columns(nested);
  return builder.projection();
}

/** What has to be read whole to tell whether there are other attributes. */
function absences(stages: readonly Stage[]): AttributeField[] {
  return stages.flatMap((stage) =>
    stage.kind === "filter" || stage.kind === "operation" ? absencesIn(stage) : [],
  );
}

function absencesIn(node: SpansetExpression): AttributeField[] {
  if (node.kind === "pipeline") return absences(node.stages);
  if (node.kind === "operation") return [...absencesIn(node.left), ...absencesIn(node.right)];
  const attribute = absentIn(node);
  return attribute === null ? [] : [attribute];
}

function isStructural(stage: Stage): boolean {
  return (stage.kind === "filter" || stage.kind === "operation") && spansetIsStructural(stage);
}

function spansetIsStructural(node: SpansetExpression): boolean {
  if (node.kind === "filter") return false;
  if (node.kind === "pipeline") return node.stages.some(isStructural);
  if (node.op !== "&&" && node.op !== "||") return true;
  return spansetIsStructural(node.left) || spansetIsStructural(node.right);
}

/** Adds up what attributes need. */
export class ProjectionBuilder {
  traceIds = false;
  readonly #columns = new Set<Column>();
  readonly #attributes: Partial<Record<AttributeOwner, Set<string>>> = {};
  readonly #whole = new Set<AttributeOwner>();

  columns(columns: readonly Column[]): void {
    for (const column of columns) this.#columns.add(column);
  }

  attribute(attribute: Attribute): void {
    if (attribute.kind === "intrinsic") {
      if (attribute.name === "trace:id") this.traceIds = true;
      this.columns(columnsOf[attribute.name] ?? []);
      return;
    }
    const { scope, name } = attribute;
    if (scope === "none") {
      this.#own("span", name);
      this.#own("resource", name);
    } else {
      this.#own(scope, name);
    }
  }

  allAttributes(owner: AttributeOwner): void {
    this.#whole.add(owner);
  }

  projection(): Projection {
    const attributes: Projection["attributes"] = {};
    for (const [owner, names] of Object.entries(this.#attributes)) {
      attributes[owner as AttributeOwner] = [...names];
    }
    for (const owner of this.#whole) attributes[owner] = "all";
    return { traceIds: this.traceIds, columns: [...this.#columns], attributes };
  }

  #own(owner: AttributeOwner, name: string): void {
    this.#attributes[owner] ??= new Set();
    this.#attributes[owner].add(name);
  }
}
