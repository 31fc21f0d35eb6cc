import { expect, test } from "bun:test";
import { id, request, span } from "../batch/wire_fixture.ts";
import { batchOf, defaultOptions } from "../block/encode_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { writeBlock } from "../block/write.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { log } from "../telemetry/log.ts";
import { SplitTraces } from "./split_traces.ts";

const signal = new AbortController().signal;
const traceId = (number: number): Uint8Array => id(16, number);
const ids = (...numbers: number[]): Uint8Array => Buffer.concat(numbers.map(traceId));
const none = new Uint8Array(0);
const searched = { start: 0, end: 2 ** 33 };
/** Of 1024 traces. */
const bytesMax = 65_536;

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
  const found = (await split.of(metas, live, searched, signal))!;
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
  const split = new SplitTraces(store, new ReadCaches(), bytesMax);
  expect(await splitOf(split, [a])).toEqual([]);
  expect(await splitOf(split, [a, b])).toEqual([3]);
  expect(await splitOf(split, [a, b, c])).toEqual([1, 3, 4]);
  expect(await splitOf(split, [c, b])).toEqual([4]);
  expect(await splitOf(split, [c])).toEqual([]);
});

test("a trace in a head is split if a block or another head holds it as well", async () => {
  const store = new MemoryStore();
  const metas = await stored(store, [[1, 2]]);
  const split = new SplitTraces(store, new ReadCaches(), bytesMax);
  expect(await splitOf(split, metas, ids(2, 6, 7, 6))).toEqual([2, 6]);
  expect(await splitOf(split, metas)).toEqual([]);
  expect(await splitOf(split, [], ids(1, 6, 6))).toEqual([6]);
});

test("a block that was deleted since it was listed is said to be gone", async () => {
  const store = new MemoryStore();
  const metas = await stored(store, [[1, 2], [2]]);
  store.objects.clear();
  const split = splitOf(new SplitTraces(store, new ReadCaches(), bytesMax), metas);
  await expect(split).rejects.toMatchObject({ code: "block_gone" });
});

test("more traces than its share of memory has room for are too many to be told", async () => {
  const store = new MemoryStore();
  const [meta] = (await stored(store, [[1]])) as [BlockMeta];
  const split = new SplitTraces(store, new ReadCaches(), bytesMax);
  expect(await split.of([{ ...meta, totalObjects: 1025 }], none, searched, signal)).toBeNull();
  expect(await split.of([{ ...meta, totalObjects: 1024 }], none, searched, signal)).not.toBeNull();
});

test("a damaged block is an error, but passed over beside the searched time, with one warning", async () => {
  const store = new MemoryStore();
  const metas = await stored(store, [[1, 2], [2, 3], [3]]);
  const [, damaged] = metas as [BlockMeta, BlockMeta, BlockMeta];
  const path = `${damaged.tenantID}/${damaged.blockID}/data.parquet`;
  await store.write(path, new Uint8Array(damaged.size));
  const lines: string[] = [];
  log.configure({ sink: (line) => lines.push(line) });
  try {
    const split = new SplitTraces(store, new ReadCaches(), bytesMax);
    await expect(split.of(metas, none, searched, signal)).rejects.toThrow(damaged.blockID);
    expect(lines).toEqual([]);
    const later = { start: Date.parse(damaged.endTime) / 1000 + 1, end: 2 ** 33 };
    for (let search = 0; search < 2; search++) {
      const found = await split.of(metas, ids(1), later, signal);
      expect([...found!]).toEqual([...ids(1)]);
    }
    expect(lines.map((line) => line.includes(damaged.blockID))).toEqual([true]);
  } finally {
    log.configure({ sink: (line) => process.stderr.write(line) });
  }
});

test("a call that was cancelled reads no block", async () => {
  const store = new MemoryStore();
  const metas = await stored(store, [[1], [1]]);
  const client = new AbortController();
  let reads = 0;
  const { readRanges } = store;
  store.readRanges = (...asked) => {
    reads++;
    return readRanges.apply(store, asked);
  };
  const split = new SplitTraces(store, new ReadCaches(), bytesMax);
  const first = split.of([], none, searched, signal);
  const cancelled = split.of(metas, none, searched, client.signal);
  client.abort();
  await first;
  await expect(cancelled).rejects.toThrow("abort");
  expect(reads).toBe(0);
  expect(await splitOf(split, metas)).toEqual([1]);
  expect(reads).toBeGreaterThan(0);
});
