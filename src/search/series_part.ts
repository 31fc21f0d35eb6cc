// What was counted of some spans for a metrics query, packed for its way between threads.
import type { Label } from "../search/labels.ts";

/** A span that stands as an example for others. */
export interface PartExemplar {
  /** Its group: the place of its key. Of a comparison its side: 1 the selection, 0 all other spans. */
  group: number;
  /** 32 hex digits: of a trace one span is shown. */
  traceId: string;
  /** Unix ns. */
  startNanos: bigint;
  /** What is measured of it, of durations in ns; null: only that it is there. */
  value: number | null;
  labels: Label[];
}

export interface SeriesPart {
  /** Keys of the groups, one behind the other: see writeGroupKeys() in wasm/series_groups.ts. */
  keys: Uint8Array<ArrayBuffer>;
  /** End of each key. */
  keyEnds: Uint32Array<ArrayBuffer>;
  /** By cell: group << 32 | interval << 6 | bucket. */
  cells: BigUint64Array<ArrayBuffer>;
  counts: Float64Array<ArrayBuffer>;
  /** Least, greatest, or sum; empty where spans are only counted. */
  values: Float64Array<ArrayBuffer>;
  /** What the sums lost by rounding; likewise. */
  rests: Float64Array<ArrayBuffer>;
  exemplars: PartExemplar[];
  /** Whether there was no room for some groups or cells. */
  isCut: boolean;
}

/** The buffers of a part, to be moved to another thread. */
export function buffersOfPart({ keys, keyEnds, cells, counts, values, rests }: SeriesPart): ArrayBuffer[] {
  return [keys, keyEnds, cells, counts, values, rests].map(({ buffer }) => buffer);
}
