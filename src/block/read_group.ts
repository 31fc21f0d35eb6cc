// Row groups into a batch: which bytes, in which order, through the core.
import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type { FileLeaf } from "./footer_reader.ts";
import type { ReadLeaf } from "./read_columns.ts";
import type { Dictionary } from "./read_dictionary.ts";
import type { BlockFile, Chunk, Fetched, OpenFile } from "./read_file.ts";
import { type ChunkPages, decodeLeaf, type Entries, type GivenPage, type PlainPage } from "./read_leaf.ts";
import { type ByteRange, isEmptyChunk, type LeafPlan, planLeaf, type RowRange } from "./read_plan.ts";
import type { RecordLeaves } from "./read_projection.ts";
import { type RowSource, readRecords, valueOrder } from "./read_records.ts";

/** Up to so many rows, single entries of a dictionary are looked up instead of giving all of it to the core. */
const fewRows = 16;
/** Column chunks of a projection that are fetched at once; where they are longer, one after the other. */
const fetchBytesMax = 16 << 20;

const noBytes = new Uint8Array(0);
const noLeaves: ReadonlySet<FileLeaf> = new Set();

/** Rows in the ranges, which may end behind the last row. */
export function countRows(rows: readonly RowRange[], end: number): number {
  return rows.reduce((sum, range) => sum + Math.max(0, Math.min(range.end, end) - range.start), 0);
}

/** What a read of some rows takes. */
interface RowsPlan {
  /** By leaf. */
  leaves: (LeafPlan | undefined)[];
  /** What is not known of it. */
  ranges: ByteRange[];
  /** What is: held here, since what is remembered may be forgotten while this very read adds to it. */
  dictionaries: Map<number, Dictionary>;
  pages: Map<number, PlainPage>;
}

async function planRows(
  file: BlockFile,
  open: OpenFile,
  group: number,
  rows: readonly RowRange[],
  records: RecordLeaves,
  reads: readonly ReadLeaf[],
): Promise<RowsPlan> {
  const rowGroup = open.file.rowGroups[group]!;
  const leaves = reads.map(({ leaf }) => leaf);
  const indexes = await file.indexes(open, group, leaves, noLeaves);
  const { structure, traceId, zeroIsDefault } = records;
  const planned: RowsPlan = { leaves: [], ranges: [], dictionaries: new Map(), pages: new Map() };
  const takeKnown = (offset: number): boolean => {
    const page = file.knownPage(offset);
    if (page) planned.pages.set(offset, page);
    return page !== undefined;
  };
  for (const read of reads) {
    const { index } = read.leaf;
    const isNeeded = index === structure.leaf.index || index === traceId?.leaf.index;
    const plan = planLeaf(rowGroup, read, indexes[index] ?? null, rows, isNeeded, zeroIsDefault);
    const known = plan.dictionary ? file.knownDictionary(group, read.leaf) : undefined;
    if (known) {
      planned.dictionaries.set(index, known);
      plan.dictionary = null;
    }
    planned.leaves[index] = plan;
    if (plan.empty) continue;
    const unknown = plan.pages.filter(({ offset }) => !planned.pages.has(offset) && !takeKnown(offset));
    planned.ranges.push(...planRanges({ ...plan, pages: unknown }));
  }
  return planned;
}

/** Fetches what a read of these rows, or of any of them, takes, so that it needs no further requests. */
export async function holdRows(
  file: BlockFile,
  open: OpenFile,
  group: number,
  rows: RowRange,
  records: RecordLeaves,
): Promise<void> {
  // The ids with the bounds of their pages, so that the indexes too are asked for once.
  const bounded = new Set(records.traceId ? [records.traceId.leaf] : []);
  const leaves = records.all.map(({ leaf }) => leaf);
  await file.indexes(open, group, leaves, bounded);
  const { leaves: plans, pages, ranges } = await planRows(file, open, group, [rows], records, records.all);
  // Where the ids are known, so is the row, and what it takes is less.
  const ids = records.traceId && plans[records.traceId.leaf.index];
  if (ids && ids.pages.length > 0 && ids.pages.every(({ offset }) => pages.has(offset))) return;
  await file.hold(ranges);
}

/** Reads some rows: everything is planned, then fetched at once, then decoded. */
export async function readRows(
  file: BlockFile,
  batch: SpanBatch,
  open: OpenFile,
  group: number,
  rows: readonly RowRange[],
  records: RecordLeaves,
  source: RowSource,
): Promise<void> {
  const rowGroup = open.file.rowGroups[group]!;
  const reads = records.all.filter((read) => !("ids" in source) || read !== records.traceId);
  const planned = await planRows(file, open, group, rows, records, reads);
  const fetched = await file.fetch(planned.ranges);
  const { core } = batch;
  core.beginLeaves!();
  const pairs = batch.reserveColumn(Column.Decode4, rows.length * 8);
  const edges = rows.flatMap(({ start, end }) => [start, end]);
  new Uint32Array(core.memory.buffer, pairs, edges.length).set(edges);
  core.wantRows!(rows.length);
  const isEmpty = (read: ReadLeaf) => planned.leaves[read.leaf.index]!.empty;
  const pageMemory = memoryOf(file, planned.pages);
  const entries: Entries = countRows(rows, rowGroup.rows) <= fewRows ? "few" : "some";
  for (const request of readRecords(batch, records, isEmpty, source)) {
    const plan = planned.leaves[request.leaf.index]!;
    const known = planned.dictionaries.get(request.leaf.index) ?? null;
    decodeLeaf(batch, request, chunkPages(file, open, group, plan, fetched, known, pageMemory), entries);
  }
}

/** Reads a whole row group, one column chunk after the other, or all of a projection's at once. */
export async function readAll(
  file: BlockFile,
  batch: SpanBatch,
  open: OpenFile,
  group: number,
  records: RecordLeaves,
  count: number,
): Promise<void> {
  const rowGroup = open.file.rowGroups[group]!;
  const isEmpty = (read: ReadLeaf) => isEmptyChunk(rowGroup, read, records.zeroIsDefault);
  const { bytes } = rowGroup.chunks;
  let fetched: Map<number, Chunk> | undefined;
  if (records.ordered) {
    const later = laterLeaves(records, isEmpty);
    const reads = records.all.filter(
      (read) => read === records.structure || (!isEmpty(read) && !later.has(read.leaf)),
    );
    const total = reads.reduce((sum, { leaf }) => sum + bytes[leaf.index]!, 0);
    if (total <= fetchBytesMax) fetched = await file.chunks(open, group, reads);
  }
  batch.core.beginLeaves!();
  for (const request of readRecords(batch, records, isEmpty, { count })) {
    const chunk = fetched?.get(request.leaf.index) ?? (await file.chunk(open, group, request.leaf));
    decodeLeaf(batch, request, wholeChunk(file, open, group, request.leaf, chunk), "all");
  }
}

/** Leaves that are only read if those before them do not have the values of all attributes. */
function laterLeaves(records: RecordLeaves, isEmpty: (read: ReadLeaf) => boolean): Set<FileLeaf> {
  const { resources, scopes, spans, events, links } = records;
  const later = new Set<FileLeaf>();
  for (const table of [resources, scopes, spans, events?.owner, links?.owner]) {
    if (!table?.key || table.names === null) continue;
    const leaves = valueOrder(table).filter(({ read }) => !isEmpty(read));
    for (const { read } of leaves.slice(1)) later.add(read.leaf);
  }
  return later;
}

/** All pages of a chunk. */
export function wholeChunk(
  file: BlockFile,
  open: OpenFile,
  group: number,
  { index }: FileLeaf,
  chunk: Chunk,
): ChunkPages {
  const { codec, slots } = open.file.rowGroups[group]!.chunks;
  return { codec: codec[index]!, slots: slots[index]!, ...chunk, pages: [], bodies: file.bodies };
}

/** Pages that need not be read, by their place in the file, and what remembers one that was; null: it is not remembered. */
export interface PageMemory {
  known(offset: number): PlainPage | null;
  remember(offset: number): ((page: PlainPage) => void) | null;
}

/** These pages are known; others are remembered as pages of the file. */
export function memoryOf(file: BlockFile, pages: ReadonlyMap<number, PlainPage>): PageMemory {
  return {
    known: (offset) => pages.get(offset) ?? null,
    remember: (offset) => (page) => file.rememberPage(offset, page),
  };
}

/** The bytes of a plan. A dictionary that was not known is remembered. */
export function chunkPages(
  file: BlockFile,
  open: OpenFile,
  group: number,
  plan: LeafPlan,
  fetched: Fetched,
  known: Dictionary | null,
  memory: PageMemory | null,
): ChunkPages {
  const { leaf } = plan.read;
  const { chunks } = open.file.rowGroups[group]!;
  if (plan.chunk) {
    const chunk = { sequence: fetched(plan.chunk), offset: plan.chunk.offset, dictionary: null };
    return wholeChunk(file, open, group, leaf, chunk);
  }
  return {
    codec: chunks.codec[leaf.index]!,
    slots: chunks.slots[leaf.index]!,
    sequence: null,
    offset: 0,
    pages: plan.pages.map((page): GivenPage => {
      const { offset, firstRow } = page;
      const plain = memory?.known(offset) ?? null;
      const remember = plain ? null : (memory?.remember(offset) ?? null);
      return { bytes: plain ? noBytes : fetched(page), offset, firstRow, known: plain, remember };
    }),
    dictionary: plan.dictionary ? file.takeDictionary(open, group, leaf, fetched(plan.dictionary)) : known,
    bodies: file.bodies,
  };
}

export function planRanges(plan: LeafPlan): ByteRange[] {
  const ranges: ByteRange[] = [...plan.pages];
  if (plan.chunk) ranges.push(plan.chunk);
  if (plan.dictionary) ranges.push(plan.dictionary);
  return ranges;
}
