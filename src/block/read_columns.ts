// Which columns of a block become which columns of the batch, for all versions at once: what a file does not have is left out.
import { AttrType, Column } from "../../wasm/column_ids.ts";
import { Owner, Physical, ValueKind } from "../../wasm/parquet_decode_ids.ts";
import { type DedicatedColumn, spareColumn, staticColumnsV4 } from "./dedicated.ts";
import type { FileLeaf, Levels, ParquetFile } from "./footer_reader.ts";
import { ParquetError } from "./parquet_error.ts";

/** JSON text, or protobuf, of an AnyValue; beside the numbers of AttrType. */
const typeJson = 0x80;
const typeMessage = 0x81;

const resources = "rs";
const scopes = "rs.ss";
const spans = "rs.ss.Spans";
const events = "rs.ss.Spans.Events";
const links = "rs.ss.Spans.Links";

/** A leaf to be decoded. */
export interface ReadLeaf {
  leaf: FileLeaf;
  kind: number;
}

/** A leaf with one value per row of a table. */
export interface FieldLeaf extends ReadLeaf {
  column: Column;
}

/** A leaf that holds one attribute: of every owner that has a value. */
export interface AttributeLeaf extends ReadLeaf {
  name: string;
  type: number;
}

/** A leaf beside Key with values of one type. */
export interface ValueLeaf {
  read: ReadLeaf;
  type: number;
}

/** The leaves of one kind of owner of attributes. */
export interface OwnerLeaves {
  owner: Owner;
  /** Levels at which an owner begins. */
  levels: Levels;
  fields: FieldLeaf[];
  /** Generic attributes: the levels at which one begins, and its leaves. */
  attribute: Levels;
  key: ReadLeaf | null;
  isArray: ReadLeaf | null;
  values: ValueLeaf[];
  /** Which of them had all values of an attribute, by its name, when it was last read by that: it is tried first. */
  valuesOf: Map<string, ValueLeaf>;
  /** In the order in which they come back: dedicated columns, then static ones. */
  dedicated: AttributeLeaf[];
  /** A required string that is no attribute when it is empty, and stands between the two. */
  serviceName: ReadLeaf | null;
  statics: AttributeLeaf[];
}

/** The services of each trace: one value per service. */
export interface StatsLeaves {
  service: FieldLeaf;
  counts: FieldLeaf[];
}

/** All leaves that a trace is made of, and those that say something about it as a whole. */
export interface TraceLeaves {
  traceId: ReadLeaf;
  spanId: ReadLeaf;
  resources: OwnerLeaves;
  scopes: OwnerLeaves;
  spans: OwnerLeaves;
  /** One value per event, and whether it counts from the start of the span. */
  eventTime: FieldLeaf | null;
  eventTimeIsRelative: boolean;
  events: OwnerLeaves;
  /** One value per link. */
  linkTraceId: FieldLeaf | null;
  /** One protobuf message with all links per span, in place of the list. */
  linkMessages: ReadLeaf | null;
  links: OwnerLeaves;
  /** Every leaf above, once, in file order. */
  all: ReadLeaf[];
  /** One value per row. */
  traces: FieldLeaf[];
  /** Nested set numbers, one value per span. */
  nested: FieldLeaf[];
  /** vParquet3 has none. */
  stats: StatsLeaves | null;
  /** Leaves, by index, that need not be read where all their values are 0, false or empty: the batch begins with that. */
  zeroIsDefault: Set<number>;
}

/**
 * Finds the leaves in a file's schema.
 *
 * @param dedicated the dedicated columns of the block's meta
 * @throws ParquetError if the file is no block
 */
export function traceLeaves(file: ParquetFile, dedicated: readonly DedicatedColumn[]): TraceLeaves {
  const all = new Map<number, ReadLeaf>();
  const look = (path: string, kind: ValueKind): ReadLeaf | null => {
    const leaf = file.byPath.get(path);
    if (!leaf) return null;
    if (!fits(kind, leaf.physical))
      throw new ParquetError(`parquet column ${path}: physical type ${leaf.physical}`);
    return { leaf, kind };
  };
  const find = (path: string, kind: ValueKind): ReadLeaf | null => {
    const read = look(path, kind);
    if (read) all.set(read.leaf.index, read);
    return read;
  };
  const field = (path: string, column: Column): FieldLeaf | null => {
    const read = find(path, kindOf(column));
    return read && { ...read, column };
  };
  const lookAtAll = (group: string, columns: readonly (readonly [string, Column])[]): FieldLeaf[] =>
    columns.flatMap(([name, column]) => {
      const read = look(`${group}${name}`, kindOf(column));
      return read ? [{ ...read, column }] : [];
    });
  const need = (path: string, kind: ValueKind): ReadLeaf => {
    const read = find(path, kind);
    if (!read) throw new ParquetError(`parquet schema: no column ${path}`);
    return read;
  };
  const levels = (path: string): Levels => file.groups.get(path) ?? { repetition: 0, definition: 0 };
  const fields = (group: string, columns: readonly (readonly [string, Column])[]): FieldLeaf[] =>
    columns.flatMap(([name, column]) => {
      const read = field(`${group}.${name}`, column);
      return read ? [read] : [];
    });
  const attributes = (
    owner: Owner,
    path: string,
    group: string,
    ownFields: readonly (readonly [string, Column])[],
    scope?: DedicatedColumn["scope"],
  ): OwnerLeaves => {
    const within = `${group}.Attrs`;
    const key = find(`${within}.Key`, ValueKind.String);
    const values: OwnerLeaves["values"] = [];
    for (const [name, type, kind] of valueLeaves) {
      const read = find(`${within}.${name}`, kind);
      if (!read) continue;
      // vParquet3 keeps values of event attributes as bytes: protobuf.
      const message = name === "Value" && owner === Owner.Event && !file.byPath.has(`${within}.ValueInt`);
      values.push({ read, type: message ? typeMessage : type });
    }
    const own = (column: string, name: string, type: DedicatedColumn["type"]): AttributeLeaf[] => {
      const read = find(`${group}.${column}`, type === "string" ? ValueKind.String : ValueKind.Number);
      if (!read) return [];
      return [{ ...read, name, type: type === "string" ? AttrType.String : AttrType.Int }];
    };
    return {
      owner,
      levels: levels(path),
      fields: fields(group, ownFields),
      attribute: levels(within),
      key,
      isArray: find(`${within}.IsArray`, ValueKind.Bool),
      values,
      valuesOf: new Map(),
      dedicated: dedicated.flatMap((column, i) =>
        column.scope === scope
          ? own(`DedicatedAttributes.${spareColumn(dedicated, i)}`, column.name, column.type)
          : [],
      ),
      serviceName: owner === Owner.Resource ? find(`${group}.ServiceName`, ValueKind.String) : null,
      statics: staticColumnsV4.flatMap((column) =>
        column.scope === scope ? own(column.column, column.name, column.type) : [],
      ),
    };
  };

  const since = field(`${events}.TimeSinceStartNano`, Column.EventTime);
  const found: Omit<TraceLeaves, "all" | "zeroIsDefault" | "stats"> = {
    traceId: need("TraceID", ValueKind.Id16),
    spanId: need(`${spans}.SpanID`, ValueKind.Id8),
    resources: attributes(Owner.Resource, resources, "rs.Resource", resourceFields, "resource"),
    scopes: attributes(Owner.Scope, scopes, "rs.ss.Scope", scopeFields),
    spans: attributes(Owner.Span, spans, spans, spanFields, "span"),
    eventTime: since ?? field(`${events}.TimeUnixNano`, Column.EventTime),
    eventTimeIsRelative: since !== null,
    events: attributes(Owner.Event, events, events, eventFields, "event"),
    linkTraceId: field(`${links}.TraceID`, Column.LinkTraceId),
    linkMessages: find(links, ValueKind.String),
    links: attributes(Owner.Link, links, links, linkFields),
    traces: lookAtAll("", traceFields),
    nested: lookAtAll(`${spans}.`, nestedFields),
  };
  if (found.traceId.leaf.maxRepetition !== 0 || found.traceId.leaf.maxDefinition !== 0) {
    throw new ParquetError("parquet schema: TraceID is not required");
  }
  const zeroIsDefault = new Set<number>();
  for (const table of [found.resources, found.scopes, found.spans, found.events, found.links]) {
    for (const read of [...table.fields, table.isArray, table.serviceName]) {
      if (read) zeroIsDefault.add(read.leaf.index);
    }
  }
  return {
    ...found,
    stats: statsOf(lookAtAll),
    zeroIsDefault,
    all: [...all.values()].sort((a, b) => a.leaf.index - b.leaf.index),
  };
}

/** A map in vParquet4, a list of groups in vParquet5. */
function statsOf(
  look: (group: string, columns: readonly (readonly [string, Column])[]) => FieldLeaf[],
): StatsLeaves | null {
  for (const [service, group] of [
    ["key", "ServiceStats.key_value."],
    ["ServiceName", "ServiceStats."],
  ] as const) {
    const [name] = look(group, [[service, Column.StatsService]]);
    if (!name) continue;
    const within = service === "key" ? `${group}value.` : group;
    const counts = look(within, [
      ["SpanCount", Column.StatsSpans],
      ["ErrorCount", Column.StatsErrors],
    ]);
    return { service: name, counts };
  }
  return null;
}

const traceFields = [
  ["StartTimeUnixNano", Column.TraceStart],
  ["EndTimeUnixNano", Column.TraceEnd],
  ["DurationNano", Column.TraceDuration],
  ["RootServiceName", Column.TraceRootService],
  ["RootSpanName", Column.TraceRootName],
] as const;

const nestedFields = [
  ["NestedSetLeft", Column.NestedLeft],
  ["NestedSetRight", Column.NestedRight],
  ["ParentID", Column.NestedParent],
] as const;

const resourceFields = [["DroppedAttributesCount", Column.ResourceDropped]] as const;

const scopeFields = [
  ["Name", Column.ScopeName],
  ["Version", Column.ScopeVersion],
  ["DroppedAttributesCount", Column.ScopeDropped],
] as const;

const spanFields = [
  ["ParentSpanID", Column.SpanParent],
  ["Name", Column.SpanName],
  ["Kind", Column.SpanKind],
  ["TraceState", Column.SpanState],
  ["StartTimeUnixNano", Column.SpanStart],
  ["DurationNano", Column.SpanDuration],
  ["StatusCode", Column.SpanStatus],
  ["StatusMessage", Column.SpanStatusMessage],
  ["DroppedAttributesCount", Column.SpanDroppedAttrs],
  ["DroppedEventsCount", Column.SpanDroppedEvents],
  ["DroppedLinksCount", Column.SpanDroppedLinks],
] as const;

const eventFields = [
  ["Name", Column.EventName],
  ["DroppedAttributesCount", Column.EventDropped],
] as const;

const linkFields = [
  ["SpanID", Column.LinkSpanId],
  ["TraceState", Column.LinkState],
  ["DroppedAttributesCount", Column.LinkDropped],
] as const;

/** Columns of the batch that hold ids of strings. */
const textColumns: ReadonlySet<Column> = new Set([
  Column.ScopeName,
  Column.ScopeVersion,
  Column.SpanName,
  Column.SpanState,
  Column.SpanStatusMessage,
  Column.EventName,
  Column.LinkTraceId,
  Column.LinkSpanId,
  Column.LinkState,
  Column.TraceRootService,
  Column.TraceRootName,
  Column.StatsService,
]);

/** Leaves beside Key that hold values; ValueDropped is ValueUnsupported in pre-release files. */
const valueLeaves = [
  ["Value", AttrType.String, ValueKind.String],
  ["ValueInt", AttrType.Int, ValueKind.Number],
  ["ValueDouble", AttrType.Double, ValueKind.Number],
  ["ValueBool", AttrType.Bool, ValueKind.Bool],
  ["ValueUnsupported", typeJson, ValueKind.String],
  ["ValueDropped", typeJson, ValueKind.String],
  ["ValueKVList", typeJson, ValueKind.String],
  ["ValueArray", typeJson, ValueKind.String],
] as const;

function kindOf(column: Column): ValueKind {
  if (textColumns.has(column)) return ValueKind.String;
  return column === Column.SpanParent ? ValueKind.Id8 : ValueKind.Number;
}

function fits(kind: ValueKind, physical: number): boolean {
  if (kind === ValueKind.Bool) return physical === Physical.Boolean;
  if (kind === ValueKind.Number) {
    return physical === Physical.Int32 || physical === Physical.Int64 || physical === Physical.Double;
  }
  return physical === Physical.ByteArray;
}
