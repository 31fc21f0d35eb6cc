// The filters of this process's blocks, made by its block workers.
import { join } from "node:path";
import type { BlockPool } from "../jobs/block_pool.ts";
import { refsOf } from "../jobs/block_refs.ts";
import type { BlockList } from "../store/block_list.ts";
import { realClock } from "../store/clock.ts";
import type { Store } from "../store/store.ts";
import { BlockFilters } from "./block_filters.ts";
import { FilterFile } from "./filter_file.ts";

/** Blocks of a remote store that are read at a time, most of which is waiting. */
const remoteBuildsMax = 16;

export interface FilterParts {
  store: Store;
  blocks: BlockList;
  pool: BlockPool;
  bytesMax: number;
  /** Folder in which they are kept. */
  folder: string;
}

export function blockFiltersOf({ store, blocks, pool, bytesMax, folder }: FilterParts): BlockFilters {
  let building = 0;
  return new BlockFilters({
    listed: () => blocks.all(),
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
    waits: store.remote,
    isBusy: () => pool.stats.queuedJobs > building,
    stored: new FilterFile(join(folder, "filters"), bytesMax),
    clock: realClock,
  });
}
