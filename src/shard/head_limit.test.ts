import { expect, test } from "bun:test";
import { HeadLimit } from "./head_limit.ts";

test("HeadLimit learns what a batch comes to per byte of spans, and shares the memory between two", () => {
  const limit = new HeadLimit(70_000_000);
  expect(limit.batchMemoryBytesMax).toBe(35_000_000);
  expect(limit.headBytesMax).toBe(10_000_000); // 35 MB at 3.5 to 1
  limit.observe(10_000_000, 50_000_000);
  expect(limit.headBytesMax).toBe(7_000_000); // 5 to 1 holds at once
  limit.observe(7_000_000, 14_000_000);
  expect(limit.headBytesMax).toBe(Math.floor(35_000_000 / 4.75)); // less only bit by bit
});

test("HeadLimit learns nothing from heads that are small, and stays within reason", () => {
  const limit = new HeadLimit(70_000_000);
  limit.observe(100_000, 10_000_000);
  expect(limit.headBytesMax).toBe(10_000_000);
  limit.observe(9_000_000, 900_000_000);
  expect(limit.headBytesMax).toBe(Math.floor(35_000_000 / 16));
  for (let i = 0; i < 100; i++) limit.observe(limit.headBytesMax, limit.headBytesMax);
  expect(limit.headBytesMax).toBe(17_500_000);
});
