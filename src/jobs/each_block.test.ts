import { describe, expect, test } from "bun:test";
import type { BlockMeta } from "../block/meta.ts";
import { ReadCaches } from "../block/read.ts";
import { blockOf } from "../compact/compact_fixture.ts";
import { BlockGone } from "../store/block_list_gone.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { NetworkStore } from "../store/network_store_fixture.ts";
import { eachBlock } from "./each_block.ts";

const { signal } = new AbortController();

async function blocksIn(store: MemoryStore, count: number): Promise<BlockMeta[]> {
  const metas: BlockMeta[] = [];
  for (let i = 0; i < count; i++) metas.push(await blockOf(store, [{ trace: i + 1, span: i + 1 }]));
  return metas;
}

describe("eachBlock()", () => {
  test("looks into one block after the other, the next of which a network is asked for meanwhile", async () => {
    const store = new NetworkStore();
    const metas = await blocksIn(store, 20);
    const seen: [place: number, trips: number][] = [];
    await eachBlock(store, new ReadCaches(), metas, signal, async (reader, place) => {
      expect(reader.meta).toBe(metas[place]!);
      await reader.rowGroups();
      seen.push([place, store.trips.length]);
    });
    expect(seen.map(([place]) => place)).toEqual([...metas.keys()]);
    expect(seen[0]![1]).toBe(16);
    expect(seen[1]![1]).toBe(17);
    expect(store.trips.length).toBe(20);
  });

  test("reads nothing ahead from a local disk", async () => {
    const store = new MemoryStore();
    const metas = await blocksIn(store, 3);
    const paths: string[] = [];
    const { readRanges } = store;
    store.readRanges = (path, ranges) => {
      paths.push(path);
      return readRanges.call(store, path, ranges);
    };
    await eachBlock(store, new ReadCaches(), metas, signal, async (reader) => {
      expect(paths.length).toBe(0);
      await reader.rowGroups();
      expect(paths).toEqual([`${reader.meta.tenantID}/${reader.meta.blockID}/data.parquet`]);
      paths.length = 0;
    });
  });

  test("says that a block is gone in its turn, and looks into none behind it", async () => {
    const store = new NetworkStore();
    const metas = await blocksIn(store, 4);
    await store.deleteAll(`${metas[2]!.tenantID}/${metas[2]!.blockID}`);
    const seen: number[] = [];
    const done = eachBlock(store, new ReadCaches(), metas, signal, async (reader, place) => {
      await reader.rowGroups();
      seen.push(place);
    });
    await expect(done).rejects.toBeInstanceOf(BlockGone);
    expect(seen).toEqual([0, 1]);
  });
});
