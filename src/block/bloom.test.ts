import { expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { id } from "../batch/wire_fixture.ts";
import { bloomObject, bloomShape } from "./bloom.ts";
import { encodeCore } from "./encode_core.ts";

test("bloomShape() follows the formulas of the format", () => {
  expect(bloomShape(50, 0.01, 20)).toEqual({ shards: 3, bits: 160, hashes: 7 });
  expect(bloomShape(1, 0.01, 102_400)).toEqual({ shards: 1, bits: 819_200, hashes: 7 });
  expect(bloomShape(1_000_000, 0.01, 102_400).shards).toBe(12);
  expect(bloomShape(1_000_000_000, 0.01, 1024).shards).toBe(1000);
});

test("addToBlooms() sets the bits that Tempo sets", () => {
  const ids = Array.from({ length: 10 }, (_, i) => i + 1);
  const batch = SpanBatch.create();
  batch.give(Buffer.concat(ids.map((trace) => id(16, trace))));
  const core = encodeCore(batch);
  const shape = bloomShape(50, 0.01, 20);
  const bytes = core.beginBlooms(shape.shards, shape.bits);
  expect(bytes).toBe(24);
  core.addToBlooms(0, 10, shape.shards, shape.bits, shape.hashes);
  const filters = batch.u8(Column.Encode7, bytes * shape.shards);
  const header = "00000000000000a0000000000000000700000000000000a0";
  expect(
    [0, 1, 2].map((shard) =>
      Buffer.from(bloomObject(shape, filters.subarray(shard * bytes, (shard + 1) * bytes))).toString("hex"),
    ),
  ).toEqual([
    `${header}00000002001000000000020080000000000000000a000020`,
    `${header}6001a22ac2a4000418300048e000090000000000080a0800`,
    `${header}c0020804000201141000a0330a3020200000000000204032`,
  ]);
});
