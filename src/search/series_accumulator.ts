// Adds up what batches, blocks and shards have counted, in the memory of a core of its own.
import { Column } from "../../wasm/column_ids.ts";
import { Fold } from "../../wasm/series_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { garbage } from "../threads/garbage.ts";
import type { MetricsPlan } from "./metrics_plan.ts";
import type { PartExemplar, SeriesPart } from "./series_part.ts";

/** Groups that one sum may have, and bytes of all their keys. */
const groupsMax = 1 << 14;
const keyBytesMax = 8 << 20;
/** Cells that are added up at a time: what is handed over takes as much memory again. */
const cellsAtOnce = 1 << 14;
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

/** Cores that wait for the next sum of this thread: a new one would have the runtime collect garbage first. */
const batches: SpanBatch[] = [];
const batchesKept = 2;
const batchBytesKept = 16 << 20;

export class SeriesAccumulator {
  readonly #batch: SpanBatch;
  readonly #fold: Fold;
  readonly #isComparison: boolean;
  readonly #comparedValuesMax: number;
  #exemplars: PartExemplar[] = [];
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
    this.#batch = batches.pop() ?? SpanBatch.create();
    this.#batch.reset();
    this.#batch.core.beginCells!(cellsMax, fold);
  }

  get #hasValues(): boolean {
    return this.#fold !== Fold.Count && this.#fold !== Fold.Buckets;
  }

  /**
   * Adds what a batch has counted.
   *
   * @param levels parts of a group's key
   * @returns by group of the batch its place here, -1 where there is no room
   */
  addBatch(batch: SpanBatch, levels: number): Int32Array {
    const { core } = batch;
    const groups = core.writeGroupKeys!(levels, keyBytesMax);
    const keyEnds = batch.u32(Column.SeriesKeyEnd, groups);
    this.#set(batch.u8(Column.Output, keyEnds.at(-1) ?? 0), Column.Input);
    this.#set(keyEnds, Column.SeriesKeyEnd);
    if (core.leftOutCells!() > 0) this.#isCut = true;
    const places = this.#mergeGroups(groups, core.groupCount!());
    const cells = core.cellCount!();
    this.#mergeCells(cells, (start, end) => {
      for (const [from, to] of cellColumns.slice(0, this.#hasValues ? 4 : 2)) {
        this.#set(batch.u64(from, cells).subarray(start, end), to);
      }
    });
    return places;
  }

  /** Adds what another thread has counted. */
  add({ keys, keyEnds, cells, counts, values, rests, exemplars, isCut }: SeriesPart): void {
    this.#set(keys, Column.Input);
    this.#set(keyEnds, Column.SeriesKeyEnd);
    if (isCut) this.#isCut = true;
    const places = this.#mergeGroups(keyEnds.length, keyEnds.length);
    this.#mergeCells(cells.length, (start, end) => {
      this.#set(cells.subarray(start, end), Column.SeriesIn0);
      this.#set(counts.subarray(start, end), Column.SeriesIn1);
      this.#set(values.subarray(start, end), Column.SeriesIn2);
      this.#set(rests.subarray(start, end), Column.SeriesIn3);
    });
    for (const exemplar of exemplars) {
      const group = this.#isComparison ? exemplar.group : places[exemplar.group]!;
      if (group >= 0) this.#exemplars.push({ ...exemplar, group });
    }
  }

  /** Keeps some of the exemplars, if there are more than `most`: every source gives as many as are shown in all. */
  thinExemplars(most: number, choose: (picked: readonly PartExemplar[]) => PartExemplar[]): void {
    if (this.#exemplars.length > most) this.#exemplars = choose(this.#exemplars);
  }

  /**
   * @param exemplar with the place of its group here, or of a comparison its side
   * @param traceId 16 bytes
   */
  addExemplar(exemplar: Omit<PartExemplar, "traceId">, traceId: Uint8Array): void {
    if (exemplar.group >= 0)
      this.#exemplars.push({ ...exemplar, traceId: Buffer.from(traceId).toString("hex") });
  }

  /** @param groups those with a key, the first of `all` */
  #mergeGroups(groups: number, all: number): Int32Array {
    const { core } = this.#batch;
    const without = this.#isComparison
      ? core.mergeComparedGroups!(groups, all, groupsMax, keyBytesMax, this.#comparedValuesMax)
      : core.mergeGroups!(groups, all, groupsMax, keyBytesMax);
    if (without > 0) this.#isCut = true;
    return this.#batch.i32(Column.SeriesIn4, all).map((own) => own - 1);
  }

  #mergeCells(cells: number, give: (start: number, end: number) => void): void {
    const { core } = this.#batch;
    for (let start = 0; start < cells; start += cellsAtOnce) {
      const end = Math.min(start + cellsAtOnce, cells);
      give(start, end);
      core.mergeCells!(end - start, this.#fold, this.#hasValues ? 1 : 0);
    }
    if (core.leftOutCells!() > 0) this.#isCut = true;
  }

  #set(from: Uint8Array | Uint32Array | BigUint64Array | Float64Array, to: Column): void {
    const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
    const address = this.#batch.reserveColumn(to, bytes.length + 8);
    new Uint8Array(this.#batch.core.memory.buffer, address, bytes.length).set(bytes);
  }

  /** All that was added. The last call: others use the memory from here on. */
  finish(): SeriesPart {
    const part = this.#part();
    const { memoryBytes } = this.#batch;
    if (batches.length < batchesKept && memoryBytes <= batchBytesKept) batches.push(this.#batch);
    else garbage.add(memoryBytes);
    return part;
  }

  #part(): SeriesPart {
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
