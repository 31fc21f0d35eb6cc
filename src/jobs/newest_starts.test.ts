import { expect, test } from "bun:test";
import { NewestStarts } from "./newest_starts.ts";
import type { Parts } from "./search_job.ts";

/** Parts by the last byte of their trace's id. */
function parts(...all: [trace: number, start: bigint][]): Parts {
  const ids = new Uint8Array(all.length * 16);
  for (const [i, [trace]] of all.entries()) ids[i * 16 + 15] = trace;
  return { ids, starts: BigUint64Array.from(all, ([, start]) => start) };
}

test("what begins before the oldest of the newest traces is not wanted", () => {
  const newest = new NewestStarts(3, 5n);
  newest.add(parts([1, 10n], [2, 30n]));
  expect(newest.since).toBe(5n);
  newest.add(parts([3, 20n]));
  expect(newest.since).toBe(10n);
  newest.add(parts([4, 40n], [5, 9n]));
  expect(newest.since).toBe(20n);
});

test("a trace in two blocks counts once", () => {
  const newest = new NewestStarts(2, 0n);
  newest.add(parts([1, 10n]));
  newest.add(parts([1, 20n]));
  expect(newest.since).toBe(0n);
  newest.add(parts([2, 15n]));
  expect(newest.since).toBe(10n);
});
