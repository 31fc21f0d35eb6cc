import { expect, test } from "bun:test";
import { ByteCache } from "./read_cache.ts";

test("ByteCache forgets the least recently used first", () => {
  const cache = new ByteCache<string>(10);
  cache.set("a", "A", 4);
  cache.set("b", "B", 4);
  cache.get("a");
  cache.set("c", "C", 4);
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["A", undefined, "C"]);
  expect(cache.bytes).toBe(8);
});

test("ByteCache counts a replaced value once and keeps none that is larger than itself", () => {
  const cache = new ByteCache<string>(10);
  cache.set("a", "A", 4);
  cache.set("a", "A2", 6);
  expect([cache.bytes, cache.get("a")]).toEqual([6, "A2"]);
  cache.set("big", "B", 11);
  expect([cache.bytes, cache.get("big"), cache.get("a")]).toEqual([6, undefined, "A2"]);
  cache.set("a", "A3", 11);
  expect([cache.bytes, cache.get("a")]).toEqual([0, undefined]);
});
