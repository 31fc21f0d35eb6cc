// The cache of a remote store's blocks on the local disk, as storage.trace.block_cache describes it: a folder for each block worker, which
// shares nothing with the others, since a block is always read by the same one.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { log } from "../telemetry/log.ts";
import { CachedStore } from "./cached_store.ts";
import { ChunkCache, type ChunkCacheOptions } from "./chunk_cache.ts";
import { cacheChunkBytes } from "./chunk_limits.ts";
import { FolderLock } from "./folder_lock.ts";
import type { Store } from "./store.ts";

const key = "storage.trace.block_cache.path";
const folderName = /^worker-(\d+)$/;

/** Whether there is one: blocks on this machine's disk need none. */
export function hasBlockCache({ storage: { trace } }: Config): boolean {
  return trace.backend !== "local" && trace.block_cache.path !== "";
}

/** One worker's part. Null: there is no cache. */
export function blockCacheOf(config: Config, worker: number, workers: number): ChunkCacheOptions | null {
  if (!hasBlockCache(config)) return null;
  const { path, max_bytes } = config.storage.trace.block_cache;
  return {
    folder: join(path, `worker-${worker}`),
    bytesMax: Math.floor(max_bytes / workers),
    chunkBytes: cacheChunkBytes,
  };
}

/**
 * Takes the folder for this process, and removes what workers have left that there are no more.
 *
 * @throws FolderLocked if another process has it
 */
export function takeBlockCache(config: Config, workers: number): FolderLock | null {
  if (!hasBlockCache(config)) return null;
  const { path } = config.storage.trace.block_cache;
  const lock = FolderLock.take(path, key);
  for (const name of readdirSync(path)) {
    const number = folderName.exec(name)?.[1];
    if (number !== undefined && Number(number) >= workers)
      rmSync(join(path, name), { recursive: true, force: true });
  }
  return lock;
}

/** A store with the cache before it; without, where its folder can't be used. */
export function withCache(
  store: Store,
  options: ChunkCacheOptions | null,
): { store: Store; cache: ChunkCache | null } {
  if (options === null) return { store, cache: null };
  try {
    const cache = new ChunkCache(options);
    return { store: new CachedStore(store, cache), cache };
  } catch (error) {
    log.warn("the cache of blocks can't be used; queries read from the store", {
      path: options.folder,
      error: error as Error,
    });
    return { store, cache: null };
  }
}
