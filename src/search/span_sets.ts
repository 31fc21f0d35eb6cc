// The stages of a pipeline over the span sets of all traces of a batch at once.
import { Aggregate, Relation } from "../../wasm/query_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type {
  AggregateName,
  ScalarFilter,
  SpansetExpression,
  SpansetOperation,
  Stage,
  StructuralOp,
} from "../traceql/index.ts";
import { printKey, printScalar } from "../traceql/index.ts";
import { absentIn } from "./absence.ts";
import type { Evaluator } from "./evaluate.ts";
import { compares } from "./operators.ts";
import { wordsOf } from "./values.ts";
import { Arena } from "./vectors.ts";

/** What a stage knows of every set: a group's value, an aggregate. */
export interface SetAttribute {
  /** As results name it. */
  name: string;
  /** By number of the set: its place in a value vector of `rows` rows. */
  values: number;
  rows: number;
  /** How often sets had been split when this was known: each split numbers them anew. */
  splits: number;
}

/** Which span is in which set. */
export interface SpanSets {
  /** Offset of the list; null: each trace is a set, which a list is made of when it is needed. */
  at: number | null;
  /** Sets are numbered from 1 to this. */
  count: number;
  attributes: SetAttribute[];
  /** Of every split, by number of the set that came of it: the number of the set that it was part of. */
  splits: Uint32Array[];
}

/** Of each attribute of a set the row. */
export function attributeRows({ attributes, splits }: SpanSets, set: number): number[] {
  const rows: number[] = [];
  let row = set;
  let split = splits.length;
  for (let i = attributes.length - 1; i >= 0; i--) {
    for (; split > attributes[i]!.splits; split--) row = splits[split - 1]![row]!;
    rows[i] = row;
  }
  return rows;
}

export class SpanSetPipeline {
  readonly #batch: SpanBatch;
  readonly #evaluator: Evaluator;
  readonly #lists: Arena;
  readonly #places: number;
  #whole: number | null = null;

  /** @param evaluator of a batch whose traces are in order */
  constructor(evaluator: Evaluator) {
    this.#batch = evaluator.batch;
    this.#evaluator = evaluator;
    this.#places = this.#core.placeCount!();
    this.#lists = new Arena((bytes) => this.#core.reserveSets!(bytes));
  }

  get #core() {
    return this.#batch.core;
  }

  /** One set for every trace, with all of its spans. */
  wholeTraces(): SpanSets {
    return { at: null, count: this.#core.rankCount!(), attributes: [], splits: [] };
  }

  /** Offset of the list of the sets. */
  #listOf({ at }: SpanSets): number {
    if (at !== null) return at;
    if (this.#whole === null) {
      this.#whole = this.#take();
      this.#core.wholeTraces!(this.#whole);
    }
    return this.#whole;
  }

  /** Truth by rank of the trace: whether stages leave it a span. */
  matches(to: number, stages: readonly Stage[]): void {
    const last = stages.at(-1);
    const isSplit = stages.some(({ kind }) => kind === "group");
    if (last?.kind !== "scalarFilter" || isSplit) {
      this.#core.anyOfTraces!(to, this.#listOf(this.run(stages, this.wholeTraces())));
      return;
    }
    // Every set is a trace, so that its aggregate decides; a set without spans is none.
    const sets = this.run(stages.slice(0, -1), this.wholeTraces());
    const { truth } = this.#aggregate(last, sets);
    this.#core.anyOfTraces!(to, this.#listOf(sets));
    const ofSets = this.#evaluator.vectors.truth(sets.count);
    this.#core.truthOfSets!(ofSets, truth);
    this.#evaluator.vectors.and(to, ofSets, sets.count);
  }

  /** Runs stages on span sets. */
  run(stages: readonly Stage[], from: SpanSets): SpanSets {
    let sets = from;
    for (const stage of stages) {
      const next = this.#stage(stage, sets);
      if (sets.at !== null && next.at !== sets.at && sets !== from) this.#give(sets.at);
      sets = next;
    }
    return sets;
  }

  /** Offset of the list of sets, for the core. */
  offsetOf(sets: SpanSets): number {
    return this.#listOf(sets);
  }

  /** A list of the sets, by place in the order of spans: a view, valid until the batch grows. */
  list(sets: SpanSets): Uint32Array {
    const address = this.#batch.core.setsAddress!(this.#listOf(sets)) >>> 0;
    return new Uint32Array(this.#core.memory.buffer, address, this.#places);
  }

  #take(): number {
    return this.#lists.take(this.#places * 4 + 16);
  }

  #give(at: number): void {
    this.#lists.give(at, this.#places * 4 + 16);
  }

  #stage(stage: Stage, from: SpanSets): SpanSets {
    switch (stage.kind) {
      case "filter":
      case "operation":
        return { ...from, at: this.#spanset(stage, from) };
      case "scalarFilter":
        return this.#scalarFilter(stage, from);
      case "group": {
        const values = this.#evaluator.values(stage.expression);
        const at = this.#take();
        const count = this.#core.groupSets!(at, this.#listOf(from), values.at);
        const rows = count + 1;
        const own = this.#evaluator.vectors.value(rows);
        this.#core.groupValues!(own, values.at, count);
        this.#evaluator.giveValues(values);
        const origins = this.#core.setOrigins!(count) >>> 0;
        const splits = [...from.splits, new Uint32Array(this.#core.memory.buffer, origins, rows).slice()];
        const name = `by(${printKey(stage.expression)})`;
        const attribute = { name, values: own, rows, splits: splits.length };
        return { at, count, attributes: [...from.attributes, attribute], splits };
      }
      case "coalesce": {
        const at = this.#take();
        this.#core.coalesceSets!(at, this.#listOf(from));
        return { at, count: this.#core.rankCount!(), attributes: [], splits: [] };
      }
      case "select":
        return from;
    }
  }

  /** A list of the spans that an expression leaves of the sets, each in the set that it was in. */
  #spanset(node: SpansetExpression, from: SpanSets): number {
    switch (node.kind) {
      case "filter": {
        const absent = absentIn(node);
        const truth = absent
          ? this.#evaluator.truthsOfAbsence(absent)
          : this.#evaluator.truths(node.expression);
        const at = this.#take();
        if (from.at === null) this.#core.filterTraces!(at, truth);
        else this.#core.filterSets!(at, from.at, truth);
        this.#evaluator.giveTruth(truth);
        return at;
      }
      case "pipeline": {
        const sets = this.run(node.stages, from);
        const at = this.#take();
        this.#core.intoSets!(at, this.#listOf(sets), this.#listOf(from));
        if (sets.at !== null && sets.at !== from.at) this.#give(sets.at);
        return at;
      }
      case "operation":
        return this.#operation(node, from);
    }
  }

  #operation({ op, left, right }: SpansetOperation, from: SpanSets): number {
    const lefts = this.#spanset(left, from);
    const rights = this.#spanset(right, from);
    const before = this.#listOf(from);
    const at = this.#take();
    if (op === "&&" || op === "||") {
      this.#core.joinSets!(at, before, lefts, rights, from.count, op === "&&" ? 1 : 0);
    } else {
      const structural = op.replace(/^[!&]/, "") as StructuralOp;
      const relation = relations[structural];
      this.#core.relateSets!(at, lefts, rights, relation);
      if (op.startsWith("!")) {
        const related = this.#take();
        this.#core.intoSets!(related, at, before);
        this.#core.exceptSets!(at, rights, related);
        this.#give(related);
      } else if (op.startsWith("&")) {
        const inverse = this.#take();
        this.#core.relateSets!(inverse, rights, lefts, inverses[structural]);
        const both = this.#take();
        this.#core.joinSets!(both, before, at, inverse, from.count, 0);
        this.#core.intoSets!(at, both, before);
        this.#give(inverse);
        this.#give(both);
      }
    }
    this.#give(lefts);
    this.#give(rights);
    return at;
  }

  #scalarFilter(stage: ScalarFilter, from: SpanSets): SpanSets {
    const rows = from.count + 1;
    const list = this.#listOf(from);
    const { name, values, truth } = this.#aggregate(stage, from);
    const at = this.#take();
    this.#core.keepSets!(at, list, truth);
    this.#evaluator.vectors.giveTruth(truth, rows);
    return {
      ...from,
      at,
      attributes: [...from.attributes, { name, values, rows, splits: from.splits.length }],
    };
  }

  /** Value vector of an aggregate by number of the set, and the truth of its comparison. */
  #aggregate(
    { op, left, right }: ScalarFilter,
    from: SpanSets,
  ): { name: string; values: number; truth: number } {
    if (left.kind !== "aggregate" || right.kind !== "literal") {
      throw new Error("scalar filter that validation refuses");
    }
    const rows = from.count + 1;
    const list = this.#listOf(from);
    const values = this.#evaluator.vectors.value(rows);
    if (left.function === "count") this.#core.countSets!(values, list, from.count);
    else {
      const ofSpans = this.#evaluator.values(left.operand);
      this.#core.aggregateSets!(values, list, ofSpans.at, from.count, aggregates[left.function]);
      this.#evaluator.giveValues(ofSpans);
    }
    const { type, low, high } = wordsOf(right);
    const truth = this.#evaluator.vectors.truth(rows);
    this.#core.compareNumeric!(truth, values, rows, compares[op], type, low, high);
    return { name: printScalar(left), values, truth };
  }
}

const relations: Record<StructuralOp, Relation> = {
  ">": Relation.Parent,
  ">>": Relation.Ancestor,
  "<": Relation.Child,
  "<<": Relation.Descendant,
  "~": Relation.Sibling,
};

const inverses: Record<StructuralOp, Relation> = {
  ">": Relation.Child,
  ">>": Relation.Descendant,
  "<": Relation.Parent,
  "<<": Relation.Ancestor,
  "~": Relation.Sibling,
};

const aggregates: Record<AggregateName, Aggregate> = {
  min: Aggregate.Min,
  max: Aggregate.Max,
  sum: Aggregate.Sum,
  avg: Aggregate.Avg,
};
