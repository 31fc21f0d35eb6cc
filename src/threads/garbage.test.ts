import { expect, test } from "bun:test";
import { GarbageMeter } from "./garbage.ts";

const mebibyte = 1 << 20;

test("collects each time that 32 MiB have been left behind", () => {
  let collections = 0;
  const meter = new GarbageMeter(() => collections++);
  meter.add(31 * mebibyte);
  expect(collections).toBe(0);
  meter.add(mebibyte);
  expect(collections).toBe(1);
  meter.add(31 * mebibyte);
  expect(collections).toBe(1);
  meter.add(100 * mebibyte);
  expect(collections).toBe(2);
});
