// Several blocks into one: slice by slice of their rows, each of which becomes a row group of the output. Rows are copied column by column.
// Those of a trace that lies in several blocks, or of a block with other columns, go through a span batch, which leaves out what repeats
// and counts anew what is said of the whole trace. What is held at a time does not depend on the size of the blocks.
import { SpanBatch } from "../batch/span_batch.ts";
import type { DedicatedColumn } from "../block/dedicated.ts";
import { encodeCore } from "../block/encode_core.ts";
import type { BatchLeaves } from "../block/encode_leaves.ts";
import { Slices } from "../block/encode_slices.ts";
import { type BlockMeta, isBlockVersion } from "../block/meta.ts";
import { ReadCaches } from "../block/read_caches.ts";
import type { BlockVersion } from "../block/schema.ts";
import {
  type BlockColumns,
  type BlockWriteOptions,
  BlockWriter,
  blockColumns,
  orderForBlock,
} from "../block/write_batches.ts";
import type { Store } from "../store/store.ts";
import { garbage } from "../threads/garbage.ts";
import { PageRoom } from "./kept_pages.ts";
import { blaming, MergeError } from "./merge_error.ts";
import { homesOf } from "./merge_homes.ts";
import { MergeInput } from "./merge_input.ts";
import { MergedRows } from "./merge_rows.ts";
import { nextSlice, type Slice } from "./merge_slice.ts";

/** What is left behind for each byte that was read: it, and small things on the way. */
const garbagePerByte = 2;
/** Bytes of a batch for a span, and for a byte in the file. */
const batchBytesPerSpan = 270;
const batchBytesPerByte = 5;
/** What is remembered of the inputs from slice to slice. */
const cacheLimits = {
  footerBytes: 8 << 20,
  bloomBytes: 0,
  dictionaryBytes: 8 << 20,
  traceIdBytes: 0,
  pageBytes: 0,
  fileBytes: 0,
};

export interface MergeOptions
  extends Pick<
    BlockWriteOptions,
    "blockId" | "pageBytesMax" | "zstdLevel" | "bloomFalsePositive" | "bloomShardBytes"
  > {
  /** Spans of typical size that a row group has: so many are held in memory. */
  rowGroupSpansMax: number;
}

export interface Merged {
  /** To be written: without it the output is no block yet. */
  meta: BlockMeta;
  /** Spans of the inputs, and of the output. */
  spansRead: number;
  spans: number;
}

/**
 * Writes what the inputs hold as one block, all but its meta.json.
 *
 * @param metas at least one, of one version and with the same dedicated columns
 * @param pause awaited between slices of work of about 10 ms; what it throws ends the merge
 * @throws MergeError if an input cannot be read, or the output has not what the inputs have; what the store throws
 */
export async function mergeBlocks(
  store: Store,
  metas: readonly BlockMeta[],
  options: MergeOptions,
  pause: () => Promise<void>,
): Promise<Merged> {
  const { format: version, dedicatedColumns } = metas[0]!;
  if (!isBlockVersion(version)) throw new MergeError(`${version} is not merged`, metas[0]!.blockID);
  const other = metas.find(({ format }) => format !== version);
  if (other) throw new MergeError(`${other.format} is not merged with ${version}`, other.blockID);
  return mergeInto({ store, version, dedicatedColumns }, store, metas, options, pause);
}

/** Where an output goes, and what it is. */
export interface MergeTarget {
  store: Store;
  version: BlockVersion;
  dedicatedColumns: readonly DedicatedColumn[];
}

/**
 * Writes what the inputs hold, whatever their versions and columns, as one block of the target's, all but its meta.json.
 *
 * @throws as mergeBlocks()
 */
export async function mergeInto(
  target: MergeTarget,
  store: Store,
  metas: readonly BlockMeta[],
  options: MergeOptions,
  pause: () => Promise<void>,
): Promise<Merged> {
  const { tenantID, replicationFactor } = metas[0]!;
  const { version, dedicatedColumns } = target;
  const output = blockColumns(version, dedicatedColumns);
  // Before anything is written: they may not be there.
  const inputs = await openInputs(store, metas, output);
  const homes = homesOf(output.schema);
  const slices = new Slices(pause);
  const traces = metas.reduce((sum, { totalObjects }) => sum + totalObjects, 0);
  const writer = await BlockWriter.create(
    target.store,
    {
      ...options,
      version,
      tenant: tenantID,
      dedicatedColumns,
      replicationFactor,
      rowGroupBytesMax: Infinity,
    },
    Math.max(1, traces),
  );
  try {
    const batch = SpanBatch.create(expectedBytes(metas, options));
    const spans = { read: 0, distinct: 0 };
    let collected = 0;
    for (;;) {
      const slice = await nextSlice(inputs, options.rowGroupSpansMax);
      if (slice.picks.length === 0) break;
      batch.reset();
      const combined = slice.combined.length > 0 ? await combine(batch, slice, writer, spans, slices) : null;
      if (slice.runs.length > 0) {
        const { steps } = writer;
        const rows = await MergedRows.open({ batch, homes, steps, slice, combined, slices });
        await writer.appendLeaves(rows, slices);
        spans.read += rows.copiedSpans;
        spans.distinct += rows.copiedSpans;
      } else if (combined) await writer.appendLeaves(combined, slices);
      const bytesRead = inputs.reduce((sum, input) => sum + input.bytesRead, 0);
      garbage.add((bytesRead - collected) * garbagePerByte);
      collected = bytesRead;
    }
    check(inputs, { ...spans, written: writer.spans });
    return { meta: mergedMeta(await writer.finish(), metas), spansRead: spans.read, spans: spans.distinct };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function openInputs(
  store: Store,
  metas: readonly BlockMeta[],
  output: BlockColumns,
): Promise<MergeInput[]> {
  const caches = new ReadCaches(cacheLimits);
  const room = new PageRoom();
  const inputs: MergeInput[] = [];
  for (const meta of metas) {
    inputs.push(await blaming(meta, () => MergeInput.open(store, meta, { caches, room, output })));
  }
  return inputs;
}

/** Makes one row of all those that have a trace id in common. */
async function combine(
  batch: SpanBatch,
  { combined, combinedTraces }: Slice,
  writer: BlockWriter,
  spans: { read: number; distinct: number },
  slices: Slices,
): Promise<BatchLeaves> {
  for (const { input, group, rows } of combined) {
    await blaming(input.meta, () => input.reader.readRowGroup(batch, group, { rows }));
    await slices.turn();
  }
  // Before the batch is at its largest: what it was made of is as large.
  garbage.add(batch.dataBytes);
  spans.read += batch.spans;
  spans.distinct += encodeCore(batch).distinctSpans();
  await slices.turn();
  const { traces } = orderForBlock(batch);
  if (traces !== combinedTraces) {
    throw new MergeError(`merge: ${traces} of ${combinedTraces} traces were combined`);
  }
  await slices.turn();
  return writer.leavesOf(batch, slices);
}

/** What a batch will hold, so that it need not grow. */
function expectedBytes(metas: readonly BlockMeta[], { rowGroupSpansMax }: MergeOptions): number {
  const stored = metas.reduce((sum, { size }) => sum + size, 0);
  return Math.min(rowGroupSpansMax * batchBytesPerSpan, stored * batchBytesPerByte);
}

/** Every span of the inputs was read, and every one that differs from the others was written. */
function check(
  inputs: readonly MergeInput[],
  { read, distinct, written }: { read: number; distinct: number; written: number },
): void {
  const stored = inputs.reduce((sum, { spans }) => sum + spans, 0);
  if (read === 0) throw new MergeError("merge: the inputs have no spans");
  if (read !== stored) throw new MergeError(`merge: ${read} of ${stored} spans were read`);
  if (written !== distinct) throw new MergeError(`merge: ${written} of ${distinct} spans were written`);
}

/** The times of the inputs count as well: those of Tempo's blocks may lie outside of their spans. */
function mergedMeta(written: BlockMeta, metas: readonly BlockMeta[]): BlockMeta {
  const times = [written, ...metas].flatMap(({ startTime, endTime }) => [startTime, endTime]);
  const known = times.filter((time) => Number.isFinite(Date.parse(time)));
  known.sort((a, b) => Date.parse(a) - Date.parse(b));
  return {
    ...written,
    startTime: known[0]!,
    endTime: known.at(-1)!,
    compactionLevel: compactedLevel(metas),
  };
}

/** The level of what these blocks are merged into. */
export function compactedLevel(metas: readonly BlockMeta[]): number {
  return 1 + Math.max(...metas.map(({ compactionLevel }) => compactionLevel));
}
