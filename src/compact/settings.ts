// What the configuration says about compaction, in one place.
import { blockVersions } from "../block/meta.ts";
import type { Config } from "../config/config.ts";
import type { MergeOptions } from "./merge_blocks.ts";
import type { SelectOptions } from "./select_blocks.ts";

/**
 * What is merged for the first time is soon merged again, for which small pages are better: with several inputs a slice of rows ends within
 * most of the large ones. What is merged for the second time is kept for weeks; what the levels above 3 save costs 2.5 µs per byte and span.
 */
const zstdLevelMin = 3;
const pageBytesMin = 512 * 1024;
/** Enough to compress well, few enough that a search has row groups to share out, and that a merge takes little memory. */
const rowGroupSpansMax = 64 * 1024;

export interface CompactionSettings {
  disabled: boolean;
  select: SelectOptions;
  /** How an output of this compaction level is written. */
  merge(compactionLevel: number): Omit<MergeOptions, "blockId">;
  /** A run turns to the next tenant after that long, or after so many jobs. */
  tenantMsMax: number;
  tenantJobsMax: number;
}

export function compactionSettings({ backend_scheduler, overrides, storage }: Config): CompactionSettings {
  const { provider } = backend_scheduler;
  const { compaction } = provider.compaction;
  const ofTenant = overrides.defaults.compaction;
  const { block } = storage.trace;
  return {
    disabled: ofTenant.compaction_disabled,
    select: {
      windowMs: ofTenant.compaction_window || compaction.compaction_window,
      inputBlocksMin: provider.compaction.min_input_blocks,
      inputBlocksMax: provider.compaction.max_input_blocks,
      objectsMax: compaction.max_compaction_objects,
      blockBytesMax: compaction.max_block_bytes,
      levelMax: provider.compaction.max_compaction_level,
      versions: new Set(blockVersions),
    },
    merge: (level) => ({
      rowGroupSpansMax,
      pageBytesMax: level > 1 ? Math.max(block.page_size_bytes, pageBytesMin) : block.page_size_bytes,
      zstdLevel: level > 1 ? Math.max(block.zstd_level, zstdLevelMin) : block.zstd_level,
      bloomFalsePositive: block.bloom_filter_false_positive,
      bloomShardBytes: block.bloom_filter_shard_size_bytes,
    }),
    tenantMsMax: compaction.max_time_per_tenant,
    tenantJobsMax: provider.compaction.max_jobs_per_tenant,
  };
}
