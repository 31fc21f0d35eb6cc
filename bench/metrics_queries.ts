// The metrics queries that are measured, over the spans of the load generator, each with the bar that was set for it and what Tempo
// 3.0.3 took on the same machine and data.
import { list, type MeasuredQuery, member } from "./measure_queries.ts";

export const metricsQueries: readonly MeasuredQuery[] = [
  range("{ } | rate() by (resource.service.name)", "≤ 60", "860"),
  range("{ status = error } | count_over_time() by (span.http.route)", "≤ 70", "730"),
  range("{ } | quantile_over_time(duration, .5, .99) by (resource.service.name)", "≤ 90", "1300"),
  range("{ } | avg_over_time(span.http.response_content_length) by (span.http.method)", "≤ 250", "3800"),
  range("{ } | count_over_time() by (span.user.id)", "≤ 400", "7200"),
  range('{ resource.service.name = "cart" } | compare({ status = error })', "≤ 300", "3900"),
];

/** As many groups as spans, nearly: more than any answer has room for. */
export const unboundedQuery = range("{ } | count_over_time() by (span.http.url)", "PARTIAL", "");

function range(q: string, bar: string, tempo: string): MeasuredQuery {
  return { name: q, path: "/api/metrics/query_range", parameters: { q }, found: foundSeries, bar, tempo };
}

function foundSeries(answer: unknown): string {
  const series = `${list(answer, "series").length} series`;
  const status = member(answer, "status");
  return status === undefined ? series : `${series}, ${status}`;
}
