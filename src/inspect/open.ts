// Which store a command looks into: the one of a configuration, or a folder that is named.
import { statSync } from "node:fs";
import { CommandError } from "../cli/command_error.ts";
import { type Option, parseOptions } from "../cli/options.ts";
import { printable } from "../cli/printable.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, printProblem } from "../config/error.ts";
import { type Flag, readConfig } from "../config/read.ts";
import { openStore, type Store } from "../store/store.ts";
import { type StoredBlock, storedBlocks } from "./stored_block.ts";

export const storeOptions = {
  "config.file": { value: "path", help: "the configuration that says where blocks are" },
  "config.expand-env": { help: `replace \${NAME} and \${NAME:-default} in it` },
  path: { value: "folder", help: "a folder of blocks, in the configuration's place" },
  tenant: { value: "name", help: "blocks of this tenant alone" },
} as const satisfies Record<string, Option>;

export interface Opened<Name extends string> {
  config: Config;
  store: Store;
  /** All of it, or of the tenant that was asked for. */
  blocks: StoredBlock[];
  values: Partial<Record<Name, string>>;
  rest: string[];
}

/**
 * Reads the options, opens the store and finds its blocks.
 *
 * @returns null if the help was asked for
 * @throws CommandError; StoreError
 */
export async function openBlocks<Name extends string>(
  argv: readonly string[],
  options: Readonly<Record<Name, Option>>,
): Promise<Opened<Name> | null> {
  const given = parseOptions(argv, options);
  const values: Partial<Record<string, string>> = given.values;
  if (values.help !== undefined) return null;
  const flags: Flag[] = [];
  if (values.path !== undefined) {
    flags.push({ name: "path", key: "storage.trace.local.path", value: values.path });
    flags.push({ name: "path", key: "storage.trace.backend", value: "local" });
  }
  const { config, store } = await configured(
    values["config.file"],
    values["config.expand-env"] !== undefined,
    flags,
  );
  const blocks = await storedBlocks(store, values.tenant);
  if (blocks.length === 0 && values.tenant !== undefined) {
    throw CommandError.failed(`tenant "${printable(values.tenant)}" has no blocks there`);
  }
  return { config, store, blocks, ...given };
}

async function configured(
  file: string | undefined,
  expandEnv: boolean,
  flags: Flag[],
): Promise<{ config: Config; store: Store }> {
  try {
    const { config } = await readConfig({ ...(file !== undefined && { file }), expandEnv, flags });
    const { backend, local } = config.storage.trace;
    if (backend === "local" && !statSync(local.path, { throwIfNoEntry: false })?.isDirectory()) {
      throw CommandError.failed(
        `there is no folder ${printable(local.path)}; -config.file or -path says where blocks are`,
      );
    }
    return { config, store: openStore(config) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw CommandError.usage(error.problems.map(printProblem).map(printable).join("\n"));
  }
}

/**
 * The blocks that were named by their ids or the beginnings of them.
 *
 * @throws CommandError if a name fits none, or several
 */
export function namedBlocks(blocks: readonly StoredBlock[], names: readonly string[]): StoredBlock[] {
  const named = names.map((name) => {
    if (name === "") throw CommandError.usage("a block's id is empty");
    const [block, ...more] = blocks.filter(({ id }) => id.startsWith(name.toLowerCase()));
    if (block === undefined) throw CommandError.failed(`there is no block "${printable(name)}"`);
    if (more.length > 0) {
      throw CommandError.failed(`${more.length + 1} blocks begin with "${printable(name)}": name more of it`);
    }
    return block;
  });
  return [...new Set(named)];
}
