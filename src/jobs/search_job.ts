// A search's work on stored blocks and on heads, as data: what the workers are asked, and what they answer.
import type { BlockMeta } from "../block/meta.ts";
import type { SearchPlan } from "../search/plan.ts";
import type { TimeWindow } from "../search/projection.ts";
import type { ReportOptions, Summary } from "../search/report.ts";
import type { Share } from "./block_shares.ts";

/** What is looked for, wherever it is. */
export interface SearchTerms {
  plan: SearchPlan;
  window: TimeWindow;
  /** How many of the newest traces are wanted. */
  limit: number;
  /** Traces that began before this are not wanted any more. Unix ns. */
  since: bigint;
}

/** Parts of traces. */
export interface Parts {
  /** 16 bytes each. */
  ids: Uint8Array<ArrayBuffer>;
  /** When each began, Unix ns. */
  starts: BigUint64Array<ArrayBuffer>;
}

/** What a source found: parts of traces, for all that the source knows. */
export interface FoundParts {
  /** Those that match by themselves. */
  matched: Parts;
  /** Those that may match together with others. */
  undecided: Parts;
  inspectedTraces: number;
  inspectedSpans: number;
  inspectedBytes: number;
}

/** Parts in blocks, and where they lie. */
export interface StoredParts extends FoundParts {
  /** By part that matches: place of its block in the list that was asked, row group and row. */
  places: Uint32Array<ArrayBuffer>;
}

export interface SearchBlocksParams extends SearchTerms {
  metas: BlockMeta[];
  share: Share;
  /** Ids, 16 bytes each, of the traces that have parts elsewhere: none but these can be undecided. null: that is not known. */
  split: Uint8Array | null;
}

/** Unix seconds, both inclusive. */
export interface SearchedTime {
  start: number;
  end: number;
}

/** Which of the blocks hold which of the traces. */
export interface LocateParams {
  /** 16 bytes each, ascending. */
  ids: Uint8Array;
  metas: BlockMeta[];
  /** A block outside of it that can't be read is passed over. */
  searched: SearchedTime;
}

/** Pairs of the place of an id and the place of a block. */
export type Located = Uint32Array<ArrayBuffer>;

/** All parts of the first of some traces. */
export interface FirstTraces {
  /** OTLP TracesData. */
  traces: Uint8Array<ArrayBuffer>[];
  /** By part: the place of its trace. */
  places: number[];
  /** So many traces were looked for. */
  count: number;
}

export interface ReportRowsParams {
  plan: SearchPlan;
  options: ReportOptions;
  metas: BlockMeta[];
  /** Some rows of each block. */
  blockRows: BlockRows[];
}

/** Row groups of a block, and rows in each, ascending. */
export type BlockRows = { group: number; rows: number[] }[];

export interface ReportTracesParams {
  plan: SearchPlan;
  options: ReportOptions;
  window: TimeWindow;
  /** OTLP TracesData: parts of whole traces. Their buffers move to the worker. */
  parts: Uint8Array[];
}

export interface Reported {
  summaries: Summary[];
  inspectedBytes: number;
}

/** Joins what several heads or row groups found. */
export function joinFound(found: readonly FoundParts[]): FoundParts {
  return {
    matched: joinParts(found.map(({ matched }) => matched)),
    undecided: joinParts(found.map(({ undecided }) => undecided)),
    inspectedTraces: found.reduce((sum, { inspectedTraces }) => sum + inspectedTraces, 0),
    inspectedSpans: found.reduce((sum, { inspectedSpans }) => sum + inspectedSpans, 0),
    inspectedBytes: found.reduce((sum, { inspectedBytes }) => sum + inspectedBytes, 0),
  };
}

export function joinParts(parts: readonly Parts[]): Parts {
  const ids = parts.map((part) => part.ids);
  const starts = parts.map((part) => part.starts);
  return {
    ids: joinArrays(ids, (length) => new Uint8Array(length)),
    starts: joinArrays(starts, (length) => new BigUint64Array(length)),
  };
}

/** The buffers of found parts, to be moved to another thread. */
export function buffersOf({ matched, undecided }: FoundParts): ArrayBuffer[] {
  return [matched, undecided].flatMap(({ ids, starts }) => [ids.buffer, starts.buffer]);
}

interface Joinable<Self> {
  readonly length: number;
  set(from: Self, at: number): void;
}

export function joinArrays<Numbers extends Joinable<Numbers>>(
  parts: readonly Numbers[],
  create: (length: number) => Numbers,
): Numbers {
  if (parts.length === 1) return parts[0]!;
  const whole = create(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
