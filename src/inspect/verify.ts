// `rubato blocks verify`: reads blocks whole and says which are damaged.
import { isBlockVersion } from "../block/meta.ts";
import { CommandError } from "../cli/command_error.ts";
import { type Option, optionsHelp } from "../cli/options.ts";
import { printable } from "../cli/printable.ts";
import type { Terminal } from "../cli/terminal.ts";
import { isCompacted, isLive } from "../store/block_objects.ts";
import { type Store, StoreError, StoreNotFound } from "../store/store.ts";
import { blocksText, countText } from "./bytes_text.ts";
import { type CheckedBlock, checkBlock } from "./check_block.ts";
import { namedBlocks, openBlocks, storeOptions } from "./open.ts";
import { Progress } from "./progress.ts";
import type { StoredBlock } from "./stored_block.ts";

const options = {
  ...storeOptions,
  help: { help: "print this and exit" },
} as const satisfies Record<string, Option>;

const help = `Reads blocks whole, every column of every span, and says which are damaged.

Usage: rubato blocks verify [options] [<id>...]

  rubato blocks verify -config.file=tempo.yaml
  rubato blocks verify -path=./data/blocks 2437c1f7

${optionsHelp(options)}
Without ids it reads all live blocks. What is held against each other: meta.json, the length and footer of data.parquet, its
pages and their checksums, the order of its traces, its bloom filters and its index. Nothing is written. Blocks of formats that
Rubato can't read are skipped. Ends with status 1 if a block is damaged or the store does not give it.
`;

/** @throws CommandError if a block is damaged; StoreError */
export async function verify(argv: readonly string[], terminal: Terminal): Promise<void> {
  const opened = await openBlocks(argv, options);
  if (opened === null) {
    terminal.out(help);
    return;
  }
  const { store, blocks, rest } = opened;
  const chosen =
    rest.length > 0
      ? namedBlocks(blocks, rest)
      : blocks.filter(({ state }) => state === "live" || state === "broken");
  const progress = new Progress(terminal);
  let damaged = 0;
  let unread = 0;
  for (const [number, block] of chosen.entries()) {
    const name = printable(`${block.tenant}/${block.id}`);
    if (block.meta !== null && !isBlockVersion(block.meta.format)) {
      terminal.out(`skipped  ${name}  can't read format ${printable(block.meta.format)}\n`);
      continue;
    }
    const label = `${number + 1} of ${chosen.length}`;
    const checked = await check(store, block, (done, of) =>
      progress.show((number + done / Math.max(1, of)) / chosen.length, label),
    );
    progress.clear();
    if (checked === null) {
      terminal.out(`gone     ${name}\n`);
      continue;
    }
    if (typeof checked === "string") {
      unread++;
      terminal.out(`UNREAD   ${name}  ${printable(checked)}\n`);
      continue;
    }
    const { traces, spans, problems } = checked;
    if (problems.length === 0) {
      terminal.out(`ok       ${name}  ${countText(traces)} traces, ${countText(spans)} spans\n`);
      continue;
    }
    damaged++;
    terminal.out(`DAMAGED  ${name}\n`);
    for (const problem of problems) terminal.out(`         ${printable(problem)}\n`);
  }
  const all = blocksText(chosen.length);
  const failures: string[] = [];
  if (damaged > 0) failures.push(`${damaged} of ${all} ${damaged === 1 ? "is" : "are"} damaged`);
  if (unread > 0) failures.push(`${unread} of ${all} can't be read`);
  if (failures.length > 0) throw CommandError.failed(failures.join(", "));
}

/** @returns null if the block was deleted meanwhile; why, if the store does not give it */
async function check(
  store: Store,
  { state, meta, problem }: StoredBlock,
  progress: (done: number, of: number) => void,
): Promise<CheckedBlock | string | null> {
  if (meta === null) {
    const why =
      state === "broken" ? problem : "it has no meta.json: it is being written, or that was cut short";
    return { traces: 0, spans: 0, problems: [why] };
  }
  try {
    return await checkBlock(store, meta, progress);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (!(error instanceof StoreNotFound)) return error.message;
    if ((await isLive(store, meta)) || (await isCompacted(store, meta))) {
      return { traces: 0, spans: 0, problems: ["data.parquet is missing"] };
    }
    return null;
  }
}
