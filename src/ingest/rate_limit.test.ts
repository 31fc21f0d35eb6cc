import { expect, test } from "bun:test";
import { RateLimiter } from "./rate_limit.ts";

test("RateLimiter lets a burst through, then the rate", () => {
  const limiter = new RateLimiter({ strategy: "local", bytesPerSecond: 100, burstBytes: 250 });
  expect(limiter.refusal("a", 250, 0)).toBeNull();
  expect(limiter.refusal("a", 1, 0)).toBe(
    "RATE_LIMITED: ingestion rate limit (local: 100 bytes/s, global: 0 bytes/s, burst: 250 bytes) exceeded while adding 1 bytes for user a. consider increasing the limit or reducing ingestion rate.",
  );
  expect(limiter.refusal("b", 250, 0)).toBeNull();
  expect(limiter.refusal("a", 50, 499)).not.toBeNull();
  expect(limiter.refusal("a", 50, 500)).toBeNull();
  expect(limiter.refusal("a", 250, 3000)).toBeNull();
  expect(limiter.refusal("a", 251, 60_000)).toBe(
    "RATE_LIMITED: batch size (251 bytes) exceeds ingestion limit (local: 100 bytes/s, global: 0 bytes/s, burst: 250 bytes) while adding 251 bytes for user a. consider reducing batch size or increasing rate limit.",
  );
  expect(limiter.refusal("a", 250, 60_000)).toBeNull();
});

test("RateLimiter names the global limit where that is the strategy, and limits nothing at 0", () => {
  const global = new RateLimiter({ strategy: "global", bytesPerSecond: 10, burstBytes: 5 });
  expect(global.refusal("a", 6, 0)).toContain("(local: 10 bytes/s, global: 10 bytes/s, burst: 5 bytes)");
  const none = new RateLimiter({ strategy: "local", bytesPerSecond: 0, burstBytes: 0 });
  expect(none.refusal("a", 1e12, 0)).toBeNull();
});

test("RateLimiter does not remember tenants whose bucket is full again", () => {
  const limiter = new RateLimiter({ strategy: "local", bytesPerSecond: 1000, burstBytes: 1000 });
  expect(limiter.refusal("slow", 1000, 500)).toBeNull();
  for (let i = 0; i < 10_000; i++) expect(limiter.refusal(`tenant-${i}`, 1, 0)).toBeNull();
  expect(limiter.refusal("one more", 1, 1001)).toBeNull();
  expect(limiter.refusal("slow", 502, 1001)).not.toBeNull();
  expect(limiter.refusal("slow", 501, 1001)).toBeNull();
});
