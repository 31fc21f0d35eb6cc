// The footer of a Parquet file, in the compact form in which it is kept for later reads: the leaves of the schema, and per row
// group where each column chunk and its indexes lie.
import { ChunkBounds } from "./footer_bounds.ts";
import { ParquetError } from "./parquet_error.ts";
import { ThriftReader, ThriftType } from "./thrift_reader.ts";

const elementsMax = 4096;
const schemaDepthMax = 32;
const rowGroupsMax = 32767;
const levelMax = 250;
const byteArray = 6;
/** Encodings and page types, numbered as in parquet.thrift. */
const plain = 0;
const plainDictionary = 2;
const runLength = 3;
const bitPacked = 4;
const runLengthDictionary = 8;
const dataPage = 0;
const dataPageV2 = 3;
/** As the writer that it names, we give a chunk pages of dictionary indexes alone, or none. */
const ourName = "rubato";

/** A column as the file declares it. */
export interface FileLeaf {
  index: number;
  /** Names from below the root joined with dots, without the two inner levels of lists: `rs.Resource.Attrs.Value`. */
  path: string;
  physical: number;
  maxRepetition: number;
  maxDefinition: number;
}

/** Levels at which an element of a group begins; for a list, one of its elements. */
export interface Levels {
  repetition: number;
  definition: number;
}

/** Numbers of the column chunks of a row group, indexed by leaf. A place that is not given is 0. */
export interface ChunkTable {
  codec: Uint8Array;
  /** Values, nulls and empty lists. */
  slots: Float64Array;
  /** -1 if not known. */
  nulls: Float64Array;
  /** 1 if every value is 0, false or empty. */
  zero: Uint8Array;
  /** Whether all data pages are of dictionary indexes: an Indexed. */
  indexed: Uint8Array;
  bounds: ChunkBounds;
  dataPage: Float64Array;
  dictionaryPage: Float64Array;
  bytes: Float64Array;
  columnIndex: Float64Array;
  columnIndexBytes: Uint32Array;
  offsetIndex: Float64Array;
  offsetIndexBytes: Uint32Array;
}

export interface RowGroup {
  rows: number;
  chunks: ChunkTable;
  /** Lowest and highest value of the first column, if its statistics say. */
  lowest: Uint8Array | null;
  highest: Uint8Array | null;
}

export interface ParquetFile {
  leaves: FileLeaf[];
  byPath: Map<string, FileLeaf>;
  groups: Map<string, Levels>;
  rowGroups: RowGroup[];
}

/**
 * Parses a footer.
 *
 * @param bytes the FileMetaData, without the length and magic behind it
 * @throws ParquetError
 */
export function parseFooter(bytes: Uint8Array): ParquetFile {
  const reader = new ThriftReader(bytes);
  let schema: Omit<ParquetFile, "rowGroups"> | undefined;
  const rowGroups: RowGroup[] = [];
  let isOurs = false;
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) break;
    if (id === 6) isOurs = reader.string() === ourName;
    else if (id === 2) {
      reader.expect(ThriftType.list);
      schema = readSchema(reader);
    } else if (id === 4) {
      reader.expect(ThriftType.list);
      if (!schema) throw new ParquetError("parquet footer: row groups before the schema");
      const count = reader.list(ThriftType.struct);
      if (count > rowGroupsMax) throw new ParquetError(`parquet footer: ${count} row groups`);
      for (let i = 0; i < count; i++) rowGroups.push(readRowGroup(reader, schema.leaves));
    } else {
      reader.skip();
    }
  }
  if (!schema) throw new ParquetError("parquet footer: no schema");
  if (isOurs) {
    for (const { chunks } of rowGroups) {
      for (const [leaf, kind] of chunks.indexed.entries()) {
        if (kind === Indexed.Perhaps) chunks.indexed[leaf] = Indexed.Yes;
      }
    }
  }
  return { ...schema, rowGroups };
}

/** Bytes that a parsed footer takes in memory, about. */
export function footerMemoryBytes(file: ParquetFile): number {
  let bytes = file.leaves.length * (200 + file.rowGroups.length * 66);
  for (const { chunks } of file.rowGroups) bytes += chunks.bounds.memoryBytes;
  return bytes;
}

/** What the footer says about a chunk's data pages. */
export enum Indexed {
  No = 0,
  /** All hold dictionary indexes. */
  Yes = 1,
  /** All should, by their statistics. */
  Counted = 2,
  /** The encodings are those of an indexed chunk, or of one that fell back to PLAIN half way. */
  Perhaps = 3,
}

interface Element {
  name: string;
  physical: number;
  repetition: number;
  children: number;
}

function readSchema(reader: ThriftReader): Omit<ParquetFile, "rowGroups"> {
  const count = reader.list(ThriftType.struct);
  if (count === 0 || count > elementsMax) throw new ParquetError(`parquet schema: ${count} elements`);
  const elements: Element[] = [];
  for (let i = 0; i < count; i++) elements.push(readElement(reader));

  const leaves: FileLeaf[] = [];
  const byPath = new Map<string, FileLeaf>();
  const groups = new Map<string, Levels>();
  let next = 0;
  const visit = (names: string[], repetition: number, definition: number): void => {
    const element = elements[next++];
    if (!element || names.length > schemaDepthMax) throw new ParquetError("parquet schema: malformed tree");
    const root = next === 1;
    const path = root ? names : [...names, element.name];
    if (!root) {
      // Repetition types: 0 required, 1 optional, 2 repeated.
      if (element.repetition !== 0) definition++;
      if (element.repetition === 2) repetition++;
    }
    if (definition > levelMax) throw new ParquetError("parquet schema: nested too deep");
    const short = shortPath(path);
    if (element.children > 0) {
      groups.set(short, { repetition, definition });
      for (let i = 0; i < element.children; i++) visit(path, repetition, definition);
      return;
    }
    if (element.physical < 0) throw new ParquetError(`parquet schema: ${short} has no type`);
    const leaf = {
      index: leaves.length,
      path: short,
      physical: element.physical,
      maxRepetition: repetition,
      maxDefinition: definition,
    };
    leaves.push(leaf);
    byPath.set(short, leaf);
  };
  visit([], 0, 0);
  if (next !== count) throw new ParquetError("parquet schema: malformed tree");
  return { leaves, byPath, groups };
}

/** Lists are `X.list.element` in vParquet3 and 4, `X` in vParquet5. */
function shortPath(path: string[]): string {
  const kept: string[] = [];
  for (let i = 0; i < path.length; i++) {
    if (i > 0 && path[i] === "list" && (i + 1 === path.length || path[i + 1] === "element")) i++;
    else kept.push(path[i]!);
  }
  return kept.join(".");
}

function readElement(reader: ThriftReader): Element {
  const element = { name: "", physical: -1, repetition: 0, children: 0 };
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) return element;
    if (id === 1) element.physical = reader.count();
    else if (id === 3) element.repetition = reader.count();
    else if (id === 4) element.name = reader.string();
    else if (id === 5) element.children = reader.count();
    else reader.skip();
  }
}

function readRowGroup(reader: ThriftReader, leaves: readonly FileLeaf[]): RowGroup {
  const group: RowGroup = { rows: 0, chunks: emptyChunks(leaves.length), lowest: null, highest: null };
  let columns = 0;
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) break;
    if (id === 1) {
      reader.expect(ThriftType.list);
      columns = reader.list(ThriftType.struct);
      if (columns !== leaves.length) throw new ParquetError("parquet footer: row group lacks columns");
      for (let i = 0; i < columns; i++) readChunk(reader, group, i, leaves[i]!.physical);
    } else if (id === 3) {
      group.rows = reader.count();
    } else {
      reader.skip();
    }
  }
  if (columns !== leaves.length) throw new ParquetError("parquet footer: row group lacks columns");
  if (group.rows > 0xfffffffe) throw new ParquetError("parquet footer: row group has too many rows");
  return group;
}

function emptyChunks(leaves: number): ChunkTable {
  return {
    codec: new Uint8Array(leaves),
    slots: new Float64Array(leaves),
    nulls: new Float64Array(leaves).fill(-1),
    zero: new Uint8Array(leaves),
    indexed: new Uint8Array(leaves),
    bounds: new ChunkBounds(leaves),
    dataPage: new Float64Array(leaves),
    dictionaryPage: new Float64Array(leaves),
    bytes: new Float64Array(leaves),
    columnIndex: new Float64Array(leaves),
    columnIndexBytes: new Uint32Array(leaves),
    offsetIndex: new Float64Array(leaves),
    offsetIndexBytes: new Uint32Array(leaves),
  };
}

function readChunk(reader: ThriftReader, group: RowGroup, leaf: number, physical: number): void {
  const { chunks } = group;
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) return;
    if (id === 3) {
      reader.expect(ThriftType.struct);
      readChunkMeta(reader, group, leaf, physical);
    } else if (id === 4) chunks.offsetIndex[leaf] = reader.count();
    else if (id === 5) chunks.offsetIndexBytes[leaf] = indexBytes(reader.count());
    else if (id === 6) chunks.columnIndex[leaf] = reader.count();
    else if (id === 7) chunks.columnIndexBytes[leaf] = indexBytes(reader.count());
    else reader.skip();
  }
}

function indexBytes(count: number): number {
  if (count > 0x7fffffff) throw new ParquetError("parquet footer: index is too long");
  return count;
}

function readChunkMeta(reader: ThriftReader, group: RowGroup, leaf: number, physical: number): void {
  const { chunks } = group;
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) return;
    if (id === 2) chunks.indexed[leaf] = readEncodings(reader);
    else if (id === 4) chunks.codec[leaf] = reader.count();
    else if (id === 5) chunks.slots[leaf] = reader.count();
    else if (id === 7) chunks.bytes[leaf] = reader.count();
    else if (id === 9) chunks.dataPage[leaf] = reader.count();
    else if (id === 11) chunks.dictionaryPage[leaf] = reader.count();
    else if (id === 12) {
      reader.expect(ThriftType.struct);
      readStatistics(reader, group, leaf, physical);
    } else if (id === 13) {
      chunks.indexed[leaf] = readEncodingStats(reader);
    } else reader.skip();
  }
}

/** A dictionary page is PLAIN itself, so a chunk of it and of PLAIN pages looks no different. */
function readEncodings(reader: ThriftReader): Indexed {
  reader.expect(ThriftType.list);
  const count = reader.list(ThriftType.i32);
  let indexed = false;
  let other = false;
  for (let i = 0; i < count; i++) {
    const encoding = reader.integer();
    if (encoding === plainDictionary || encoding === runLengthDictionary) indexed = true;
    else if (encoding !== plain && encoding !== runLength && encoding !== bitPacked) other = true;
  }
  return indexed && !other ? Indexed.Perhaps : Indexed.No;
}

function readEncodingStats(reader: ThriftReader): Indexed {
  reader.expect(ThriftType.list);
  const count = reader.list(ThriftType.struct);
  let indexed = false;
  let other = false;
  for (let i = 0; i < count; i++) {
    let type = -1;
    let encoding = -1;
    for (let id = 0; ; ) {
      id = reader.field(id);
      if (id === 0) break;
      if (id === 1) type = reader.integer();
      else if (id === 2) encoding = reader.integer();
      else reader.skip();
    }
    if (type !== dataPage && type !== dataPageV2) continue;
    if (encoding === plainDictionary || encoding === runLengthDictionary) indexed = true;
    else other = true;
  }
  return indexed && !other ? Indexed.Counted : Indexed.No;
}

function readStatistics(reader: ThriftReader, group: RowGroup, leaf: number, physical: number): void {
  let lowest: Uint8Array | null = null;
  let highest: Uint8Array | null = null;
  for (let id = 0; ; ) {
    id = reader.field(id);
    if (id === 0) break;
    if (id === 3) group.chunks.nulls[leaf] = reader.integer();
    else if (id === 5) highest = reader.binary();
    else if (id === 6) lowest = reader.binary();
    else reader.skip();
  }
  if (lowest && highest) {
    if (isZero(lowest, physical) && isZero(highest, physical)) group.chunks.zero[leaf] = 1;
    group.chunks.bounds.set(leaf, physical, lowest, highest);
  }
  if (leaf !== 0) return;
  // Copies, so that the footer's bytes can go; slice() of a Buffer would be a view.
  group.lowest = lowest ? new Uint8Array(lowest) : null;
  group.highest = highest ? new Uint8Array(highest) : null;
}

/** Numbers have 1, 4 or 8 bytes; of strings only the empty one is the default. */
function isZero(bound: Uint8Array, physical: number): boolean {
  return physical === byteArray ? bound.length === 0 : bound.every((byte) => byte === 0);
}
