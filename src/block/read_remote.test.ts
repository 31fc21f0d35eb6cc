// How often a read of more than one trace asks a store of the network.
import { describe, expect, test } from "bun:test";
import { blockOf, type SpanOf } from "../compact/compact_fixture.ts";
import { NetworkStore } from "../store/network_store_fixture.ts";
import { BlockReader, ReadCaches } from "./read.ts";

const spans = Array.from({ length: 300 }, (_, i): SpanOf => ({ trace: i + 1, span: i + 1 }));
const limits = {
  footerBytes: 1 << 20,
  bloomBytes: 0,
  dictionaryBytes: 0,
  traceIdBytes: 0,
  pageBytes: 0,
  fileBytes: 1 << 20,
};

async function readAll(reader: BlockReader, caches: ReadCaches): Promise<number> {
  const batch = caches.takeBatch();
  await reader.readRowGroup(batch, 0);
  const ids = await reader.traceIds(0);
  return batch.spans + ids.length;
}

describe("BlockReader over a network", () => {
  test("reads all of a small block in one request, whatever is asked of it", async () => {
    const store = new NetworkStore();
    const meta = await blockOf(store, spans);
    const caches = new ReadCaches(limits);
    const reader = await BlockReader.open(store, meta, caches);
    expect(await readAll(reader, caches)).toBe(300 + 300 * 16);
    expect(store.trips).toEqual(["data.parquet 1"]);
    expect(store.bytes).toBe(meta.size);
    expect(reader.bytesRead).toBe(meta.size);
  });

  test("reads it again only when it was forgotten", async () => {
    const store = new NetworkStore();
    const meta = await blockOf(store, spans);
    const other = await blockOf(store, spans);
    // One of the two fits.
    const caches = new ReadCaches({ ...limits, fileBytes: meta.size + 100 });
    for (const [block, trips] of [
      [meta, 1],
      [meta, 1],
      [other, 2],
      [meta, 3],
    ] as const) {
      await readAll(await BlockReader.open(store, block, caches), caches);
      expect(store.trips.length).toBe(trips);
    }
  });

  test("fetches ahead without asking twice, and says what went wrong when it is read", async () => {
    const store = new NetworkStore();
    const meta = await blockOf(store, spans);
    const caches = new ReadCaches(limits);
    const reader = await BlockReader.open(store, meta, caches);
    reader.prefetch();
    reader.prefetch();
    expect(await readAll(reader, caches)).toBe(300 + 300 * 16);
    expect(store.trips).toEqual(["data.parquet 1"]);
    const gone = await BlockReader.open(store, { ...meta, blockID: crypto.randomUUID() }, caches);
    gone.prefetch();
    await new Promise((resolve) => setImmediate(resolve));
    await expect(gone.rowGroups()).rejects.toThrow("data.parquet");
  });
});
