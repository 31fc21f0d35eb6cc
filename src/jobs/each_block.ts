// A list of blocks, one after the other, as a job of a worker goes through them.
import type { BlockMeta } from "../block/meta.ts";
import { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import { type Store, StoreNotFound } from "../store/store.ts";
import { GarbageMeter } from "../threads/garbage.ts";

/** Time after which a job lets other messages in, its cancellation among them. */
const sliceMs = 4;
/** What is left behind for each byte that was read: it, its decompressed form, and views. */
const garbagePerByte = 4;

/** Of this thread. */
const garbage = new GarbageMeter();

/**
 * Opens each block and has it looked into.
 *
 * @param look given the reader, the block's place in the list, and what to call between two pieces of work: it lets the thread do what
 *   waits, and throws if the job has been cancelled meanwhile
 * @throws ParquetError, StoreError, which name the block. Of one that was deleted since it was listed nothing is said: what replaced it
 *   is listed too.
 */
export async function eachBlock(
  store: Store,
  caches: ReadCaches,
  metas: readonly BlockMeta[],
  signal: AbortSignal,
  look: (reader: BlockReader, place: number, breathe: () => Promise<void>) => Promise<void>,
): Promise<void> {
  let sliceStart = performance.now();
  const breathe = async (): Promise<void> => {
    if (performance.now() - sliceStart <= sliceMs) return;
    // Local reads never leave the microtask queue, so that a cancellation would not get through.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    sliceStart = performance.now();
  };
  for (const [place, meta] of metas.entries()) {
    const reader = await BlockReader.open(store, meta, caches);
    try {
      await look(reader, place, breathe);
    } catch (error) {
      if (!(error instanceof StoreNotFound) || (await isListed(store, meta))) throw named(error, meta);
    }
    garbage.add(reader.bytesRead * garbagePerByte);
    await breathe();
  }
}

async function isListed(store: Store, { tenantID, blockID }: BlockMeta): Promise<boolean> {
  for (const name of ["meta.json", "meta.compacted.json"]) {
    try {
      await store.modified(`${tenantID}/${blockID}/${name}`);
      return true;
    } catch (error) {
      if (!(error instanceof StoreNotFound)) throw error;
    }
  }
  return false;
}

/** Says in the error which block it is about. */
function named(error: unknown, { tenantID, blockID }: BlockMeta): unknown {
  if (error instanceof Error && "code" in error && error.name !== "AbortError") {
    error.message = `block ${tenantID}/${blockID}: ${error.message}`;
  }
  return error;
}
