// Whether a block may hold a trace, by its bloom filter. Tempo's format: three big-endian u64 (bits, hashes, bits), then words.
import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { ParquetError } from "./parquet_error.ts";
import { giveBytes } from "./read_records.ts";

/** Shards of a block whose meta says none. */
const shardsIfUnknown = 10;
const hashesMax = 64;

/**
 * Number of the bloom object that would hold an id.
 *
 * @param shards bloomShards of the meta
 */
export function bloomShard(batch: SpanBatch, id: Uint8Array, shards: number): number {
  giveBytes(batch, id);
  return batch.core.bloomShardOfInput!(bloomShards(shards));
}

/** How many bloom objects a block has, by what its meta says. */
export function bloomShards(said: number): number {
  return said || shardsIfUnknown;
}

/** A bit of a filter: the byte of the bloom object that it is in, and its mask there. */
export interface BloomBit {
  offset: number;
  mask: number;
}

/** Bytes at the start of a bloom object that say how it is made. */
export const bloomHeaderBytes = 24;

/** @throws ParquetError if the bytes are not the beginning of a bloom object */
function readHeader(header: Uint8Array): { bits: number; hashes: number } {
  if (header.length < bloomHeaderBytes) throw new ParquetError("bloom filter: cut short");
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const bits = view.getUint32(4);
  const hashes = view.getUint32(12);
  if (view.getUint32(0) !== 0 || view.getUint32(8) !== 0 || bits === 0 || hashes > hashesMax) {
    throw new ParquetError("bloom filter: malformed header");
  }
  return { bits, hashes };
}

/**
 * The bits that are all set if the id is in the filter.
 *
 * @param header the first bloomHeaderBytes of a bloom object, or all of it
 * @throws ParquetError if it is none
 */
export function bloomBitsOf(batch: SpanBatch, header: Uint8Array, id: Uint8Array): BloomBit[] {
  const { bits, hashes } = readHeader(header);
  giveBytes(batch, id);
  batch.core.beginBloomFind!();
  const count = batch.core.bloomBits!(bits, hashes);
  return Array.from(batch.u32(Column.Output, count), (bit) => ({
    offset: bloomHeaderBytes + (bit >>> 6) * 8 + 7 - ((bit & 63) >>> 3),
    mask: 1 << (bit & 7),
  }));
}

/**
 * Tells whether the id may be in the filter.
 *
 * @param filter a bloom object
 * @throws ParquetError if it is none
 */
export function bloomMayHold(batch: SpanBatch, filter: Uint8Array, id: Uint8Array): boolean {
  const words = Math.ceil(readHeader(filter).bits / 64);
  if (filter.length < bloomHeaderBytes + words * 8) throw new ParquetError("bloom filter: cut short");
  return bloomBitsOf(batch, filter, id).every(({ offset, mask }) => filter[offset]! & mask);
}
