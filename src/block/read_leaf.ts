// The pages of a column chunk into the core: headers are parsed and bodies checked and decompressed here, levels and values
// are decoded there.
import { crc32 } from "node:zlib";
import { Column } from "../../wasm/column_ids.ts";
import { Encoding, Keep, Row, ValueKind } from "../../wasm/parquet_decode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { CompressError } from "../compress/compress_error.ts";
import { Codec, decompress } from "../compress/decompress.ts";
import { release } from "../threads/garbage.ts";
import { ParquetError } from "./parquet_error.ts";
import { Dictionary } from "./read_dictionary.ts";
import { chunkSlotsMax, type PageHeader, PageType, parsePageHeader } from "./read_page.ts";
import { check, giveBytes, type LeafRequest } from "./read_records.ts";

/** Linear memory that a batch may grow to while it is read. */
const batchBytesMax = 1 << 30;
const slackBytes = 32;
/** Decompressed pages of one block that are kept. */
const bodyBytesMax = 8 << 20;

/** The bytes of a chunk that are to be decoded. */
export interface ChunkPages {
  codec: number;
  /** Values, nulls and empty lists of the whole chunk. */
  slots: number;
  /** The whole chunk; null if single pages are given. */
  sequence: Uint8Array | null;
  /** Where the sequence begins in the file. */
  offset: number;
  pages: GivenPage[];
  /** The dictionary, if it is not in `sequence`. */
  dictionary: Dictionary | null;
  /** Pages that have been decompressed before. */
  bodies: PageBodies;
}

/** A single page of a chunk. */
export interface GivenPage {
  /** With its header; empty if it is known. */
  bytes: Uint8Array;
  /** Where it stands in the file. */
  offset: number;
  /** Row that it begins with. */
  firstRow: number;
  /** As it was when it was read before. */
  known: PlainPage | null;
  /** Remembers the page, once it is checked and decompressed. */
  remember: ((page: PlainPage) => void) | null;
}

/** A page whose body has been checked and decompressed. */
export interface PlainPage {
  header: PageHeader;
  content: Uint8Array;
}

/** Decompressed pages, kept from one read of a row group to the next, by their place in the file. */
export class PageBodies {
  readonly #bodies = new Map<number, Uint8Array>();
  #room = bodyBytesMax;

  get(offset: number): Uint8Array | undefined {
    return this.#bodies.get(offset);
  }

  keep(offset: number, body: Uint8Array): void {
    if (body.length > this.#room || this.#bodies.has(offset)) return;
    this.#room -= body.length;
    this.#bodies.set(offset, body);
  }
}

/**
 * How many entries of a string dictionary will be used: those that are become strings of the batch. With "none" the values stay the indexes
 * that they are.
 */
export type Entries = "all" | "some" | "few" | "none";

/**
 * Decodes a leaf of a chunk.
 *
 * @throws ParquetError
 */
export function decodeLeaf(
  batch: SpanBatch,
  request: LeafRequest,
  chunk: ChunkPages,
  entries: Entries,
): void {
  const { leaf, kind } = request;
  batch.core.startLeaf!(
    leaf.index,
    kind,
    leaf.physical,
    leaf.maxRepetition,
    leaf.maxDefinition,
    request.keep,
  );
  try {
    const deferred = chunk.dictionary ? takeDictionary(batch, request, chunk.dictionary, entries) : null;
    if (chunk.sequence) decodeSequence(batch, request, chunk, chunk.sequence, entries, deferred);
    else {
      for (const page of chunk.pages) decodeGiven(batch, request, chunk, page, deferred, entries);
    }
  } catch (error) {
    throw subject(error, leaf.path);
  }
}

function decodeGiven(
  batch: SpanBatch,
  request: LeafRequest,
  chunk: ChunkPages,
  { bytes, offset, firstRow, known, remember }: GivenPage,
  deferred: Dictionary | null,
  entries: Entries,
): void {
  if (known) {
    const from = giveBytes(batch, known.content);
    decodeContent(batch, request, known.header, 0, from, known.content.length, firstRow, deferred);
    return;
  }
  const header = parsePageHeader(bytes, 0);
  const body = pageBody(bytes, 0, header);
  if (remember && header.type === PageType.data && chunk.codec !== Codec.snappy) {
    const content = decompress(chunk.codec, body, header.uncompressedBytes);
    // A copy, since uncompressed pages are views on all that was read.
    remember({ header, content: chunk.codec === Codec.none ? content.slice() : content });
    const from = giveBytes(batch, content);
    decodeContent(batch, request, header, 0, from, content.length, firstRow, deferred);
    return;
  }
  decodeData(batch, request, chunk, header, body, offset, firstRow, deferred, entries);
}

/** Names the column in errors that do not. */
function subject(error: unknown, path: string): unknown {
  if (error instanceof ParquetError && error.message.startsWith("parquet column")) return error;
  if (error instanceof ParquetError || error instanceof CompressError) {
    return new ParquetError(`parquet column ${path}: ${error.message}`, { cause: error });
  }
  // The core traps when its memory is at its end, or when it is asked for more than 4 GB at once.
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
    return new ParquetError(`parquet column ${path}: too large for the memory`, { cause: error });
  }
  return error;
}

function decodeSequence(
  batch: SpanBatch,
  request: LeafRequest,
  chunk: ChunkPages,
  bytes: Uint8Array,
  entries: Entries,
  known: Dictionary | null,
): void {
  if (chunk.slots > chunkSlotsMax) throw new ParquetError(`${chunk.slots} values in a chunk`);
  let position = 0;
  let slots = 0;
  let deferred = known;
  let first = true;
  while (slots < chunk.slots) {
    if (position >= bytes.length) throw new ParquetError("pages end before their values");
    const start = position;
    const header = parsePageHeader(bytes, position);
    const body = pageBody(bytes, position, header);
    position += header.headerBytes + header.compressedBytes;
    if (header.type === PageType.dictionary) {
      const content = decompress(chunk.codec, body, header.uncompressedBytes);
      deferred = takeDictionary(batch, request, new Dictionary(content, header.slots), entries);
    } else if (header.type === PageType.data || header.type === PageType.dataV2) {
      const place = chunk.offset + start;
      decodeData(batch, request, chunk, header, body, place, first ? 0 : Row.Follows, deferred, entries);
      slots += header.slots;
      first = false;
    }
  }
}

/**
 * Reads a dictionary page.
 *
 * @param bytes the page with its header
 * @param path of the column, for errors
 */
export function parseDictionary(bytes: Uint8Array, codec: number, path: string): Dictionary {
  try {
    const header = parsePageHeader(bytes, 0);
    if (header.type !== PageType.dictionary) throw new ParquetError("no dictionary page where one should be");
    const content = decompress(codec, pageBody(bytes, 0, header), header.uncompressedBytes);
    // A copy, since uncompressed pages are views on all that was read.
    return new Dictionary(codec === Codec.none ? new Uint8Array(content) : content, header.slots);
  } catch (error) {
    throw subject(error, path);
  }
}

/** Hands the dictionary to the core, or returns it if its entries are to be looked up one by one. */
function takeDictionary(
  batch: SpanBatch,
  { leaf, kind, keep }: LeafRequest,
  dictionary: Dictionary,
  entries: Entries,
): Dictionary | null {
  if (keep === Keep.LevelsAlone) return null;
  if (kind === ValueKind.String && keep !== Keep.Keys) {
    if (entries === "few" || entries === "none") {
      batch.core.deferDictionary!(dictionary.count);
      return entries === "few" ? dictionary : null;
    }
    if (entries === "some" || keep === Keep.Selected) {
      const { bytes, count } = dictionary;
      const address = batch.reserveColumn(Column.Decode21, bytes.length + slackBytes);
      new Uint8Array(batch.core.memory.buffer, address, bytes.length).set(bytes);
      check(batch.core.lendDictionary!(bytes.length, count), null);
      return null;
    }
  }
  const address = giveBytes(batch, dictionary.bytes);
  check(batch.core.decodeDictionary!(leaf.index, address, dictionary.bytes.length, dictionary.count), null);
  return null;
}

function pageBody(bytes: Uint8Array, position: number, header: PageHeader): Uint8Array {
  const start = position + header.headerBytes;
  if (header.compressedBytes > bytes.length - start) throw new ParquetError("page is cut short");
  const body = bytes.subarray(start, start + header.compressedBytes);
  // 0 is what a writer without checksums may leave there.
  if (header.crc > 0 && crc32(body) !== header.crc) throw new ParquetError("page has a wrong checksum");
  return body;
}

function decodeData(
  batch: SpanBatch,
  request: LeafRequest,
  { codec, bodies }: ChunkPages,
  header: PageHeader,
  body: Uint8Array,
  offset: number,
  firstRow: number,
  deferred: Dictionary | null,
  entries: Entries,
): void {
  const { core } = batch;
  const levelBytes = header.repetitionBytes + header.definitionBytes;
  const contentBytes = header.uncompressedBytes - levelBytes;
  let levels = 0;
  let from = 0;
  if (header.type === PageType.dataV2) {
    const stored = body.length - levelBytes;
    const pageCodec = header.isCompressed && stored > 0 ? codec : Codec.none;
    if (stored === 0 && contentBytes !== 0) throw new ParquetError("page is cut short");
    if (pageCodec === Codec.snappy) {
      levels = giveBytes(batch, body);
      from = expandSnappy(batch, levelBytes, stored, contentBytes);
    } else {
      const content = decompress(pageCodec, body.subarray(levelBytes), contentBytes);
      levels = batch.reserveColumn(Column.Input, header.uncompressedBytes + slackBytes);
      const memory = new Uint8Array(core.memory.buffer, levels, header.uncompressedBytes);
      memory.set(body.subarray(0, levelBytes));
      memory.set(content, levelBytes);
      if (pageCodec !== Codec.none) release(content);
      from = levels + levelBytes;
    }
  } else if (header.type === PageType.data) {
    if (codec === Codec.snappy) {
      giveBytes(batch, body);
      from = expandSnappy(batch, 0, body.length, contentBytes);
    } else {
      const known = bodies.get(offset);
      const content = known ?? decompress(codec, body, contentBytes);
      from = giveBytes(batch, content);
      // Whoever leaves values as they are looks for rows, to read them next.
      if (entries === "none") bodies.keep(offset, content);
      else if (!known && codec !== Codec.none) release(content);
    }
  } else {
    throw new ParquetError(`page of type ${header.type} where data should be`);
  }
  decodeContent(batch, request, header, levels, from, contentBytes, firstRow, deferred);
}

/**
 * Has the core decode a page that lies in its memory.
 *
 * @param levels address of the levels of a V2 page; 0: they precede the values
 * @param from address of the values, or of all of a V1 page
 */
function decodeContent(
  batch: SpanBatch,
  request: LeafRequest,
  header: PageHeader,
  levels: number,
  from: number,
  contentBytes: number,
  firstRow: number,
  deferred: Dictionary | null,
): void {
  check(
    batch.core.decodePage!(
      request.leaf.index,
      header.slots,
      levels,
      from,
      contentBytes,
      header.repetitionBytes,
      header.definitionBytes,
      header.encoding,
      firstRow,
    ),
    request,
  );
  if (batch.memoryBytes > batchBytesMax) throw new ParquetError("row group is too large for the memory");
  if (deferred && isIndexed(header.encoding)) lookUp(batch, deferred);
}

function isIndexed(encoding: number): boolean {
  return encoding === Encoding.RleDictionary || encoding === Encoding.PlainDictionary;
}

function expandSnappy(batch: SpanBatch, offset: number, length: number, expected: number): number {
  if (!batch.core.snappyDecompress!(offset, length, expected)) throw new ParquetError("damaged snappy data");
  return batch.columnAddress(Column.Output);
}

/** Replaces the dictionary indexes that the latest page left by ids of strings. */
function lookUp(batch: SpanBatch, dictionary: Dictionary): void {
  const { core } = batch;
  const count = core.pageValueCount!();
  if (count === 0) return;
  const known = new Map<number, number>();
  const address = core.pageValues!() >>> 0;
  // Interning may grow the memory, which makes a new buffer; the values stay where they are.
  const ids = new Uint32Array(core.memory.buffer, address, count).slice();
  for (let i = 0; i < count; i++) {
    const index = ids[i]!;
    let id = known.get(index);
    if (id === undefined) {
      const bytes = dictionary.entry(index);
      giveBytes(batch, bytes);
      id = core.internInput!(bytes.length) >>> 0;
      known.set(index, id);
    }
    ids[i] = id;
  }
  new Uint32Array(core.memory.buffer, address, count).set(ids);
}
