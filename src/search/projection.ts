// What a query takes of a stored row group: which columns of the batch it wants filled, and what a span must look like to be worth
// reading. Plain data: it crosses to the workers.
import type { Column } from "../../wasm/column_ids.ts";
import type { Attribute, ComparisonOp, Literal } from "../traceql/index.ts";

/** Whose attributes: "instrumentation" are those of the scope. */
export type AttributeOwner = "resource" | "instrumentation" | "span" | "event" | "link";

export interface Projection {
  /** Ids of the traces. Without them every row of the file is a trace of its own all the same. */
  traceIds: boolean;
  /**
   * Columns of the batch: of spans (SpanName, SpanId …), scopes, events (EventTime, EventName) and links, the nested set numbers
   * (NestedLeft, NestedRight, NestedParent), and those of traces (TraceStart, TraceEnd, TraceDuration, TraceRootService,
   * TraceRootName). TraceStatsStart stands for the service stats with all their columns.
   */
  columns: readonly Column[];
  /** Names of the attributes that are wanted of each owner; "all" of them, or none if the owner is missing. */
  attributes: Partial<Record<AttributeOwner, readonly string[] | "all">>;
}

/**
 * What must hold of at least one span of a trace for the trace to be of use: what statistics, dictionaries and page bounds are held
 * against. It never says more than it can be held to: "maybe" wherever they can't tell.
 */
export type Necessary =
  | { kind: "maybe" }
  /** Nothing can match. */
  | { kind: "never" }
  | { kind: "all"; of: Necessary[] }
  | { kind: "any"; of: Necessary[] }
  /** The attribute has, on the span, its resource, scope, or one of its events or links, a value that compares like this. */
  | { kind: "comparison"; attribute: Attribute; op: ComparisonOp; value: Literal }
  /** The attribute is there. */
  | { kind: "existence"; attribute: Attribute };

/** Traces that overlap this. Unix nanoseconds, both ends included. */
export interface TimeWindow {
  startNanos: bigint;
  endNanos: bigint;
}
