// The compactor of this process: what the configuration says of it, and the block workers that merge for it.
import type { Config } from "../config/config.ts";
import type { BlockPool } from "../jobs/block_pool.ts";
import { refsOf } from "../jobs/block_refs.ts";
import type { BlockList } from "../store/block_list.ts";
import { realClock } from "../store/clock.ts";
import type { Store } from "../store/store.ts";
import { Compactor } from "./compactor.ts";
import { compactionSettings } from "./settings.ts";

/** The merge that is under way is a job itself. */
const ownJobs = 1;

/** @param isIngestBusy whether spans have come in lately */
export function compactorOf(
  config: Config,
  store: Store,
  blocks: BlockList,
  pool: BlockPool,
  isIngestBusy: () => boolean,
): Compactor {
  return new Compactor({
    store,
    blocks,
    settings: compactionSettings(config),
    merge: ({ metas, ...params }, signal) =>
      pool.call(null, "compact", { ...params, blocks: refsOf(metas) }, signal),
    isBusy: () => pool.stats.queuedJobs > ownJobs || isIngestBusy(),
    clock: realClock,
    now: () => performance.now(),
    unixMs: () => Date.now(),
  });
}
