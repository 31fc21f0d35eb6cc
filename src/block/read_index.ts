// Offset index and column index of a column chunk: where its pages lie, which rows they hold, and which hold nothing but nulls.
import { ParquetError } from "./parquet_error.ts";
import { ThriftReader, ThriftType } from "./thrift_reader.ts";

export interface PageIndex {
  /** Place of each page in the file, header included. */
  offsets: Float64Array;
  sizes: Uint32Array;
  /** Row of the row group that each page begins with. */
  firstRows: Uint32Array;
}

export interface PageBounds {
  /** 1 for a page without values. */
  nullPages: Uint8Array;
  lowest: Uint8Array[];
  highest: Uint8Array[];
}

/** Parses an OffsetIndex. */
export function parseOffsetIndex(bytes: Uint8Array): PageIndex {
  const reader = new ThriftReader(bytes);
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) throw new ParquetError("parquet offset index: no pages");
    if (id !== 1) {
      reader.skip();
      continue;
    }
    reader.expect(ThriftType.list);
    const count = reader.list(ThriftType.struct);
    const index = {
      offsets: new Float64Array(count),
      sizes: new Uint32Array(count),
      firstRows: new Uint32Array(count),
    };
    for (let i = 0; i < count; i++) {
      readLocation(reader, index, i);
      if (i > 0 ? index.firstRows[i]! < index.firstRows[i - 1]! : index.firstRows[0] !== 0) {
        throw new ParquetError("parquet offset index: rows out of order");
      }
    }
    return index;
  }
}

function readLocation(reader: ThriftReader, index: PageIndex, page: number): void {
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) return;
    if (id === 1) index.offsets[page] = reader.count();
    else if (id === 2) index.sizes[page] = reader.count();
    else if (id === 3) index.firstRows[page] = reader.count();
    else reader.skip();
  }
}

/**
 * Parses a ColumnIndex.
 *
 * @param pages number of pages by the offset index
 * @param bounds whether lowest and highest are wanted; otherwise they stay empty
 */
export function parseColumnIndex(bytes: Uint8Array, pages: number, bounds: boolean): PageBounds {
  const reader = new ThriftReader(bytes);
  const index: PageBounds = { nullPages: new Uint8Array(0), lowest: [], highest: [] };
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) break;
    if (id === 1) {
      reader.expect(ThriftType.list);
      const count = reader.list(ThriftType.true);
      index.nullPages = new Uint8Array(count);
      for (let i = 0; i < count; i++) index.nullPages[i] = reader.byte() === ThriftType.true ? 1 : 0;
    } else if (id === 2 && bounds) index.lowest = readBinaries(reader);
    else if (id === 3 && bounds) index.highest = readBinaries(reader);
    else reader.skip();
  }
  if (index.nullPages.length !== pages || (bounds && index.lowest.length !== index.highest.length)) {
    throw new ParquetError("parquet column index: number of pages differs");
  }
  return index;
}

function readBinaries(reader: ThriftReader): Uint8Array[] {
  reader.expect(ThriftType.list);
  const count = reader.list(ThriftType.binary);
  return Array.from({ length: count }, () => new Uint8Array(reader.binary()));
}

/** Page of the index that holds this row. */
export function pageOfRow(index: PageIndex, row: number): number {
  let low = 0;
  let high = index.firstRows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (index.firstRows[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
