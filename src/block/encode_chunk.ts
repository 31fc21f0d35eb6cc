// The leaf that the core holds into its column chunk: dictionary, pages.
import { Column } from "../../wasm/column_ids.ts";
import { Encoder, Order, PageResult } from "../../wasm/parquet_encode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { release } from "../threads/garbage.ts";
import { chunkBounds, type PageBounds, pageBounds } from "./encode_bounds.ts";
import type { CompressedPage, PageContent } from "./encode_compress.ts";
import { type EncodeCore, encodeCore } from "./encode_core.ts";
import type { BlockOutput } from "./encode_output.ts";
import type { LeafStep } from "./encode_plan.ts";
import type { Slices } from "./encode_slices.ts";
import { type ChunkEntry, dataPageHeader, dictionaryPageHeader, type PageEntry } from "./footer_writer.ts";
import { ThriftWriter } from "./thrift_writer.ts";

/**
 * A dictionary is left out when more than 1 / dictionaryValuesMin of the values are distinct, and they are this many: it would hold
 * nearly every value, far away from the page that needs it. A small one costs little and spares readers the pages.
 */
const dictionaryValuesMin = 2;
const dictionaryEntriesMin = 4096;
/** A page has at most pageBytesMax / slotBytes slots, however few bytes they take: readers pass all levels before the one they want. */
const slotBytes = 4;
/** Estimated bits of a value in a page, by encoder; dictionary indexes and strings are known better. */
const valueBits: Record<Encoder, number> = {
  [Encoder.Plain32]: 32,
  [Encoder.Plain64]: 64,
  [Encoder.Bool]: 1,
  [Encoder.Delta32]: 12,
  [Encoder.Delta64]: 40,
  [Encoder.Strings]: 8,
  [Encoder.Dictionary]: 8,
  [Encoder.Id8]: 64,
  [Encoder.Id16]: 128,
  [Encoder.Id16Text]: 256,
};

export class ChunkWriter {
  private readonly core: EncodeCore;
  private readonly thrift = new ThriftWriter();
  /** Pages without values by everything that decides their bytes: many leaves of a row group are empty and share them. */
  private readonly emptyPages = new Map<string, EncodedPage>();

  constructor(
    private readonly batch: SpanBatch,
    private readonly output: BlockOutput,
    private readonly compress: (raw: Uint8Array, content: PageContent) => CompressedPage,
    private readonly slices: Slices,
    private readonly pageBytesMax: number,
  ) {
    this.core = encodeCore(batch);
  }

  /**
   * Writes the chunk of a leaf.
   *
   * @param levels what load() said
   */
  async write(step: LeafStep, levels: string | null): Promise<ChunkEntry> {
    const { core, slices } = this;
    const { leaf } = step;
    const chunk: ChunkEntry = {
      leaf,
      encoding: leaf.node.encoding!,
      slots: core.leafSlotCount(),
      nulls: core.leafSlotCount() - core.leafValueCount(),
      uncompressedBytes: 0,
      compressedBytes: 0,
      dictionaryOffset: 0,
      pages: [],
      bounded: false,
      ascending: leaf.path === "TraceID",
      min: null,
      max: null,
    };
    const bounds: PageBounds[] = [];
    let { encoder, order } = step;
    const entries = step.dictionary === "never" ? -1 : await this.index(step);
    if (entries >= 0) {
      encoder = Encoder.Dictionary;
      chunk.encoding = "dict";
      this.writeDictionary(chunk, entries, bounds);
      if (this.output.full) await this.output.drain();
      await slices.turn();
    } else if (step.dictionary === "usually") {
      // Values that stand in no order: their bounds would rule out nothing.
      order = Order.None;
      chunk.encoding = "delta_length";
    }
    await this.writePages({ ...step, encoder, order }, levels, chunk, entries, bounds);
    if (encoder === Encoder.Dictionary) core.endDictionary();
    await slices.turn();
    chunkBounds(chunk, order, bounds, encoder !== Encoder.Dictionary);
    return chunk;
  }

  /** Indexes the leaf's strings. Returns the entries of the dictionary, or -1 if it is not worth having. */
  private async index({ dictionary }: LeafStep): Promise<number> {
    const { core } = this;
    const values = core.leafValueCount();
    if ((dictionary === "repeats" && values === 0) || core.leafIsSlices()) return -1;
    let entries = 0;
    core.beginDictionary();
    await this.slices.over(values, (from, to) => {
      entries = core.indexValues(from, to);
    });
    if (dictionary === "always" || entries * dictionaryValuesMin <= values) return entries;
    if (dictionary === "usually" && entries < dictionaryEntriesMin) return entries;
    core.dropDictionary();
    return -1;
  }

  private writeDictionary(chunk: ChunkEntry, entries: number, bounds: PageBounds[]): void {
    const { core, thrift } = this;
    const page = this.compress(this.body(core.writeDictionary()), "indexes");
    bounds.push(pageBounds(core, Order.Bytes, 0));
    chunk.dictionaryOffset = this.output.position;
    this.put(chunk, dictionaryPageHeader(thrift, page.rawBytes, page.bytes.length, page.crc, entries), page);
    release(page.bytes);
  }

  private async writePages(
    step: LeafStep,
    levels: string | null,
    chunk: ChunkEntry,
    entries: number,
    bounds: PageBounds[],
  ): Promise<void> {
    const { core, slices, output, pageBytesMax } = this;
    const { encoder } = step;
    const indexWidth = entries > 1 ? 32 - Math.clz32(entries - 1) : 0;
    const slotsMax = this.slotsPerPage(chunk, encoder, indexWidth);
    const bytesMax = encoder === Encoder.Strings && core.leafStringBytes() > pageBytesMax ? pageBytesMax : 0;
    let value = 0;
    let row = 0;
    for (let from = 0; from < chunk.slots; ) {
      const to = core.pageEnd(from, value, slotsMax, bytesMax);
      const page =
        levels === null
          ? this.encode(step, from, to, value, indexWidth, contentOf(encoder))
          : this.encodeEmpty(step, levels, from, to, indexWidth);
      const header = dataPageHeader(
        this.thrift,
        page.rawBytes,
        page.bytes.length,
        page.crc,
        to - from,
        chunk.encoding,
      );
      const entry: PageEntry = {
        offset: output.position,
        bytes: header.length + page.bytes.length,
        firstRow: row,
        nulls: to - from - page.values,
        min: null,
        max: null,
      };
      chunk.pages.push(entry);
      if (encoder !== Encoder.Dictionary) {
        bounds.push(page.bounds);
        entry.min = page.bounds.min;
        entry.max = page.bounds.max;
      }
      this.put(chunk, header, page);
      if (levels === null) release(page.bytes);
      value += page.values;
      row += page.rows;
      from = to;
      if (output.full) await output.drain();
      if (slices.due) await slices.rest(); // not turn(): most pages need no promise
    }
  }

  /** Slots per page, by the estimated bits of a slot. */
  private slotsPerPage(chunk: ChunkEntry, encoder: Encoder, indexWidth: number): number {
    const { leaf, slots, nulls } = chunk;
    const levels =
      bitsOf(leaf.maxRepetition) + (this.core.leafDefinition() < 0 ? bitsOf(leaf.maxDefinition) : 0);
    const bits = encoder === Encoder.Dictionary ? indexWidth : valueBits[encoder];
    const slotBits = levels + (bits * (slots - nulls)) / Math.max(1, slots);
    const byBytes = Math.floor((this.pageBytesMax * 8) / Math.max(1, slotBits));
    return Math.max(1, Math.min(byBytes, Math.floor(this.pageBytesMax / slotBytes)));
  }

  private encode(
    step: LeafStep,
    from: number,
    to: number,
    value: number,
    indexWidth: number,
    content: PageContent,
  ): EncodedPage {
    const { core } = this;
    const length = core.encodePage(from, to, value, step.encoder, step.order, indexWidth);
    const result = new Uint32Array(core.memory.buffer, core.pageResult(), PageResult.Count);
    const values = result[PageResult.Values]!;
    const rows = result[PageResult.Rows]!;
    const bounds = pageBounds(core, step.order, valueWidth(step.encoder));
    return { ...this.compress(this.body(length), content), values, rows, bounds };
  }

  private encodeEmpty(
    step: LeafStep,
    levels: string,
    from: number,
    to: number,
    indexWidth: number,
  ): EncodedPage {
    const { maxRepetition, maxDefinition } = step.leaf;
    const widths = `${bitsOf(maxRepetition)} ${bitsOf(maxDefinition)}`;
    const key = `${levels} ${widths} ${from} ${to} ${emptyValues(step.encoder)}`;
    let page = this.emptyPages.get(key);
    if (!page) {
      page = this.encode(step, from, to, 0, indexWidth, "nothing");
      this.emptyPages.set(key, page);
    }
    return page;
  }

  private body(length: number): Uint8Array {
    return new Uint8Array(this.core.memory.buffer, this.batch.columnAddress(Column.Output), length);
  }

  private put(chunk: ChunkEntry, header: Uint8Array, page: CompressedPage): void {
    this.output.write(header);
    this.output.write(page.bytes);
    chunk.uncompressedBytes += header.length + page.rawBytes;
    chunk.compressedBytes += header.length + page.bytes.length;
  }
}

interface EncodedPage extends CompressedPage {
  values: number;
  rows: number;
  bounds: PageBounds;
}

function bitsOf(level: number): number {
  return 32 - Math.clz32(level);
}

function contentOf(encoder: Encoder): PageContent {
  switch (encoder) {
    case Encoder.Strings:
    case Encoder.Id16Text:
      return "texts";
    case Encoder.Delta32:
    case Encoder.Delta64:
    case Encoder.Id8:
    case Encoder.Id16:
      return "numbers";
    default:
      return "indexes";
  }
}

/** Bytes of a plain-encoded number; 0 for byte strings. */
function valueWidth(encoder: Encoder): number {
  if (encoder === Encoder.Plain64 || encoder === Encoder.Delta64) return 8;
  if (encoder === Encoder.Plain32 || encoder === Encoder.Delta32) return 4;
  return encoder === Encoder.Bool ? 1 : 0;
}

/** What a page without values holds in their place: an index width, a delta header, or nothing. */
function emptyValues(encoder: Encoder): "indexes" | "deltas" | "" {
  if (encoder === Encoder.Dictionary) return "indexes";
  return encoder === Encoder.Plain32 || encoder === Encoder.Plain64 || encoder === Encoder.Bool
    ? ""
    : "deltas";
}
