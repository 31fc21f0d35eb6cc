// A batch into a block: data.parquet, blooms, index, and meta.json last, so that a reader sees the block whole or not at all.

import type { SpanBatch } from "../batch/span_batch.ts";
import { hasData, isLive } from "../store/block_objects.ts";
import { Slices } from "./encode_slices.ts";
import { type BlockMeta, printMeta } from "./meta.ts";
import {
  type BlockStore,
  BlockWriteError,
  type BlockWriteOptions,
  BlockWriter,
  orderForBlock,
} from "./write_batches.ts";

export { type BlockStore, BlockWriteError, type BlockWriteOptions } from "./write_batches.ts";

/**
 * Writes the spans of a batch as a block, and orders the batch for it. No span may be added meanwhile; queries may go on.
 *
 * @param pause awaited between slices of work of about 10 ms
 * @returns the meta as written
 * @throws BlockWriteError if the batch has no spans, or others have deleted what was written; what the store throws. Without meta.json what was written is no block
 */
export async function writeBlock(
  batch: SpanBatch,
  store: BlockStore,
  options: BlockWriteOptions,
  pause: () => Promise<void>,
): Promise<BlockMeta> {
  const { traces } = orderForBlock(batch);
  if (traces === 0) throw new BlockWriteError("block: no spans to write");
  const slices = new Slices(pause);
  await slices.rest();
  const writer = await BlockWriter.create(store, options, traces);
  let meta: BlockMeta;
  try {
    await writer.append(batch, slices);
    meta = await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writeMeta(store, meta);
  // Where this process stood still for half a day while it wrote, others may have removed what they took for the rest of a crash. A block
  // whose meta is gone, too, was whole, and has been merged since.
  if (!(await hasData(store, meta)) && (await isLive(store, meta))) {
    throw new BlockWriteError(`block: what was written of ${meta.tenantID}/${meta.blockID} has been removed`);
  }
  return meta;
}

/** Makes a block of what lies in its folder. */
export async function writeMeta(store: Pick<BlockStore, "write">, meta: BlockMeta): Promise<void> {
  const path = `${meta.tenantID}/${meta.blockID}/meta.json`;
  await store.write(path, new TextEncoder().encode(printMeta(meta)));
}
