// A small chart of columns for each series, all on one scale.
import { type ChartSheet, roomBeside, withAxes, zeroMark } from "./chart_sheet.ts";
import { type IntervalColumns, intervalColumns, valuesByColumn } from "./interval_columns.ts";
import { quantityText } from "./quantity.ts";
import { joinSegments, type Segment, segmentsWidth } from "./segments.ts";
import { boundsOf, type Series, summaryOf } from "./series.ts";
import { seriesText } from "./series_label.ts";
import { timesBelow } from "./time_axis.ts";
import { placeOf, type ValueAxis, valueAxis } from "./value_axis.ts";

const eighths = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const full = eighths.length - 1;
const rows = 2;
const labelWidthMin = 8;

export function smallCharts(all: readonly Series[], sheet: ChartSheet): string[] {
  const { grid, units, columns, colours } = sheet;
  const axis = valueAxis(boundsOf(all.map(({ values }) => values)), units.value);
  const marks = [axis.ticks.at(-1)!, axis.ticks[0]!];
  const places = intervalColumns(grid.count, roomBeside(marks, columns));
  const last = all.length - 1;
  return all.flatMap((series, i) => [
    title(series, i, sheet),
    ...withAxes(
      blockRows(series.values, axis, places).map((row) => colours.series(i)(row)),
      marks,
      i === last ? timesBelow(grid, places) : [],
      colours,
    ),
  ]);
}

function title({ labels, values }: Series, index: number, sheet: ChartSheet): string {
  const { units, columns, colours } = sheet;
  const summary = summaryOf(values);
  const facts: Segment[] = [];
  if (summary !== null) {
    for (const name of ["last", "min", "max", "avg"] as const) {
      facts.push([`  ${name} `, colours.dim], [quantityText(summary[name], units.value), (text) => text]);
    }
  }
  const room = columns === null ? null : Math.max(labelWidthMin, columns - segmentsWidth(facts));
  const label = joinSegments([[seriesText(labels), colours.series(index)]], room);
  return `${label}${joinSegments(facts, columns)}`;
}

/** From the top. Of intervals that share a column the highest value is shown: a peak stays one. */
function blockRows(values: Float64Array, axis: ValueAxis, places: IntervalColumns): string[] {
  const drawn = ["", ""];
  for (const value of valuesByColumn(values, places, Math.max)) {
    const height = Number.isNaN(value) ? 0 : Math.max(1, Math.ceil(placeOf(value, axis) * rows * full));
    drawn[0] += eighths[Math.max(0, height - full)]!;
    drawn[1] += value === 0 && axis.low === 0 ? zeroMark : eighths[Math.min(height, full)]!;
  }
  return drawn;
}
