// What crosses between the main thread and a block worker: jobs over stored blocks, which keep nothing but what they have read.
import type { ReadCacheLimits } from "../block/read_caches.ts";
import type { RowRange } from "../block/read_plan.ts";
import type { CompactParams, MergeFailure } from "../compact/compact_job.ts";
import type { Merged } from "../compact/merge_blocks.ts";
import type { Config, LogFormat, LogLevel } from "../config/config.ts";
import type { BuiltFilter } from "../filter/block_filters.ts";
import type { ChunkCacheOptions } from "../store/chunk_cache.ts";
import type { BlockCacheStats } from "../telemetry/block_cache_metrics.ts";
import type { ProfileCalls } from "../telemetry/profile_calls.ts";
import type { BlockRefs } from "./block_refs.ts";
import type { TagCalls } from "./list_tags.ts";
import type { MeasureBlocksParams, Measured, MeasureTracesParams } from "./measure_job.ts";
import type { PackedSummaries } from "./packed_summaries.ts";
import type { QueryText } from "./query_text.ts";
import type {
  Located,
  LocateParams,
  ReportRowsParams,
  ReportTracesParams,
  SearchBlocksParams,
  SearchedTime,
  StoredParts,
} from "./search_job.ts";

/** Given to the worker when it is started. */
export interface BlockWorkerOptions {
  config: Config;
  caches: ReadCacheLimits;
  /** Bytes of what is kept of all blocks' traces, to tell which lie in several of them. */
  splitBytesMax: number;
  /** This worker's part of the cache on the local disk; null if there is none. */
  blockCache: ChunkCacheOptions | null;
  log: { level: LogLevel; format: LogFormat };
}

export interface FoundInBlocks {
  /** OTLP TracesData, one of each block that holds a part, in any order. */
  traces: Uint8Array<ArrayBuffer>[];
  /** The place of each one's block in the list. */
  places: number[];
  inspectedBytes: number;
}

/** What a call is about, with the blocks and the query as threads hand them on. */
type Posted<Params> = Omit<Params, "metas" | "plan"> &
  (Params extends { metas: unknown } ? { blocks: BlockRefs } : unknown) &
  (Params extends { plan: unknown } ? { query: QueryText } : unknown);

/** What is shown of traces, and the bytes that were read for it. */
export interface PackedReport {
  summaries: PackedSummaries;
  inspectedBytes: number;
}

export interface BlockApi extends ProfileCalls {
  findTrace: {
    params: {
      traceId: Uint8Array;
      blocks: BlockRefs;
      rows: (RowRange | null)[];
      searched: SearchedTime | null;
    };
    result: FoundInBlocks;
  };
  search: { params: Posted<SearchBlocksParams>; result: StoredParts };
  locate: { params: Posted<LocateParams>; result: Located };
  /** How many of the blocks hold each trace; 255 for more. */
  countHolders: { params: Posted<LocateParams>; result: Uint8Array<ArrayBuffer> };
  /** Ids of the traces that lie in several of the blocks and heads; null where that are too many to be told. */
  splitTraces: {
    params: { blocks: BlockRefs; live: Uint8Array; searched: SearchedTime };
    result: Uint8Array | null;
  };
  reportRows: { params: Posted<ReportRowsParams>; result: PackedReport };
  reportTraces: { params: Posted<ReportTracesParams>; result: PackedReport };
  /** Counts the spans of blocks for a metrics query. */
  measure: { params: Posted<MeasureBlocksParams>; result: Measured };
  /** The same of traces that are whole. */
  measureTraces: { params: Posted<MeasureTracesParams>; result: Measured };
  tagNames: {
    params: Posted<TagCalls["tagNames"]["params"]>;
    result: TagCalls["tagNames"]["result"];
  };
  tagValues: {
    params: Posted<TagCalls["tagValues"]["params"]>;
    result: TagCalls["tagValues"]["result"];
  };
  /** Makes the filter of the ids of one block. */
  buildFilter: { params: { blocks: BlockRefs }; result: BuiltFilter };
  /** How the worker's part of the cache on the local disk does; null if there is none. */
  cacheStats: { params: null; result: BlockCacheStats | null };
  /** Lets go of what is cached of other blocks than these, `<tenant>/<block>` each. */
  retainCached: { params: { blocks: string[] }; result: null };
  /** Merges blocks into one, all but its meta. */
  compact: { params: Posted<CompactParams>; result: Merged | MergeFailure };
}
