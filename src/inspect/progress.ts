// A bar on the last line of a terminal while long work runs; nothing where the output is no terminal.
import type { Terminal } from "../cli/terminal.ts";

const width = 30;
const clearLine = "\r\x1b[K";

export class Progress {
  readonly #terminal: Pick<Terminal, "columns" | "err">;
  #shown = "";

  constructor(terminal: Pick<Terminal, "columns" | "err">) {
    this.#terminal = terminal;
  }

  /** @param share of the work that is done, 0 to 1 */
  show(share: number, label: string): void {
    if (this.#terminal.columns === null) return;
    const full = Math.round(share * width);
    const text = `[${"#".repeat(full)}${".".repeat(width - full)}] ${Math.floor(share * 100)} %  ${label}`;
    if (text === this.#shown) return;
    this.#shown = text;
    this.#terminal.err(`${clearLine}${text.slice(0, this.#terminal.columns - 1)}`);
  }

  clear(): void {
    if (this.#shown !== "") this.#terminal.err(clearLine);
    this.#shown = "";
  }
}
