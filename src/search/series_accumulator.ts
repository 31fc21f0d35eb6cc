// Adds up what batches, blocks and shards have counted, in the memory of a core of its own.
import { Column } from "../../wasm/column_ids.ts";
import { Fold } from "../../wasm/series_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import type { MetricsPlan } from "./metrics_plan.ts";
import type { PartExemplar, SeriesPart } from "./series_part.ts";

/** Groups that one sum may have, and bytes of all their keys. */
const groupsMax = 1 << 17;
const keyBytesMax = 16 << 20;
/**
 * Values of one attribute that a comparison counts by themselves: the first that are met. What is frequent is among them; of an attribute with
 * more, such as an id, no value tells two kinds of spans apart.
 */
export const comparedValuesMax = 1 << 10;

/** Columns of cells, 8 bytes each, and by which they are handed over. */
const cellColumns = [
  [Column.SeriesCellKey, Column.SeriesIn0],
  [Column.SeriesCellCount, Column.SeriesIn1],
  [Column.SeriesCellValue, Column.SeriesIn2],
  [Column.SeriesCellRest, Column.SeriesIn3],
] as const;

export class SeriesAccumulator {
  readonly #batch = SpanBatch.create();
  readonly #fold: Fold;
  readonly #isComparison: boolean;
  readonly #comparedValuesMax: number;
  readonly #exemplars: PartExemplar[] = [];
  #isCut = false;

  /** @param cellsMax cells that there is room for; one takes 32 to 64 bytes with its place in the table */
  constructor(
    { fold, compare }: Pick<MetricsPlan, "fold" | "compare">,
    cellsMax: number,
    valuesMax = comparedValuesMax,
  ) {
    this.#fold = fold;
    this.#comparedValuesMax = valuesMax;
    this.#isComparison = compare !== null;
    this.#batch.core.beginCells!(cellsMax, fold);
  }

  get #hasValues(): boolean {
    return this.#fold !== Fold.Count && this.#fold !== Fold.Buckets;
  }

  /**
   * Adds what a batch has counted.
   *
   * @param levels parts of a group's key
   * @returns by group of the batch its place here, -1 where there is no room: a view, valid until the next call
   */
  addBatch({ core }: SpanBatch, levels: number): Int32Array {
    const keyBytes = core.writeGroupKeys!(levels) >>> 0;
    const groups = core.groupCount!();
    this.#copy(core.memory, core.columnAddress!(Column.Output) >>> 0, keyBytes, Column.Input);
    this.#copy(core.memory, core.columnAddress!(Column.SeriesKeyEnd) >>> 0, groups * 4, Column.SeriesKeyEnd);
    const cells = core.cellCount!();
    for (const [from, to] of cellColumns.slice(0, this.#hasValues ? 4 : 2)) {
      this.#copy(core.memory, core.columnAddress!(from) >>> 0, cells * 8, to);
    }
    if (core.leftOutCells!() > 0) this.#isCut = true;
    return this.#merge(groups, cells);
  }

  /** Adds what another thread has counted. */
  add({ keys, keyEnds, cells, counts, values, rests, exemplars, isCut }: SeriesPart): void {
    this.#set(keys, Column.Input);
    this.#set(keyEnds, Column.SeriesKeyEnd);
    this.#set(cells, Column.SeriesIn0);
    this.#set(counts, Column.SeriesIn1);
    this.#set(values, Column.SeriesIn2);
    this.#set(rests, Column.SeriesIn3);
    if (isCut) this.#isCut = true;
    const places = this.#merge(keyEnds.length, cells.length);
    for (const exemplar of exemplars) {
      const group = this.#isComparison ? exemplar.group : places[exemplar.group]!;
      if (group >= 0) this.#exemplars.push({ ...exemplar, group });
    }
  }

  /**
   * @param exemplar with the place of its group here, or of a comparison its side
   * @param traceId 16 bytes
   */
  addExemplar(exemplar: Omit<PartExemplar, "traceId">, traceId: Uint8Array): void {
    if (exemplar.group >= 0)
      this.#exemplars.push({ ...exemplar, traceId: Buffer.from(traceId).toString("hex") });
  }

  #merge(groups: number, cells: number): Int32Array {
    const { core } = this.#batch;
    const without = this.#isComparison
      ? core.mergeComparedGroups!(groups, groupsMax, keyBytesMax, this.#comparedValuesMax)
      : core.mergeGroups!(groups, groupsMax, keyBytesMax);
    if (without > 0) this.#isCut = true;
    core.mergeCells!(cells, this.#fold, this.#hasValues ? 1 : 0);
    if (core.leftOutCells!() > 0) this.#isCut = true;
    return this.#batch.i32(Column.SeriesIn4, groups).map((own) => own - 1);
  }

  #set(from: Uint8Array | Uint32Array | BigUint64Array | Float64Array, to: Column): void {
    const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
    const address = this.#batch.reserveColumn(to, bytes.length + 8);
    new Uint8Array(this.#batch.core.memory.buffer, address, bytes.length).set(bytes);
  }

  #copy(memory: WebAssembly.Memory, address: number, bytes: number, to: Column): void {
    this.#set(new Uint8Array(memory.buffer, address, bytes), to);
  }

  /** All that was added. */
  part(): SeriesPart {
    const batch = this.#batch;
    const groups = batch.core.strings!();
    const keyEnds = batch.u32(Column.StringEnd, groups).slice();
    const cells = batch.core.cellCount!();
    const numbers = (column: Column): Float64Array<ArrayBuffer> =>
      new Float64Array(batch.core.memory.buffer, batch.columnAddress(column), cells).slice();
    const none = new Float64Array(0);
    return {
      keys: batch.u8(Column.StringBytes, keyEnds[groups - 1]!).slice(),
      keyEnds,
      cells: batch.u64(Column.SeriesCellKey, cells).slice(),
      counts: numbers(Column.SeriesCellCount),
      values: this.#hasValues ? numbers(Column.SeriesCellValue) : none,
      rests: this.#hasValues ? numbers(Column.SeriesCellRest) : none.slice(),
      exemplars: this.#exemplars,
      isCut: this.#isCut,
    };
  }
}
