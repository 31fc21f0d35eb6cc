// `rubato blocks convert`: blocks of any version and columns, written again as the blocks that this configuration makes.
import { mkdirSync, realpathSync } from "node:fs";
import { isBlockVersion } from "../block/meta.ts";
import { isNewBlockVersion, type NewBlockVersion, newBlockVersions } from "../block/new_block_versions.ts";
import { writeMeta } from "../block/write.ts";
import { CommandError } from "../cli/command_error.ts";
import { type Option, optionsHelp } from "../cli/options.ts";
import { printable } from "../cli/printable.ts";
import type { Terminal } from "../cli/terminal.ts";
import { type Merged, type MergeOptions, type MergeTarget, mergeInto } from "../compact/merge_blocks.ts";
import { MergeError } from "../compact/merge_error.ts";
import { compactionSettings } from "../compact/settings.ts";
import { writtenColumns } from "../config/written_columns.ts";
import { isLive } from "../store/block_objects.ts";
import { LocalStore } from "../store/local_store.ts";
import type { Store } from "../store/store.ts";
import { blocksText, bytesText, countText } from "./bytes_text.ts";
import { namedBlocks, openBlocks, storeOptions } from "./open.ts";
import { Progress } from "./progress.ts";
import type { StoredBlock } from "./stored_block.ts";

/** Written once to be kept, as what is merged for the second time. */
const settingsLevel = 2;

const options = {
  ...storeOptions,
  out: { value: "folder", help: "where the new blocks go; it must be given" },
  version: {
    value: "name",
    help: `${newBlockVersions.join(" or ")}; default storage.trace.block.version of the configuration`,
  },
  help: { help: "print this and exit" },
} as const satisfies Record<string, Option>;

const help = `Writes blocks again in one version and with the dedicated columns of the configuration, into another folder.

Usage: rubato blocks convert -out=<folder> [options] [<id>...]

  rubato blocks convert -config.file=tempo.yaml -out=./converted

${optionsHelp(options)}
Without ids it converts all live blocks. A block keeps its tenant, its id and its level. The blocks that are read are not changed; one
that is in the folder already is not written again, so that a conversion that was cut short can be repeated. Repeats of a span are left
out, and so are the flags of links, which only vParquet3 has. Ends with status 1 if a block can't be converted; the others are.
`;

/** @throws CommandError; StoreError */
export async function convert(argv: readonly string[], terminal: Terminal): Promise<void> {
  const opened = await openBlocks(argv, options);
  if (opened === null) {
    terminal.out(help);
    return;
  }
  const { config, store, blocks, values, rest } = opened;
  const version = versionOf(values.version ?? config.storage.trace.block.version);
  if (!values.out) throw CommandError.usage("-out must say where the new blocks go");
  const out = new LocalStore(madeFolder(values.out));
  if (store instanceof LocalStore && realpathSync(store.root) === out.root) {
    throw CommandError.usage("-out is the folder that is read: name another one");
  }
  const chosen =
    rest.length > 0
      ? namedBlocks(blocks, rest)
      : blocks.filter(({ state }) => state === "live" || state === "broken");
  const target: Target = {
    store: out,
    version,
    dedicatedColumns: writtenColumns(config),
    merge: compactionSettings(config).merge(settingsLevel),
  };
  const progress = new Progress(terminal);
  let failed = 0;
  for (const [number, block] of chosen.entries()) {
    progress.show(number / chosen.length, `${number + 1} of ${chosen.length}`);
    const said = await outcome(target, store, block);
    progress.clear();
    if (said.failed) failed++;
    terminal.out(
      `${said.word.padEnd(10)} ${printable(`${block.tenant}/${block.id}`)}  ${printable(said.text)}\n`,
    );
  }
  if (failed > 0) throw CommandError.failed(`${failed} of ${blocksText(chosen.length)} can't be converted`);
}

function versionOf(name: string): NewBlockVersion {
  if (isNewBlockVersion(name)) return name;
  throw CommandError.usage(`-version: expected ${newBlockVersions.join(" or ")}, found "${printable(name)}"`);
}

/** @returns its path without links, so that it can be told from the one that is read */
function madeFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    return realpathSync(path);
  } catch (error) {
    throw CommandError.failed(`-out: ${printable((error as Error).message)}`);
  }
}

interface Target extends MergeTarget {
  merge: Omit<MergeOptions, "blockId">;
}

interface Outcome {
  word: "converted" | "there" | "FAILED";
  text: string;
  failed: boolean;
}

async function outcome(
  target: Target,
  store: Store,
  { meta, state, problem }: StoredBlock,
): Promise<Outcome> {
  const failure = (text: string): Outcome => ({ word: "FAILED", text, failed: true });
  if (meta === null) return failure(problem || `it is ${state}`);
  if (!isBlockVersion(meta.format)) return failure(`can't read format ${meta.format}`);
  if (await isLive(target.store, meta))
    return { word: "there", text: "is in the folder already", failed: false };
  const written = { ...target.merge, blockId: meta.blockID };
  let merged: Merged;
  try {
    merged = await mergeInto(target, store, [meta], written, async () => {});
  } catch (error) {
    if (error instanceof MergeError) return failure(error.message);
    throw error;
  }
  const converted = { ...merged.meta, compactionLevel: meta.compactionLevel };
  await writeMeta(target.store, converted);
  const repeats = merged.spansRead - merged.spans;
  const left = repeats > 0 ? `, ${countText(repeats)} repeats left out` : "";
  const sizes = `${bytesText(meta.size)} to ${bytesText(converted.size)}`;
  return { word: "converted", text: `${countText(merged.spans)} spans${left}, ${sizes}`, failed: false };
}
