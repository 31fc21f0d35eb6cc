// A query on its way to the workers, as text, and its plan there: the jobs of one search ask for the same one again and again.
import { type MetricsPlan, planMetrics } from "../search/metrics_plan.ts";
import { planSearch, type SearchPlan } from "../search/plan.ts";
import type { Query } from "../traceql/index.ts";

/** JSON of a syntax tree, with its 64-bit integers as { "$int": "…" }. (As TraceQL it could have more brackets than the parser allows.) */
export type QueryText = string;

/** Plans that a worker remembers, of queries that are not longer than this. */
const plansMax = 16;
const rememberedCharactersMax = 1 << 16;

const searches = new Map<QueryText, SearchPlan>();
const measures = new Map<QueryText, MetricsPlan>();

export function queryText(query: Query): QueryText {
  return JSON.stringify(query, (_, value: unknown) =>
    typeof value === "bigint" ? { $int: String(value) } : value,
  );
}

export function planOf(text: QueryText): SearchPlan {
  return remembered(searches, text, planSearch);
}

export function metricsPlanOf(text: QueryText): MetricsPlan {
  return remembered(measures, text, planMetrics);
}

function remembered<Plan>(
  plans: Map<QueryText, Plan>,
  text: QueryText,
  planned: (query: Query) => Plan,
): Plan {
  const known = plans.get(text);
  if (known !== undefined) return known;
  const plan = planned(JSON.parse(text, (_, value: unknown) => intOf(value) ?? value) as Query);
  if (text.length > rememberedCharactersMax) return plan;
  const [oldest] = plans.keys();
  if (plans.size >= plansMax) plans.delete(oldest!);
  plans.set(text, plan);
  return plan;
}

function intOf(value: unknown): bigint | null {
  if (typeof value !== "object" || value === null || !("$int" in value)) return null;
  return BigInt(value.$int as string);
}
