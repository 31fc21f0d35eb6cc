// How the configuration has new blocks written.
import type { BlockWriteOptions } from "../block/write.ts";
import type { Config } from "../config/config.ts";
import { writtenColumns } from "../config/written_columns.ts";

export function blockOptions(config: Config, tenant: string, blockId: string): BlockWriteOptions {
  const { block } = config.storage.trace;
  return {
    version: block.version,
    tenant,
    blockId,
    dedicatedColumns: writtenColumns(config),
    rowGroupBytesMax: block.parquet_row_group_size_bytes,
    pageBytesMax: block.page_size_bytes,
    zstdLevel: block.zstd_level,
    bloomFalsePositive: block.bloom_filter_false_positive,
    bloomShardBytes: block.bloom_filter_shard_size_bytes,
    replicationFactor: 1,
  };
}
