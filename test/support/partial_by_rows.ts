// Partial results of a metrics query as an engine might have them, from plain traces: every span is a cell of its own. What the spans
// are is the oracle's word; what becomes of the cells is for others to say.
import { compareSeries } from "../../src/query/metrics_compare.ts";
import type { Cells, CompareSide, MetricsGroup } from "../../src/query/metrics_partial.ts";
import { metricsSeries } from "../../src/query/metrics_series.ts";
import type { Series } from "../../src/query/metrics_types.ts";
import type { GroupValue } from "../../src/search/labels.ts";
import { kindCodes, statusCodes } from "../../src/search/values.ts";
import type { MetricsFunction, Query } from "../../src/traceql/index.ts";
import { type CountedSpan, countedSpans, type OracleGrid, readOf } from "./metrics_oracle.ts";
import { comparedLabels, sidesOf } from "./oracle_compare.ts";
import { isNumber, type Value } from "./oracle_values.ts";

const bucketsOfSlot = 64;

/** @param query valid and rewritten, with a metrics stage */
export function seriesByRows(
  query: Query,
  traces: Parameters<typeof countedSpans>[1],
  grid: OracleGrid,
): Series[] {
  const stage = query.metrics!;
  const counted = countedSpans(query, traces, grid, new Set());
  if (stage.function.kind !== "compare") {
    const groups = counted.flatMap((one) => groupOf(stage.function, one));
    return metricsSeries(stage, { groups, exemplars: [] }, grid);
  }
  const sides = sidesOf(stage.function, query, counted, new Set());
  const groups = Object.entries(sides).flatMap(([side, spans]) =>
    spans.flatMap(({ span, trace, interval }) =>
      comparedLabels(span, trace).map(({ key, value }) => ({
        side: side as CompareSide,
        attribute: key,
        value,
        cells: cell(interval, 0, 0),
      })),
    ),
  );
  return compareSeries(stage.function, { groups, exemplars: [] }, grid);
}

function groupOf(first: MetricsFunction, { span, interval, fields }: CountedSpan): MetricsGroup[] {
  if (first.kind === "compare") return [];
  const key = first.by.map((attribute) => groupValue(readOf(attribute, span, fields)));
  if (first.kind === "countOverTime") return [{ key, cells: cell(interval, 0, 0) }];
  const value = readOf(first.attribute, span, fields);
  const isBucket = first.kind === "quantileOverTime" || first.function === "histogram_over_time";
  return [{ key, cells: isBucket ? bucketCell(interval, value) : valueCell(interval, value) }];
}

const noCells: Cells = cells([], []);

function bucketCell(interval: number, value: Value): Cells {
  if ((value.type !== "int" && value.type !== "duration") || value.value < 2n) return noCells;
  return cell(interval, (value.value - 1n).toString(2).length, 0);
}

function valueCell(interval: number, value: Value): Cells {
  return isNumber(value) ? cell(interval, 0, Number(value.value)) : noCells;
}

function cell(interval: number, bucket: number, value: number): Cells {
  return cells([interval * bucketsOfSlot + bucket], [value]);
}

function cells(slots: number[], values: number[]): Cells {
  return {
    slots: Uint32Array.from(slots),
    counts: new Float64Array(slots.length).fill(1),
    values: Float64Array.from(values),
  };
}

function groupValue(value: Value): GroupValue | null {
  switch (value.type) {
    case "nil":
    case "array":
      return null;
    case "float":
      return { type: "double", value: value.value };
    case "status":
      return { type: "status", value: statusCodes[value.value] };
    case "kind":
      return { type: "kind", value: kindCodes[value.value] };
    default:
      return value;
  }
}
