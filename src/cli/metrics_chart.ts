// The answer to a metrics query as a picture: which series are shown, and the drawing that suits them.
import { type Bar, barTable } from "./bar_table.ts";
import type { ChartSheet } from "./chart_sheet.ts";
import { heatMaps } from "./heat_map.ts";
import { type Histogram, histogramsOf } from "./histogram.ts";
import { lineChart } from "./line_chart.ts";
import { clock, day } from "./local_time.ts";
import { quantityText } from "./quantity.ts";
import { joinSegments } from "./segments.ts";
import { highest, type Series, summaryOf } from "./series.ts";
import { compareLabels, seriesText } from "./series_label.ts";
import { smallCharts } from "./small_charts.ts";

export interface MetricsChart {
  lines: string[];
  /** `2 of 12 series, …`: what there is, and whether it is all shown. */
  note: string;
}

/** More lines than this in one chart hide each other. */
const overlaidMax = 5;

/**
 * Draws a range query.
 *
 * @param all each with a sample
 * @param limit of series, or of histograms; 0: all
 * @param coloured without colours, lines in one chart can't be told apart
 */
export function rangeChart(
  all: readonly Series[],
  sheet: ChartSheet,
  limit: number,
  coloured: boolean,
): MetricsChart {
  const title = joinSegments([[rangeText(sheet), sheet.colours.title]], sheet.columns);
  const histograms = histogramsOf(all);
  if (histograms !== null) {
    const shown = highest(histograms, limit, spansOf);
    return {
      lines: [title, "", ...heatMaps(shown, sheet)],
      note: noteOf(shown.length, histograms.length, histogramNouns, "most spans"),
    };
  }
  const shown = highest(all.toSorted(byLabels), limit, averageOf);
  const overlaid = shown.length === 1 || (coloured && shown.length <= overlaidMax);
  return {
    lines: [title, "", ...(overlaid ? lineChart : smallCharts)(shown, sheet)],
    note: noteOf(shown.length, all.length, seriesNouns, "highest averages"),
  };
}

/**
 * Makes a table of an instant query.
 *
 * @param all each with one value
 */
export function instantChart(
  all: readonly Series[],
  sheet: Omit<ChartSheet, "grid">,
  limit: number,
): MetricsChart {
  const histograms = histogramsOf(all);
  if (histograms !== null) {
    const shown = highest(histograms, limit, spansOf);
    return {
      lines: barTable(
        shown.flatMap((histogram) => bucketBars(histogram, sheet)),
        sheet,
      ),
      note: noteOf(shown.length, histograms.length, histogramNouns, "most spans"),
    };
  }
  const shown = highest(all.toSorted(byLabels), limit, averageOf).sort((a, b) => averageOf(b) - averageOf(a));
  return {
    lines: barTable(
      shown.map(({ labels, values }) => ({ label: seriesText(labels), value: values[0]! })),
      sheet,
    ),
    note: noteOf(shown.length, all.length, seriesNouns, "highest values"),
  };
}

/** A bucket is named by the most that it takes. */
function bucketBars({ labels, buckets }: Histogram, { units }: Pick<ChartSheet, "units">): Bar[] {
  const label = labels.length === 0 ? "" : `${seriesText(labels)} `;
  return buckets.map(({ bound, counts }) => ({
    label: `${label}≤ ${quantityText(bound, units.attribute)}`,
    value: counts[0]!,
  }));
}

function byLabels(a: Series, b: Series): number {
  return compareLabels(a.labels, b.labels);
}

function averageOf({ values }: Pick<Series, "values">): number {
  return summaryOf(values)?.avg ?? 0;
}

function spansOf({ buckets }: Histogram): number {
  return buckets.reduce((sum, { counts }) => sum + averageOf({ values: counts }), 0);
}

/** `2026-01-15 09:00:00 to 10:00:00, step 30s`. */
function rangeText({ grid: { firstMs, stepMs, count } }: ChartSheet): string {
  const [first, last] = [new Date(firstMs), new Date(firstMs + (count - 1) * stepMs)];
  const [from, to] = [first, last].map((moment) => clock(moment).replace(/\.000$/, ""));
  const lastDay = day(last) === day(first) ? "" : `${day(last)} `;
  return `${day(first)} ${from} to ${lastDay}${to}, step ${quantityText(stepMs / 1000, "seconds")}`;
}

const seriesNouns = ["series", "series"] as const;
const histogramNouns = ["histogram", "histograms"] as const;

function noteOf(shown: number, all: number, [one, many]: readonly [string, string], what: string): string {
  const counted = `${all} ${all === 1 ? one : many}`;
  if (shown === all) return counted;
  return `${shown} of ${counted}, those with the ${what}; ${all - shown} not shown, -limit=0 shows all`;
}
