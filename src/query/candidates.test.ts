import { expect, test } from "bun:test";
import { traceIdWords } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import { QueryTooLarge } from "../search/query_error.ts";
import type { Summary } from "../search/report.ts";
import { Candidates, candidatesMax, type Source } from "./candidates.ts";

const a = { blockID: "a" } as BlockMeta;
const b = { blockID: "b" } as BlockMeta;

/** Words of an id that ends in this number. */
function wordsOf(trace: number): Uint32Array {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, trace);
  return traceIdWords(id);
}

function traceOf(candidates: Candidates, candidate: number): number {
  return Number.parseInt(candidates.hexOf(candidate), 16);
}

function newest(candidates: Candidates, count: number): number[] {
  return candidates.newest(count).map((candidate) => traceOf(candidates, candidate));
}

function summary(start: bigint, bytes: number): Summary {
  return { traceId: "", startNanos: start, endNanos: start, message: new Uint8Array(bytes) };
}

/** With a candidate for each trace, by its start. */
function candidatesOf(starts: Record<number, bigint>): Candidates {
  const candidates = new Candidates();
  for (const [trace, start] of Object.entries(starts)) {
    candidates.add(wordsOf(Number(trace)), 0, start, { meta: a, group: 0, row: Number(trace) });
  }
  return candidates;
}

test("the newest come first, and of those that began at once the lowest ids", () => {
  const candidates = candidatesOf({ 1: 5n, 300: 7n, 2: 7n, 4: 2n ** 40n, 3: 6n });
  expect(newest(candidates, 9)).toEqual([4, 2, 300, 3, 1]);
  expect(newest(candidates, 2)).toEqual([4, 2]);
});

test("a trace is as old as its oldest part, and counts once", () => {
  const candidates = candidatesOf({ 1: 5n, 2: 4n });
  expect(candidates.add(wordsOf(1), 0, 3n, null)).toBe(false);
  expect(candidates.add(wordsOf(3), 0, 1n, undefined)).toBe(true);
  expect(candidates.size).toBe(3);
  expect(newest(candidates, 3)).toEqual([2, 1, 3]);
});

test("thousands are told apart", () => {
  const candidates = new Candidates();
  for (let trace = 0; trace < 5000; trace++) candidates.add(wordsOf(trace), 0, BigInt(trace), null);
  for (let trace = 0; trace < 5000; trace++) {
    expect(candidates.add(wordsOf(trace), 0, BigInt(trace), null)).toBe(false);
  }
  expect(newest(candidates, 3)).toEqual([4999, 4998, 4997]);
});

test("the row is known where it is the only one", () => {
  const sources: [(Source | undefined)[], Source | undefined][] = [
    [[undefined], undefined],
    [[{ meta: a, group: 1, row: 2 }], { meta: a, group: 1, row: 2 }],
    [[undefined, { meta: b, group: 1, row: 2 }], { meta: b, group: 1, row: 2 }],
    [
      [
        { meta: a, group: 1, row: 2 },
        { meta: a, group: 1, row: 2 },
      ],
      { meta: a, group: 1, row: 2 },
    ],
    [
      [
        { meta: a, group: 1, row: 2 },
        { meta: b, group: 1, row: 2 },
      ],
      undefined,
    ],
    [
      [
        { meta: a, group: 1, row: 2 },
        { meta: a, group: 1, row: 3 },
      ],
      undefined,
    ],
    [[null, { meta: a, group: 1, row: 2 }], undefined],
    [[{ meta: a, group: 1, row: 2 }, null], undefined],
  ];
  for (const [added, known] of sources) {
    const candidates = new Candidates();
    for (const source of added) candidates.add(wordsOf(1), 0, 1n, source);
    expect(candidates.rowOf(0)).toEqual(known as never);
  }
});

test("those that fail are left out, those that are shown begin when they do as a whole", () => {
  const candidates = candidatesOf({ 1: 9n, 2: 8n, 3: 7n });
  const [first, second] = candidates.newest(2);
  candidates.settle(first!, null);
  candidates.settle(second!, summary(6n, 10));
  expect(newest(candidates, 3)).toEqual([3, 2]);
  expect(candidates.shownBytes).toBe(10);
});

test("a summary that is no longer wanted takes no memory, and may be asked for again", () => {
  const candidates = candidatesOf({ 1: 9n, 2: 8n });
  const [first, second] = candidates.newest(2);
  candidates.settle(first!, summary(9n, 10));
  candidates.settle(second!, summary(8n, 100));
  candidates.keepSummariesOf([first!]);
  expect([candidates.shownBytes, candidates.isOpen(first!), candidates.isOpen(second!)]).toEqual([
    10,
    false,
    true,
  ]);
});

test("those that began too early are forgotten, and found anew", () => {
  const candidates = candidatesOf({ 1: 9n, 2: 3n, 3: 8n, 4: 2n });
  const [first, , second] = candidates.newest(3);
  candidates.settle(first!, summary(9n, 10));
  candidates.settle(second!, summary(3n, 100));
  candidates.dropOlder(8n);
  expect([candidates.size, candidates.shownBytes]).toEqual([2, 10]);
  expect(newest(candidates, 9)).toEqual([1, 3]);
  const [one, three] = candidates.newest(2);
  expect(candidates.summaryOf(one!).startNanos).toBe(9n);
  expect(candidates.rowOf(three!)).toEqual({ meta: a, group: 0, row: 3 });
  expect(candidates.add(wordsOf(3), 0, 8n, null)).toBe(false);
  expect(candidates.add(wordsOf(2), 0, 8n, null)).toBe(true);
});

test("more of them than there may be are refused", () => {
  const candidates = new Candidates();
  const words = new Uint32Array(4);
  for (let trace = 0; trace < candidatesMax; trace++) {
    words[3] = trace;
    candidates.add(words, 0, 1n, null);
  }
  words[3] = candidatesMax;
  expect(() => candidates.add(words, 0, 1n, null)).toThrow(QueryTooLarge);
  words[3] = 0;
  expect(candidates.add(words, 0, 1n, null)).toBe(false);
});
