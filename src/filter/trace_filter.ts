// The filter of one block's trace ids, as it is kept in memory and on disk: whether the block may hold a trace, and between which rows it
// then lies. For each stretch of rows a binary fuse filter of 16 bits, and of every so many rows the beginning of the id, so that a lookup
// knows which pages it needs before it has read where they are.
//
// Bytes, little-endian: u32 magic, rows of the block, stretches; then for each stretch its header (see readPart), the beginnings as u32,
// and the numbers of the filter as u16. 2.3 bytes for each trace of a large block.
import { traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import type { RowRange } from "../block/read_plan.ts";
import { FilterError } from "./filter_error.ts";
import { type Fuse, FuseCore, fuseShape, placesOf } from "./fuse.ts";

const magic = 0x31465452; // "RTF1"
const headerBytes = 12;
const partHeaderBytes = 44;
/** Rows of a stretch: its filter takes some ten milliseconds to make, and 6 MiB meanwhile. */
export const partRowsMax = 1 << 17;
/** One id of so many is sampled. */
const sampledRows = 64;
/** Where the four bytes of an id begin that a sample has, at most. */
const skipMax = traceIdBytes - 4;
const partsMax = 1 << 12;

/** A stretch of rows. */
export interface FilterPart extends Fuse {
  firstRow: number;
  rows: number;
  lowest: Uint8Array;
  /** Bytes that all ids of the stretch begin with, as far as samples leave them out. */
  skip: number;
  samples: Uint32Array;
}

/** Bytes that the filter of so many rows takes, at most. */
export function filterBytesOf(rows: number): number {
  let bytes = headerBytes;
  for (let first = 0; first < rows; first += partRowsMax) {
    const own = Math.min(partRowsMax, rows - first);
    bytes += partHeaderBytes + Math.ceil(own / sampledRows) * 4 + placesOf(fuseShape(own)) * 2;
  }
  return bytes;
}

export class TraceFilter {
  /** Rows of the block that it was made of. */
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly parts: readonly FilterPart[];

  /**
   * @param bytes as finish() of a builder gives them; kept, not copied
   * @throws FilterError
   */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    // Views need an even place.
    this.bytes = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    if (view.byteLength < headerBytes || view.getUint32(0, true) !== magic) {
      throw new FilterError("trace filter: no such file");
    }
    this.rows = view.getUint32(4, true);
    const parts = view.getUint32(8, true);
    if (parts > partsMax) throw new FilterError(`trace filter: ${parts} stretches`);
    const own: FilterPart[] = [];
    let position = headerBytes;
    let rows = 0;
    for (let i = 0; i < parts; i++) {
      const part = readPart(this.bytes, view, position, rows);
      rows += part.rows;
      position += partHeaderBytes + part.samples.byteLength + part.numbers.byteLength;
      own.push(part);
    }
    this.parts = own;
    if (rows !== this.rows || position !== view.byteLength) throw new FilterError("trace filter: cut short");
  }
}

/** Filters of blocks, put together to be asked for one id after the other. */
export class FilterSet {
  readonly #parts: FilterPart[] = [];
  /** By part, the place of its filter. */
  readonly #owners: number[] = [];
  readonly #filters: number;

  /** @param filters of the blocks; null for one that has none */
  constructor(filters: readonly (TraceFilter | null)[]) {
    this.#filters = filters.length;
    for (let i = 0; i < filters.length; i++) {
      for (const part of filters[i]?.parts ?? []) {
        this.#parts.push(part);
        this.#owners.push(i);
      }
    }
  }

  /**
   * Rows between which a trace lies in the blocks, if it is there at all.
   *
   * @param id 16 bytes
   * @returns for each block; null if it does not have the trace, or no filter
   */
  findRows(id: Uint8Array): (RowRange | null)[] {
    const found = new Array<RowRange | null>(this.#filters).fill(null);
    for (const place of FuseCore.get().passing(this.#parts, id)) {
      const rows = rowsOf(this.#parts[place]!, id);
      const owner = this.#owners[place]!;
      if (rows) found[owner] = { start: found[owner]?.start ?? rows.start, end: rows.end };
    }
    return found;
  }
}

function readPart(bytes: Uint8Array<ArrayBuffer>, view: DataView, at: number, firstRow: number): FilterPart {
  if (view.byteLength < at + partHeaderBytes) throw new FilterError("trace filter: cut short");
  const word = (n: number) => view.getUint32(at + n * 4, true);
  const [rows, seedLow, seedHigh, segmentLength, segments, skip, samples] = [0, 1, 2, 3, 4, 5, 6].map(
    word,
  ) as [number, number, number, number, number, number, number];
  const shape = fuseShape(rows);
  if (rows === 0 || rows > partRowsMax || skip > skipMax || samples !== Math.ceil(rows / sampledRows)) {
    throw new FilterError("trace filter: malformed header");
  }
  // With another shape places could lie outside of the array.
  if (segmentLength !== shape.segmentLength || segments !== shape.segments) {
    throw new FilterError("trace filter: malformed header");
  }
  const samplesAt = at + partHeaderBytes;
  const numbersAt = samplesAt + samples * 4;
  const places = placesOf(shape);
  if (view.byteLength < numbersAt + places * 2) throw new FilterError("trace filter: cut short");
  return {
    firstRow,
    rows,
    seedLow,
    seedHigh,
    segmentLength,
    segments,
    skip,
    lowest: bytes.subarray(at + 28, at + 28 + traceIdBytes),
    samples: new Uint32Array(bytes.buffer, bytes.byteOffset + samplesAt, samples),
    numbers: new Uint16Array(bytes.buffer, bytes.byteOffset + numbersAt, places),
  };
}

/** Null if the id begins otherwise than all of the stretch. */
function rowsOf({ firstRow, rows, lowest, skip, samples }: FilterPart, id: Uint8Array): RowRange | null {
  for (let i = 0; i < skip; i++) if (id[i] !== lowest[i]) return null;
  const wanted = beginning(id, skip);
  // The sample before the first that is not lower, up to the first that is higher.
  const from = countBelow(samples, wanted);
  const to = countBelow(samples, wanted + 1);
  return {
    start: firstRow + Math.max(0, from - 1) * sampledRows,
    end: firstRow + Math.min(rows, Math.max(to, 1) * sampledRows),
  };
}

function countBelow(samples: Uint32Array, limit: number): number {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (samples[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function beginning(id: Uint8Array, skip: number): number {
  return ((id[skip]! << 24) | (id[skip + 1]! << 16) | (id[skip + 2]! << 8) | id[skip + 3]!) >>> 0;
}

/** Makes a filter of ids that come in order, without holding more of them than one stretch. */
export class TraceFilterBuilder {
  readonly #rows: number;
  readonly #core = FuseCore.get();
  readonly #pieces: Uint8Array[] = [];
  /** Ids of the stretch that is being filled: the core's own room is shared by all filters that are being made. */
  readonly #ids: Uint8Array;
  /** Rows of it, and of stretches that are done. */
  #filled = 0;
  #done = 0;
  #last: Uint8Array | null = null;

  /** @param rows of the block */
  constructor(rows: number) {
    this.#rows = rows;
    this.#ids = new Uint8Array(Math.min(rows, partRowsMax) * traceIdBytes);
  }

  /**
   * Takes the next ids.
   *
   * @param pause called after each stretch, which keeps the thread for some ten milliseconds
   * @throws FilterError if they do not ascend, or are more than was said
   */
  async add(ids: Uint8Array, pause: () => Promise<void>): Promise<void> {
    const count = ids.length / traceIdBytes;
    if (this.#done + this.#filled + count > this.#rows) {
      throw new FilterError(`trace filter: more than the ${this.#rows} rows that there should be`);
    }
    for (let taken = 0; taken < count; ) {
      const own = Math.min(partRowsMax, this.#rows - this.#done);
      const some = Math.min(count - taken, own - this.#filled);
      const piece = ids.subarray(taken * traceIdBytes, (taken + some) * traceIdBytes);
      this.#checkOrder(piece);
      this.#ids.set(piece, this.#filled * traceIdBytes);
      this.#filled += some;
      taken += some;
      if (this.#filled < own) continue;
      this.#finishPart();
      await pause();
    }
  }

  #checkOrder(ids: Uint8Array): void {
    for (let i = 0; i < ids.length / traceIdBytes; i++) {
      const id = traceIdAt(ids, i);
      if (this.#last && Buffer.compare(this.#last, id) > 0)
        throw new FilterError("trace filter: ids are out of order");
      this.#last = id;
    }
    // A copy, since the list may not stay.
    this.#last = this.#last?.slice() ?? null;
  }

  #finishPart(): void {
    const rows = this.#filled;
    const lowest = traceIdAt(this.#ids, 0).slice();
    const highest = traceIdAt(this.#ids, rows - 1);
    let skip = 0;
    while (skip < skipMax && lowest[skip] === highest[skip]) skip++;
    const samples = Uint32Array.from({ length: Math.ceil(rows / sampledRows) }, (_, i) =>
      beginning(traceIdAt(this.#ids, i * sampledRows), skip),
    );
    const fuse = this.#core.construct(this.#ids.subarray(0, rows * traceIdBytes));
    if (!fuse) throw new FilterError("trace filter: ids repeat");
    const header = new Uint8Array(partHeaderBytes);
    const { seedLow, seedHigh, segmentLength, segments } = fuse;
    const words = [rows, seedLow, seedHigh, segmentLength, segments, skip, samples.length];
    writeWords(header, words);
    header.set(lowest, words.length * 4);
    this.#pieces.push(header, bytesOf(samples), bytesOf(fuse.numbers));
    this.#done += rows;
    this.#filled = 0;
  }

  /** @throws FilterError if there were fewer rows than was said */
  finish(): TraceFilter {
    if (this.#done !== this.#rows) {
      throw new FilterError(`trace filter: ${this.#done + this.#filled} rows where ${this.#rows} should be`);
    }
    const header = new Uint8Array(headerBytes);
    writeWords(header, [magic, this.#rows, Math.ceil(this.#rows / partRowsMax)]);
    const pieces = [header, ...this.#pieces];
    const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let position = 0;
    for (const piece of pieces) {
      bytes.set(piece, position);
      position += piece.length;
    }
    return new TraceFilter(bytes);
  }
}

function writeWords(bytes: Uint8Array, words: readonly number[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true);
}

/** As they lie in memory: every machine that runs this is little-endian. */
function bytesOf(numbers: Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
