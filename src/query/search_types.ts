// What the protocols ask of a search and of the listings of tags, and what they get: the seam between the routes and the engine.
import type { Attribute, ConditionGroup, Query } from "../traceql/index.ts";

export interface SearchRequest {
  /** One, or several whose answers are joined. */
  tenants: string[];
  /** Valid. Of a metrics query the part before the metrics function counts. */
  query: Query;
  /** Unix seconds that a trace must overlap. */
  start: number;
  end: number;
  /** Traces, above 0. */
  limit: number;
  /** Spans shown of a span set; 0: all. */
  spansPerSpanSet: number;
  /** Whether the answer has span sets; a search by tags has none. */
  spanSets: boolean;
  /** Whether what is found so far is wanted meanwhile, or only the whole answer. */
  progress: boolean;
}

export interface SearchMetrics {
  inspectedTraces: number;
  inspectedBytes: number;
  totalBlocks: number;
  completedJobs: number;
  totalJobs: number;
  totalBlockBytes: number;
  inspectedSpans: number;
}

/** Of a query that has not begun. */
export const noSearchMetrics: Readonly<SearchMetrics> = {
  inspectedTraces: 0,
  inspectedBytes: 0,
  totalBlocks: 0,
  completedJobs: 0,
  totalJobs: 0,
  totalBlockBytes: 0,
  inspectedSpans: 0,
};

/** A trace of an answer. */
export interface FoundSummary {
  /** 32 hex digits. */
  traceId: string;
  startNanos: bigint;
  /** A tempopb.TraceSearchMetadata, whole. */
  message: Uint8Array;
}

export interface SearchAnswer {
  /**
   * Of the last answer: all traces, newest first. Of one before: traces found or changed since the one before, in no order.
   */
  traces: FoundSummary[];
  metrics: SearchMetrics;
  /** Nothing follows. */
  final: boolean;
}

export interface Searcher {
  /**
   * @param signal aborted when nobody waits for the answer any more
   * @throws QueryTimeout, QueryCanceled, QueryTooLarge, and errors with the code "resource_exhausted" where a queue is full
   */
  search(request: SearchRequest, signal: AbortSignal): AsyncGenerator<SearchAnswer, void, void>;
}

/** The scopes by which tags are listed. "none" is what the protocol calls all of them. */
export type TagScope = "none" | "resource" | "span" | "event" | "link" | "instrumentation" | "intrinsic";

interface TagsRequest {
  tenants: string[];
  /** Only of spans that one of these groups fits; null: of all. */
  groups: ConditionGroup[] | null;
  /** Unix seconds that the blocks must overlap; 0: no bound. */
  start: number;
  end: number;
  /** Names per scope, or values; 0: as many as fit in bytesMax. */
  limit: number;
  /** Bytes of all names or values; what is beyond is left out. 0: no limit. */
  bytesMax: number;
}

export interface TagNamesRequest extends TagsRequest {
  /** Never "intrinsic": those are the same whatever is stored. */
  scope: Exclude<TagScope, "intrinsic">;
}

export interface TagValuesRequest extends TagsRequest {
  attribute: Attribute;
}

/** Sorted by its bytes. Only scopes that have names. */
export interface TagNames {
  scopes: { name: Exclude<TagScope, "none" | "intrinsic">; tags: string[] }[];
  metrics: TagsMetrics;
}

export type TagValueType = "string" | "int" | "float" | "bool" | "duration" | "keyword";

export interface TagValue {
  type: TagValueType;
  value: string;
}

/** Sorted by value, then by type. */
export interface TagValues {
  values: TagValue[];
  metrics: TagsMetrics;
}

export interface TagsMetrics {
  inspectedBytes: number;
  totalJobs: number;
  completedJobs: number;
  totalBlocks: number;
  totalBlockBytes: number;
}

export interface TagLister {
  tagNames(request: TagNamesRequest, signal: AbortSignal): Promise<TagNames>;
  /** Of attributes and of name, statusMessage, rootName, rootServiceName, event:name, instrumentation:name and :version. */
  tagValues(request: TagValuesRequest, signal: AbortSignal): Promise<TagValues>;
}
