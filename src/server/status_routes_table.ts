// Tables of text, as the status pages show them.

/** @param rows as long as the head each */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = `+${widths.map((width) => "-".repeat(width + 2)).join("+")}+`;
  const text = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return `${[line, text(head), line, ...rows.map(text), line].join("\n")}\n`;
}
