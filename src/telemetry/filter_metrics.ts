// The filters of trace ids by which lookups choose their blocks.
import { metrics, type Registry } from "./metrics.ts";

export interface FilterStats {
  /** Blocks that are listed, and those of them that have a filter. */
  blocks: number;
  coveredBlocks: number;
  /** Those that have none because they are damaged. */
  damagedBlocks: number;
  bytes: number;
  bytesMax: number;
  /** Filters made since the start, and read back from the disk. */
  built: number;
  loaded: number;
}

export function registerFilterMetrics(stats: () => FilterStats, registry: Registry = metrics): void {
  const blocks = registry.gauge(
    "rubato_trace_filter_blocks",
    "Listed blocks by whether they have a filter.",
    ["state"],
  );
  const bytes = registry.gauge("rubato_trace_filter_bytes", "Bytes of the filters of blocks.");
  const bytesMax = registry.gauge("rubato_trace_filter_bytes_max", "Bytes that filters of blocks may take.");
  const made = registry.counter("rubato_trace_filters_total", "Filters that were made or read back.", [
    "source",
  ]);
  registry.onCollect(() => {
    const now = stats();
    blocks.set({ state: "covered" }, now.coveredBlocks);
    blocks.set({ state: "damaged" }, now.damagedBlocks);
    blocks.set({ state: "uncovered" }, now.blocks - now.coveredBlocks - now.damagedBlocks);
    bytes.set({}, now.bytes);
    bytesMax.set({}, now.bytesMax);
    made.setTotal({ source: "block" }, now.built);
    made.setTotal({ source: "disk" }, now.loaded);
  });
}
