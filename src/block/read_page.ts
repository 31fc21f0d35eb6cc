// The header of a page: what kind it is, and how long and how encoded its body is.
import { ParquetError } from "./parquet_error.ts";
import { ThriftReader, ThriftType } from "./thrift_reader.ts";

/** Bytes of a page body, compressed or not. Tempo writes 256 KiB; one page per chunk is legal. */
export const pageBytesMax = 256 << 20;
/** Values, nulls and empty lists of a page, and of a column chunk: run lengths let a few bytes stand for any number. */
export const pageSlotsMax = 16 << 20;
export const chunkSlotsMax = 128 << 20;

export const PageType = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

export interface PageHeader {
  type: number;
  headerBytes: number;
  compressedBytes: number;
  uncompressedBytes: number;
  /** CRC-32 of the body as stored; -1 if absent. */
  crc: number;
  slots: number;
  encoding: number;
  /** V2 only: lengths of the levels, which stand before the values and are never compressed. */
  repetitionBytes: number;
  definitionBytes: number;
  isCompressed: boolean;
}

/** Parses the page header at `position`. */
export function parsePageHeader(bytes: Uint8Array, position: number): PageHeader {
  const reader = new ThriftReader(bytes, position);
  const header: PageHeader = {
    type: -1,
    headerBytes: 0,
    compressedBytes: -1,
    uncompressedBytes: -1,
    crc: -1,
    slots: 0,
    encoding: 0,
    repetitionBytes: 0,
    definitionBytes: 0,
    isCompressed: true,
  };
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) break;
    if (id === 1) header.type = reader.integer();
    else if (id === 2) header.uncompressedBytes = reader.count();
    else if (id === 3) header.compressedBytes = reader.count();
    else if (id === 4) header.crc = reader.integer() >>> 0;
    else if (id === 5 || id === 7) {
      reader.expect(ThriftType.struct);
      readV1Header(reader, header);
    } else if (id === 8) {
      reader.expect(ThriftType.struct);
      readV2Header(reader, header);
    } else reader.skip();
  }
  header.headerBytes = reader.position - position;
  if (header.compressedBytes < 0 || header.uncompressedBytes < 0) {
    throw new ParquetError("parquet page: no length");
  }
  if (header.compressedBytes > pageBytesMax || header.uncompressedBytes > pageBytesMax) {
    throw new ParquetError(`parquet page: more than ${pageBytesMax} bytes`);
  }
  if (header.slots > pageSlotsMax) throw new ParquetError(`parquet page: ${header.slots} values`);
  if (header.repetitionBytes + header.definitionBytes > header.compressedBytes) {
    throw new ParquetError("parquet page: levels are longer than the page");
  }
  if (header.repetitionBytes + header.definitionBytes > header.uncompressedBytes) {
    throw new ParquetError("parquet page: levels are longer than the page");
  }
  return header;
}

/**
 * The encoding of the values of a page.
 *
 * @param bytes the beginning of its header: the statistics at its end may be missing
 */
export function pageEncoding(bytes: Uint8Array): number {
  const reader = new ThriftReader(bytes);
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) throw new ParquetError("parquet page: no encoding");
    if (id !== 5 && id !== 7 && id !== 8) {
      reader.skip();
      continue;
    }
    reader.expect(ThriftType.struct);
    const wanted = id === 8 ? 4 : 2;
    for (let inner = 0; ; ) {
      inner = reader.field(inner);
      if (inner === 0) throw new ParquetError("parquet page: no encoding");
      if (inner === wanted) return reader.count();
      reader.skip();
    }
  }
}

/** Header of a V1 data page, or of a dictionary page, which has the first two fields in common with it. */
function readV1Header(reader: ThriftReader, header: PageHeader): void {
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) return;
    if (id === 1) header.slots = reader.count();
    else if (id === 2) header.encoding = reader.count();
    else reader.skip();
  }
}

function readV2Header(reader: ThriftReader, header: PageHeader): void {
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) return;
    if (id === 1) header.slots = reader.count();
    else if (id === 4) header.encoding = reader.count();
    else if (id === 5) header.definitionBytes = reader.count();
    else if (id === 6) header.repetitionBytes = reader.count();
    else if (id === 7) {
      if (reader.type !== ThriftType.true && reader.type !== ThriftType.false) {
        throw new ParquetError("thrift: field of another type");
      }
      header.isCompressed = reader.type === ThriftType.true;
    } else reader.skip();
  }
}
