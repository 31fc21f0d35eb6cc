// What crosses between the main thread and a shard worker.

import type { BlockMeta } from "../block/meta.ts";
import type { Config, LogFormat, LogLevel } from "../config/config.ts";
import type { MeasuredHeads, MetricsTerms } from "../jobs/measure_job.ts";
import type { QueryText } from "../jobs/query_text.ts";
import type { FirstTraces, FoundParts, SearchTerms } from "../jobs/search_job.ts";
import type { HeadTagCalls } from "../search/tags_heads.ts";
import type { CutDone, CutReason, ShardStats, TenantStats } from "../telemetry/ingest_metrics.ts";
import type { ProfileCalls } from "../telemetry/profile_calls.ts";

/** A longer request can't be logged as one record. */
export const requestBytesMax = 256 * 1024 * 1024;

/** Stands for the tenants beyond those that are counted by themselves. */
export const otherTenants = "*other*";

/** Given to the worker when it is started. */
export interface ShardOptions {
  config: Config;
  shard: number;
  shards: number;
  /** The shard's part of the memory budget, for its heads. */
  memoryBytesMax: number;
  log: { level: LogLevel; format: LogFormat };
}

/** What a shard knows of itself; the main thread adds what waits for it. */
export type ShardReport = Omit<ShardStats, "shard" | "queueBytes" | "utilisation">;

/** What a shard knows of a tenant. */
export type TenantReport = Pick<
  TenantStats,
  "tenant" | "attributesTruncated" | "liveTraces" | "tracesCreated"
>;

export interface ShardApi extends ProfileCalls, HeadTagCalls {
  /** Reads the WAL back. Resolves when all of it is in heads or blocks. */
  replay: { params: null; result: null };
  /** Logs and then holds a request. Resolves when it is in the log. */
  append: { params: { tenant: string; request: Uint8Array<ArrayBuffer> }; result: null };
  /** OTLP TracesData of the trace, one of each head that holds spans of it. */
  find: { params: { tenant: string; traceId: Uint8Array }; result: Uint8Array<ArrayBuffer>[] };
  /** The same of the first of several traces, of as many as fit into so many bytes and of one at least. Ids of 16 bytes each. */
  findAll: { params: { tenant: string; ids: Uint8Array; bytesMax: number }; result: FirstTraces };
  /** Parts of traces in the heads that match, or may match together with others. */
  search: { params: Omit<SearchTerms, "plan"> & { query: QueryText; tenant: string }; result: FoundParts };
  /** Counts the spans of the heads for a metrics query. */
  measure: {
    params: Omit<MetricsTerms, "plan"> & { query: QueryText; tenant: string };
    result: MeasuredHeads;
  };
  /** Ids, 16 bytes each, of all traces that have a span in a head. */
  traceIds: { params: { tenant: string }; result: Uint8Array<ArrayBuffer> };
  /** Places of the ids, 16 bytes each, whose traces have a span in a head, once for every head. */
  locate: { params: { tenant: string; ids: Uint8Array }; result: Uint32Array<ArrayBuffer> };
  /** Cuts the heads, of one tenant or of all, and resolves when their blocks are in the block list. */
  flush: { params: { tenant: string | null; reason: CutReason }; result: BlockMeta[] };
  /** Cuts the heads that are too old, without waiting for their blocks. */
  cutAged: { params: { ageMsMax: number }; result: null };
  /** The block is in the block list: its head and WAL segment may go. */
  blockListed: { params: { blockId: string }; result: null };
  stats: { params: null; result: { shard: ShardReport; tenants: TenantReport[] } };
}

/** Body of the event `block`: a head's block is in the store, and waits for blockListed. */
export interface BlockWritten {
  meta: BlockMeta;
}

/** Body of the event `cut`. */
export type CutEvent = CutDone;

/** Body of the event `cutFailed`. */
export interface CutFailed {
  tenant: string;
  message: string;
}
