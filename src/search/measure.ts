// The spans of a batch that a metrics query counts, by group and interval: all of it in the core, with no object for a span but for those
// that stand as examples.
import { Column } from "../../wasm/column_ids.ts";
import { QueryType } from "../../wasm/query_ids.ts";
import { doubleOf } from "../batch/double_bits.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type { Compare } from "../traceql/index.ts";
import { Evaluator } from "./evaluate.ts";
import { ExemplarPicker, exemplarLabels } from "./exemplar_picker.ts";
import { driverTruth, filterTruth } from "./filter_truth.ts";
import type { Intervals } from "./intervals.ts";
import type { MetricsPlan } from "./metrics_plan.ts";
import { SeriesAccumulator } from "./series_accumulator.ts";
import type { PartExemplar } from "./series_part.ts";
import { SpanSetPipeline } from "./span_sets.ts";
import { wordsOf64 } from "./time_words.ts";

export interface MeasureTerms {
  plan: MetricsPlan;
  grid: Intervals;
  /** Cells that one batch may have. */
  cellsMax: number;
}

/** What a batch is added to. */
export interface MeasureTarget {
  sums: SeriesAccumulator;
  picker: ExemplarPicker;
}

export function targetOf(terms: MeasureTerms & { exemplars: number }): MeasureTarget {
  const { plan, grid, exemplars, cellsMax } = terms;
  return { sums: new SeriesAccumulator(plan, cellsMax), picker: new ExemplarPicker(grid, exemplars) };
}

/**
 * What a batch is: "stored" as a block has it, "ordered" as order() left it, with repeats of spans in it, "growing" of a head, whose own
 * order a block may be written by.
 */
export type BatchKind = "stored" | "ordered" | "growing";

export interface MeasuredBatch {
  /** Indexes of the traces that lie elsewhere too, and that may count when they are whole. */
  open: Uint32Array;
  /** Of which traces examples have been picked, by index. */
  exemplars: { trace: number; exemplar: Omit<PartExemplar, "traceId"> }[];
}

/**
 * Adds up the spans of a batch.
 *
 * @param elsewhere indexes of the traces that lie elsewhere too: they are not counted here
 */
export function measureBatch(
  batch: SpanBatch,
  kind: BatchKind,
  elsewhere: Uint32Array,
  terms: MeasureTerms,
  { sums, picker }: MeasureTarget,
): MeasuredBatch {
  const { plan } = terms;
  const { core } = batch;
  setGrid(batch, terms.grid);
  const evaluator = evaluatorOf(batch, plan, kind);
  const open = elsewhere.length > 0 ? openAmong(evaluator, plan, elsewhere) : noTraces;
  let selected = selectSpans(evaluator, plan, kind);
  if (elsewhere.length > 0) core.dropTraces!(giveMarks(batch, elsewhere));
  if (selected > 0 && kind !== "stored" && plan.isOfSpans) selected = core.dropRepeatedSpans!();
  if (selected === 0) return { open, exemplars: [] };
  // Kept until the end: exemplars are picked by it.
  const operand = plan.operand === null ? null : evaluator.values(plan.operand).at;
  core.beginCells!(terms.cellsMax, plan.fold);
  if (plan.compare !== null) {
    const truth = compare(evaluator, plan.compare);
    sums.addBatch(batch, comparedLevels);
    const sideOf = (span: number): number => sideOfSpan(evaluator, plan.compare!, truth, span);
    return {
      open,
      exemplars: exemplarsOf(evaluator, plan, null, picker.pick(batch, null, plan.fold), sideOf),
    };
  }
  core.beginGroups!();
  for (const attribute of plan.by) {
    if (attribute.kind === "attribute" && attribute.parent) core.groupByNothing!();
    else {
      const values = evaluator.values(attribute);
      core.groupBy!(values.at);
      evaluator.giveValues(values);
    }
  }
  core.foldSpans!(plan.fold, operand ?? 0);
  const places = sums.addBatch(batch, plan.by.length);
  const groupOf = (span: number): number => places[core.groupOfSpan!(span)]!;
  return {
    open,
    exemplars: exemplarsOf(evaluator, plan, operand, picker.pick(batch, operand, plan.fold), groupOf),
  };
}

const noTraces = new Uint32Array(0);

function setGrid({ core }: SpanBatch, { startNanos, endNanos, stepNanos }: Intervals): void {
  core.setGrid!(...wordsOf64(startNanos), ...wordsOf64(endNanos - startNanos), ...wordsOf64(stepNanos));
}

/** Puts the traces of a head in order as far as the query needs it. */
function evaluatorOf(batch: SpanBatch, plan: MetricsPlan, kind: BatchKind): Evaluator {
  if (kind !== "growing") return new Evaluator(batch, plan, false);
  if (plan.needsOrder) {
    if (plan.drivers === null) batch.core.orderForQuery!(0);
    else {
      const evaluator = new Evaluator(batch, plan, false);
      const marks = evaluator.vectors.truth(batch.traces);
      batch.core.anyOfSpans!(marks, driverTruth(evaluator, plan.drivers), batch.traces);
      batch.core.orderForQuery!(evaluator.reader.address(marks));
    }
  }
  return new Evaluator(batch, plan, true);
}

/** @returns how many fall into the grid */
function selectSpans(evaluator: Evaluator, plan: MetricsPlan, kind: BatchKind): number {
  const { core } = evaluator.batch;
  // Even where there is an order: only traces that may count are in it.
  const isTreeless = kind === "growing" && plan.isOfSpans;
  const stages = isTreeless ? plan.treelessStages : plan.stages;
  if (plan.isOfSpans) return core.selectSpans!(filterTruth(evaluator, stages));
  const pipeline = new SpanSetPipeline(evaluator);
  return core.selectSets!(pipeline.offsetOf(pipeline.run(stages, pipeline.wholeTraces())));
}

/** Of some traces those that have a span that every match must have. */
function openAmong(evaluator: Evaluator, { drivers }: MetricsPlan, traces: Uint32Array): Uint32Array {
  if (drivers === null) return traces;
  const { batch } = evaluator;
  const marks = evaluator.vectors.truth(batch.traces);
  batch.core.anyOfSpans!(marks, driverTruth(evaluator, drivers), batch.traces);
  const any = evaluator.reader.types(marks, batch.traces);
  return traces.filter((trace) => any[trace] !== 0);
}

/** Address of a byte for each trace: 1 for those among some. */
function giveMarks(batch: SpanBatch, traces: Uint32Array): number {
  const address = batch.reserveColumn(Column.Input, batch.traces + 1);
  const marks = new Uint8Array(batch.core.memory.buffer, address, batch.traces);
  marks.fill(0);
  for (const trace of traces) marks[trace] = 1;
  return address;
}

/** @returns truth by span of the selection, without its window */
function compare(evaluator: Evaluator, { selection, window }: Compare): number {
  const { core } = evaluator.batch;
  const { start, end } = window ?? { start: 0n, end: timeMax };
  core.setSelectionWindow!(...wordsOf64(start), ...wordsOf64(end));
  const truth = filterTruth(evaluator, [selection]);
  core.compareSpans!(truth);
  return truth;
}

function sideOfSpan(
  { batch, reader, spans }: Evaluator,
  { window }: Compare,
  truth: number,
  span: number,
): number {
  const start = batch.u64(Column.SpanStart, span + 1)[span]!;
  const isWithin = window === null || (start > window.start && start <= window.end);
  return isWithin ? reader.types(truth, spans)[span]! : 0;
}

/** @param groupOf the place of a span's group where it was added, or its side */
function exemplarsOf(
  evaluator: Evaluator,
  plan: MetricsPlan,
  operand: number | null,
  picked: Uint32Array,
  groupOf: (span: number) => number,
): MeasuredBatch["exemplars"] {
  const { batch } = evaluator;
  const labels = exemplarLabels(evaluator, plan.labels, picked);
  return Array.from(picked, (span, i) => ({
    trace: batch.u32(Column.SpanTrace, span + 1)[span]!,
    exemplar: {
      group: groupOf(span),
      startNanos: batch.u64(Column.SpanStart, span + 1)[span]!,
      value: operand === null ? null : numberOf(evaluator, operand, span),
      labels: labels[i]!,
    },
  }));
}

/** Owner, name and value. */
const comparedLevels = 3;

function numberOf({ reader, spans }: Evaluator, values: number, span: number): number | null {
  const bits = reader.word(values, spans, span);
  switch (reader.type(values, span)) {
    case QueryType.Int:
    case QueryType.Duration:
      return Number(BigInt.asIntN(64, bits));
    case QueryType.Double:
      return doubleOf(bits);
    default:
      return null;
  }
}

const timeMax = 2n ** 64n - 1n;
