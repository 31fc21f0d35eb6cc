import { expect, test } from "bun:test";
import { id, request, span } from "../batch/wire_fixture.ts";
import { batchOf, defaultOptions } from "../block/encode_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { writeBlock } from "../block/write.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { SplitTraces } from "./split_traces.ts";

const signal = new AbortController().signal;
const traceId = (number: number): Uint8Array => id(16, number);
const ids = (...numbers: number[]): Uint8Array => Buffer.concat(numbers.map(traceId));
const none = new Uint8Array(0);

async function stored(store: MemoryStore, blocks: number[][]): Promise<BlockMeta[]> {
  const metas: BlockMeta[] = [];
  for (const [place, traces] of blocks.entries()) {
    const batch = batchOf([request(traces.map((trace) => span({ trace: traceId(trace), id: 1 + place })))]);
    const blockId = `00000000-0000-4000-8000-00000000000${place}`;
    metas.push(await writeBlock(batch, store, { ...defaultOptions, blockId }, async () => {}));
  }
  return metas;
}

/** The last bytes of the ids, in order. */
async function splitOf(split: SplitTraces, metas: BlockMeta[], live: Uint8Array = none): Promise<number[]> {
  const found = (await split.of(metas, live, signal))!;
  const last = Array.from({ length: found.length / 16 }, (_, i) => found[i * 16 + 15]!);
  return [...new Set(last)].sort();
}

test("a trace is split if two of the blocks hold it, whichever were asked for before", async () => {
  const store = new MemoryStore();
  const [a, b, c] = (await stored(store, [
    [1, 2, 3],
    [3, 4],
    [1, 4, 5],
  ])) as [BlockMeta, BlockMeta, BlockMeta];
  const split = new SplitTraces(store, new ReadCaches());
  expect(await splitOf(split, [a])).toEqual([]);
  expect(await splitOf(split, [a, b])).toEqual([3]);
  expect(await splitOf(split, [a, b, c])).toEqual([1, 3, 4]);
  expect(await splitOf(split, [c, b])).toEqual([4]);
  expect(await splitOf(split, [c])).toEqual([]);
});

test("a trace in a head is split if a block or another head holds it as well", async () => {
  const store = new MemoryStore();
  const metas = await stored(store, [[1, 2]]);
  const split = new SplitTraces(store, new ReadCaches());
  expect(await splitOf(split, metas, ids(2, 6, 7, 6))).toEqual([2, 6]);
  expect(await splitOf(split, metas)).toEqual([]);
  expect(await splitOf(split, [], ids(1, 6, 6))).toEqual([6]);
});

test("of a block that was deleted since nothing is known", async () => {
  const store = new MemoryStore();
  const metas = await stored(store, [[1, 2], [2]]);
  store.objects.clear();
  expect(await splitOf(new SplitTraces(store, new ReadCaches()), metas)).toEqual([]);
});

test("more traces than it keeps are too many to be told", async () => {
  const store = new MemoryStore();
  const [meta] = (await stored(store, [[1]])) as [BlockMeta];
  const split = new SplitTraces(store, new ReadCaches());
  expect(await split.of([{ ...meta, totalObjects: (1 << 20) + 1 }], none, signal)).toBeNull();
});
