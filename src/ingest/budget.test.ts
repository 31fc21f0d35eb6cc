import { expect, test } from "bun:test";
import { memoryShares } from "./budget.ts";

const MiB = 1 << 20;

test("memoryShares() leaves room for the runtime in the largest default budget", () => {
  const shares = memoryShares(512 * MiB, 2, 2);
  // 512 - (96 + 4 * 14) = 360 MiB of data, 65 % of it for live spans, 90 % of that for heads.
  expect(shares.shardBytesMax).toBe(Math.floor((360 * MiB * 0.65 * 0.9) / 2));
  expect(shares.queueBytesMax).toBe(Math.floor(360 * MiB * 0.65 * 0.1));
  expect(shares.receiveBytesMax).toBe(40 * MiB);
  expect(shares.filterBytesMax).toBe(18 * MiB);
  expect(shares.requestRowBytesMax).toBe(Math.floor(Math.floor((360 * MiB * 0.65 * 0.9) / 2) / 3));
  expect(shares.shardBytesMax * 2 + shares.queueBytesMax + shares.receiveBytesMax).toBeLessThan(360 * MiB);
});

test("memoryShares() gives half of a small budget to data", () => {
  const shares = memoryShares(64 * MiB, 2, 2);
  expect(shares.shardBytesMax).toBe(Math.floor((32 * MiB * 0.65 * 0.9) / 2));
  expect(shares.queueBytesMax).toBe(Math.floor(32 * MiB * 0.65 * 0.1));
  expect(shares.requestRowBytesMax).toBe(16 * MiB);
});

test("memoryShares() divides the same memory among more shards", () => {
  const two = memoryShares(2048 * MiB, 2, 2);
  const eight = memoryShares(2048 * MiB, 8, 2);
  expect(eight.shardBytesMax * 8).toBeLessThan(two.shardBytesMax * 2);
  expect(eight.shardBytesMax * 8).toBeGreaterThan(two.shardBytesMax * 2 * 0.9);
});
