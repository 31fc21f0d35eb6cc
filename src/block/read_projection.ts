// Which leaves a read takes: all of them, or those that a projection asks for and one more to tell spans apart where none of them does.
import { Column } from "../../wasm/column_ids.ts";
import { Owner } from "../../wasm/parquet_decode_ids.ts";
import type { AttributeOwner, Projection } from "../search/projection.ts";
import type { RowGroup } from "./footer_reader.ts";
import type { FieldLeaf, OwnerLeaves, ReadLeaf, StatsLeaves, TraceLeaves } from "./read_columns.ts";

/** A leaf by whose levels rows are told apart. */
export interface StructureLeaf extends ReadLeaf {
  /** Where its values go; null if they are not wanted. */
  column: Column | null;
}

/** Owners of attributes as they are read. */
export interface OwnerRead extends OwnerLeaves {
  /** Names of the generic attributes that are wanted; null: all. */
  names: readonly string[] | null;
}

/** Events or links: a leaf with one value for each, and the rest. */
export interface ChildrenRead {
  structure: StructureLeaf;
  owner: OwnerRead;
}

/** What a read makes records of. */
export interface RecordLeaves {
  /** Null: every row becomes a trace without an id. */
  traceId: ReadLeaf | null;
  /** Has one value per span; what belongs together is told by its levels. */
  structure: StructureLeaf;
  resources: OwnerRead;
  scopes: OwnerRead;
  spans: OwnerRead;
  events: ChildrenRead | null;
  /** Whether the times of events are read, and count from the start of their span. */
  eventTimeIsRelative: boolean;
  links: ChildrenRead | null;
  /** In place of links. */
  linkMessages: ReadLeaf | null;
  /** Columns by trace and nested set numbers, for batches that are to look ordered; null: as the batch is. */
  ordered: { traces: FieldLeaf[]; nested: FieldLeaf[]; stats: StatsLeaves | null } | null;
  /** Leaves, by index, that need not be read where all their values are 0, false or empty. */
  zeroIsDefault: ReadonlySet<number>;
  /** Every leaf above, once, in file order. */
  all: ReadLeaf[];
}

const owners: Partial<Record<Owner, AttributeOwner>> = {
  [Owner.Resource]: "resource",
  [Owner.Scope]: "instrumentation",
  [Owner.Span]: "span",
  [Owner.Event]: "event",
  [Owner.Link]: "link",
};

/** Everything, to be appended to a batch. */
export function wholeRecords(leaves: TraceLeaves): RecordLeaves {
  const all = (table: OwnerLeaves): OwnerRead => ({ ...table, names: null });
  const children = (structure: FieldLeaf | null, table: OwnerLeaves): ChildrenRead | null =>
    structure && { structure, owner: all(table) };
  return withAll({
    traceId: leaves.traceId,
    structure: { ...leaves.spanId, column: Column.SpanId },
    resources: all(leaves.resources),
    scopes: all(leaves.scopes),
    spans: all(leaves.spans),
    events: children(leaves.eventTime, leaves.events),
    eventTimeIsRelative: leaves.eventTimeIsRelative,
    links: children(leaves.linkTraceId, leaves.links),
    linkMessages: leaves.linkTraceId ? null : leaves.linkMessages,
    ordered: null,
    zeroIsDefault: leaves.zeroIsDefault,
  });
}

/** Tables of a projection whose generic attributes are wanted by name. */
export function namedTables(
  leaves: TraceLeaves,
  { attributes }: Projection,
): { table: OwnerLeaves; names: readonly string[] }[] {
  return [leaves.resources, leaves.scopes, leaves.spans, leaves.events, leaves.links].flatMap((table) => {
    const names = attributes[owners[table.owner]!];
    return names && names !== "all" && names.length > 0 ? [{ table, names }] : [];
  });
}

/**
 * What a projection takes of a row group.
 *
 * @param generic names that the lists of generic attributes of an owner may have, of those that are wanted
 */
export function projectedRecords(
  leaves: TraceLeaves,
  projection: Projection,
  group: RowGroup,
  generic: ReadonlyMap<OwnerLeaves, readonly string[]>,
): RecordLeaves {
  const columns = new Set(projection.columns);
  const wants = ({ column }: FieldLeaf): boolean => columns.has(column);
  const zeroIsDefault = new Set(leaves.zeroIsDefault);

  const owner = (table: OwnerLeaves, fields: FieldLeaf[]): OwnerRead => {
    const wanted = projection.attributes[owners[table.owner]!] ?? [];
    if (wanted === "all") return { ...table, fields, names: null };
    const isWanted = ({ name }: { name: string }): boolean => wanted.includes(name);
    const names = generic.get(table) ?? [];
    const { serviceName } = table;
    if (serviceName && columns.has(Column.ResourceService) && !wanted.includes("service.name")) {
      fields.push({ ...serviceName, column: Column.ResourceService });
    }
    return {
      ...table,
      fields,
      names,
      key: names.length > 0 ? table.key : null,
      dedicated: table.dedicated.filter(isWanted),
      statics: table.statics.filter(isWanted),
      serviceName: wanted.includes("service.name") ? serviceName : null,
    };
  };
  const children = (first: FieldLeaf | null, table: OwnerLeaves): ChildrenRead | null => {
    if (!first) return null;
    const candidates = [first, ...table.fields.filter((field) => isRequired(field, first))];
    const wanted = [first, ...table.fields].filter(wants);
    const { attributes } = projection;
    if (wanted.length === 0 && !(attributes[owners[table.owner]!]?.length ?? 0)) return null;
    const structure = structureOf(group, candidates, wants);
    zeroIsDefault.delete(structure.leaf.index);
    const fields = wanted.filter(({ leaf }) => leaf !== structure.leaf);
    return { structure, owner: owner(table, fields) };
  };

  const events = children(leaves.eventTime, leaves.events);
  const eventTimeIsRelative = leaves.eventTimeIsRelative && columns.has(Column.EventTime);
  // Needed to make times of events absolute.
  if (events && eventTimeIsRelative) columns.add(Column.SpanStart);
  const spanFields: FieldLeaf[] = [{ ...leaves.spanId, column: Column.SpanId }, ...leaves.spans.fields];
  const candidates = spanFields.filter((field) => isRequired(field, spanFields[0]!));
  const structure = structureOf(group, candidates, wants);
  zeroIsDefault.delete(structure.leaf.index);
  const fields = spanFields.filter((field) => wants(field) && field.leaf !== structure.leaf);
  const linksWanted =
    leaves.linkMessages !== null &&
    ([...columns].some((column) => column >= Column.LinkTraceId && column <= Column.LinkFlags) ||
      (projection.attributes.link?.length ?? 0) > 0);

  return withAll({
    traceId: projection.traceIds ? leaves.traceId : null,
    structure,
    resources: owner(leaves.resources, leaves.resources.fields.filter(wants)),
    scopes: owner(leaves.scopes, leaves.scopes.fields.filter(wants)),
    spans: owner(leaves.spans, fields),
    events,
    eventTimeIsRelative,
    links: children(leaves.linkTraceId, leaves.links),
    linkMessages: linksWanted && !leaves.linkTraceId ? leaves.linkMessages : null,
    ordered: {
      traces: leaves.traces.filter(wants),
      nested: leaves.nested.filter(wants),
      stats: columns.has(Column.TraceStatsStart) ? leaves.stats : null,
    },
    zeroIsDefault,
  });
}

/** Whether a leaf has a value for each that another one has. */
function isRequired({ leaf }: ReadLeaf, { leaf: other }: ReadLeaf): boolean {
  return leaf.maxDefinition === other.maxDefinition && leaf.maxRepetition === other.maxRepetition;
}

/** The shortest leaf of those that are read anyway, else the shortest of all. */
function structureOf(
  group: RowGroup,
  candidates: readonly FieldLeaf[],
  wants: (leaf: FieldLeaf) => boolean,
): StructureLeaf {
  const { bytes, zero } = group.chunks;
  const shortest = (leaves: readonly FieldLeaf[]): FieldLeaf =>
    leaves.reduce((a, b) => (bytes[b.leaf.index]! < bytes[a.leaf.index]! ? b : a));
  const wanted = candidates.filter(wants);
  if (wanted.length === 0) return { ...shortest(candidates), column: null };
  const found = shortest(wanted);
  // 0 is what the batch begins with.
  return zero[found.leaf.index] === 1 ? { ...found, column: null } : found;
}

function withAll(records: Omit<RecordLeaves, "all">): RecordLeaves {
  const found = new Map<number, ReadLeaf>();
  const add = (...reads: (ReadLeaf | null)[]): void => {
    for (const read of reads) if (read) found.set(read.leaf.index, read);
  };
  const addOwner = (table: OwnerRead): void => {
    add(...table.fields, table.key, ...table.dedicated, table.serviceName, ...table.statics);
    if (table.key) add(table.isArray, ...table.values.map(({ read }) => read));
  };
  add(records.traceId, records.structure);
  addOwner(records.resources);
  addOwner(records.scopes);
  addOwner(records.spans);
  for (const children of [records.events, records.links]) {
    if (!children) continue;
    add(children.structure);
    addOwner(children.owner);
  }
  add(records.linkMessages);
  if (records.ordered) {
    const { traces, nested, stats } = records.ordered;
    add(...traces, ...nested);
    if (stats) add(stats.service, ...stats.counts);
  }
  return { ...records, all: [...found.values()].sort((a, b) => a.leaf.index - b.leaf.index) };
}
