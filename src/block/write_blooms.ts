// The bloom filters of a block that is written batch by batch: each batch's bits are set in the core and gathered here.
import { Column } from "../../wasm/column_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { traceIdBytes } from "../batch/trace_ids.ts";
import { type BloomShape, bloomObject } from "./bloom.ts";
import { encodeCore } from "./encode_core.ts";
import type { Slices } from "./encode_slices.ts";

export class BloomFilters {
  /** All shards, one behind the other: whole words each. */
  private filters: Uint32Array<ArrayBuffer> | null = null;
  private shardBytes = 0;

  constructor(private readonly shape: BloomShape) {}

  /**
   * Adds traces.
   *
   * @param batch any: its core does the work
   * @param ids 16 bytes each
   */
  async add(batch: SpanBatch, ids: Uint8Array, slices: Slices): Promise<void> {
    const core = encodeCore(batch);
    const { shards, bits, hashes } = this.shape;
    await slices.turn();
    this.shardBytes = core.beginBlooms(shards, bits);
    batch.give(ids);
    await slices.over(ids.length / traceIdBytes, (from, to) =>
      core.addToBlooms(from, to, shards, bits, hashes),
    );
    const added = batch.u32(Column.Encode7, (shards * this.shardBytes) / 4);
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
