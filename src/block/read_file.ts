// A stored block's data file: its footer, indexes and dictionaries, each fetched when it is first needed and remembered, and the bytes of
// anything else in it.
import { Encoding } from "../../wasm/parquet_decode_ids.ts";
import type { Store } from "../store/store.ts";
import { type FileLeaf, footerMemoryBytes, Indexed, type ParquetFile, parseFooter } from "./footer_reader.ts";
import { type BlockMeta, contentOf } from "./meta.ts";
import { ParquetError } from "./parquet_error.ts";
import { aheadOfIds, aheadOfMost, HeldRanges, trailerBytes } from "./read_ahead.ts";
import type { ReadCaches } from "./read_caches.ts";
import { type ReadLeaf, type TraceLeaves, traceLeaves } from "./read_columns.ts";
import type { Dictionary } from "./read_dictionary.ts";
import { type PageBounds, parseColumnIndex, parseOffsetIndex } from "./read_index.ts";
import { PageBodies, type PlainPage, parseDictionary } from "./read_leaf.ts";
import { pageEncoding } from "./read_page.ts";
import { type ByteRange, type ChunkIndex, chunkRange, coalesce, dictionaryRange } from "./read_plan.ts";
import { type RecordLeaves, wholeRecords } from "./read_projection.ts";

const magic = "PAR1";
const footerBytesMax = 256 << 20;
/** Enough of a page header to know the encoding of its values. */
const headerBytesRead = 128;
const noLeaves: ReadonlySet<FileLeaf> = new Set();

export interface OpenFile {
  file: ParquetFile;
  leaves: TraceLeaves;
  /** What a read of everything takes. */
  whole: RecordLeaves;
  /** Length of the file. */
  size: number;
  /** Per row group, by leaf, as far as they have been needed. */
  indexes: LeafIndexes[][];
  memoryBytes: number;
}

/** What the indexes of a column chunk say. */
export interface LeafIndexes extends ChunkIndex {
  /** Bounds of the pages; null if there are none, undefined if nobody has asked. */
  bounds?: PageBounds | null;
}

/** The pages of a column chunk. */
export interface Chunk {
  sequence: Uint8Array;
  /** Where it begins in the file. */
  offset: number;
  /** Null if its page is in the sequence, or there is none. */
  dictionary: Dictionary | null;
}

/** What remembering a page takes beside its content. */
const pageExtraBytes = 400;

const noIndexes: LeafIndexes = { pages: null, nullPages: null, bounds: null };

/** The bytes of a range that was fetched. */
export type Fetched = (range: ByteRange) => Uint8Array;

export class BlockFile {
  /** Tenant and block. */
  readonly prefix: string;
  readonly #meta: BlockMeta;
  readonly #store: Store;
  readonly #caches: ReadCaches;
  readonly #path: string;
  /** Pages that were looked through and may be read next. */
  readonly bodies = new PageBodies();
  /** Ranges that were read before they are asked for. */
  readonly #held = new HeldRanges();
  /** Ends when what most reads begin with is held, where it is to be. */
  #ahead: Promise<void> | null = null;
  #opened: Promise<OpenFile> | null = null;
  #size = 0;
  #bytesRead = 0;

  constructor(store: Store, meta: BlockMeta, caches: ReadCaches) {
    this.#store = store;
    this.#meta = meta;
    this.#caches = caches;
    this.prefix = `${meta.tenantID}/${meta.blockID}`;
    this.#path = `${this.prefix}/data.parquet`;
    this.#size = meta.size;
  }

  /** Whether each request goes over a network. */
  get isRemote(): boolean {
    return this.#store.remote;
  }

  /** Bytes fetched so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** What the footer says, which is kept as long as this is, however little room the cache has for it. */
  open(): Promise<OpenFile> {
    this.#opened ??= this.#open().catch((error) => {
      this.#opened = null;
      throw error;
    });
    return this.#opened;
  }

  async #open(): Promise<OpenFile> {
    const known = this.#caches.footers.get(this.prefix);
    if (known) {
      this.#size = known.size;
      return known;
    }
    // Old metas may lack either.
    this.#size = this.#meta.size || (await this.#store.size(this.#path));
    const size = this.#size;
    let { footerSize } = this.#meta;
    if (size < trailerBytes + 4) throw new ParquetError(`parquet file: ${size} bytes`);
    if (footerSize === 0) {
      const trailer = await this.fetchOne({ offset: size - trailerBytes, length: trailerBytes });
      if (String.fromCharCode(...trailer.subarray(4)) !== magic)
        throw new ParquetError("parquet file: no magic at its end");
      footerSize = new DataView(trailer.buffer, trailer.byteOffset, trailer.length).getUint32(0, true);
    }
    if (footerSize > footerBytesMax || footerSize > size - trailerBytes - 4) {
      throw new ParquetError(`parquet footer: ${footerSize} bytes in a file of ${size}`);
    }
    const bytes = await this.fetchOne({ offset: size - trailerBytes - footerSize, length: footerSize });
    const file = parseFooter(bytes);
    const leaves = traceLeaves(file, this.#meta.dedicatedColumns);
    const open: OpenFile = {
      file,
      leaves,
      whole: wholeRecords(leaves),
      size,
      indexes: [],
      memoryBytes: footerMemoryBytes(file),
    };
    this.#remember(open);
    return open;
  }

  /** Where requests go over a network, reads at once what most reads begin with. */
  readAhead(): Promise<void> {
    this.#ahead ??= this.#store.remote ? this.#readAhead() : Promise.resolve();
    return this.#ahead;
  }

  async #readAhead(): Promise<void> {
    const [range] = aheadOfMost(this.#meta);
    if (!range) return;
    const known = this.#caches.files.get(this.prefix);
    // Of a large file the footer is what was wanted.
    if (!known && range.offset > 0 && this.#caches.footers.get(this.prefix)) return;
    const bytes = known ?? (await this.#read([range]))[0]!;
    this.#held.add(range.offset, bytes);
    if (!known) this.#caches.files.set(this.prefix, bytes, bytes.length);
  }

  /** The same for reading all trace ids. */
  async readIdsAhead(): Promise<void> {
    await this.hold(aheadOfIds(this.#meta));
  }

  /** Reads ranges that will be asked for, so that they need no requests then; not where they are too much to hold. */
  async hold(ranges: readonly ByteRange[]): Promise<void> {
    if (!this.#store.remote) return;
    const missing = coalesce(ranges).filter((range) => this.#held.part(range) === null);
    const bytes = missing.reduce((sum, { length }) => sum + length, 0);
    if (missing.length === 0 || !this.#held.hasRoom(bytes)) return;
    const parts = await this.#read(missing);
    for (const [i, { offset }] of missing.entries()) this.#held.add(offset, parts[i]!);
  }

  #remember(open: OpenFile): void {
    this.#caches.footers.set(this.prefix, open, open.memoryBytes);
  }

  /**
   * Gives the indexes of leaves of a row group, by leaf.
   *
   * @param bounded of these leaves the bounds of the pages as well
   */
  async indexes(
    open: OpenFile,
    group: number,
    leaves: readonly FileLeaf[],
    bounded: ReadonlySet<FileLeaf>,
  ): Promise<LeafIndexes[]> {
    open.indexes[group] ??= [];
    const found = open.indexes[group];
    const { chunks } = open.file.rowGroups[group]!;
    const wanted: (ByteRange & { leaf: number; column: boolean; bounds: boolean })[] = [];
    for (const fileLeaf of leaves) {
      const leaf = fileLeaf.index;
      const known = found[leaf];
      const bounds = bounded.has(fileLeaf);
      if (known && (!bounds || known.bounds !== undefined)) continue;
      // A column index without an offset index helps nobody.
      if (chunks.offsetIndexBytes[leaf] === 0) {
        found[leaf] = noIndexes;
        continue;
      }
      const offset = chunks.offsetIndex[leaf]!;
      wanted.push({ offset, length: chunks.offsetIndexBytes[leaf]!, leaf, column: false, bounds });
      if (chunks.columnIndexBytes[leaf] === 0) continue;
      const length = chunks.columnIndexBytes[leaf]!;
      wanted.push({ offset: chunks.columnIndex[leaf]!, length, leaf, column: true, bounds });
    }
    if (wanted.length === 0) return found;
    const bytes = await this.fetch(wanted);
    for (const range of wanted) {
      const part = bytes(range);
      if (!range.column) {
        const pages = parseOffsetIndex(part);
        found[range.leaf] = { pages, nullPages: null, bounds: range.bounds ? null : undefined };
        open.memoryBytes += 200 + pages.offsets.length * 17;
        continue;
      }
      const indexes = found[range.leaf]!;
      const bounds = parseColumnIndex(part, indexes.pages!.offsets.length, range.bounds);
      indexes.nullPages = bounds.nullPages;
      if (!range.bounds) continue;
      indexes.bounds = bounds;
      open.memoryBytes += bounds.lowest.length * 200;
    }
    this.#remember(open);
    return found;
  }

  /**
   * Tells whether all values of a chunk are in its dictionary. What the footer says is held against the last page: a writer that
   * gives up on a dictionary half way does not come back to it.
   */
  async isIndexed(open: OpenFile, group: number, leaf: FileLeaf): Promise<boolean> {
    const { indexed } = open.file.rowGroups[group]!.chunks;
    const { index } = leaf;
    const said: Indexed = indexed[index]!;
    if (said === Indexed.Yes || said === Indexed.No) return said === Indexed.Yes;
    const { pages } = (await this.indexes(open, group, [leaf], noLeaves))[index]!;
    const last = pages ? pages.offsets.length - 1 : -1;
    let isIndexed = said === Indexed.Counted;
    if (pages && last >= 0) {
      const length = Math.min(pages.sizes[last]!, headerBytesRead);
      const encoding = pageEncoding(await this.fetchOne({ offset: pages.offsets[last]!, length }));
      isIndexed = encoding === Encoding.RleDictionary || encoding === Encoding.PlainDictionary;
    }
    indexed[index] = isIndexed ? Indexed.Yes : Indexed.No;
    return isIndexed;
  }

  /** A page that was read before, if it is remembered. */
  knownPage(offset: number): PlainPage | undefined {
    return this.#caches.pages.get(`${this.prefix}/${offset}`);
  }

  /** Those of pages that are remembered. */
  knownPages(pages: readonly ByteRange[]): Map<number, PlainPage> {
    const known = new Map<number, PlainPage>();
    for (const { offset } of pages) {
      const page = this.knownPage(offset);
      if (page) known.set(offset, page);
    }
    return known;
  }

  rememberPage(offset: number, page: PlainPage): void {
    this.#caches.pages.set(`${this.prefix}/${offset}`, page, page.content.length + pageExtraBytes);
  }

  #chunkKey(group: number, leaf: FileLeaf): string {
    return `${this.prefix}/${group}/${leaf.index}`;
  }

  /** A dictionary, if it is remembered. */
  knownDictionary(group: number, leaf: FileLeaf): Dictionary | undefined {
    return this.#caches.dictionaries.get(this.#chunkKey(group, leaf));
  }

  /** Parses a dictionary page and remembers the dictionary. */
  takeDictionary(open: OpenFile, group: number, leaf: FileLeaf, page: Uint8Array): Dictionary {
    const codec = open.file.rowGroups[group]!.chunks.codec[leaf.index]!;
    const dictionary = parseDictionary(page, codec, leaf.path);
    this.#caches.dictionaries.set(this.#chunkKey(group, leaf), dictionary, dictionary.memoryBytes);
    return dictionary;
  }

  /** The dictionary of a column chunk; null if the footer does not say where it is. */
  async dictionary(open: OpenFile, group: number, leaf: FileLeaf): Promise<Dictionary | null> {
    const known = this.knownDictionary(group, leaf);
    if (known) return known;
    const range = dictionaryRange(open.file.rowGroups[group]!, leaf.index);
    if (!range) return null;
    return this.takeDictionary(open, group, leaf, await this.fetchOne(range));
  }

  /** The whole of a column chunk. */
  async chunk(open: OpenFile, group: number, { index }: FileLeaf): Promise<Chunk> {
    const whole = chunkRange(open.file.rowGroups[group]!, index);
    return { sequence: await this.fetchOne(whole), offset: whole.offset, dictionary: null };
  }

  /** The data pages of a column chunk, without the dictionary before them. */
  async data(open: OpenFile, group: number, { index }: FileLeaf): Promise<Chunk> {
    const rowGroup = open.file.rowGroups[group]!;
    const whole = chunkRange(rowGroup, index);
    const offset = rowGroup.chunks.dataPage[index]!;
    const range = { offset, length: whole.offset + whole.length - offset };
    return { sequence: await this.fetchOne(range), offset, dictionary: null };
  }

  /** Column chunks by leaf, fetched together. Their dictionaries are remembered. */
  async chunks(open: OpenFile, group: number, reads: readonly ReadLeaf[]): Promise<Map<number, Chunk>> {
    const rowGroup = open.file.rowGroups[group]!;
    const plans = reads.map((read) => {
      const whole = chunkRange(rowGroup, read.leaf.index);
      const dictionary = dictionaryRange(rowGroup, read.leaf.index);
      const known = dictionary ? this.knownDictionary(group, read.leaf) : undefined;
      const dataStart = dictionary ? dictionary.offset + dictionary.length : whole.offset;
      const data = { offset: dataStart, length: whole.offset + whole.length - dataStart };
      return { read, known, range: known ? data : whole, dictionaryBytes: dataStart - whole.offset };
    });
    const fetched = await this.fetch(plans.map(({ range }) => range));
    const found = new Map<number, Chunk>();
    for (const { read, known, range, dictionaryBytes } of plans) {
      const bytes = fetched(range);
      if (known || dictionaryBytes === 0) {
        found.set(read.leaf.index, { sequence: bytes, offset: range.offset, dictionary: known ?? null });
        continue;
      }
      const dictionary = this.takeDictionary(open, group, read.leaf, bytes.subarray(0, dictionaryBytes));
      const sequence = bytes.subarray(dictionaryBytes);
      found.set(read.leaf.index, { sequence, offset: range.offset + dictionaryBytes, dictionary });
    }
    return found;
  }

  async fetchOne(range: ByteRange): Promise<Uint8Array> {
    return (await this.fetch([range]))(range);
  }

  /** Fetches ranges, near ones together. */
  async fetch(ranges: readonly ByteRange[]): Promise<Fetched> {
    const joined = coalesce(ranges);
    if (joined.some((range) => this.#held.part(range) === null)) await this.readAhead();
    const known = joined.map((range) => this.#held.part(range));
    const read = await this.#read(joined.filter((_, i) => known[i] === null));
    let next = 0;
    const parts = known.map((part) => part ?? read[next++]!);
    return ({ offset, length }) => {
      let low = 0;
      let high = joined.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if (joined[middle]!.offset <= offset) low = middle;
        else high = middle - 1;
      }
      const start = offset - joined[low]!.offset;
      return parts[low]!.subarray(start, start + length);
    };
  }

  async #read(ranges: readonly ByteRange[]): Promise<Uint8Array[]> {
    for (const { offset, length } of ranges) {
      if (offset + length > this.#size) throw new ParquetError("parquet file: a range lies outside of it");
    }
    if (ranges.length === 0) return [];
    const parts = await this.#store.readRanges(this.#path, ranges, this.#size, contentOf(this.#meta));
    for (const part of parts) this.#bytesRead += part.length;
    return parts;
  }
}
