// Benchmark results as a Markdown table, and the machine's own noise beside them.
import { cpus } from "node:os";
import { mix32 } from "./load/ids.ts";

export function printTable(head: string[], rows: string[][]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |\n`;
  process.stdout.write(line(head));
  process.stdout.write(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|\n`);
  for (const row of rows) process.stdout.write(line(head.map((_, i) => row[i] ?? "")));
}

const calibrationRounds = 7;
const calibrationSteps = 20_000_000;

/** Milliseconds that a fixed piece of work takes, several times over: how fast and how quiet the machine is now. */
export function calibrate(): number[] {
  return Array.from({ length: calibrationRounds }, () => {
    const startMs = performance.now();
    let x = 1;
    for (let i = 0; i < calibrationSteps; i++) x = mix32(x + i);
    const ms = performance.now() - startMs;
    return x === 0 ? Number.NaN : ms; // x is used, so the loop stays
  });
}

export function printNoise(before: number[], after: number[]): void {
  const all = [...before, ...after].sort((a, b) => a - b);
  const low = all[0]!;
  const high = all[all.length - 1]!;
  const middle = all[all.length >> 1]!;
  const percent = ((high / low - 1) * 100).toFixed(0);
  const model = cpus()[0]?.model ?? "unknown processor";
  process.stdout.write(
    `\nMachine: ${cpus().length} × ${model}; a fixed loop took ${low.toFixed(0)}–${high.toFixed(0)} ms (median ${middle.toFixed(0)}, spread ${percent} %) before and after.\n`,
  );
}

export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
