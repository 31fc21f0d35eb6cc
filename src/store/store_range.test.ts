import { expect, test } from "bun:test";
import { joinRanges } from "./store_range.ts";

const kib = 1024;

test("joinRanges() joins what lies near, up to what is fetched well at once", () => {
  const range = (offset: number, length: number) => ({ offset, length });
  expect(joinRanges([])).toEqual([]);
  expect(joinRanges([range(5, 0)])).toEqual([]);
  expect(joinRanges([range(10, 5), range(0, 5)])).toEqual([range(0, 15)]);
  expect(joinRanges([range(0, 10), range(2, 3)])).toEqual([range(0, 10)]);
  const far = range(10 + 256 * kib + 1, 1);
  expect(joinRanges([range(0, 10), far])).toEqual([range(0, 10), far]);
  expect(joinRanges([range(0, 10), range(10 + 256 * kib, 1)])).toEqual([range(0, 11 + 256 * kib)]);
  const large = 6 * kib * kib;
  expect(joinRanges([range(0, large), range(large, large)])).toEqual([range(0, large), range(large, large)]);
  // One that is inside of another is not asked for again, however large that is.
  expect(joinRanges([range(0, 3 * large), range(large, large)])).toEqual([range(0, 3 * large)]);
});
