// Rows of one row group of an input, decoded leaf by leaf: what is read is planned first, and fetched at once.
import { Column } from "../../wasm/column_ids.ts";
import { Keep } from "../../wasm/parquet_decode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { Indexed, type RowGroup } from "../block/footer_reader.ts";
import type { ReadLeaf } from "../block/read_columns.ts";
import type { LeafIndexes, OpenFile } from "../block/read_file.ts";
import { chunkPages, type PageMemory, planRanges } from "../block/read_group.ts";
import { type ChunkPages, decodeLeaf } from "../block/read_leaf.ts";
import { type LeafPlan, planLeaf } from "../block/read_plan.ts";
import { blaming } from "./merge_error.ts";
import type { InputRows } from "./merge_input.ts";

const noLeaves: ReadonlySet<never> = new Set();
const noZeros: ReadonlySet<number> = new Set();

export class MergeRun {
  readonly rows: InputRows;
  readonly #open: OpenFile;
  readonly #group: RowGroup;
  readonly #indexes: LeafIndexes[];
  readonly #fetched: ({ pages: ChunkPages; lasting: number } | null)[] = [];

  private constructor(rows: InputRows, open: OpenFile, indexes: LeafIndexes[]) {
    this.rows = rows;
    this.#open = open;
    this.#group = open.file.rowGroups[rows.group]!;
    this.#indexes = indexes;
  }

  static open(rows: InputRows): Promise<MergeRun> {
    const { input, group } = rows;
    return blaming(input.meta, async () => {
      const open = await input.file.open();
      return new MergeRun(rows, open, await input.file.indexes(open, group, open.file.leaves, noLeaves));
    });
  }

  /** Whether none of the rows has a value of this leaf, as far as can be told without reading it. */
  isEmpty(leaf: number): boolean {
    return this.#plan(this.#read(leaf, 0), false).empty;
  }

  /** Whether all values of the leaf are 0, false or empty. */
  isZero(leaf: number): boolean {
    return this.#group.chunks.zero[leaf] === 1;
  }

  /** Whether values of the leaf stand in a dictionary. */
  hasDictionary(leaf: number): boolean {
    return this.#group.chunks.indexed[leaf] !== Indexed.No;
  }

  /** Fetches what decode() takes. */
  fetch(leaves: readonly number[]): Promise<void> {
    const { input, group } = this.rows;
    return blaming(input.meta, async () => {
      const { file, kept } = input;
      const plans = leaves.map((leaf) => {
        const plan = this.#plan(this.#read(leaf, 0), true);
        const known = plan.dictionary ? (file.knownDictionary(group, plan.read.leaf) ?? null) : null;
        return { plan: known ? { ...plan, dictionary: null } : plan, known, lasting: this.#lasting(plan) };
      });
      const fetched = await file.fetch(
        plans.flatMap(({ plan }) =>
          planRanges({ ...plan, pages: plan.pages.filter(({ offset }) => !kept.get(offset)) }),
        ),
      );
      for (const { plan, known, lasting } of plans) {
        const memory: PageMemory = {
          known: (offset) => kept.get(offset),
          remember: (offset) => (offset === lasting ? (page) => kept.keep(offset, page) : null),
        };
        const pages = chunkPages(file, this.#open, group, plan, fetched, known, memory);
        this.#fetched[plan.read.leaf.index] = { pages, lasting };
      }
    });
  }

  /**
   * Decodes levels and values of a leaf that was fetched.
   *
   * @param entry of the core that they go to
   */
  decode(batch: SpanBatch, leaf: number, kind: number, entry: number): Promise<void> {
    const { input, start, end } = this.rows;
    return blaming(input.meta, async () => {
      const { core } = batch;
      const pair = batch.reserveColumn(Column.Decode4, 8);
      new Uint32Array(core.memory.buffer, pair, 2).set([start, end]);
      core.wantRows!(start === 0 && end === this.#group.rows ? -1 : 1);
      const { pages, lasting } = this.#fetched[leaf]!;
      const request = { leaf: { ...this.#read(leaf, kind).leaf, index: entry }, kind, keep: Keep.Levels };
      decodeLeaf(batch, request, pages, "some");
      for (const { offset } of pages.pages) if (offset !== lasting) input.kept.drop(offset);
      this.#fetched[leaf] = null;
    });
  }

  #read(leaf: number, kind: number): ReadLeaf {
    return { leaf: this.#open.file.leaves[leaf]!, kind };
  }

  #plan(read: ReadLeaf, structure: boolean): LeafPlan {
    const index = this.#indexes[read.leaf.index] ?? null;
    return planLeaf(this.#group, read, index, [this.rows], structure, noZeros);
  }

  /** Place of the last page of a plan, if it has rows behind these; else -1. */
  #lasting({ read, pages }: LeafPlan): number {
    const last = pages.at(-1);
    if (!last) return -1;
    const { offsets, firstRows } = this.#indexes[read.leaf.index]!.pages!;
    const next = firstRows[offsets.indexOf(last.offset) + 1] ?? this.#group.rows;
    return next > this.rows.end ? last.offset : -1;
  }
}
