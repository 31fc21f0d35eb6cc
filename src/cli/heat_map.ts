// Histograms over time: a row for each bucket, a column for each interval, the darker the more spans.
import { type ChartSheet, roomBeside, withAxes, zeroMark } from "./chart_sheet.ts";
import type { Colours } from "./colours.ts";
import type { Histogram } from "./histogram.ts";
import { intervalColumns, valuesByColumn } from "./interval_columns.ts";
import { quantityText } from "./quantity.ts";
import { joinSegments } from "./segments.ts";
import { seriesText } from "./series_label.ts";
import { timesBelow } from "./time_axis.ts";

const shades = ["░", "▒", "▓", "█"] as const;

/** On one scale. Buckets are named by the most that they take. */
export function heatMaps(histograms: readonly Histogram[], sheet: ChartSheet): string[] {
  const { grid, units, columns, colours } = sheet;
  const bounds = histograms.flatMap(({ buckets }) => buckets.map(({ bound }) => bound));
  const room = roomBeside(
    bounds.map((bound) => quantityText(bound, units.attribute)),
    columns,
  );
  const places = intervalColumns(grid.count, room);
  const maps = histograms.map(({ labels, buckets }) => ({
    label: labels.length === 0 ? null : seriesText(labels),
    marks: buckets.map(({ bound }) => quantityText(bound, units.attribute)).reverse(),
    rows: buckets.map(({ counts }) => valuesByColumn(counts, places, (a, b) => a + b)).reverse(),
  }));
  let most = 0;
  for (const { rows } of maps) {
    for (const row of rows) {
      for (const count of row) if (count > most) most = count;
    }
  }
  const limits = shadeLimits(most);
  const lines = maps.flatMap(({ label, marks, rows }) => [
    ...(label === null ? [] : [joinSegments([[label, colours.title]], columns)]),
    ...withAxes(
      rows.map((row) => shadedRow(row, limits, colours)),
      marks,
      timesBelow(grid, places),
      colours,
    ),
    "",
  ]);
  return [...lines, shadeLegend(limits, colours)];
}

/** The most that each shade stands for. Logarithmic: few slow spans among many fast ones are what is looked for. */
function shadeLimits(most: number): number[] {
  return shades.map((_, i) =>
    i === shades.length - 1 ? most : Math.floor((1 + most) ** ((i + 1) / shades.length) - 1 + 1e-9),
  );
}

function shadedRow(counts: Float64Array, limits: readonly number[], colours: Colours): string {
  let row = "";
  for (const count of counts) {
    if (Number.isNaN(count)) row += " ";
    else if (count <= 0) row += colours.dim(zeroMark);
    else {
      const level = limits.findIndex((limit) => count <= limit);
      row += colours.heat(level + 1)(shades[level]!);
    }
  }
  return row;
}

/** `· 0  ░ 1  ▒ 2–3  ▓ 4–7  █ 8–15 spans`. */
function shadeLegend(limits: readonly number[], colours: Colours): string {
  const parts = [`${colours.dim(zeroMark)} 0`];
  let before = 0;
  for (const [i, limit] of limits.entries()) {
    const least = before + 1;
    if (limit < least) continue;
    const range = limit === least ? "" : `–${quantityText(limit, "count")}`;
    parts.push(`${colours.heat(i + 1)(shades[i]!)} ${quantityText(least, "count")}${range}`);
    before = limit;
  }
  return `${parts.join("  ")} spans`;
}
