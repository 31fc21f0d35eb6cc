// What heads and blocks counted for a metrics query, joined: groups of spans with numbers for each interval. Plain data, before it
// is given labels and becomes series.
import { bucketBits } from "../../wasm/series_ids.ts";
import type { GroupValue, Label } from "../search/labels.ts";

/** One value for each attribute of `by`, in its order. Null where there is none, or an array of several elements. */
export type GroupKey = readonly (GroupValue | null)[];

export const bucketsMax = 1 << bucketBits;

/** Numbers of a group, three parallel arrays in no order; a slot may come again. Of durations all is in nanoseconds. */
export interface Cells {
  /**
   * `interval * bucketsMax + bucket`. Interval 0 is the first, (start, start + step]. Of histogram and quantile the bucket is the
   * binary logarithm of its bound, 1 to 63; else it is 0.
   */
  slots: Uint32Array;
  /** Spans: of count, rate, histogram and quantile those counted; of min, max, sum and avg those with a value, at least one. */
  counts: Float64Array;
  /** The smallest, the largest, or the sum (of avg too); of other functions nothing. */
  values: Float64Array;
}

/** Spans with the same key. It may have no cells, where none of them has a value. */
export interface MetricsGroup {
  key: GroupKey;
  cells: Cells;
}

export interface PartialExemplar {
  /** Index of its group. */
  group: number;
  /** The span's start, Unix nanoseconds. */
  startNanos: bigint;
  /** What the function measures of the span, of durations nanoseconds; null where it has no value, or none that is counted. */
  value: number | null;
  labels: Label[];
}

export interface MetricsPartial {
  groups: MetricsGroup[];
  exemplars: PartialExemplar[];
}

export type CompareSide = "selection" | "baseline";

/** Spans of one side with the same value of an attribute. */
export interface CompareGroup {
  side: CompareSide;
  /** Canonical name, with scope. */
  attribute: string;
  /** Null for an array of several elements; "others": of all values that are not counted by themselves, because they are too many. */
  value: GroupValue | null | "others";
  cells: Cells;
}

export interface CompareExemplar {
  side: CompareSide;
  /** The span's start, Unix nanoseconds. */
  startNanos: bigint;
  /** The attribute by which the span belongs to a series has to be among them. */
  labels: Label[];
}

export interface ComparePartial {
  groups: CompareGroup[];
  exemplars: CompareExemplar[];
}
