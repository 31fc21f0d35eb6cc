// A search, planned: what has to be read, what decides, what is shown. Plain data, made once by the front end and sent to every worker.
import type { Attribute, FieldExpression, Query, SpansetExpression, Stage } from "../traceql/index.ts";
import { rewrite } from "../traceql/index.ts";
import { type Loads, loadsOf, printedOf } from "./loads.ts";
import { anyNecessary, everyNecessary, necessaryOf } from "./necessary.ts";
import type { Necessary, Projection } from "./projection.ts";
import { judgeProjection, reportProjection } from "./projection_of.ts";
import { isOfTrace, relax } from "./relax.ts";
import { subjectsOf } from "./subjects.ts";

export interface SearchPlan {
  /** Rewritten. */
  stages: Stage[];
  /** The stages that decide whether a trace matches; what comes after them only changes how it is shown. */
  decidingStages: number;
  /**
   * Whether a trace has to be whole to be judged. If not, a trace matches when one of its parts does.
   */
  needsWholeTrace: boolean;
  /** A trace can match only if one of these holds for one of its spans; null: any trace may. Nothing in them depends on the whole trace. */
  drivers: FieldExpression[] | null;
  /** The same, for what is stored. */
  necessary: Necessary;
  /** Every attribute and intrinsic that the query mentions, and for what. */
  loads: Loads;
  /** What its filters ask of single events and links. */
  subjects: FieldExpression[];
  /** What a result shows of its spans. */
  reported: Attribute[];
  /** Whether a result names its spans. */
  showsName: boolean;
  judge: Projection;
  report: Projection;
}

/** @param query valid */
export function planSearch(query: Query): SearchPlan {
  const { stages } = rewrite(query);
  const decidingStages = stages.findLastIndex(decides) + 1;
  const loads = loadsOf(stages);
  const needsWholeTrace = stages.slice(0, decidingStages).some(stageNeedsWhole);
  const drivers = driversOf(stages);
  const attributes = [...loads.values()].map(({ attribute }) => attribute);
  const reported = attributes.filter((attribute) => !unreported.has(printedOf(attribute)));
  const showsName = loads.has("name");
  return {
    stages,
    decidingStages,
    needsWholeTrace,
    drivers,
    necessary: needsWholeTrace ? ofDrivers(drivers) : ofStages(stages),
    loads,
    subjects: subjectsOf(stages),
    reported,
    showsName,
    judge: judgeProjection(stages.slice(0, decidingStages)),
    report: reportProjection(stages, showsName),
  };
}

/** What a result has fields of its own for. */
const unreported: ReadonlySet<string> = new Set([
  "name",
  "duration",
  "traceDuration",
  "rootName",
  "rootServiceName",
  "trace:id",
  "span:id",
]);

function decides(stage: Stage): boolean {
  return stage.kind === "filter" || stage.kind === "operation" || stage.kind === "scalarFilter";
}

function stageNeedsWhole(stage: Stage): boolean {
  switch (stage.kind) {
    case "filter":
    case "operation":
      return spansetNeedsWhole(stage);
    case "scalarFilter":
      return true;
    case "group":
    case "coalesce":
    case "select":
      return false;
  }
}

function spansetNeedsWhole(node: SpansetExpression): boolean {
  if (node.kind === "filter") return isOfTrace(node.expression);
  if (node.kind === "pipeline") return node.stages.some(stageNeedsWhole);
  return node.op !== "||" || spansetNeedsWhole(node.left) || spansetNeedsWhole(node.right);
}

/** Of everything that must hold, what most likely holds for the fewest spans. */
function driversOf(stages: readonly Stage[]): FieldExpression[] | null {
  let best: FieldExpression[] | null = null;
  for (const stage of stages) {
    if (stage.kind !== "filter" && stage.kind !== "operation") continue;
    best = rarer(best, driversOfSpanset(stage));
  }
  return best;
}

function driversOfSpanset(node: SpansetExpression): FieldExpression[] | null {
  if (node.kind === "filter") {
    const relaxed = relax(node.expression);
    return relaxed === null ? null : [relaxed];
  }
  if (node.kind === "pipeline") return driversOf(node.stages);
  const right = driversOfSpanset(node.right);
  // Of these the right side alone has to be there.
  if (node.op.startsWith("!")) return right;
  const left = driversOfSpanset(node.left);
  if (node.op !== "||") return rarer(left, right);
  return left === null || right === null ? null : [...left, ...right];
}

function rarer(a: FieldExpression[] | null, b: FieldExpression[] | null): FieldExpression[] | null {
  if (a === null || b === null) return a ?? b;
  return rarity(b) > rarity(a) ? b : a;
}

/** How much a part of a filter narrows: a guess by its form. */
function rarity(drivers: FieldExpression[]): number {
  return Math.min(...drivers.map(rarityOf));
}

function rarityOf(node: FieldExpression): number {
  switch (node.kind) {
    case "logical": {
      const parts = node.operands.map(rarityOf);
      return node.op === "&&" ? parts.reduce((sum, part) => sum + part, 0) : Math.min(...parts);
    }
    case "comparison": {
      // Services and names are on every span; generic attributes on some.
      const weight = isAttribute(node.left) || isAttribute(node.right) ? 2 : 1;
      if (node.op === "=") return 4 * weight;
      return node.op === "!=" || node.op === "!~" ? 1 : 2 * weight;
    }
    case "membership":
      return node.op === "IN" || node.op === "MATCH ANY" ? 4 : 1;
    case "existence":
      return node.exists ? 2 : 1;
    default:
      return 1;
  }
}

function isAttribute(node: FieldExpression): boolean {
  return node.kind === "attribute" && !(node.scope === "resource" && node.name === "service.name");
}

function ofDrivers(drivers: FieldExpression[] | null): Necessary {
  return drivers === null ? { kind: "maybe" } : anyNecessary(drivers.map(necessaryOf));
}

function ofStages(stages: readonly Stage[]): Necessary {
  return everyNecessary(
    stages.map((stage) =>
      stage.kind === "filter" || stage.kind === "operation" ? ofSpanset(stage) : { kind: "maybe" },
    ),
  );
}

/** Only of what a part of a trace decides: filters and their unions. */
function ofSpanset(node: SpansetExpression): Necessary {
  if (node.kind === "filter") return necessaryOf(node.expression);
  if (node.kind === "pipeline") return ofStages(node.stages);
  return anyNecessary([ofSpanset(node.left), ofSpanset(node.right)]);
}
