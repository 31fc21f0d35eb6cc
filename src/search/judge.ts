// Which traces of a batch match: decided for all of them at once, from the columns that it takes and no more.
import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type { Stage } from "../traceql/index.ts";
import { Evaluator } from "./evaluate.ts";
import { driverTruth, filterTruth } from "./filter_truth.ts";
import type { SearchPlan } from "./plan.ts";
import type { TimeWindow } from "./projection.ts";
import { SpanSetPipeline } from "./span_sets.ts";
import { wordsOf64 } from "./time_words.ts";

/** Traces of a batch by their rank in the order of its traces, ascending, and when each began, ns. */
export interface JudgedTraces {
  ranks: Uint32Array<ArrayBuffer>;
  starts: BigUint64Array<ArrayBuffer>;
}

export interface Judged {
  /** Those that match, the newest of them, and all that began at the same time as the last of these. */
  matched: JudgedTraces;
  /** Those that do not match, but may when the rest of their spans is known. */
  undecided: JudgedTraces;
  inspectedTraces: number;
  inspectedSpans: number;
}

/** Which of the traces that match are wanted. */
export interface Wanted {
  window: TimeWindow;
  /** How many of the newest. */
  limit: number;
  /** None that began before this. Unix ns. */
  since: bigint;
  /** Whether any trace may be decided by parts that lie elsewhere; not said: it may. */
  mayBeSplit?: boolean;
}

/** Judges the traces of a batch that is in order: one that was read from a block, or ordered. */
export function judgeOrdered(batch: SpanBatch, plan: SearchPlan, wanted: Wanted): Judged {
  const evaluator = new Evaluator(batch, plan, false);
  if (plan.needsWholeTrace) return judgeWhole(evaluator, plan, wanted);
  const matches = evaluator.vectors.truth(batch.core.rankCount!());
  batch.core.truthOfTraces!(matches, filterTruth(evaluator, deciding(plan)));
  return choose(batch, matches, null, wanted, batch.spans);
}

/** Judges the traces of a batch that grows. Its own order, which a block may be written by, stays as it is. */
export function judgeGrowing(batch: SpanBatch, plan: SearchPlan, wanted: Wanted): Judged {
  const { core, traces } = batch;
  if (!plan.needsWholeTrace) {
    core.timeForQuery!();
    const evaluator = new Evaluator(batch, plan, true);
    const matches = evaluator.vectors.truth(traces);
    core.anyOfSpans!(matches, filterTruth(evaluator, deciding(plan)), traces);
    return choose(batch, matches, null, wanted, batch.spans);
  }
  if (plan.drivers === null) core.orderForQuery!(0);
  else {
    // Only of traces that may match is the order needed.
    const evaluator = new Evaluator(batch, plan, false);
    const marks = evaluator.vectors.truth(traces);
    core.anyOfSpans!(marks, driverTruth(evaluator, plan.drivers), traces);
    core.orderForQuery!(evaluator.reader.address(marks));
  }
  return judgeWhole(new Evaluator(batch, plan, true), plan, wanted);
}

function deciding({ stages, decidingStages }: SearchPlan): Stage[] {
  return stages.slice(0, decidingStages);
}

/** Judges traces by their span sets. */
function judgeWhole(evaluator: Evaluator, plan: SearchPlan, wanted: Wanted): Judged {
  const { batch } = evaluator;
  const { core } = batch;
  const ranks = core.rankCount!();
  const pipeline = new SpanSetPipeline(evaluator);
  const matches = evaluator.vectors.truth(ranks);
  pipeline.matches(matches, deciding(plan));
  if (wanted.mayBeSplit === false) return choose(batch, matches, null, wanted, core.placeCount!());
  // Undecided is what has such a span, and is no match by itself.
  const open = evaluator.vectors.truth(ranks);
  core.fillTruth!(open, ranks, 1);
  if (plan.drivers !== null) core.truthOfTraces!(open, driverTruth(evaluator, plan.drivers));
  core.notTruth!(matches, ranks);
  core.andTruth!(open, matches, ranks);
  core.notTruth!(matches, ranks);
  return choose(batch, matches, open, wanted, core.placeCount!());
}

/**
 * @param matches truth by rank
 * @param open likewise, of those that are undecided
 */
function choose(
  batch: SpanBatch,
  matches: number,
  open: number | null,
  { window, limit, since }: Wanted,
  inspectedSpans: number,
): Judged {
  const { core } = batch;
  const ranks = core.rankCount!();
  core.setWindow!(...wordsOf64(window.startNanos), ...wordsOf64(window.endNanos), ...wordsOf64(since));
  return {
    matched: chosen(batch, core.chooseRanks!(matches, Math.min(limit, ranks))),
    undecided: open === null ? nothing() : chosen(batch, core.chooseRanks!(open, 0)),
    inspectedTraces: batch.traces,
    inspectedSpans,
  };
}

/** A new one each time: its buffers may be moved to another thread. */
function nothing(): JudgedTraces {
  return { ranks: new Uint32Array(0), starts: new BigUint64Array(0) };
}

/** What chooseRanks() has left. */
function chosen(batch: SpanBatch, count: number): JudgedTraces {
  return {
    ranks: batch.u32(Column.Output, count).slice(),
    starts: batch.u64(Column.QueryWork0, count).slice(),
  };
}
