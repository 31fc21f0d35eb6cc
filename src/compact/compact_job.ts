// A merge as the job of a block worker.
import type { BlockMeta } from "../block/meta.ts";
import { type Store, StoreError } from "../store/store.ts";
import { type Merged, type MergeOptions, mergeBlocks } from "./merge_blocks.ts";
import { MergeError } from "./merge_error.ts";
import { Throttle } from "./throttle.ts";

export interface CompactParams extends MergeOptions {
  metas: BlockMeta[];
  /** One number, which the main thread keeps: not 0 while queries or ingest are busy. */
  busy: SharedArrayBuffer;
}

/** Blocks that cannot be merged: a result, since an error would lose on its way between threads which block is to blame. */
export interface MergeFailure {
  failure: string;
  blockId: string | null;
}

/** @throws what the store throws; the signal's reason once it is aborted, which is noticed between two slices of work */
export async function compactJob(
  store: Store,
  { metas, busy, ...options }: CompactParams,
  signal: AbortSignal,
): Promise<Merged | MergeFailure> {
  const isBusy = new Int32Array(busy);
  const throttle = new Throttle({ signal, isBusy: () => Atomics.load(isBusy, 0) !== 0 });
  try {
    return await mergeBlocks(store, metas, options, () => throttle.pause());
  } catch (error) {
    if (error instanceof MergeError) return { failure: error.message, blockId: error.blockId };
    if (error instanceof StoreError || signal.aborted) throw error;
    // Whatever it is, it comes of these blocks, and would come of them again: others must not wait for them.
    return { failure: `merge: ${error instanceof Error ? error.message : String(error)}`, blockId: null };
  }
}
