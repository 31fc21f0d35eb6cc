// Columns of a table, fitted into the width of a terminal.
import type { Paint } from "./colours.ts";
import { cut, pad, textWidth } from "./text_width.ts";

export interface Column<Row> {
  title: string;
  align?: "left" | "right";
  text: (row: Row) => string;
  paint: (row: Row) => Paint;
  /** Widths that it may be cut to: one that still reads well, and the least. Without them, it is never cut. */
  cutTo?: { good: number; least: number };
  /** Left out, the last such column first, where the others have no room to read well. */
  optional?: boolean;
}

const gap = "  ";

/**
 * The header and the rows as lines.
 *
 * @param width columns of the terminal; null: nothing is cut
 */
export function layOut<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | null,
  titlePaint: Paint,
): { header: string; lines: string[] } {
  const cells = columns.map((column) => rows.map(column.text));
  const natural = columns.map(({ title }, i) =>
    cells[i]!.reduce((most, text) => Math.max(most, textWidth(text)), title.length),
  );
  const fitted = width === null ? natural : fit(columns, natural, width);
  const shown = columns.flatMap((column, i) => {
    const columnWidth = fitted[i];
    return columnWidth == null ? [] : [{ ...column, texts: cells[i]!, width: columnWidth }];
  });
  const line = (texts: { text: string; paint: Paint }[]) =>
    texts
      .map(({ text, paint }, i) => {
        const { width: room, align } = shown[i]!;
        return pad(cut(text, room), room, align, paint);
      })
      .join(gap)
      .trimEnd();
  return {
    header: line(shown.map(({ title }) => ({ text: title, paint: titlePaint }))),
    lines: rows.map((row, r) =>
      line(shown.map(({ texts, paint }) => ({ text: texts[r]!, paint: paint(row) }))),
    ),
  };
}

/** Widths for the columns, null for those that are left out. */
function fit(
  columns: readonly Pick<Column<never>, "cutTo" | "optional">[],
  natural: readonly number[],
  width: number,
): (number | null)[] {
  const widths: (number | null)[] = [...natural];
  const floor = (by: "good" | "least") =>
    natural.map((size, i) => Math.min(size, columns[i]!.cutTo?.[by] ?? size));
  const good = floor("good");
  const excess = (size: (i: number) => number) => {
    const shown = [...widths.keys()].filter((i) => widths[i] !== null);
    return shown.reduce((sum, i) => sum + size(i), 0) + gap.length * (shown.length - 1) - width;
  };
  for (let i = columns.length - 1; i >= 0 && excess((at) => good[at]!) > 0; i--) {
    if (columns[i]!.optional) widths[i] = null;
  }
  for (const least of [good, floor("least")]) {
    for (let over = excess((at) => widths[at]!); over > 0; over--) {
      const widest = widestAbove(widths, least);
      if (widest < 0) break;
      widths[widest]!--;
    }
  }
  return widths;
}

/** The widest of those that can still be cut, -1 if none can. */
function widestAbove(widths: readonly (number | null)[], least: readonly number[]): number {
  let widest = -1;
  for (const [i, size] of widths.entries()) {
    if (size !== null && size > least[i]! && (widest < 0 || size > widths[widest]!)) widest = i;
  }
  return widest;
}
