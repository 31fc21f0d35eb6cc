// How often a lookup asks a store of the network: what is asked at once counts as one round trip.
import { describe, expect, test } from "bun:test";
import { blockOf, type SpanOf } from "../compact/compact_fixture.ts";
import { NetworkStore } from "../store/network_store_fixture.ts";
import type { BlockMeta } from "./meta.ts";
import { BlockReader, ReadCaches } from "./read.ts";

const idOf = (trace: number) => {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, trace);
  return id;
};

/** Names that no compression shortens much. */
const name = (trace: number) => {
  const text = Buffer.alloc(600);
  for (let i = 0; i < 600; i += 4) text.writeUInt32LE(Math.imul(trace * 1009 + i, 0x9e3779b1) >>> 0, i);
  return text.toString("base64");
};
const few = Array.from({ length: 300 }, (_, i): SpanOf => ({ trace: i + 1, span: i + 1 }));
const many = Array.from({ length: 5000 }, (_, i): SpanOf => ({ trace: i + 1, span: i + 1, name: name(i) }));

async function lookUp(store: NetworkStore, meta: BlockMeta, trace: number, isAmong: boolean) {
  store.trips.length = 0;
  store.bytes = 0;
  const reader = await BlockReader.open(store, meta, new ReadCaches());
  const row = trace - 1;
  const among = isAmong ? { start: Math.max(0, row - 40), end: row + 60 } : null;
  return reader.findTrace(idOf(trace), among);
}

describe("BlockReader.findTrace() over a network", () => {
  test("reads a small block in one request, after its bloom filter if that has to be asked", async () => {
    const store = new NetworkStore();
    const meta = await blockOf(store, few);
    expect(meta.size).toBeLessThan(512 << 10);
    expect(await lookUp(store, meta, 17, true)).not.toBeNull();
    expect(store.trips).toEqual(["data.parquet 1"]);
    expect(store.bytes).toBe(meta.size);
    expect(await lookUp(store, meta, 17, false)).not.toBeNull();
    expect(store.trips).toEqual(["bloom-0", "data.parquet 1"]);
    // One that only seemed to be there.
    expect(await lookUp(store, meta, 301, true)).toBeNull();
    expect(store.trips).toEqual(["data.parquet 1"]);
  });

  for (const rowGroupBytesMax of [100_000_000, 300_000]) {
    test(`reads a large block of row groups of ${rowGroupBytesMax} bytes in two turns`, async () => {
      const store = new NetworkStore();
      const meta = await blockOf(store, many, { rowGroupBytesMax, pageBytesMax: 8192 });
      expect(meta.size).toBeGreaterThan(1 << 20);
      const expected = await (await BlockReader.open(store, meta, new ReadCaches())).findTrace(idOf(2222));
      const found = await lookUp(store, meta, 2222, true);
      expect(Buffer.compare(found!, expected!)).toBe(0);
      expect(store.trips.length).toBe(2);
      expect(store.bytes).toBeLessThan(meta.size / 3);
      // Without knowing the rows: bloom filter, footer with indexes, ids, everything else.
      expect(Buffer.compare((await lookUp(store, meta, 2222, false))!, expected!)).toBe(0);
      expect(store.trips.length).toBe(4);
    });
  }

  test("asks for nothing that it has just read", async () => {
    const store = new NetworkStore();
    const caches = new ReadCaches();
    for (const spans of [few, many]) {
      const meta = await blockOf(store, spans, { blockId: crypto.randomUUID(), pageBytesMax: 8192 });
      const again = async () =>
        (await BlockReader.open(store, meta, caches)).findTrace(idOf(111), { start: 100, end: 200 });
      const first = await again();
      store.trips.length = 0;
      expect(Buffer.compare((await again())!, first!)).toBe(0);
      expect(store.trips).toEqual([]);
    }
  });

  test("finds a trace that lies elsewhere than it was said to", async () => {
    const store = new NetworkStore();
    const meta = await blockOf(store, many, { rowGroupBytesMax: 300_000, pageBytesMax: 8192 });
    const reader = await BlockReader.open(store, meta, new ReadCaches());
    expect(await reader.findTrace(idOf(2222), { start: 0, end: 10 })).not.toBeNull();
    expect(await reader.findTrace(idOf(2222), { start: 0, end: 5000 })).not.toBeNull();
    expect(await reader.findTrace(idOf(5001), { start: 0, end: 10 })).toBeNull();
  });

  test("reads all the same of a block whose meta says neither its size nor its footer's", async () => {
    const store = new NetworkStore();
    const meta = await blockOf(store, few);
    const { size, footerSize } = meta;
    expect(await lookUp(store, { ...meta, footerSize: 0 }, 3, true)).not.toBeNull();
    expect(store.trips.length).toBe(1);
    store.size = async () => size;
    expect(await lookUp(store, { ...meta, size: 0, footerSize }, 3, true)).not.toBeNull();
  });
});
