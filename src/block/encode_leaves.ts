// The leaves of a row group, one after the other in file order: how the block writer asks for them, and how a batch gives them.
import type { SpanBatch } from "../batch/span_batch.ts";
import { type EncodeCore, encodeCore } from "./encode_core.ts";
import type { LeafStep, Step, StructureStep } from "./encode_plan.ts";
import type { Slices } from "./encode_slices.ts";

export interface RowGroupLeaves {
  readonly batch: SpanBatch;
  readonly rows: number;
  readonly steps: readonly LeafStep[];
  /**
   * Makes a leaf the one that the core of the batch holds.
   *
   * @returns if it has no values: a text that is the same for all leaves of the row group with the same levels, or null if that can't
   *   be told; null if it has some
   */
  load(step: LeafStep): Promise<string | null>;
}

/** Leaves of ordered traces of a batch: those of the ranks that beginRowGroup() of the core was called with. */
export class BatchLeaves implements RowGroupLeaves {
  readonly batch: SpanBatch;
  readonly rows: number;
  readonly steps: readonly LeafStep[];
  readonly #core: EncodeCore;
  readonly #plan: readonly Step[];
  readonly #slices: Slices;
  #next = 0;

  constructor(batch: SpanBatch, rows: number, plan: readonly Step[], slices: Slices) {
    this.batch = batch;
    this.rows = rows;
    this.steps = leafSteps(plan);
    this.#core = encodeCore(batch);
    this.#plan = plan;
    this.#slices = slices;
  }

  async load(step: LeafStep): Promise<string | null> {
    for (;;) {
      const next = this.#plan[this.#next++]!;
      if (next.kind !== "leaf") await this.#makeStructure(next);
      else if (next.leaf.index === step.leaf.index) return this.#gather(next);
    }
  }

  async #makeStructure(step: StructureStep): Promise<void> {
    const core = this.#core;
    const { kind, parent, target, owner, repetition, emptyDefinition } = step;
    const toExpand =
      kind === "attributes"
        ? core.beginAttributes(parent, target, owner, repetition, emptyDefinition)
        : core.beginEvents(kind === "links" ? 1 : 0, repetition, emptyDefinition);
    await this.#slices.turn();
    if (toExpand) await this.#slices.over(core.structureSlots(parent), (from, to) => core.expand(from, to));
  }

  async #gather({ leaf, structure, source, column, owner }: LeafStep): Promise<string | null> {
    const core = this.#core;
    const slots = core.beginLeaf(structure, source, column, owner, leaf.maxDefinition, leaf.maxRepetition);
    await this.#slices.over(slots, (from, to) => core.gather(from, to));
    const definition = core.leafDefinition();
    if (definition < 0 || core.leafValueCount() > 0) return null;
    return `${core.levelsOf(structure)} ${definition}`;
  }
}

/** The leaves of a plan, without the structures between. */
export function leafSteps(plan: readonly Step[]): LeafStep[] {
  return plan.filter((step) => step.kind === "leaf");
}
