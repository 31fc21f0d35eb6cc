// Retention as the configuration has it.
import type { Config } from "../config/config.ts";
import type { BlockList } from "../store/block_list.ts";
import type { Store } from "../store/store.ts";
import { diskOf, FreeSpace } from "./free_space.ts";
import { Retention } from "./retention.ts";

/** @param now Unix ms */
export function retentionOf(
  config: Config,
  store: Store,
  list: BlockList,
  now: () => number = Date.now,
): Retention {
  const { block_retention, compacted_block_retention, retention_concurrency } =
    config.backend_worker.compaction;
  const { compaction: limits } = config.overrides.defaults;
  const own = {
    blockMs: () => limits.block_retention || block_retention,
    compactedMs: compacted_block_retention,
    isKept: () => limits.compaction_disabled,
    tenantBytesMax: () => limits.retention_bytes,
    bytesMax: config.storage.trace.retention_bytes,
    concurrency: retention_concurrency,
  };
  return new Retention(store, list, own, now);
}

/** @param writtenMs see FreeSpaceOptions */
export function freeSpaceOf(config: Config, retention: Retention, writtenMs: () => number): FreeSpace | null {
  const { backend, local } = config.storage.trace;
  if (backend !== "local" || local.reserve_bytes === 0) return null;
  return new FreeSpace(retention, {
    reserveBytes: local.reserve_bytes,
    writtenMs,
    disk: () => diskOf(local.path),
  });
}
