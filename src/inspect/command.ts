// `rubato blocks`: looks into a store itself, without a server.

import { ParquetError } from "../block/parquet_error.ts";
import { CommandError } from "../cli/command_error.ts";
import { printable } from "../cli/printable.ts";
import type { Terminal } from "../cli/terminal.ts";
import { StoreError } from "../store/store.ts";
import { analyse } from "./analyse.ts";
import { convert } from "./convert.ts";
import { list } from "./list.ts";
import { suggestColumns } from "./suggest_columns.ts";
import { verify } from "./verify.ts";
import { view } from "./view.ts";

const parts: Readonly<Record<string, (argv: readonly string[], terminal: Terminal) => Promise<void>>> = {
  list,
  view,
  verify,
  analyse,
  "suggest-columns": suggestColumns,
  convert,
};

const help = `Looks into the blocks of a store: of Rubato or Tempo, on the local disk or in a bucket, which stays as it is.

Usage: rubato blocks list              a line for each block
       rubato blocks view              what one holds, and which columns take its bytes
       rubato blocks verify            read them whole, and say which are damaged
       rubato blocks analyse           which attributes take the bytes
       rubato blocks suggest-columns   which of them deserve columns of their own, as configuration
       rubato blocks convert           write them again with such columns, into another folder

Each lists its options with -help.
`;

/** @throws CommandError */
export async function blocks(argv: readonly string[], terminal: Terminal): Promise<void> {
  const [name, ...rest] = argv;
  if (name !== undefined && /^--?h(elp)?$/.test(name)) {
    terminal.out(help);
    return;
  }
  if (name === undefined || !Object.hasOwn(parts, name)) {
    const found = name === undefined ? "" : `, found "${printable(name)}"`;
    throw CommandError.usage(`expected ${Object.keys(parts).join(", ")}${found}; see rubato blocks -help`);
  }
  try {
    await parts[name]!(rest, terminal);
  } catch (error) {
    if (error instanceof StoreError || error instanceof ParquetError) {
      throw CommandError.failed(printable(error.message));
    }
    throw error;
  }
}
