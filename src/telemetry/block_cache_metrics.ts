// The cache of remote blocks on the local disk.
import { metrics, type Registry } from "./metrics.ts";

/** Of one worker's part, or summed up over all. */
export interface BlockCacheStats {
  hits: number;
  misses: number;
  /** Bytes of chunks that were read from it, and written to it. */
  hitBytes: number;
  writtenBytes: number;
  evictions: number;
  /** Chunks that were not what had been written. */
  corrupt: number;
  writeErrors: number;
  chunks: number;
  /** Bytes of the slots that are in use, and of all. */
  bytes: number;
  bytesMax: number;
}

/** @param stats of each worker that there is now; a worker's counts begin anew with it */
export function registerBlockCacheMetrics(
  stats: () => Promise<BlockCacheStats[]>,
  registry: Registry = metrics,
): void {
  const lookups = registry.counter(
    "rubato_block_cache_chunks_total",
    "Chunks that were asked of the cache on the local disk, by whether they were there.",
    ["result"],
  );
  const read = registry.counter("rubato_block_cache_read_bytes_total", "Bytes that the cache gave.");
  const written = registry.counter("rubato_block_cache_written_bytes_total", "Bytes that the cache took.");
  const evictions = registry.counter(
    "rubato_block_cache_evictions_total",
    "Chunks that made room for others.",
  );
  const errors = registry.counter(
    "rubato_block_cache_errors_total",
    "Chunks that were damaged, and those that could not be written.",
    ["kind"],
  );
  const chunks = registry.gauge("rubato_block_cache_chunks", "Chunks in the cache.");
  const bytes = registry.gauge("rubato_block_cache_bytes", "Bytes of the cache on the local disk.");
  const bytesMax = registry.gauge("rubato_block_cache_bytes_max", "Bytes that the cache may take.");
  registry.onCollect(async () => {
    const all = await stats();
    const sum = (name: keyof BlockCacheStats) => all.reduce((total, each) => total + each[name], 0);
    lookups.setTotal({ result: "hit" }, sum("hits"));
    lookups.setTotal({ result: "miss" }, sum("misses"));
    read.setTotal({}, sum("hitBytes"));
    written.setTotal({}, sum("writtenBytes"));
    evictions.setTotal({}, sum("evictions"));
    errors.setTotal({ kind: "corrupt" }, sum("corrupt"));
    errors.setTotal({ kind: "write" }, sum("writeErrors"));
    chunks.set({}, sum("chunks"));
    bytes.set({}, sum("bytes"));
    bytesMax.set({}, sum("bytesMax"));
  });
}
