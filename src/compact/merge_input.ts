// A block that is merged: a cursor over its rows, which ascend by trace id, with the ids of one row group at a time in memory.
import { traceIdBytes } from "../batch/trace_ids.ts";
import { filterDedicatedColumns } from "../block/dedicated.ts";
import { plainPath } from "../block/encode_plan.ts";
import type { ParquetFile } from "../block/footer_reader.ts";
import { physicalTypes } from "../block/footer_writer.ts";
import { type BlockMeta, isBlockVersion } from "../block/meta.ts";
import { ParquetError } from "../block/parquet_error.ts";
import { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import { BlockFile } from "../block/read_file.ts";
import type { PageIndex } from "../block/read_index.ts";
import { leaves } from "../block/schema.ts";
import type { BlockColumns } from "../block/write_batches.ts";
import type { Store } from "../store/store.ts";
import { KeptPages, type PageRoom } from "./kept_pages.ts";

const idWords = traceIdBytes / 4;
/** Bytes in a file of a span that weighs 1; larger ones weigh more, since they take more memory. */
const typicalSpanBytes = 100;

/** Rows of a row group of an input. */
export interface InputRows {
  input: MergeInput;
  group: number;
  start: number;
  end: number;
}

export class MergeInput {
  readonly meta: BlockMeta;
  readonly reader: BlockReader;
  readonly file: BlockFile;
  readonly kept: KeptPages;
  /** Whether its rows can be copied: it has the columns of the output. */
  readonly copies: boolean;
  #groups = 0;
  /** The row group of the cursor; its rows; the row of the cursor. */
  group = -1;
  rows = 0;
  row = 0;
  /** Ids of the row group's traces as numbers that compare as the ids do, 4 each. */
  #words: Uint32Array = new Uint32Array(0);
  #weights = new RowWeights(null, 0, 0);
  #spans = 0;
  /** The last id of the row groups before; null if they had none. */
  #last: Uint32Array | null = null;

  private constructor(
    meta: BlockMeta,
    reader: BlockReader,
    file: BlockFile,
    room: PageRoom,
    copies: boolean,
  ) {
    this.meta = meta;
    this.reader = reader;
    this.file = file;
    this.kept = new KeptPages(room);
    this.copies = copies;
  }

  /** Opens a block and puts the cursor on its first row. */
  static async open(
    store: Store,
    meta: BlockMeta,
    { caches, room, output }: { caches: ReadCaches; room: PageRoom; output: BlockColumns },
  ): Promise<MergeInput> {
    const reader = await BlockReader.open(store, meta, caches);
    const file = new BlockFile(store, meta, caches);
    const groups = await reader.rowGroups();
    const copies = groups > 0 && hasColumns(meta, (await file.open()).file, output);
    const input = new MergeInput(meta, reader, file, room, copies);
    input.#groups = groups;
    await input.nextGroup();
    return input;
  }

  /** Bytes fetched so far. */
  get bytesRead(): number {
    return this.reader.bytesRead + this.file.bytesRead;
  }

  /** Spans of the row groups that the cursor has come to, as their footer says. */
  get spans(): number {
    return this.#spans;
  }

  /** True if there is no row under the cursor. */
  get ended(): boolean {
    return this.row >= this.rows;
  }

  /** Puts the cursor on the first row of the next row group that has rows, or behind the last one. */
  async nextGroup(): Promise<void> {
    this.kept.clear();
    do {
      this.group++;
      this.row = 0;
      this.rows = 0;
      if (this.group >= this.#groups) return;
      const { rows, spans } = await this.reader.groupSize(this.group);
      this.rows = rows;
      this.#spans += spans;
      this.#words = this.#ascending(comparable(await this.reader.traceIds(this.group)));
      this.#weights = await this.#weigh(rows, spans);
    } while (this.rows === 0);
  }

  /** Ids of the next row group: rows that are out of order would end the merge of all inputs. */
  #ascending(words: Uint32Array): Uint32Array {
    const hasRows = words.length > 0;
    const before = this.#last;
    if (hasRows && before !== null && compareIds(words, 0, before, 0) <= 0) {
      throw new ParquetError(`trace ids do not ascend from row group ${this.group - 1} to the next`);
    }
    for (let at = idWords; at < words.length; at += idWords) {
      if (compareIds(words, at, words, at - idWords) < 0) {
        throw new ParquetError(`trace ids do not ascend in row group ${this.group}`);
      }
    }
    if (hasRows) this.#last = words.slice(-idWords);
    return words;
  }

  /** Spans of the row under the cursor, about, of typical size. */
  get weight(): number {
    return this.#weights.of(this.row);
  }

  /** Negative, 0 or positive, as the cursor's trace id stands before that of another input. */
  compare(other: MergeInput): number {
    return compareIds(this.#words, this.row * idWords, other.#words, other.row * idWords);
  }

  /** The trace id under the cursor, as isAt() takes it. */
  get id(): Uint32Array {
    return this.#words.slice(this.row * idWords, (this.row + 1) * idWords);
  }

  isAt(id: Uint32Array): boolean {
    return id.every((word, i) => this.#words[this.row * idWords + i] === word);
  }

  /** Whether the next row has the trace id of the one under the cursor: Tempo never leaves a block like that. */
  get repeats(): boolean {
    const at = this.row * idWords;
    for (let word = 0; word < idWords; word++) {
      if (this.#words[at + word] !== this.#words[at + idWords + word]) return false;
    }
    return true;
  }

  async #weigh(rows: number, spans: number): Promise<RowWeights> {
    const open = await this.file.open();
    // Every span has an id: their pages tell where many are.
    const { leaf } = open.leaves.spanId;
    const { pages } = (await this.file.indexes(open, this.group, [leaf], new Set()))[leaf.index]!;
    const bytes = open.file.rowGroups[this.group]!.chunks.bytes.reduce((sum, chunk) => sum + chunk, 0);
    return new RowWeights(pages, rows, Math.max(spans, bytes / typicalSpanBytes));
  }
}

/** Whether a file has the columns of an output, so that what is in them means the same. */
function hasColumns(
  meta: BlockMeta,
  { leaves: found }: ParquetFile,
  { schema, dedicated }: BlockColumns,
): boolean {
  if (!isBlockVersion(meta.format)) return false;
  const own = filterDedicatedColumns(meta.format, meta.dedicatedColumns);
  if (JSON.stringify(own) !== JSON.stringify(dedicated)) return false;
  const wanted = leaves(schema);
  return (
    wanted.length === found.length &&
    wanted.every((leaf, i) => {
      const { path, physical, maxDefinition, maxRepetition } = found[i]!;
      return (
        path === plainPath(leaf) &&
        physical === physicalTypes[leaf.node.physical!] &&
        maxDefinition === leaf.maxDefinition &&
        maxRepetition === leaf.maxRepetition
      );
    })
  );
}

/** Compares the ids that begin at these words. */
function compareIds(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): number {
  for (let word = 0; word < idWords; word++) {
    const x = a[aAt + word]!;
    const y = b[bAt + word]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** Big-endian words. */
function comparable(ids: Uint8Array): Uint32Array {
  const view = new DataView(ids.buffer, ids.byteOffset, ids.byteLength);
  const words = new Uint32Array(ids.byteLength / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(i * 4);
  return words;
}

/**
 * What a row weighs, about. Pages of span ids have as many bytes as they have spans, so that a large trace shows; within a page all
 * rows weigh the same.
 */
class RowWeights {
  readonly #pages: PageIndex | null;
  readonly #rows: number;
  readonly #total: number;
  readonly #pageBytes: number;
  #page = 0;

  constructor(pages: PageIndex | null, rows: number, total: number) {
    this.#pages = pages;
    this.#rows = rows;
    this.#total = total;
    this.#pageBytes = pages?.sizes.reduce((sum, size) => sum + size, 0) ?? 0;
  }

  /** @param row none before one that was asked for */
  of(row: number): number {
    if (!this.#pages || this.#pageBytes === 0) return this.#total / Math.max(1, this.#rows);
    const { firstRows, sizes } = this.#pages;
    while (this.#page + 1 < firstRows.length && firstRows[this.#page + 1]! <= row) this.#page++;
    const rows = (firstRows[this.#page + 1] ?? this.#rows) - firstRows[this.#page]!;
    return (this.#total * sizes[this.#page]!) / this.#pageBytes / Math.max(1, rows);
  }
}
