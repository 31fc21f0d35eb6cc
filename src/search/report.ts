// What a search shows of the traces that match: a tempopb.TraceSearchMetadata for each.
import { Column } from "../../wasm/column_ids.ts";
import { QueryType } from "../../wasm/query_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { type Attribute, printAttribute } from "../traceql/index.ts";
import { Evaluator } from "./evaluate.ts";
import { hex } from "./ids.ts";
import { MessageWriter } from "./message_writer.ts";
import type { SearchPlan } from "./plan.ts";
import { attributeRows, SpanSetPipeline, type SpanSets } from "./span_sets.ts";
import { ValueWriter } from "./value_writer.ts";

export interface ReportOptions {
  /** Spans shown of a span set; 0: all. */
  spansPerSpanSet: number;
  spanSets: boolean;
  /** Bytes of all summaries together. */
  bytesMax: number;
}

/** A trace of an answer. */
export interface Summary {
  /** 32 hex digits. */
  traceId: string;
  startNanos: bigint;
  endNanos: bigint;
  /** A tempopb.TraceSearchMetadata. */
  message: Uint8Array<ArrayBuffer>;
}

/** In place of the root's service while there is no root. */
const noRoot = "<root span not yet received>";
const uint32Max = 0xffff_ffffn;
const nanosPerMs = 1_000_000n;

/**
 * Shows the traces of a batch that match, in the order of the batch, which is one that was read from a block or ordered.
 *
 * @throws QueryTooLarge
 */
export function reportOrdered(batch: SpanBatch, plan: SearchPlan, options: ReportOptions): Summary[] {
  return new Reporter(batch, plan, options).summaries();
}

/** An attribute of the spans that are shown, in the order in which they are. */
interface ShownAttribute {
  attribute: Attribute;
  key: string;
  /** Nil where a span does not show it. */
  types: Uint8Array;
  /** The 8 bytes of the values. */
  words: BigUint64Array;
}

/** A span set of a trace that matches. */
interface FoundSet {
  set: number;
  /** Of its spans, in the order of the batch. */
  places: number[];
  /** How many spans are shown before the first of its own. */
  shownBefore: number;
}

class Reporter {
  readonly #batch: SpanBatch;
  readonly #plan: SearchPlan;
  readonly #options: ReportOptions;
  readonly #evaluator: Evaluator;
  readonly #writer: MessageWriter;
  readonly #values: ValueWriter;

  constructor(batch: SpanBatch, plan: SearchPlan, options: ReportOptions) {
    this.#batch = batch;
    this.#plan = plan;
    this.#options = options;
    this.#evaluator = new Evaluator(batch, plan, false);
    this.#writer = new MessageWriter(options.bytesMax);
    this.#values = new ValueWriter(this.#evaluator, this.#writer);
  }

  summaries(): Summary[] {
    const pipeline = new SpanSetPipeline(this.#evaluator);
    const sets = pipeline.run(this.#plan.stages, pipeline.wholeTraces());
    const { found, spans } = this.#found(pipeline.list(sets));
    const shown = this.#options.spanSets
      ? this.#plan.reported.map((attribute) => this.#shown(attribute, spans))
      : [];
    // From here on the batch does not grow, so that views on it stay good.
    const columns = viewColumns(this.#batch);
    return found.map(([rank, own]) => this.#summary(columns, rank, own, sets, shown));
  }

  /** The traces that match, by rank, with their sets; and the spans that are shown, in their order. */
  #found(list: Uint32Array): { found: [rank: number, sets: FoundSet[]][]; spans: number[] } {
    const starts = this.#batch.u32(Column.OrderedSpanStart, this.#batch.core.rankCount!() + 1);
    const ordered = this.#batch.u32(Column.OrderedSpan, list.length);
    const found: [rank: number, sets: FoundSet[]][] = [];
    const spans: number[] = [];
    for (let rank = 0; rank + 1 < starts.length; rank++) {
      const members = membersOf(list, starts[rank]!, starts[rank + 1]!);
      if (members.size === 0) continue;
      const sets: FoundSet[] = [];
      for (const [set, places] of members) {
        sets.push({ set, places, shownBefore: spans.length });
        const listed = this.#listed(places);
        for (let i = 0; i < listed; i++) spans.push(ordered[places[i]!]!);
      }
      found.push([rank, sets]);
    }
    return { found, spans };
  }

  /** How many of a set's spans are shown. */
  #listed({ length }: readonly number[]): number {
    const { spansPerSpanSet } = this.#options;
    return spansPerSpanSet > 0 ? Math.min(spansPerSpanSet, length) : length;
  }

  /** Takes the values of the spans that are shown out of the vectors, so that there is one attribute at a time in these. */
  #shown(attribute: Attribute, spans: readonly number[]): ShownAttribute {
    const { reader, spans: rows } = this.#evaluator;
    const values = this.#evaluator.values(attribute);
    const shown = this.#evaluator.shown(attribute);
    const types = reader.types(values.at, rows);
    const words = reader.words(values.at, rows);
    const truths = shown === null ? null : reader.types(shown, rows);
    const own: ShownAttribute = {
      attribute,
      key: attribute.kind === "attribute" ? attribute.name : printAttribute(attribute),
      types: Uint8Array.from(spans, (span) => (truths?.[span] === 0 ? QueryType.Nil : types[span]!)),
      words: BigUint64Array.from(spans, (span) => words[span]!),
    };
    this.#evaluator.giveValues(values);
    if (shown !== null) this.#evaluator.giveTruth(shown);
    return own;
  }

  #summary(
    columns: Columns,
    rank: number,
    found: readonly FoundSet[],
    sets: SpanSets,
    shown: readonly ShownAttribute[],
  ): Summary {
    const writer = this.#writer;
    const trace = columns.traces[rank]!;
    const traceId = hex(columns.traceIds.subarray(trace * 16, trace * 16 + 16));
    writer.text(1, traceId.replace(/^0+/, ""));
    const rootService = columns.rootServices[rank]!;
    if (rootService === 0) writer.text(2, noRoot);
    else this.#string(2, rootService);
    this.#string(3, columns.rootNames[rank]!);
    this.#word(4, columns.starts, rank);
    // One that ends before it starts has a negative duration, in 64 bits without a sign.
    const durationMs = BigInt.asIntN(64, columns.durations[rank]!) / nanosPerMs;
    if (durationMs > 0n) writer.number(5, durationMs > uint32Max ? Number(uint32Max) : Number(durationMs));
    if (this.#options.spanSets) {
      // The first one twice: once more for clients that know no others.
      this.#spanSet(columns, 6, found[0]!, sets, shown);
      for (const one of found) this.#spanSet(columns, 7, one, sets, shown);
    }
    this.#stats(columns, rank);
    return {
      traceId,
      startNanos: columns.traceStarts[rank]!,
      endNanos: columns.traceEnds[rank]!,
      message: writer.take(),
    };
  }

  #stats({ statsStarts, statsServices, statsSpans, statsErrors }: Columns, rank: number): void {
    const writer = this.#writer;
    for (let row = statsStarts[rank]!; row < statsStarts[rank + 1]!; row++) {
      writer.begin(8);
      this.#string(1, statsServices[row]!);
      writer.begin(2);
      if (statsSpans[row]! > 0) writer.number(1, statsSpans[row]!);
      if (statsErrors[row]! > 0) writer.number(2, statsErrors[row]!);
      writer.end();
      writer.end();
    }
  }

  #spanSet(
    columns: Columns,
    field: number,
    { set, places, shownBefore }: FoundSet,
    sets: SpanSets,
    shown: readonly ShownAttribute[],
  ): void {
    const writer = this.#writer;
    const listed = this.#listed(places);
    writer.begin(field);
    for (let i = 0; i < listed; i++) {
      writer.begin(1);
      this.#span(columns, columns.spans[places[i]!]!, shownBefore + i, shown);
      writer.end();
    }
    writer.number(2, places.length);
    for (const [i, row] of attributeRows(sets, set).entries()) {
      const { name, values, rows } = sets.attributes[i]!;
      writer.begin(3);
      writer.text(1, name);
      writer.begin(2);
      this.#values.setValue(values, rows, row);
      writer.end();
      writer.end();
    }
    writer.end();
  }

  /** @param row of what is shown of it in the attributes */
  #span(columns: Columns, span: number, row: number, shown: readonly ShownAttribute[]): void {
    const writer = this.#writer;
    writer.hex(1, columns.spanIds.subarray(span * 8, span * 8 + 8));
    if (this.#plan.showsName) this.#string(2, columns.spanNames[span]!);
    this.#word(3, columns.spanStartTimes, span);
    this.#word(4, columns.spanDurations, span);
    for (const { attribute, key, types, words } of shown) {
      const type: QueryType = types[row]!;
      if (type === QueryType.Nil) continue;
      writer.begin(5);
      writer.text(1, key);
      writer.begin(2);
      this.#values.write(type, words[row]!, attribute);
      writer.end();
      writer.end();
    }
  }

  /** A string of the batch; an empty one is left out. */
  #string(field: number, id: number): void {
    if (id !== 0) this.#writer.bytes(field, this.#batch.stringBytes(id));
  }

  /** An element of a column of 64-bit numbers, given as words; 0 is left out. */
  #word(field: number, words: Uint32Array, i: number): void {
    const low = words[i * 2]!;
    const high = words[i * 2 + 1]!;
    if (low !== 0 || high !== 0) this.#writer.number(field, low, high);
  }
}

/** Views on the columns that are shown. */
type Columns = ReturnType<typeof viewColumns>;

function viewColumns(batch: SpanBatch) {
  const { spans: spanCount, traces: traceCount } = batch;
  const ranks = batch.core.rankCount!();
  const statsStarts = batch.u32(Column.TraceStatsStart, ranks + 1);
  const stats = statsStarts[ranks]!;
  return {
    traces: batch.u32(Column.OrderedTrace, ranks),
    traceIds: batch.u8(Column.TraceId, traceCount * 16),
    starts: batch.u32(Column.TraceStart, ranks * 2),
    traceStarts: batch.u64(Column.TraceStart, ranks),
    traceEnds: batch.u64(Column.TraceEnd, ranks),
    durations: batch.u64(Column.TraceDuration, ranks),
    rootServices: batch.u32(Column.TraceRootService, ranks),
    rootNames: batch.u32(Column.TraceRootName, ranks),
    statsStarts,
    statsServices: batch.u32(Column.StatsService, stats),
    statsSpans: batch.u32(Column.StatsSpans, stats),
    statsErrors: batch.u32(Column.StatsErrors, stats),
    spanStarts: batch.u32(Column.OrderedSpanStart, ranks + 1),
    spans: batch.u32(Column.OrderedSpan, batch.core.placeCount!()),
    spanIds: batch.u8(Column.SpanId, spanCount * 8),
    spanNames: batch.u32(Column.SpanName, spanCount),
    spanStartTimes: batch.u32(Column.SpanStart, spanCount * 2),
    spanDurations: batch.u32(Column.SpanDuration, spanCount * 2),
  };
}

/** Places by set, in the order in which the sets first appear. */
function membersOf(list: Uint32Array, start: number, end: number): Map<number, number[]> {
  const members = new Map<number, number[]>();
  for (let place = start; place < end; place++) {
    const set = list[place]!;
    if (set === 0) continue;
    const places = members.get(set);
    if (places) places.push(place);
    else members.set(set, [place]);
  }
  return members;
}
