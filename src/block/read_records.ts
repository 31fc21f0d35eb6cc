// Records from leaves: names the leaves in the order in which the core wants them, and has each turned into rows of the batch as soon
// as the caller has decoded it. Whoever iterates decodes the leaf that is yielded, then asks for the next one.
import { AttrType, Column } from "../../wasm/column_ids.ts";
import { DecodeFault, Keep, Owner } from "../../wasm/parquet_decode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { ParquetError } from "./parquet_error.ts";
import { anyValueFromJson } from "./read_any_value.ts";
import type { AttributeLeaf, FieldLeaf, ReadLeaf, ValueLeaf } from "./read_columns.ts";
import type { ChildrenRead, OwnerRead, RecordLeaves, StructureLeaf } from "./read_projection.ts";

/** A leaf that is to be decoded next, and what is needed of it. */
export interface LeafRequest extends ReadLeaf {
  keep: Keep;
}

const slackBytes = 32;

/** Rows of the file that are read: their ids where they are known, or their number. */
export type RowSource = { ids: Uint8Array } | { count: number };

/**
 * Appends the rows of a row group to a batch.
 *
 * @param isEmpty tells that a leaf has no value in any wanted row, so that it need not be decoded
 * @throws ParquetError if the columns disagree; the batch's counts are then as they were
 */
export function* readRecords(
  batch: SpanBatch,
  leaves: RecordLeaves,
  isEmpty: (leaf: ReadLeaf) => boolean,
  rows: RowSource,
): Generator<LeafRequest, void, void> {
  const { core } = batch;
  core.beginRecords!();
  const has = (read: ReadLeaf | null): read is ReadLeaf => read !== null && !isEmpty(read);

  if ("ids" in rows) {
    giveBytes(batch, rows.ids);
    core.fillTracesFromInput!(rows.ids.length / 16);
  } else if (leaves.traceId) {
    yield { ...leaves.traceId, keep: Keep.Values };
    check(core.fillTraces!(leaves.traceId.leaf.index), leaves.traceId);
    core.dropLeaf!(leaves.traceId.leaf.index);
  } else {
    check(core.fillUnnamedTraces!(rows.count), null);
  }

  const { structure } = leaves;
  const { levels: resource } = leaves.resources;
  const { levels: scope } = leaves.scopes;
  yield requestOf(structure);
  check(
    core.fillSpans!(
      structure.leaf.index,
      resource.repetition,
      resource.definition,
      scope.repetition,
      scope.definition,
      leaves.spans.levels.definition,
    ),
    structure,
  );
  fillStructure(structure, Owner.Span);
  if (leaves.ordered) yield* ordered(leaves.ordered);

  yield* owned(leaves.resources);
  yield* owned(leaves.scopes);
  yield* owned(leaves.spans);

  if (leaves.events && has(leaves.events.structure)) {
    yield* children(leaves.events);
    if (leaves.eventTimeIsRelative) core.addSpanStarts!();
    yield* attributes(leaves.events.owner);
  }
  if (leaves.links && has(leaves.links.structure)) {
    yield* children(leaves.links);
    yield* attributes(leaves.links.owner);
  }
  if (has(leaves.linkMessages)) {
    yield { ...leaves.linkMessages, keep: Keep.Values };
    check(core.fillLinkMessages!(leaves.linkMessages.leaf.index), leaves.linkMessages);
    core.dropLeaf!(leaves.linkMessages.leaf.index);
  }
  core.endRecords!();

  function requestOf(read: StructureLeaf): LeafRequest {
    return { ...read, keep: read.column === null ? Keep.LevelsAlone : Keep.Levels };
  }

  function fillStructure(read: StructureLeaf, owner: Owner): void {
    if (read.column !== null) check(core.fillColumn!(read.leaf.index, owner, read.column), read);
    core.dropLeaf!(read.leaf.index);
  }

  function* ordered({
    traces,
    nested,
    stats,
  }: NonNullable<RecordLeaves["ordered"]>): Generator<LeafRequest, void, void> {
    core.fillOrdered!();
    yield* fill(traces, Owner.Trace);
    yield* fill(nested, Owner.Span);
    if (!stats) return;
    const { service } = stats;
    yield { ...service, keep: Keep.Levels };
    check(core.fillStats!(service.leaf.index), service);
    fillStructure(service, Owner.Stats);
    yield* fill(stats.counts, Owner.Stats);
  }

  function* children({ structure, owner }: ChildrenRead): Generator<LeafRequest, void, void> {
    const { repetition, definition } = leaves.spans.levels;
    yield requestOf(structure);
    check(core.fillChildren!(structure.leaf.index, owner.owner, repetition, definition), structure);
    fillStructure(structure, owner.owner);
    yield* fill(owner.fields, owner.owner);
  }

  function* owned(table: OwnerRead): Generator<LeafRequest, void, void> {
    if (core.newRows!(table.owner) === 0) return;
    yield* fill(table.fields, table.owner);
    yield* attributes(table);
  }

  function* fill(fields: readonly FieldLeaf[], owner: Owner): Generator<LeafRequest, void, void> {
    for (const field of fields) {
      if (!has(field)) continue;
      yield { ...field, keep: Keep.Values };
      check(core.fillColumn!(field.leaf.index, owner, field.column), field);
      core.dropLeaf!(field.leaf.index);
    }
  }

  function* attributes(table: OwnerRead): Generator<LeafRequest, void, void> {
    const { key, dedicated: own, statics: fixed, serviceName } = table;
    if (!key && !serviceName && own.length + fixed.length === 0) return;
    if (core.newRows!(table.owner) === 0) return;
    const { repetition, definition } = table.levels;
    const { attribute, names } = table;
    core.beginAttrs!(table.owner);
    let first = -1;
    const begin = (read: ReadLeaf, keep = Keep.Levels): LeafRequest => {
      if (first < 0) first = read.leaf.index;
      return { ...read, keep };
    };

    // Counted first: every owner's attributes stand together, whichever leaf they come from.
    const keys = has(table.key) ? table.key : null;
    let generic = 0;
    if (keys && names) {
      core.beginSelect!(repetition, definition, attribute.repetition, attribute.definition);
      for (const name of names) core.wantKey!(internText(batch, name));
      yield begin(keys, Keep.Keys);
      check(core.endKeys!(), keys);
      generic = core.selectedAttrs!();
    } else if (keys) {
      yield begin(keys);
      check(core.countAttrs!(keys.leaf.index, repetition, definition, 1), keys);
      generic = core.decodedValueCount!(keys.leaf.index);
    }
    const dedicated = table.dedicated.filter(has);
    const statics = table.statics.filter(has);
    for (const read of [...dedicated, ...statics]) {
      yield begin(read);
      check(core.countAttrs!(read.leaf.index, repetition, definition, 0), read);
    }
    const service = has(table.serviceName) ? table.serviceName : null;
    if (service) {
      yield begin(service);
      check(core.countNonEmpty!(service.leaf.index), service);
      check(core.fillColumn!(service.leaf.index, Owner.Resource, Column.ResourceService), service);
    }
    if (first < 0) return;
    check(core.layOutAttrs!(), null);

    if (keys && generic > 0) {
      if (names) core.fillSelectedKeys!();
      else check(core.fillKeys!(keys.leaf.index, repetition, definition), keys);
      yield* values(table, names ? Keep.Selected : Keep.Levels);
    }
    const optional = (read: AttributeLeaf): void => {
      const key = internText(batch, read.name);
      check(core.fillOptional!(read.leaf.index, repetition, definition, key, read.type), read);
    };
    for (const read of dedicated) optional(read);
    if (service) {
      check(core.fillNonEmpty!(service.leaf.index, internText(batch, "service.name")), service);
    }
    for (const read of statics) optional(read);
    core.dropLeaf!(first);
  }

  /** Values of the generic attributes whose keys are filled. */
  function* values(table: OwnerRead, keep: Keep): Generator<LeafRequest, void, void> {
    const { attribute } = table;
    let arrays = 0;
    if (has(table.isArray)) {
      yield { ...table.isArray, keep: keep === Keep.Selected ? keep : Keep.Values };
      arrays = table.isArray.leaf.index + 1;
    }
    const total = core.unvaluedAttrs!();
    for (const leaf of valueOrder(table)) {
      const { read, type } = leaf;
      if (!has(read)) continue;
      const missing = core.unvaluedAttrs!();
      // Every attribute has a value of one type only.
      if (keep === Keep.Selected && missing === 0) break;
      yield { ...read, keep };
      const { index } = read.leaf;
      check(core.fillValues!(index, attribute.repetition, attribute.definition, type, arrays), read);
      core.dropLeaf!(index);
      if (missing === total && core.unvaluedAttrs!() === 0) rememberLeaf(table, leaf);
    }
    if (table.isArray && arrays > 0) {
      check(core.fillEmptyArrays!(arrays - 1), table.isArray);
      core.dropLeaf!(arrays - 1);
    }
    readJsonValues(batch, table.owner);
  }
}

/** Names of attributes per list whose leaf is remembered. */
const rememberedMax = 256;

function rememberLeaf({ names, valuesOf }: OwnerRead, leaf: ValueLeaf): void {
  if (names?.length !== 1) return;
  if (valuesOf.size >= rememberedMax) valuesOf.clear();
  valuesOf.set(names[0]!, leaf);
}

/** The leaves of values, first those that had all values of a wanted attribute the last time: the others are often not read at all. */
export function valueOrder({ names, values, valuesOf }: OwnerRead): readonly ValueLeaf[] {
  const likely = new Set(names?.flatMap((name) => valuesOf.get(name) ?? []));
  return likely.size > 0 ? [...likely, ...values.filter((leaf) => !likely.has(leaf))] : values;
}

/** Throws for a fault that the core reported about a leaf. */
export function check(fault: number, read: ReadLeaf | null): void {
  if (fault !== 0)
    throw new ParquetError(`parquet column ${read?.leaf.path ?? "attributes"}: ${faultText(fault)}`);
}

function faultText(fault: number): string {
  switch (fault) {
    case DecodeFault.Levels:
      return "malformed levels";
    case DecodeFault.Values:
      return "malformed values";
    case DecodeFault.Encoding:
      return "unsupported encoding";
    case DecodeFault.Dictionary:
      return "index outside the dictionary";
    case DecodeFault.Records:
      return "another number of records than in other columns";
    case DecodeFault.Protobuf:
      return "malformed protobuf";
    case DecodeFault.Ids:
      return "id is too long";
    default:
      return `fault ${fault}`;
  }
}

/** Copies bytes into the column Input, with room behind them. Returns their address. */
export function giveBytes(batch: SpanBatch, bytes: Uint8Array): number {
  const address = batch.reserveColumn(Column.Input, bytes.length + slackBytes);
  new Uint8Array(batch.core.memory.buffer, address, bytes.length).set(bytes);
  return address;
}

function internText(batch: SpanBatch, text: string): number {
  const bytes = encoder.encode(text);
  giveBytes(batch, bytes);
  return batch.core.internInput!(bytes.length);
}

/** Turns values that are still JSON texts into what they say. */
function readJsonValues(batch: SpanBatch, owner: Owner): void {
  const { core } = batch;
  const count = core.takeJsonRows!();
  if (count === 0) return;
  const [types, values] =
    owner === Owner.Span
      ? [Column.SpanAttrType, Column.SpanAttrValue]
      : ([Column.AttrType, Column.AttrValue] as const);
  const known = new Map<number, { type: number; low: number; high: number }>();
  for (const row of batch.u32(Column.Decode13, count).slice()) {
    const id = batch.u32(values, row * 2 + 1)[row * 2]!;
    let value = known.get(id);
    if (!value) {
      value = jsonValue(batch, id);
      known.set(id, value);
    }
    batch.u8(types, row + 1)[row] = value.type;
    const words = batch.u32(values, row * 2 + 2);
    words[row * 2] = value.low;
    words[row * 2 + 1] = value.high;
  }
}

/** A text that is no AnyValue stays a string, so that nothing is lost. */
function jsonValue(batch: SpanBatch, id: number): { type: number; low: number; high: number } {
  const message = anyValueFromJson(batch.string(id));
  if (message) {
    giveBytes(batch, message);
    const type = batch.core.readInputMessage!(message.length);
    if (type >= 0) return { type, low: batch.core.valueLow!() >>> 0, high: batch.core.valueHigh!() >>> 0 };
  }
  return { type: AttrType.String, low: id, high: 0 };
}

const encoder = new TextEncoder();
