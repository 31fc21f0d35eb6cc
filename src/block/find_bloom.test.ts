import { describe, expect, test } from "bun:test";
import { SpanBatch } from "../batch/span_batch.ts";
import { bloomBitsOf, bloomHeaderBytes, bloomMayHold, bloomShard } from "./find_bloom.ts";

// Test vectors of Tempo: false positives 0.01, shards of 20 bytes, 50 objects; ids are 15 zero bytes and 1 to 10.
const header = "00000000000000a0000000000000000700000000000000a0";
const shards = [
  "00000002001000000000020080000000000000000a000020",
  "6001a22ac2a4000418300048e000090000000000080a0800",
  "c0020804000201141000a0330a3020200000000000204032",
].map((words) => new Uint8Array(Buffer.from(header + words, "hex")));
const id = (last: number) => Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? last : 0));

describe("bloom filters as Tempo writes them", () => {
  test("hold every id in its shard", () => {
    const batch = SpanBatch.create();
    expect(bloomShard(batch, id(1), 3)).toBe(2);
    for (let last = 1; last <= 10; last++) {
      expect(bloomMayHold(batch, shards[bloomShard(batch, id(last), 3)]!, id(last))).toBe(true);
    }
  });

  test("rule out most other ids", () => {
    const batch = SpanBatch.create();
    let held = 0;
    for (let last = 11; last < 256; last++) {
      if (bloomMayHold(batch, shards[bloomShard(batch, id(last), 3)]!, id(last))) held++;
    }
    expect(held).toBeLessThan(10);
  });

  test("take 10 shards where the meta says none", () => {
    const batch = SpanBatch.create();
    expect(bloomShard(batch, id(1), 0)).toBe(1768495364 % 10);
  });

  test("name the bits that an id sets", () => {
    const bits = bloomBitsOf(SpanBatch.create(), shards[2]!.subarray(0, bloomHeaderBytes), id(1));
    // Locations 4, 96, 34, 149, 84, 124, 62 in words of 64 bits that are stored big-endian, behind a header of 24 bytes.
    expect(bits).toEqual([
      { offset: 24 + 7, mask: 1 << 4 },
      { offset: 24 + 8 + 3, mask: 1 << 0 },
      { offset: 24 + 3, mask: 1 << 2 },
      { offset: 24 + 16 + 5, mask: 1 << 5 },
      { offset: 24 + 8 + 5, mask: 1 << 4 },
      { offset: 24 + 8 + 0, mask: 1 << 4 },
      { offset: 24 + 0, mask: 1 << 6 },
    ]);
  });

  test("are refused when they are none", () => {
    const batch = SpanBatch.create();
    expect(() => bloomMayHold(batch, new Uint8Array(23), id(1))).toThrow("cut short");
    expect(() => bloomMayHold(batch, shards[0]!.subarray(0, 40), id(1))).toThrow("cut short");
    expect(() => bloomMayHold(batch, new Uint8Array(48), id(1))).toThrow("malformed header");
  });
});
