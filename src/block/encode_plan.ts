// The plan for a row group: which steps, in file order, turn a batch into the leaves of the schema.
import { AttrType, Column } from "../../wasm/column_ids.ts";
import { Encoder, Order, Owner, Source, Structure } from "../../wasm/parquet_encode_ids.ts";
import type { Leaf, SchemaNode } from "./schema.ts";

/** A structure to be made before the leaves that follow. */
export interface StructureStep {
  kind: "attributes" | "events" | "links";
  parent: Structure;
  target: Structure;
  owner: Owner;
  /** Repetition level of the list, definition level of an empty one. */
  repetition: number;
  emptyDefinition: number;
}

export interface LeafStep {
  kind: "leaf";
  leaf: Leaf;
  structure: Structure;
  source: Source;
  /** What the source reads: a Column, the number of an attribute's own column, or the seconds of a period. */
  column: number;
  owner: Owner;
  encoder: Encoder;
  order: Order;
  dictionary: DictionaryUse;
}

/** Whether the chunk of a leaf has a dictionary. */
export type DictionaryUse =
  /** Tag names are listed from dictionaries alone, so keys always have one. */
  | "always"
  /** As Tempo has it, unless most of many values differ. */
  | "usually"
  /** Tempo has none: only where values repeat. */
  | "repeats"
  | "never";

export type Step = StructureStep | LeafStep;

/** Numbers of the columns that attributes have of their own, by leaf path without `.list.element`; absent if no value has that key. */
export type KeyColumns = ReadonlyMap<string, number>;

interface Read {
  structure: Structure;
  source: Source;
  column?: number;
  owner?: Owner;
  encoder?: Encoder;
}

const { Trace, Stats, Resource, Scope, Span, Child, Grandchild } = {
  Trace: Structure.Trace,
  Stats: Structure.Stats,
  Resource: Structure.Resource,
  Scope: Structure.Scope,
  Span: Structure.Span,
  Child: Structure.Child,
  Grandchild: Structure.Grandchild,
};

const u32 = (structure: Structure, column: Column): Read => ({ structure, source: Source.U32, column });
const u64 = (structure: Structure, column: Column): Read => ({ structure, source: Source.U64, column });
const i32AsI64 = (structure: Structure, column: Column): Read => ({
  structure,
  source: Source.I32AsI64,
  column,
});

const rounded = (seconds: number): Read => ({
  structure: Span,
  source: Source.StartRounded,
  column: seconds,
});

/** Leaves that are no attributes, of all versions, by path without `.list.element`. */
const reads: Record<string, Read> = {
  TraceID: { structure: Trace, source: Source.TraceId, encoder: Encoder.Id16 },
  TraceIDText: { structure: Trace, source: Source.TraceId, encoder: Encoder.Id16Text },
  StartTimeUnixNano: u64(Trace, Column.TraceStart),
  EndTimeUnixNano: u64(Trace, Column.TraceEnd),
  DurationNano: { structure: Trace, source: Source.TraceDuration },
  RootServiceName: u32(Trace, Column.TraceRootService),
  RootSpanName: u32(Trace, Column.TraceRootName),
  "ServiceStats.key_value.key": u32(Stats, Column.StatsService),
  "ServiceStats.key_value.value.SpanCount": u32(Stats, Column.StatsSpans),
  "ServiceStats.key_value.value.ErrorCount": u32(Stats, Column.StatsErrors),
  "ServiceStats.ServiceName": u32(Stats, Column.StatsService),
  "ServiceStats.SpanCount": u32(Stats, Column.StatsSpans),
  "ServiceStats.ErrorCount": u32(Stats, Column.StatsErrors),
  "rs.Resource.DroppedAttributesCount": u32(Resource, Column.ResourceDropped),
  "rs.ss.Scope.Name": u32(Scope, Column.ScopeName),
  "rs.ss.Scope.Version": u32(Scope, Column.ScopeVersion),
  "rs.ss.Scope.DroppedAttributesCount": u32(Scope, Column.ScopeDropped),
  "rs.ss.SpanCount": { structure: Scope, source: Source.ScopeSpans },
  "rs.ss.Spans.SpanID": { ...u64(Span, Column.SpanId), encoder: Encoder.Id8 },
  "rs.ss.Spans.ParentSpanID": { ...u64(Span, Column.SpanParent), encoder: Encoder.Id8 },
  "rs.ss.Spans.ParentID": u32(Span, Column.NestedParent),
  "rs.ss.Spans.NestedSetLeft": u32(Span, Column.NestedLeft),
  "rs.ss.Spans.NestedSetRight": u32(Span, Column.NestedRight),
  "rs.ss.Spans.ChildCount": u32(Span, Column.ChildCount),
  "rs.ss.Spans.Name": u32(Span, Column.SpanName),
  "rs.ss.Spans.Kind": i32AsI64(Span, Column.SpanKind),
  "rs.ss.Spans.TraceState": u32(Span, Column.SpanState),
  "rs.ss.Spans.StartTimeUnixNano": u64(Span, Column.SpanStart),
  "rs.ss.Spans.DurationNano": u64(Span, Column.SpanDuration),
  "rs.ss.Spans.StatusCode": i32AsI64(Span, Column.SpanStatus),
  "rs.ss.Spans.StatusMessage": u32(Span, Column.SpanStatusMessage),
  "rs.ss.Spans.DroppedAttributesCount": u32(Span, Column.SpanDroppedAttrs),
  "rs.ss.Spans.DroppedEventsCount": u32(Span, Column.SpanDroppedEvents),
  "rs.ss.Spans.DroppedLinksCount": u32(Span, Column.SpanDroppedLinks),
  "rs.ss.Spans.StartTimeRounded15": rounded(15),
  "rs.ss.Spans.StartTimeRounded60": rounded(60),
  "rs.ss.Spans.StartTimeRounded300": rounded(300),
  "rs.ss.Spans.StartTimeRounded3600": rounded(3600),
  "rs.ss.Spans.Events.TimeSinceStartNano": { structure: Child, source: Source.EventTime },
  "rs.ss.Spans.Events.TimeUnixNano": u64(Child, Column.EventTime),
  "rs.ss.Spans.Events.Name": u32(Child, Column.EventName),
  "rs.ss.Spans.Events.DroppedAttributesCount": u32(Child, Column.EventDropped),
  "rs.ss.Spans.Links": u32(Span, Column.Encode10),
  "rs.ss.Spans.Links.TraceID": u32(Child, Column.LinkTraceId),
  "rs.ss.Spans.Links.SpanID": u32(Child, Column.LinkSpanId),
  "rs.ss.Spans.Links.TraceState": u32(Child, Column.LinkState),
  "rs.ss.Spans.Links.DroppedAttributesCount": u32(Child, Column.LinkDropped),
};

/** Lists of attributes: whose they are, and which structures they hang in. */
const attributeLists: Record<string, { owner: Owner; parent: Structure; target: Structure }> = {
  "rs.Resource.Attrs": { owner: Owner.Resource, parent: Resource, target: Child },
  "rs.ss.Scope.Attrs": { owner: Owner.Scope, parent: Scope, target: Child },
  "rs.ss.Spans.Attrs": { owner: Owner.Span, parent: Span, target: Child },
  "rs.ss.Spans.Events.Attrs": { owner: Owner.Event, parent: Child, target: Grandchild },
  "rs.ss.Spans.Links.Attrs": { owner: Owner.Link, parent: Child, target: Grandchild },
};

const attributeSources: Record<string, Pick<Read, "source" | "column">> = {
  Key: { source: Source.AttrKey },
  IsArray: { source: Source.AttrIsArray },
  Value: { source: Source.AttrString },
  ValueInt: { source: Source.AttrInt },
  ValueDouble: { source: Source.AttrDouble },
  ValueBool: { source: Source.AttrBool },
  ValueUnsupported: { source: Source.AttrUnsupported },
  // vParquet3 alone; there is a text for every attribute.
  ValueKVList: { source: Source.AttrText, column: AttrType.KvList },
  ValueArray: { source: Source.AttrText, column: AttrType.Array },
};

/** The path of a leaf without the names that three-level lists add. */
export function plainPath(leaf: Leaf): string {
  return leaf.path.replaceAll(".list.element", "");
}

/**
 * Plans a row group of a block of any version that is written.
 *
 * @param leaves the leaves of the schema
 * @param keyColumns the static and dedicated columns that have values
 */
export function planRowGroup(leaves: Leaf[], keyColumns: KeyColumns): Step[] {
  const steps: Step[] = [];
  for (const leaf of leaves) {
    const path = plainPath(leaf);
    const structure = structureBefore(path, leaf);
    if (structure) steps.push(structure);
    const { source, owner = Owner.Resource, column = 0, encoder, ...read } = readOf(path, leaf, keyColumns);
    steps.push({
      kind: "leaf",
      leaf,
      structure: read.structure,
      source,
      column,
      owner,
      encoder: encoder ?? encoderOf(leaf.node),
      order: orderOf(leaf.node),
      dictionary: encoder === undefined ? dictionaryOf(path, leaf.node) : "never",
    });
  }
  return steps;
}

/** The first leaf of an event, by version. */
const eventBeginnings = new Set(["rs.ss.Spans.Events.TimeSinceStartNano", "rs.ss.Spans.Events.TimeUnixNano"]);

/** The structure that begins with this leaf, if one does. */
function structureBefore(path: string, leaf: Leaf): StructureStep | null {
  const levels = { repetition: leaf.maxRepetition, emptyDefinition: leaf.maxDefinition - 1 };
  if (path.endsWith(".Attrs.Key")) {
    return { kind: "attributes", ...attributeLists[path.slice(0, -".Key".length)]!, ...levels };
  }
  const ofSpan = { parent: Span, target: Child, owner: Owner.Span };
  if (eventBeginnings.has(path)) return { kind: "events", ...ofSpan, ...levels };
  if (path === "rs.ss.Spans.Links.TraceID") return { kind: "links", ...ofSpan, ...levels };
  return null;
}

function readOf(path: string, leaf: Leaf, keyColumns: KeyColumns): Read {
  const known = reads[path];
  if (known) return known;
  const dot = path.lastIndexOf(".");
  const list = attributeLists[path.slice(0, dot)];
  if (list) {
    // The values of events are messages in vParquet3.
    if (path.endsWith(".Value") && !leaf.node.logical) return u32(list.target, Column.Encode11);
    return { structure: list.target, owner: list.owner, ...attributeSources[path.slice(dot + 1)]! };
  }
  const column = keyColumns.get(path) ?? 0;
  if (path.endsWith(".ServiceName")) return { structure: Resource, source: Source.ResourceService, column };
  const source = leaf.node.physical === "int64" ? Source.OwnInts : Source.OwnStrings;
  if (path.startsWith("rs.ss.Spans.Events.")) return { structure: Child, source, owner: Owner.Event, column };
  if (path.startsWith("rs.ss.Spans.")) return { structure: Span, source, owner: Owner.Span, column };
  return { structure: Resource, source, column };
}

function encoderOf({ physical, encoding }: SchemaNode): Encoder {
  if (physical === "byte_array") return Encoder.Strings;
  if (physical === "boolean") return Encoder.Bool;
  const narrow = physical === "int32";
  if (encoding === "delta") return narrow ? Encoder.Delta32 : Encoder.Delta64;
  return narrow ? Encoder.Plain32 : Encoder.Plain64;
}

function dictionaryOf(path: string, node: SchemaNode): DictionaryUse {
  const { physical, encoding } = node;
  if (physical !== "byte_array" || isBlob(node)) return "never";
  if (encoding !== "dict") return "repeats";
  return path.endsWith(".Key") ? "always" : "usually";
}

function orderOf(node: SchemaNode): Order {
  const { physical, logical } = node;
  if (isBlob(node)) return Order.None;
  if (physical === "byte_array") return Order.Bytes;
  if (physical === "double") return Order.Double;
  return logical === "i32" || logical === "i64" ? Order.Signed : Order.Unsigned;
}

/** Long texts that hardly repeat: they get neither a dictionary nor bounds. */
function isBlob({ codec }: SchemaNode): boolean {
  return codec === "zstd";
}
