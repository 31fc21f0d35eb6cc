import { expect, test } from "bun:test";
import { parseByteSize } from "./byte_size.ts";

test("parseByteSize() reads numbers and units", () => {
  expect(parseByteSize("5000000")).toBe(5_000_000);
  expect(parseByteSize("5_000_000")).toBe(5_000_000);
  expect(parseByteSize("1e8")).toBe(100_000_000);
  expect(parseByteSize("64MiB")).toBe(67_108_864);
  expect(parseByteSize("64 mib")).toBe(67_108_864);
  expect(parseByteSize("1.5GB")).toBe(1_500_000_000);
  expect(parseByteSize("12B")).toBe(12);
});

test("parseByteSize() refuses what is no whole number of bytes", () => {
  for (const text of ["", "MiB", "-1", "1.5", "64M", "64 apples", "1e400"])
    expect(parseByteSize(text)).toBeUndefined();
});
