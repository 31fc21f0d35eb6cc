// Whether a block may hold a trace, by its bloom filter. Tempo's format: three big-endian u64 (bits, hashes, bits), then words.
import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { ParquetError } from "./parquet_error.ts";
import { giveBytes } from "./read_records.ts";

const headerBytes = 24;
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
  return batch.core.bloomShardOfInput!(shards || shardsIfUnknown);
}

/**
 * Tells whether the id may be in the filter.
 *
 * @param filter a bloom object
 * @throws ParquetError if it is none
 */
export function bloomMayHold(batch: SpanBatch, filter: Uint8Array, id: Uint8Array): boolean {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.length);
  if (filter.length < headerBytes) throw new ParquetError("bloom filter: cut short");
  const bits = view.getUint32(4);
  const hashes = view.getUint32(12);
  const words = Math.ceil(bits / 64);
  if (
    view.getUint32(0) !== 0 ||
    view.getUint32(8) !== 0 ||
    bits === 0 ||
    hashes > hashesMax ||
    filter.length < headerBytes + words * 8
  ) {
    throw new ParquetError("bloom filter: malformed header");
  }
  giveBytes(batch, id);
  batch.core.beginBloomFind!();
  const count = batch.core.bloomBits!(bits, hashes);
  for (const bit of batch.u32(Column.Output, count)) {
    const byte = headerBytes + (bit >>> 6) * 8 + 7 - ((bit & 63) >>> 3);
    if (!(filter[byte]! & (1 << (bit & 7)))) return false;
  }
  return true;
}
