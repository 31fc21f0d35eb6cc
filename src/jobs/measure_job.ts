// A metrics query's work on stored blocks and on heads, as data: what the workers are asked, and what they answer.
import type { BlockMeta } from "../block/meta.ts";
import type { Intervals } from "../search/intervals.ts";
import type { MetricsPlan } from "../search/metrics_plan.ts";
import { buffersOfPart, type SeriesPart } from "../search/series_part.ts";
import type { Share } from "./block_shares.ts";

/** What is counted, wherever it is. */
export interface MetricsTerms {
  plan: MetricsPlan;
  grid: Intervals;
  /** Exemplars wanted of the whole answer. */
  exemplars: number;
  /** Cells that an answer, and what is counted of one batch, may have. */
  cellsMax: number;
  /** Ids, 16 bytes each, of traces that lie in several places: they are not counted in part. Empty where none has to be whole. */
  split: Uint8Array;
}

export interface MeasureBlocksParams extends MetricsTerms {
  metas: BlockMeta[];
  share: Share;
}

export interface MeasureTracesParams extends MetricsTerms {
  /** OTLP TracesData: all parts of some traces. */
  parts: Uint8Array[];
}

export interface Measured {
  part: SeriesPart;
  /** Ids of the split traces that may count when they are whole. */
  open: Uint8Array<ArrayBuffer>;
  inspectedTraces: number;
  inspectedSpans: number;
  inspectedBytes: number;
}

/** What the heads of a shard hold. */
export interface MeasuredHeads extends Measured {
  /** Blocks that have been, or will be, written of the heads that were counted: they must not be counted again. */
  blockIds: string[];
}

/** The buffers of what was counted, to be moved to another thread. */
export function buffersOfMeasured({ part, open }: Measured): ArrayBuffer[] {
  return [...buffersOfPart(part), open.buffer];
}
