// Rows of several row groups as one, leaf by leaf: copied as they are, in the order that the picks say, with those of a batch among them.
import { Column } from "../../wasm/column_ids.ts";
import { Keep, Physical, ValueKind } from "../../wasm/parquet_decode_ids.ts";
import { Encoder } from "../../wasm/parquet_encode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type { BatchLeaves, RowGroupLeaves } from "../block/encode_leaves.ts";
import { type LeafStep, plainPath } from "../block/encode_plan.ts";
import type { Slices } from "../block/encode_slices.ts";
import { ParquetError } from "../block/parquet_error.ts";
import { check } from "../block/read_records.ts";
import type { Home } from "./merge_homes.ts";
import { MergeRun } from "./merge_run.ts";
import { leftOut, type Slice } from "./merge_slice.ts";

/** Leaves that others are held against, as in wasm/merge_levels.ts. */
const guidesMax = 15;

/** How a leaf is made. */
type Making = "read" | "empty" | "zeros" | "ids";

interface Guide {
  number: number;
  slots: number;
  values: number;
  /** False: that of an outer home, since the own one has no elements. */
  isOwn: boolean;
}

interface Parts {
  batch: SpanBatch;
  /** Where the leaves lie, in file order. */
  homes: readonly Home[];
  steps: readonly LeafStep[];
  slice: Slice;
  /** The rows that were combined, as run 0. */
  combined: BatchLeaves | null;
  slices: Slices;
}

export class MergedRows implements RowGroupLeaves {
  readonly batch: SpanBatch;
  readonly rows: number;
  readonly steps: readonly LeafStep[];
  readonly #runs: MergeRun[];
  readonly #combined: BatchLeaves | null;
  readonly #slices: Slices;
  readonly #homes: readonly Home[];
  readonly #making: Making[];
  readonly #guides = new Map<Home, Guide>();
  /** Entry of the core that is free, and guide. */
  #entry = 0;
  #guide = 1;
  /** Spans of the rows that were copied. */
  copiedSpans = 0;

  private constructor({ batch, homes, steps, slice, combined, slices }: Parts, runs: MergeRun[]) {
    this.batch = batch;
    this.steps = steps;
    this.#runs = runs;
    this.#combined = combined;
    this.#slices = slices;
    this.#homes = homes;
    this.#making = steps.map((step) => this.#makingOf(step));
    const { core } = batch;
    const { picks } = slice;
    core.beginLeaves!();
    const address = batch.reserveColumn(Column.Merge0, picks.length * 4);
    new Uint32Array(core.memory.buffer, address, picks.length).set(picks);
    core.beginMerge!(runs.length + 1, picks.length / 2);
    let rows = 0;
    for (let i = 0; i < picks.length; i += 2) if (picks[i]! < leftOut) rows += picks[i + 1]!;
    this.rows = rows;
  }

  /** Fetches what is read of a slice. */
  static async open(parts: Parts): Promise<MergedRows> {
    const runs: MergeRun[] = [];
    for (const rows of parts.slice.runs) runs.push(await MergeRun.open(rows));
    const merged = new MergedRows(parts, runs);
    const read = merged.#making.flatMap((making, leaf) => (making === "read" ? [leaf] : []));
    for (const run of runs) await run.fetch(read);
    return merged;
  }

  #makingOf({ leaf, encoder }: LeafStep): Making {
    if (encoder === Encoder.Id16Text) return "ids";
    if (this.#runs.every((run) => run.isEmpty(leaf.index))) return "empty";
    const isRequired = leaf.node.repetition === "required";
    return isRequired && this.#runs.every((run) => run.isZero(leaf.index)) ? "zeros" : "read";
  }

  async load(step: LeafStep): Promise<string | null> {
    const { core } = this.batch;
    const { leaf } = step;
    const { maxDefinition, maxRepetition } = leaf;
    const home = this.#homes[leaf.index]!;
    const making = this.#making[leaf.index]!;
    await this.#combined?.load(step);
    const combinedValues = this.#combined ? core.leafValueCount!() : 0;
    const guide = this.#guides.get(home);
    if (making === "empty" && combinedValues === 0) {
      const outer =
        leaf.node.repetition === "required" && home.outer ? this.#guides.get(home.outer) : undefined;
      const like = guide ?? outer;
      if (like) {
        if (!guide) this.#guides.set(home, { ...like, isOwn: false });
        core.mergeEmpty!(like.number, maxDefinition, maxRepetition);
        return String(like.number);
      }
    }
    if (making === "zeros" && !this.#combined && guide?.isOwn) {
      core.mergeZeros!(guide.number, valueBytes(step.encoder), maxDefinition, maxRepetition);
      return null;
    }
    if (making === "ids" && guide) {
      this.#check(
        core.mergeLeaf!(0, guide.number, 0, valueBytes(step.encoder), maxDefinition, maxRepetition),
        step,
      );
      return null;
    }
    await this.#merge(step, home, guide);
    if (plainPath(leaf) === "rs.ss.Spans.SpanID") this.copiedSpans = core.leafValueCount!() - combinedValues;
    return null;
  }

  /** Decodes a leaf of all runs and merges it. */
  async #merge(step: LeafStep, home: Home, guide: Guide | undefined): Promise<void> {
    const { batch } = this;
    const { core } = batch;
    const { leaf, encoder } = step;
    const { maxDefinition, maxRepetition, index } = leaf;
    const isSlices = encoder === Encoder.Strings && this.#isPlain(step);
    const kind = isSlices ? ValueKind.Slice : kindOf(step);
    const width = isSlices ? 8 : valueBytes(encoder);
    if (isSlices) core.beginSlices!();
    const first = this.#entry;
    if (this.#combined) core.takeGathered!(first, kind, width, maxDefinition);
    else core.startLeaf!(first, kind, Physical.ByteArray, maxRepetition, maxDefinition, Keep.Levels);
    for (const [i, run] of this.#runs.entries()) {
      if (this.#making[index] !== "read") await run.fetch([index]);
      await run.decode(batch, index, kind, first + 1 + i);
      if (this.#slices.due) await this.#slices.rest();
    }
    const isRequired = leaf.node.repetition === "required";
    const isGuide = isRequired && !guide && home.leaves > 1 && this.#guide <= guidesMax;
    const against = this.#guideFor(home)?.number ?? 0;
    const keepAs = isGuide ? this.#guide : 0;
    this.#check(core.mergeLeaf!(first, against, keepAs, width, maxDefinition, maxRepetition), step);
    const slots = core.leafSlotCount!();
    const values = core.leafValueCount!();
    if (isRequired && guide?.isOwn && (guide.slots !== slots || guide.values !== values)) {
      throw new ParquetError(`parquet column ${leaf.path}: another number of records than in other columns`);
    }
    if (isSlices) core.settleSlices!(step.dictionary === "never" ? 1 : 0);
    if (isGuide) {
      this.#guides.set(home, { number: this.#guide++, slots, values, isOwn: true });
      this.#entry += this.#runs.length + 1;
    } else core.dropLeaf!(first);
  }

  /** Whether the values of a leaf of strings need not become strings of the batch: no dictionary has them, and none may be wanted. */
  #isPlain({ leaf, dictionary }: LeafStep): boolean {
    if (dictionary === "always") return false;
    return dictionary === "never" || !this.#runs.some((run) => run.hasDictionary(leaf.index));
  }

  #guideFor(home: Home): Guide | undefined {
    for (let at: Home | null = home; at; at = at.outer) {
      const guide = this.#guides.get(at);
      if (guide) return guide;
    }
    return undefined;
  }

  #check(fault: number, { leaf }: LeafStep): void {
    check(fault, { leaf: { ...leaf, physical: 0 }, kind: 0 });
  }
}

function kindOf({ encoder }: LeafStep): ValueKind {
  switch (encoder) {
    case Encoder.Id8:
      return ValueKind.Id8;
    case Encoder.Id16:
      return ValueKind.Id16;
    case Encoder.Strings:
      return ValueKind.String;
    case Encoder.Bool:
      return ValueKind.Bool;
    default:
      return ValueKind.Number;
  }
}

/** Bytes of a value as the encoder takes it. */
function valueBytes(encoder: Encoder): number {
  switch (encoder) {
    case Encoder.Bool:
      return 1;
    case Encoder.Plain32:
    case Encoder.Delta32:
    case Encoder.Strings:
      return 4;
    case Encoder.Id16:
    case Encoder.Id16Text:
      return 16;
    default:
      return 8;
  }
}
