// Where a command's output goes, and what may be put there.
import process from "node:process";

export interface Terminal {
  /** Columns of the terminal; null where the output is no terminal, and lines are as long as they are. */
  columns: number | null;
  colours: boolean;
  out(text: string): void;
  err(text: string): void;
}

const columnsDefault = 80;

/** Standard output and error of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  // Whoever reads may have enough before the end, as head has.
  stdout.on("error", (error: Error & { code?: string }) => process.exit(error.code === "EPIPE" ? 0 : 1));
  const isTerminal = stdout.isTTY === true;
  return {
    columns: isTerminal ? stdout.columns || columnsDefault : null,
    colours: isTerminal && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb",
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
  };
}
