import { expect, test } from "bun:test";
import { MemoryGuard } from "./memory_guard.ts";

test("MemoryGuard.check() collects above the limit, and not again at once", () => {
  let resident = 90;
  let collections = 0;
  const guard = new MemoryGuard(
    100,
    () => resident,
    () => collections++,
  );
  expect(guard.check(0)).toBe(false);
  resident = 101;
  expect(guard.check(10)).toBe(true);
  expect(guard.check(500)).toBe(false);
  expect(guard.check(2010)).toBe(true);
  expect(collections).toBe(2);
});
