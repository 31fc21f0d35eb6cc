// Reads the attributes of blocks that were chosen on the command line.
import { SpanBatch } from "../batch/span_batch.ts";
import { type BlockMeta, isBlockVersion } from "../block/meta.ts";
import { ParquetError } from "../block/parquet_error.ts";
import { BlockReader } from "../block/read.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { CommandError } from "../cli/command_error.ts";
import { type Option, wholeNumber } from "../cli/options.ts";
import { printable } from "../cli/printable.ts";
import type { Terminal } from "../cli/terminal.ts";
import { slicesOf } from "../jobs/row_slices.ts";
import { type Store, StoreError } from "../store/store.ts";
import { AttributeTally } from "./attribute_tally.ts";
import { countText } from "./bytes_text.ts";
import { namedBlocks, storeOptions } from "./open.ts";
import { Progress } from "./progress.ts";
import { byEnd, type StoredBlock } from "./stored_block.ts";

const blocksDefault = 10;

export const chosenOptions = {
  ...storeOptions,
  blocks: {
    value: "N",
    help: `blocks read where none is named, the newest; default ${blocksDefault}, 0 for all`,
  },
} as const satisfies Record<string, Option>;

/**
 * The blocks to read: those that are named, or the newest live ones.
 *
 * @throws CommandError if there is none, or one that is named can't be read
 */
export function chosenBlocks(
  blocks: readonly StoredBlock[],
  names: readonly string[],
  count: string | undefined,
): StoredBlock[] {
  const most = count === undefined ? blocksDefault : wholeNumber("blocks", count);
  const isReadable = ({ meta }: StoredBlock) => meta !== null && isBlockVersion(meta.format);
  if (names.length > 0) {
    const named = namedBlocks(blocks, names);
    const other = named.find((block) => !isReadable(block));
    if (other) throw CommandError.failed(`block ${other.id} can't be read: see rubato blocks verify`);
    return named;
  }
  const live = blocks.filter((block) => block.state === "live" && isReadable(block)).sort(byEnd);
  if (live.length === 0) throw CommandError.failed("there is no block to read");
  return most === 0 ? live : live.slice(-most);
}

/**
 * Reads blocks whole and counts their attributes. A block that was deleted meanwhile or can't be read is warned about.
 *
 * @throws CommandError if there is no span
 */
export async function tallyOf(
  store: Store,
  blocks: readonly StoredBlock[],
  terminal: Terminal,
): Promise<{ tally: AttributeTally; spans: number }> {
  const tally = new AttributeTally();
  const batch = SpanBatch.create();
  const progress = new Progress(terminal);
  let spans = 0;
  const add = async (meta: BlockMeta, number: number) => {
    const reader = await BlockReader.open(store, meta, new ReadCaches());
    const groups = await reader.rowGroups();
    for (let group = 0; group < groups; group++) {
      progress.show((number + group / groups) / blocks.length, `${number + 1} of ${blocks.length}`);
      const size = await reader.groupSize(group);
      for (const rows of slicesOf([{ start: 0, end: size.rows }], size)) {
        batch.reset();
        await reader.readRowGroup(batch, group, { rows });
        tally.add(batch);
        spans += batch.spans;
      }
    }
  };
  for (const [number, { id, meta }] of blocks.entries()) {
    try {
      await add(meta!, number);
    } catch (error) {
      if (!(error instanceof StoreError) && !(error instanceof ParquetError)) throw error;
      progress.clear();
      terminal.err(`warning: block ${id} was not counted to its end: ${printable(error.message)}\n`);
    }
  }
  progress.clear();
  if (spans === 0) throw CommandError.failed("no span could be read");
  return { tally, spans };
}

export function warnLeftOut({ leftOut }: AttributeTally, terminal: Terminal): void {
  if (leftOut > 0) {
    terminal.err(`warning: there are too many names: ${countText(leftOut)} attributes are not counted\n`);
  }
}
