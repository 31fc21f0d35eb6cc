// A list of blocks, one after the other or a few at a time, as a job of a worker goes through them.
import type { BlockMeta } from "../block/meta.ts";
import { ParquetError } from "../block/parquet_error.ts";
import { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import { isWithin } from "../store/block_list.ts";
import { BlockGone } from "../store/block_list_gone.ts";
import { type Store, StoreError, StoreNotFound } from "../store/store.ts";
import { log } from "../telemetry/log.ts";
import { garbage } from "../threads/garbage.ts";
import type { SearchedTime } from "./search_job.ts";

/** Blocks that are begun to be fetched while those before them are looked into. */
const aheadMax = 16;
/** Time after which a job lets other messages in, its cancellation among them. */
const sliceMs = 4;
/** What is left behind for each byte that was read: it, its decompressed form, and views. */
const garbagePerByte = 4;
/** Blocks that a warning was given of, so that not every search gives one. */
const warnedMax = 4096;
const warned = new Set<string>();

/**
 * Opens each block and has it looked into.
 *
 * @param look given the reader, the block's place in the list, and what to call between two pieces of work: it lets the thread do what
 *   waits, and throws if the job has been cancelled meanwhile
 * @param atOnce blocks that are looked into side by side. 1: one after the other, the next ones being fetched meanwhile
 * @param searched blocks outside of this time only tell where else traces are: one of them that can't be read is passed over.
 *   null: every block counts
 * @throws ParquetError, StoreError, which name the block. One that was deleted since it was listed is a BlockGone: what replaced it is
 *   found by asking again.
 */
export async function eachBlock(
  store: Store,
  caches: ReadCaches,
  metas: readonly BlockMeta[],
  signal: AbortSignal,
  look: (reader: BlockReader, place: number, breathe: () => Promise<void>) => Promise<void>,
  searched: SearchedTime | null = null,
  atOnce = 1,
): Promise<void> {
  let sliceStart = performance.now();
  const breathe = async (): Promise<void> => {
    if (performance.now() - sliceStart <= sliceMs) return;
    // Local reads never leave the microtask queue, so that a cancellation would not get through.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    sliceStart = performance.now();
  };
  const opened: Promise<BlockReader>[] = [];
  const openAhead = (place: number): void => {
    for (const meta of metas.slice(place + opened.length, place + aheadMax)) {
      const opening = BlockReader.open(store, meta, caches);
      opening.then(
        (reader) => reader.prefetch(),
        () => {}, // seen when its turn comes
      );
      opened.push(opening);
    }
  };
  const lookInto = async (meta: BlockMeta, place: number): Promise<void> => {
    signal.throwIfAborted();
    if (atOnce === 1) openAhead(place);
    let reader: BlockReader | null = null;
    try {
      reader = await (opened.shift() ?? BlockReader.open(store, meta, caches));
      await look(reader, place, breathe);
    } catch (error) {
      if (error instanceof StoreNotFound && !(await isLive(store, meta)))
        throw new BlockGone(meta, { cause: error });
      if (searched === null || isWithin(meta, searched) || !isUnreadable(error)) throw named(error, meta);
      warnOf(meta, error);
    }
    if (reader !== null) garbage.add(reader.bytesRead * garbagePerByte);
    await breathe();
  };
  const blocks = metas.entries();
  const lookIntoSome = async (): Promise<void> => {
    for (const [place, meta] of blocks) await lookInto(meta, place);
  };
  await Promise.all(Array.from({ length: atOnce }, lookIntoSome));
}

/** One that is compacted may be half deleted; what replaced it is live. */
async function isLive(store: Store, { tenantID, blockID }: BlockMeta): Promise<boolean> {
  try {
    await store.modified(`${tenantID}/${blockID}/meta.json`);
    return true;
  } catch (error) {
    if (error instanceof StoreNotFound) return false;
    throw error;
  }
}

function isUnreadable(error: unknown): error is Error {
  return error instanceof ParquetError || error instanceof StoreError;
}

function warnOf({ tenantID, blockID }: BlockMeta, error: Error): void {
  const name = `${tenantID}/${blockID}`;
  if (warned.has(name)) return;
  if (warned.size === warnedMax) warned.clear();
  warned.add(name);
  log.warn("a block beside the searched time cannot be read; parts of traces in it are not looked at", {
    tenant: tenantID,
    block: blockID,
    error,
  });
}

/** Says in the error which block it is about. */
function named(error: unknown, { tenantID, blockID }: BlockMeta): unknown {
  if (isUnreadable(error)) {
    error.message = `block ${tenantID}/${blockID}: ${error.message}`;
  }
  return error;
}
