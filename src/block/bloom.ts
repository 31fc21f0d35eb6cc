// The bloom filters of a block: how many there are, how large, and their objects' header. The bits are the core's work.

/** Shards of one block, at most. */
const shardsMax = 1000;
/** Bytes of an object before its bits: bits of the filter, number of hashes, and bits again, big-endian u64 each. */
export const bloomHeaderBytes = 24;

export interface BloomShape {
  shards: number;
  /** Bits of one shard's filter. */
  bits: number;
  hashes: number;
}

/**
 * Chooses the shape of a block's filters.
 *
 * @param traces distinct ids, at least 1
 * @param falsePositive share of ids found though they are not in the block
 * @param shardBytes size of one shard
 */
export function bloomShape(traces: number, falsePositive: number, shardBytes: number): BloomShape {
  const wanted = Math.ceil((-traces * Math.log(falsePositive)) / Math.LN2 ** 2);
  const hashes = Math.max(1, Math.ceil((Math.LN2 * wanted) / traces));
  const bits = shardBytes * 8;
  const shards = Math.min(shardsMax, Math.max(1, Math.ceil(wanted / bits)));
  return { shards, bits, hashes };
}

/** One shard's object: header and bits. */
export function bloomObject(shape: BloomShape, filter: Uint8Array): Uint8Array {
  const object = new Uint8Array(bloomHeaderBytes + filter.length);
  const header = new DataView(object.buffer);
  header.setUint32(4, shape.bits);
  header.setUint32(12, shape.hashes);
  header.setUint32(20, shape.bits);
  object.set(filter, bloomHeaderBytes);
  return object;
}
