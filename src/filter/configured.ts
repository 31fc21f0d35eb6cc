// The filters of this process's blocks, made by its block workers.
import type { BlockPool } from "../jobs/block_pool.ts";
import { refsOf } from "../jobs/block_refs.ts";
import type { BlockList } from "../store/block_list.ts";
import type { Store } from "../store/store.ts";
import { BlockFilters, type StoredFilters } from "./block_filters.ts";

/** Blocks of a remote store that are read at a time, most of which is waiting. */
const remoteBuildsMax = 8;

export interface FilterParts {
  store: Store;
  blocks: BlockList;
  pool: BlockPool;
  bytesMax: number;
  stored: StoredFilters | null;
}

export function blockFiltersOf({ store, blocks, pool, bytesMax, stored }: FilterParts): BlockFilters {
  let building = 0;
  return new BlockFilters({
    listed: () => blocks.tenants().flatMap((tenant) => blocks.candidates(tenant)),
    build: async (meta, signal) => {
      building++;
      try {
        return await pool.call(pool.workerOf(meta), "buildFilter", { blocks: refsOf([meta]) }, signal);
      } finally {
        building--;
      }
    },
    bytesMax,
    buildsMax: store.remote ? remoteBuildsMax : pool.workersMax,
    isBusy: () => pool.stats.queuedJobs > building,
    stored,
  });
}
