// Series as lines in one chart, told apart by their colours, above their legend.
import { BrailleCanvas, dotsAcross, dotsUp } from "./braille.ts";
import { type ChartSheet, roomBeside, withAxes } from "./chart_sheet.ts";
import { layOut } from "./columns.ts";
import { quantityText } from "./quantity.ts";
import { boundsOf, type Series, summaryOf } from "./series.ts";
import { seriesText } from "./series_label.ts";
import { timeAxis } from "./time_axis.ts";
import { placeOf, valueAxis } from "./value_axis.ts";

/** Of the chart, without the row of the highest mark. */
const rowsMax = 10;

export function lineChart(all: readonly Series[], sheet: ChartSheet): string[] {
  const { grid, units, columns, colours } = sheet;
  const axis = valueAxis(boundsOf(all.map(({ values }) => values)), units.value);
  const width = roomBeside(axis.ticks, columns);
  const steps = axis.ticks.length - 1;
  const rowsEach = Math.max(1, Math.floor(rowsMax / steps));
  // A mark is at the lowest dot of its row, and so needs one row more.
  const canvas = new BrailleCanvas(width, steps * rowsEach + 1);
  const across = (interval: number) => Math.round((interval / (grid.count - 1)) * (width * dotsAcross - 1));
  const up = (value: number) => Math.round(placeOf(value, axis) * steps * rowsEach * dotsUp);
  for (const [i, { values }] of all.entries()) {
    let before: [number, number] | null = null;
    for (const [interval, value] of values.entries()) {
      const dot: [number, number] | null = Number.isNaN(value) ? null : [across(interval), up(value)];
      if (dot !== null) canvas.line(before ?? dot, dot, colours.series(i));
      before = dot;
    }
  }
  const marks: string[] = [];
  for (const [i, tick] of axis.ticks.toReversed().entries()) marks[i * rowsEach] = tick;
  const times = timeAxis(grid, width, (interval) => Math.floor(across(interval) / dotsAcross));
  return [...withAxes(canvas.rows(), marks, times, colours), "", ...legend(all, sheet)];
}

function legend(all: readonly Series[], { units, columns, colours }: ChartSheet): string[] {
  const rows = all.map(({ labels, values }, i) => ({
    label: seriesText(labels),
    paint: colours.series(i),
    summary: summaryOf(values),
  }));
  const { header, lines } = layOut<(typeof rows)[number]>(
    [
      {
        title: "SERIES",
        text: ({ label }) => label,
        paint: ({ paint }) => paint,
        cutTo: { good: 20, least: 4 },
      },
      ...(["last", "min", "max", "avg"] as const).map((name) => ({
        title: name.toUpperCase(),
        align: "right" as const,
        text: ({ summary }: (typeof rows)[number]) =>
          summary === null ? "" : quantityText(summary[name], units.value),
        paint: () => (text: string) => text,
      })),
    ],
    rows,
    columns,
    colours.title,
  );
  return [header, ...lines];
}
