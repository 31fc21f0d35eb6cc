// A metrics query, planned: which spans it counts, by what, and what has to be read for that. Made by every worker for itself.
import { Fold } from "../../wasm/series_ids.ts";
import {
  type Attribute,
  type Compare,
  type Comparison,
  type FieldExpression,
  type MetricsFunction,
  type Query,
  rewrite,
  type SpansetExpression,
  type Stage,
} from "../traceql/index.ts";
import { type Loads, loadsOf } from "./loads.ts";
import { planSearch } from "./plan.ts";
import type { Necessary, Projection } from "./projection.ts";
import { compareProjection, metricsProjection } from "./projection_of.ts";
import { isOfTrace } from "./relax.ts";
import { subjectsOf } from "./subjects.ts";

export interface MetricsPlan {
  /** What chooses the spans, for batches whose traces are in order. */
  stages: Stage[];
  /** The same for heads whose traces are in none: what is asked of the tree of a trace and can be told without it is put so. */
  treelessStages: Stage[];
  /** Whether filters alone choose the spans, each for itself. */
  isOfSpans: boolean;
  /** Whether a trace has to be whole for that, or for what its spans are grouped by. */
  needsWholeTrace: boolean;
  /** Whether the traces of a batch have to be in order. A comparison takes of a trace in several places what each knows of its root. */
  needsOrder: boolean;
  /** A trace has spans that count only if one of these holds for one of its spans; null: any trace may. */
  drivers: FieldExpression[] | null;
  /** The same, for what is stored. */
  necessary: Necessary;
  loads: Loads;
  subjects: FieldExpression[];
  fold: Fold;
  /** What is measured of a span; null: that it is there. */
  operand: Attribute | null;
  by: Attribute[];
  compare: Compare | null;
  /** Attributes that an exemplar is labelled with. */
  labels: Attribute[];
  projection: Projection;
}

/** Attributes that are shown of an exemplar. */
const exemplarLabelsMax = 32;

/** @param query valid, with a metrics stage */
export function planMetrics(query: Query): MetricsPlan {
  const { stages, metrics } = rewrite(query);
  if (metrics === null) throw new Error("metrics: the query has no metrics stage");
  const first = metrics.function;
  const by = first.kind === "compare" ? [] : first.by;
  const operand = operandOf(first);
  const compare = first.kind === "compare" ? first : null;
  const treelessStages = stages.map(treelessStage);
  const search = planSearch({ ...query, stages: treelessStages, metrics: null });
  const others = [...by, ...(operand === null ? [] : [operand])];
  const selection = compare === null ? [] : [compare.selection];
  const evaluated = [...stages, ...treelessStages, ...selection];
  const loads = loadsOf(evaluated);
  const needsWholeTrace =
    search.needsWholeTrace ||
    others.some(isOfTrace) ||
    selection.some(({ expression }) => isOfTrace(expression));
  const needsOrder = needsWholeTrace || compare !== null;
  const shown = [
    ...[...loadsOf([...stages, ...selection]).values()].map(({ attribute }) => attribute),
    ...others,
  ];
  return {
    stages,
    treelessStages,
    isOfSpans: !search.needsWholeTrace,
    needsWholeTrace,
    needsOrder,
    drivers: search.drivers,
    necessary: search.necessary,
    loads,
    subjects: subjectsOf(evaluated),
    fold: foldOf(first),
    operand,
    by,
    compare,
    labels: shown.filter((attribute) => needsOrder || !isOfTrace(attribute)).slice(0, exemplarLabelsMax),
    projection:
      compare === null ? metricsProjection(stages, others, []) : compareProjection([...stages, ...selection]),
  };
}

function operandOf(first: MetricsFunction): Attribute | null {
  return first.kind === "fieldOverTime" || first.kind === "quantileOverTime" ? first.attribute : null;
}

function foldOf(first: MetricsFunction): Fold {
  if (first.kind === "quantileOverTime") return Fold.Buckets;
  return first.kind === "fieldOverTime" ? folds[first.function] : Fold.Count;
}

const folds = {
  min_over_time: Fold.Min,
  max_over_time: Fold.Max,
  sum_over_time: Fold.Sum,
  avg_over_time: Fold.Sum,
  histogram_over_time: Fold.Buckets,
} as const;

// ---- tests for the root of a trace, which every query of Traces Drilldown has

function treelessStage(stage: Stage): Stage {
  return stage.kind === "filter" || stage.kind === "operation" ? treelessSpanset(stage) : stage;
}

function treelessSpanset<Node extends SpansetExpression>(node: Node): Node {
  switch (node.kind) {
    case "filter":
      return { ...node, expression: treeless(node.expression) };
    case "operation":
      return { ...node, left: treelessSpanset(node.left), right: treelessSpanset(node.right) };
    case "pipeline":
      return { ...node, stages: node.stages.map(treelessStage) };
  }
}

/** `nestedSetParent < 0` holds for roots, and those are the spans without a parent's id. */
function treeless(node: FieldExpression): FieldExpression {
  switch (node.kind) {
    case "logical":
      return { ...node, operands: node.operands.map(treeless) };
    case "unary":
      return node.op === "!" ? { ...node, operand: treeless(node.operand) } : node;
    case "comparison": {
      if (!isRootTest(node)) return node;
      const { position } = node;
      return {
        kind: "comparison",
        op: "=",
        left: { kind: "intrinsic", name: "span:parentID", position },
        right: { kind: "literal", type: "string", value: noParent, position },
        position,
      };
    }
    default:
      return node;
  }
}

const noParent = "0000000000000000";

function isRootTest({ op, left, right }: Comparison): boolean {
  if (left.kind !== "intrinsic" || left.name !== "nestedSetParent") return false;
  if (right.kind !== "literal" || right.type !== "int") return false;
  return (op === "<" && right.value === 0n) || ((op === "=" || op === "<=") && right.value === -1n);
}
