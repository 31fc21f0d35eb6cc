// `rubato blocks suggest-columns`: dedicated columns for what the blocks hold, as configuration.
import { CommandError } from "../cli/command_error.ts";
import { type Option, optionsHelp } from "../cli/options.ts";
import { printableJson } from "../cli/printable.ts";
import type { Terminal } from "../cli/terminal.ts";
import { blocksText, countText } from "./bytes_text.ts";
import { openBlocks } from "./open.ts";
import { suggestedColumns } from "./suggested_columns.ts";
import { chosenBlocks, chosenOptions, tallyOf, warnLeftOut } from "./tally_blocks.ts";

const options = { ...chosenOptions, help: { help: "print this and exit" } } as const satisfies Record<
  string,
  Option
>;

const help = `Suggests dedicated columns: the attributes with the most bytes of strings that have no column of their own in every block of the
version that the configuration has.

Usage: rubato blocks suggest-columns [options] [<id>...]

${optionsHelp(options)}
Prints what can go into the configuration as it is. It is for blocks that will be written; those in the store stay as they are.
`;

/** @throws CommandError; StoreError; ParquetError */
export async function suggestColumns(argv: readonly string[], terminal: Terminal): Promise<void> {
  const opened = await openBlocks(argv, options);
  if (opened === null) {
    terminal.out(help);
    return;
  }
  const chosen = chosenBlocks(opened.blocks, opened.rest, opened.values.blocks);
  const { tally, spans } = await tallyOf(opened.store, chosen, terminal);
  const columns = suggestedColumns(tally.rows, opened.config.storage.trace.block.version);
  if (columns.length === 0) {
    throw CommandError.failed("no attribute has enough bytes of strings to deserve a column of its own");
  }
  terminal.out("storage:\n  trace:\n    block:\n      parquet_dedicated_columns:\n");
  for (const { scope, name, share } of columns) {
    // JSON's strings are YAML's too, whatever a name holds.
    const entry = `{ scope: ${scope}, name: ${printableJson(JSON.stringify(name))}, type: string }`;
    terminal.out(`        - ${entry} # ${(share * 100).toFixed(1)} % of the ${scope} strings\n`);
  }
  terminal.err(`from ${countText(spans)} spans in ${blocksText(chosen.length)}\n`);
  warnLeftOut(tally, terminal);
}
