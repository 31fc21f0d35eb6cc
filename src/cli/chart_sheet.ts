// What the drawings of a metrics query share.
import type { Colours } from "./colours.ts";
import type { Units } from "./quantity.ts";
import { pad } from "./text_width.ts";
import type { TimeGrid } from "./time_grid.ts";

export interface ChartSheet {
  grid: TimeGrid;
  units: Units;
  /** Of the terminal; null: nothing but the drawing is bounded. */
  columns: number | null;
  colours: Colours;
}

/** In a column that shows 0, where one without a sample is blank. */
export const zeroMark = "·";

/** Where the output is no terminal. */
export const columnsPiped = 80;
const roomMin = 10;
const axisWidth = " ┤".length;

/** Columns beside a value axis with such marks. */
export function roomBeside(marks: readonly string[], columns: number | null): number {
  return Math.max(roomMin, (columns ?? columnsPiped) - widest(marks) - axisWidth);
}

/** Rows with the value axis before them, and the time axis below; the rows and their marks from the top. */
export function withAxes(
  rows: Iterable<string>,
  marks: readonly string[],
  [line, times]: readonly string[],
  { dim }: Colours,
): string[] {
  const width = widest(marks);
  const lines: string[] = [];
  for (const row of rows) {
    const mark = marks[lines.length] ?? "";
    lines.push(`${dim(`${pad(mark, width, "right")} ${mark === "" ? "│" : "┤"}`)}${row}`);
  }
  if (line !== undefined) lines.push(dim(`${" ".repeat(width)} └${line}`));
  if (times !== undefined) lines.push(dim(`${" ".repeat(width + axisWidth)}${times}`));
  return lines;
}

function widest(marks: readonly string[]): number {
  return marks.reduce((most, mark) => Math.max(most, mark.length), 0);
}
