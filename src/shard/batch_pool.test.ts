import { expect, test } from "bun:test";
import { BatchPool } from "./batch_pool.ts";
import { range, spansIn } from "./shard_fixture.ts";

test("BatchPool hands a batch on, empty, to a head that is likely to fill it", () => {
  const pool = new BatchPool(1 << 20);
  const batch = pool.take(0);
  for (let i = 0; i < 20; i++) batch.decode(spansIn(range(i * 500, i * 500 + 500)), 0);
  const { memoryBytes } = batch;
  expect(memoryBytes).toBeGreaterThan(pool.emptyBytes * 2);
  pool.give(batch);
  expect(pool.memoryBytes).toBe(memoryBytes);
  expect(pool.take(1000)).not.toBe(batch);
  const again = pool.take(memoryBytes / 2);
  expect(again).toBe(batch);
  expect([again.spans, again.traces, again.memoryBytes]).toEqual([0, 0, memoryBytes]);
  expect(pool.memoryBytes).toBe(0);
});

test("BatchPool.trim() drops a batch that nobody has wanted since it was called last", () => {
  const pool = new BatchPool(1 << 20);
  pool.give(pool.take(0));
  pool.trim();
  expect(pool.memoryBytes).toBe(pool.emptyBytes);
  pool.trim();
  expect(pool.memoryBytes).toBe(0);
});
