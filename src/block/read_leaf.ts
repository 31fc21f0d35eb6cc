// The pages of a column chunk into the core: headers are parsed and bodies checked and decompressed here, levels and values
// are decoded there.
import { crc32 } from "node:zlib";
import { Column } from "../../wasm/column_ids.ts";
import { Encoding, Row, ValueKind } from "../../wasm/parquet_decode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { CompressError } from "../compress/compress_error.ts";
import { Codec, decompress } from "../compress/decompress.ts";
import { ParquetError } from "./parquet_error.ts";
import { Dictionary } from "./read_dictionary.ts";
import { chunkSlotsMax, type PageHeader, PageType, parsePageHeader } from "./read_page.ts";
import { check, giveBytes, type LeafRequest } from "./read_records.ts";

/** Linear memory that a batch may grow to while it is read. */
const batchBytesMax = 1 << 30;
const slackBytes = 32;

/** The bytes of a chunk that are to be decoded. */
export interface ChunkPages {
  codec: number;
  /** Values, nulls and empty lists of the whole chunk. */
  slots: number;
  /** The whole chunk; null if single pages are given. */
  sequence: Uint8Array | null;
  /** Pages with their headers, and the row that each begins with. */
  pages: { bytes: Uint8Array; firstRow: number }[];
  /** The dictionary, if it is known and `sequence` is not given. */
  dictionary: Dictionary | null;
}

/**
 * Decodes a leaf of a chunk.
 *
 * @param few that few rows are wanted: of a string dictionary only the entries they use are taken
 * @throws ParquetError
 */
export function decodeLeaf(batch: SpanBatch, request: LeafRequest, chunk: ChunkPages, few: boolean): void {
  const { leaf, kind } = request;
  batch.core.startLeaf!(
    leaf.index,
    kind,
    leaf.physical,
    leaf.maxRepetition,
    leaf.maxDefinition,
    request.keepLevels ? 1 : 0,
  );
  try {
    if (chunk.sequence) decodeSequence(batch, request, chunk, chunk.sequence, few);
    else {
      const deferred = chunk.dictionary ? takeDictionary(batch, request, chunk.dictionary, few) : null;
      for (const page of chunk.pages) {
        const header = parsePageHeader(page.bytes, 0);
        const body = pageBody(page.bytes, 0, header);
        decodeData(batch, request, chunk.codec, header, body, page.firstRow, deferred);
      }
    }
  } catch (error) {
    throw subject(error, leaf.path);
  }
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
  few: boolean,
): void {
  if (chunk.slots > chunkSlotsMax) throw new ParquetError(`${chunk.slots} values in a chunk`);
  let position = 0;
  let slots = 0;
  let deferred: Dictionary | null = null;
  let first = true;
  while (slots < chunk.slots) {
    if (position >= bytes.length) throw new ParquetError("pages end before their values");
    const header = parsePageHeader(bytes, position);
    const body = pageBody(bytes, position, header);
    position += header.headerBytes + header.compressedBytes;
    if (header.type === PageType.dictionary) {
      const content = decompress(chunk.codec, body, header.uncompressedBytes);
      deferred = takeDictionary(batch, request, new Dictionary(content, header.slots), few);
    } else if (header.type === PageType.data || header.type === PageType.dataV2) {
      decodeData(batch, request, chunk.codec, header, body, first ? 0 : Row.Follows, deferred);
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
  { leaf, kind }: LeafRequest,
  dictionary: Dictionary,
  few: boolean,
): Dictionary | null {
  if (few && kind === ValueKind.String) {
    batch.core.deferDictionary!(dictionary.count);
    return dictionary;
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
  codec: number,
  header: PageHeader,
  body: Uint8Array,
  firstRow: number,
  deferred: Dictionary | null,
): void {
  const { core } = batch;
  const { leaf } = request;
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
      from = levels + levelBytes;
    }
  } else if (header.type === PageType.data) {
    if (codec === Codec.snappy) {
      giveBytes(batch, body);
      from = expandSnappy(batch, 0, body.length, contentBytes);
    } else {
      from = giveBytes(batch, decompress(codec, body, contentBytes));
    }
  } else {
    throw new ParquetError(`page of type ${header.type} where data should be`);
  }
  check(
    core.decodePage!(
      leaf.index,
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
