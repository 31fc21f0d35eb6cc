// The bloom filters of a block that is written batch by batch: each batch's bits are set in the core and gathered here.
import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { type BloomShape, bloomObject } from "./bloom.ts";
import { encodeCore } from "./encode_core.ts";
import type { Slices } from "./encode_slices.ts";

export class BloomFilters {
  /** All shards, one behind the other: whole 64-bit words each. */
  private filters: BigUint64Array | null = null;
  private shardBytes = 0;

  constructor(private readonly shape: BloomShape) {}

  /** Adds the traces of a batch that is in order. */
  async add(batch: SpanBatch, slices: Slices): Promise<void> {
    const core = encodeCore(batch);
    const { shards, bits, hashes } = this.shape;
    await slices.turn();
    this.shardBytes = core.beginBlooms(shards, bits);
    await slices.over(core.orderedTraces(), (from, to) => core.addToBlooms(from, to, shards, bits, hashes));
    const added = batch.u64(Column.Encode7, (shards * this.shardBytes) / 8);
    if (this.filters === null) this.filters = added.slice();
    else for (let i = 0; i < added.length; i++) this.filters[i]! |= added[i]!;
  }

  /** The objects of the shards, in order. */
  *objects(): Generator<Uint8Array> {
    if (this.filters === null) return;
    const bytes = new Uint8Array(this.filters.buffer);
    for (let shard = 0; shard < this.shape.shards; shard++) {
      const start = shard * this.shardBytes;
      yield bloomObject(this.shape, bytes.subarray(start, start + this.shardBytes));
    }
  }
}
