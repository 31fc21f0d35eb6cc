// How often attributes occur in blocks, and how many bytes their strings take.
import { AttrType, Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type { AttributeOwner } from "../search/projection.ts";

/** Names beyond that are not told apart. */
const namesMax = 100_000;

export interface Tally {
  owner: AttributeOwner;
  name: string;
  strings: number;
  /** Of the strings, before compression. */
  stringBytes: number;
  ints: number;
  /** Values of other types. */
  others: number;
}

interface AttributeColumns {
  keys: Uint32Array;
  types: Uint8Array;
  /** The low word of value i is at 2 * i: the id of a string. */
  values: Uint32Array;
}

export class AttributeTally {
  readonly #tallies = new Map<string, Tally>();
  /** Attributes whose names came when there was no room for more. */
  leftOut = 0;

  /** By owner and name, those with the most bytes first. */
  get rows(): Tally[] {
    return [...this.#tallies.values()].sort((a, b) => b.stringBytes - a.stringBytes || b.ints - a.ints);
  }

  /** Counts the attributes of a batch that was read from a block. */
  add(batch: SpanBatch): void {
    const { core, spans } = batch;
    const spanEnd = batch.u32(Column.SpanAttrStart, spans + 1)[spans]!;
    this.#range(batch, "span", columnsOf(batch, spanEnd, "span"), [0], [spanEnd]);
    for (const [owner, column, rows] of [
      ["resource", Column.ResourceAttrStart, core.resourceCount!()],
      ["instrumentation", Column.ScopeAttrStart, core.scopeCount!()],
      ["event", Column.EventAttrStart, core.eventCount!()],
      ["link", Column.LinkAttrStart, core.linkCount!()],
    ] as const) {
      const starts = batch.u32(column, rows);
      const counts = batch.u32(column + 1, rows);
      const end = starts.reduce((most, start, i) => Math.max(most, start + counts[i]!), 0);
      this.#range(batch, owner, columnsOf(batch, end, owner), starts, counts);
    }
  }

  #range(
    batch: SpanBatch,
    owner: AttributeOwner,
    { keys, types, values }: AttributeColumns,
    starts: ArrayLike<number>,
    counts: ArrayLike<number>,
  ): void {
    const byKey = new Map<number, Tally | null>();
    for (let row = 0; row < starts.length; row++) {
      const start = starts[row]!;
      for (let i = start; i < start + counts[row]!; i++) {
        const key = keys[i]!;
        let tally = byKey.get(key);
        if (tally === undefined) {
          tally = this.#tally(owner, batch.string(key));
          byKey.set(key, tally);
        }
        if (tally === null) this.leftOut++;
        else if (types[i] === AttrType.String) {
          tally.strings++;
          tally.stringBytes += batch.stringBytes(values[2 * i]!).length;
        } else if (types[i] === AttrType.Int) tally.ints++;
        else tally.others++;
      }
    }
  }

  #tally(owner: AttributeOwner, name: string): Tally | null {
    const key = `${owner}.${name}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      if (this.#tallies.size >= namesMax) return null;
      tally = { owner, name, strings: 0, stringBytes: 0, ints: 0, others: 0 };
      this.#tallies.set(key, tally);
    }
    return tally;
  }
}

function columnsOf(batch: SpanBatch, count: number, owner: AttributeOwner): AttributeColumns {
  const [keys, types, values] =
    owner === "span"
      ? ([Column.SpanAttrKey, Column.SpanAttrType, Column.SpanAttrValue] as const)
      : ([Column.AttrKey, Column.AttrType, Column.AttrValue] as const);
  return {
    keys: batch.u32(keys, count),
    types: batch.u8(types, count),
    values: batch.u32(values, 2 * count),
  };
}
