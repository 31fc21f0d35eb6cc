// What holds of exemplars whichever spans are chosen.
import type { Exemplar, Series } from "../../src/query/metrics_types.ts";
import { intervalsOf } from "../../src/search/intervals.ts";
import type { MetricsFunction } from "../../src/traceql/index.ts";
import type { OracleGrid } from "./metrics_oracle.ts";
import type { OracleTrace } from "./oracle_traces.ts";

interface Asked {
  first: MetricsFunction;
  grid: OracleGrid;
  traces: OracleTrace[];
  exemplarsMax: number;
}

/** What is wrong with the exemplars of an answer without second stages, a line each. */
export function exemplarProblems(series: Series[], { first, grid, traces, exemplarsMax }: Asked): string[] {
  const problems: string[] = [];
  const all = series.flatMap((one) => one.exemplars.map((exemplar) => ({ one, exemplar })));
  if (all.length > (grid.isInstant ? 0 : exemplarsMax)) problems.push(`${all.length} exemplars`);
  const seen = new Set<string>();
  for (const { one, exemplar } of all) {
    const id = traceOf(exemplar);
    if (seen.has(id)) problems.push(`two of trace ${id}`);
    seen.add(id);
    const trace = traces.find((some) => some.id.replace(/^0+/, "") === id);
    const spans = trace?.spans.filter(
      ({ startNanos }) => Number(startNanos / 1_000_000n) === exemplar.timestampMs,
    );
    if (spans === undefined || spans.length === 0) problems.push(`no span of trace ${id} then`);
    else if (
      takesSample(first) &&
      !spans.some((span) => sampleAt(one, grid, span.startNanos) === exemplar.value)
    ) {
      problems.push(`${exemplar.value} is not the sample of its time`);
    }
  }
  return problems;
}

function traceOf({ labels }: Exemplar): string {
  return String(labels.find(({ key }) => key === "trace:id")?.value.value);
}

/** Others have a value of their own. */
function takesSample(first: MetricsFunction): boolean {
  return (
    first.kind === "countOverTime" ||
    first.kind === "compare" ||
    (first.kind === "fieldOverTime" && first.function === "histogram_over_time")
  );
}

function sampleAt({ values }: Series, grid: OracleGrid, nanos: bigint): number | undefined {
  const interval = Array.from({ length: intervalsOf(grid) }, (_, i) => i).find(
    (i) => nanos <= grid.startNanos + grid.stepNanos * BigInt(i + 1),
  );
  return nanos <= grid.startNanos || interval === undefined ? undefined : values[interval];
}
