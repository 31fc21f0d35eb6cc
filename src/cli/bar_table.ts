// The answer to an instant query: a line for each series, with its value and a bar.
import type { ChartSheet } from "./chart_sheet.ts";
import { type Column, layOut } from "./columns.ts";
import { quantityText } from "./quantity.ts";
import { textWidth } from "./text_width.ts";

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
const gap = "  ";
const barWidthPiped = 40;
const barWidthMin = 10;
/** Of the terminal, for the labels at most. */
const labelShare = 0.5;
const labelTitle = "SERIES";
const valueTitle = "VALUE";

export interface Bar {
  /** Printable. */
  label: string;
  value: number;
}

export function barTable(
  bars: readonly Bar[],
  { units, columns, colours }: Omit<ChartSheet, "grid">,
): string[] {
  const rows = bars.map(({ label, value }, i) => ({
    label,
    value,
    text: quantityText(value, units.value),
    paint: colours.series(i),
  }));
  type Row = (typeof rows)[number];
  const most = rows.reduce((size, { value }) => Math.max(size, Math.abs(value)), 0);
  const widest = (least: string, texts: readonly string[]) =>
    texts.reduce((width, text) => Math.max(width, textWidth(text)), least.length);
  const labelWidth = widest(
    labelTitle,
    rows.map(({ label }) => label),
  );
  const valueWidth = widest(
    valueTitle,
    rows.map(({ text }) => text),
  );
  const room =
    columns === null
      ? barWidthPiped
      : columns - Math.min(labelWidth, Math.floor(columns * labelShare)) - valueWidth - 2 * gap.length;
  const barWidth = Math.max(barWidthMin, room);
  const plain = () => (text: string) => text;
  const table: Column<Row>[] = [
    { title: labelTitle, text: ({ label }) => label, paint: plain, cutTo: { good: 20, least: 4 } },
    { title: valueTitle, align: "right", text: ({ text }) => text, paint: plain },
    {
      title: "",
      text: ({ value }) => barOf(Math.abs(value) / most, barWidth),
      paint: ({ paint }) => paint,
    },
  ];
  const { header, lines } = layOut(table, rows, columns, colours.title);
  return [header, ...lines];
}

/** In eighths of a column; at least one of them for what is not 0. */
function barOf(share: number, width: number): string {
  if (!(share > 0)) return "";
  const length = Math.max(1, Math.round(share * width * eighths.length));
  return "█".repeat(Math.floor(length / eighths.length)) + eighths[length % eighths.length]!;
}
