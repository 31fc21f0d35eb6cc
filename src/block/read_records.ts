// Records from leaves: names the leaves in the order in which the core wants them, and has each turned into rows of the batch as soon
// as the caller has decoded it. Whoever iterates decodes the leaf that is yielded, then asks for the next one.
import { AttrType, Column } from "../../wasm/column_ids.ts";
import { DecodeFault, Owner } from "../../wasm/parquet_decode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { ParquetError } from "./parquet_error.ts";
import { anyValueFromJson } from "./read_any_value.ts";
import type { AttributeLeaf, OwnerLeaves, ReadLeaf, TraceLeaves } from "./read_columns.ts";

/** A leaf that is to be decoded next; its levels are kept if records are told apart by them. */
export interface LeafRequest extends ReadLeaf {
  keepLevels: boolean;
}

const slackBytes = 32;

/**
 * Appends the rows of a row group to a batch.
 *
 * @param isEmpty tells that a leaf has no value in any wanted row, so that it need not be decoded
 * @param traceIds ids of the wanted rows, 16 bytes each, if they are known
 * @throws ParquetError if the columns disagree; the batch's counts are then as they were
 */
export function* readRecords(
  batch: SpanBatch,
  leaves: TraceLeaves,
  isEmpty: (leaf: ReadLeaf) => boolean,
  traceIds?: Uint8Array,
): Generator<LeafRequest, void, void> {
  const { core } = batch;
  core.beginRecords!();
  const has = (read: ReadLeaf | null): read is ReadLeaf => read !== null && !isEmpty(read);

  if (traceIds) {
    giveBytes(batch, traceIds);
    core.fillTracesFromInput!(traceIds.length / 16);
  } else {
    yield { ...leaves.traceId, keepLevels: false };
    check(core.fillTraces!(leaves.traceId.leaf.index), leaves.traceId);
    core.dropLeaf!(leaves.traceId.leaf.index);
  }

  const { levels: resource } = leaves.resources;
  const { levels: scope } = leaves.scopes;
  yield { ...leaves.spanId, keepLevels: true };
  const spanId = leaves.spanId.leaf.index;
  check(
    core.fillSpans!(
      spanId,
      resource.repetition,
      resource.definition,
      scope.repetition,
      scope.definition,
      leaves.spans.levels.definition,
    ),
    leaves.spanId,
  );
  check(core.fillColumn!(spanId, Owner.Span, Column.SpanId), leaves.spanId);
  core.dropLeaf!(spanId);

  yield* owned(leaves.resources);
  yield* owned(leaves.scopes);
  yield* owned(leaves.spans);

  if (has(leaves.eventTime)) {
    yield* children(leaves.eventTime, Owner.Event, Column.EventTime);
    if (leaves.eventTimeIsRelative) core.addSpanStarts!();
    yield* owned(leaves.events);
  }
  if (has(leaves.linkTraceId)) {
    yield* children(leaves.linkTraceId, Owner.Link, Column.LinkTraceId);
    yield* owned(leaves.links);
  } else if (has(leaves.linkMessages)) {
    yield { ...leaves.linkMessages, keepLevels: false };
    check(core.fillLinkMessages!(leaves.linkMessages.leaf.index), leaves.linkMessages);
    core.dropLeaf!(leaves.linkMessages.leaf.index);
  }
  core.endRecords!();

  function* children(read: ReadLeaf, owner: Owner, column: Column): Generator<LeafRequest, void, void> {
    const { repetition, definition } = leaves.spans.levels;
    yield { ...read, keepLevels: true };
    check(core.fillChildren!(read.leaf.index, owner, repetition, definition), read);
    check(core.fillColumn!(read.leaf.index, owner, column), read);
    core.dropLeaf!(read.leaf.index);
  }

  function* owned(table: OwnerLeaves): Generator<LeafRequest, void, void> {
    if (core.newRows!(table.owner) === 0) return;
    for (const field of table.fields) {
      if (!has(field)) continue;
      yield { ...field, keepLevels: false };
      check(core.fillColumn!(field.leaf.index, table.owner, field.column), field);
      core.dropLeaf!(field.leaf.index);
    }
    yield* attributes(table);
  }

  function* attributes(table: OwnerLeaves): Generator<LeafRequest, void, void> {
    const { repetition, definition } = table.levels;
    const { attribute } = table;
    core.beginAttrs!(table.owner);
    let first = -1;
    const begin = (read: ReadLeaf): LeafRequest => {
      if (first < 0) first = read.leaf.index;
      return { ...read, keepLevels: true };
    };

    // Counted first: every owner's attributes stand together, whichever leaf they come from.
    const keys = has(table.key) ? table.key : null;
    if (keys) {
      yield begin(keys);
      check(core.countAttrs!(keys.leaf.index, repetition, definition, 1), keys);
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

    if (keys && core.decodedValueCount!(keys.leaf.index) > 0) {
      check(core.fillKeys!(keys.leaf.index, repetition, definition), keys);
      let arrays = 0;
      if (has(table.isArray)) {
        yield { ...table.isArray, keepLevels: false };
        arrays = table.isArray.leaf.index + 1;
      }
      for (const { read, type } of table.values) {
        if (!has(read)) continue;
        yield { ...read, keepLevels: true };
        const { index } = read.leaf;
        check(core.fillValues!(index, attribute.repetition, attribute.definition, type, arrays), read);
        core.dropLeaf!(index);
      }
      if (table.isArray && arrays > 0) check(core.fillEmptyArrays!(arrays - 1), table.isArray);
      readJsonValues(batch, table.owner);
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
