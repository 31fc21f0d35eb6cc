import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { log } from "../telemetry/log.ts";
import { CachedStore } from "./cached_store.ts";
import { ChunkCache, type ChunkCacheOptions } from "./chunk_cache.ts";
import { recordBytes, writeAt } from "./chunk_files.ts";
import { MemoryStore } from "./memory_store_fixture.ts";
import type { StoreRange } from "./store.ts";

const chunkBytes = 1024;
const data = (block: number) => `t/b${block}/data.parquet`;
/** Bytes that differ by block and place. */
const content = (block: number, length: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13 + block * 31) & 0xff);

class CountingStore extends MemoryStore {
  override readonly remote = true;
  asked: string[] = [];
  override readRanges(path: string, ranges: readonly StoreRange[]): Promise<Uint8Array[]> {
    for (const { offset, length } of ranges) this.asked.push(`${path.split("/")[1]} ${offset}+${length}`);
    return super.readRanges(path, ranges);
  }
  override read(path: string): Promise<Uint8Array> {
    this.asked.push(path);
    return super.read(path);
  }
  override readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
    const { bytes } = this.objects.get(path)!;
    return Promise.resolve(bytes.subarray(offset, offset + length));
  }
  take(): string[] {
    const { asked } = this;
    this.asked = [];
    return asked;
  }
}

describe("CachedStore", () => {
  let folder: string;
  let inner: CountingStore;
  let caches: ChunkCache[];
  let lines: string[];
  const open = (options: Partial<ChunkCacheOptions> = {}) => {
    const cache = new ChunkCache({
      folder,
      bytesMax: 64 * (chunkBytes + recordBytes),
      chunkBytes,
      ...options,
    });
    caches.push(cache);
    return { cache, store: new CachedStore(inner, cache) };
  };
  const put = async (block: number, length: number) => {
    await inner.write(data(block), content(block, length));
    return length;
  };
  const bytesOnDisk = () => statSync(join(folder, "chunks")).size + statSync(join(folder, "records")).size;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "chunks-"));
    inner = new CountingStore();
    caches = [];
    lines = [];
    log.configure({ sink: (line) => lines.push(line) });
  });
  afterEach(() => {
    for (const cache of caches) cache.close();
    log.configure({ sink: (line) => process.stderr.write(line) });
    rmSync(folder, { recursive: true });
  });

  test("asks the store for whole chunks that it does not have, side by side where they are not neighbours", async () => {
    const size = await put(1, 5000);
    const { store, cache } = open();
    const ranges = [
      { offset: 1000, length: 100 }, // in chunks 0 and 1
      { offset: 4100, length: 900 }, // in the last, which is short
    ];
    const parts = await store.readRanges(data(1), ranges, size);
    expect(parts).toEqual(
      ranges.map(({ offset, length }) => content(1, 5000).subarray(offset, offset + length)),
    );
    expect(inner.take()).toEqual(["b1 0+2048", "b1 4096+904"]);
    await store.readRanges(data(1), ranges, size);
    expect(await store.readRanges(data(1), [{ offset: 0, length: 2048 }], size)).toEqual([
      content(1, 5000).subarray(0, 2048),
    ]);
    expect(inner.take()).toEqual([]);
    await store.readRanges(data(1), [{ offset: 0, length: 5000 }], size);
    expect(inner.take()).toEqual(["b1 2048+2048"]);
    expect(cache.stats).toMatchObject({ chunks: 5, misses: 5, writtenBytes: 5000, corrupt: 0 });
  });

  test("answers as the store does, whatever is asked of it, and stays within its bytes", async () => {
    const sizes = [1, 1023, 1024, 1025, 9000, 30_000];
    for (const [block, size] of sizes.entries()) await put(block, size);
    const bytesMax = 20 * (chunkBytes + recordBytes);
    const ask = fc.record({ block: fc.nat(sizes.length - 1), from: fc.nat(10_000), to: fc.nat(10_000) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(ask, { minLength: 1, maxLength: 4 }), { maxLength: 30 }),
        async (all) => {
          const { store } = open({ bytesMax });
          for (const some of all) {
            const { block } = some[0]!;
            const size = sizes[block]!;
            const ranges = some.map(({ from, to }) => {
              const [start, end] = [from, to]
                .map((n) => Math.floor((n / 10_000) * size))
                .sort((a, b) => a - b);
              return { offset: start!, length: end! - start! };
            });
            const expected = ranges.map(({ offset, length }) =>
              content(block, size).slice(offset, offset + length),
            );
            const found = await store.readRanges(data(block), ranges, size);
            expect(found.map((bytes) => bytes.slice())).toEqual(expected);
            expect(bytesOnDisk()).toBeLessThanOrEqual(bytesMax + 16);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("keeps bloom filters whole, and nothing that may change", async () => {
    const bloom = content(3, 2500);
    await inner.write("t/b3/bloom-12", bloom);
    for (const path of ["t/b3/meta.json", "t/index.json.gz", "t/compaction_lease.json", "t/b3/index"]) {
      await inner.write(path, content(1, 10));
    }
    const { store } = open();
    for (let i = 0; i < 2; i++) {
      expect(await store.read("t/b3/bloom-12")).toEqual(bloom);
      await store.read("t/b3/meta.json");
      await store.read("t/index.json.gz");
      await store.read("t/compaction_lease.json");
    }
    expect(inner.take().sort()).toEqual(
      [
        "t/b3/bloom-12",
        ...["t/b3/meta.json", "t/compaction_lease.json", "t/index.json.gz"].flatMap((path) => [path, path]),
      ].sort(),
    );
    expect(inner.take()).toEqual([]);
  });

  test("still has after a restart what it had, and leaves out what a crash has torn", async () => {
    const size = await put(1, 4096);
    const whole = [{ offset: 0, length: size }];
    await open().store.readRanges(data(1), whole, size);
    inner.take();
    expect((await open().store.readRanges(data(1), whole, size))[0]).toEqual(content(1, size));
    expect(inner.take()).toEqual([]);
    // The second chunk and the record of the third.
    const chunks = readFileSync(join(folder, "chunks"));
    chunks[1024 + 77] = chunks[1024 + 77]! ^ 1;
    writeFileSync(join(folder, "chunks"), chunks);
    const records = readFileSync(join(folder, "records"));
    records[16 + 2 * recordBytes + 20] = records[16 + 2 * recordBytes + 20]! ^ 1;
    writeFileSync(join(folder, "records"), records);
    const { store, cache } = open();
    expect((await store.readRanges(data(1), whole, size))[0]).toEqual(content(1, size));
    expect(inner.take()).toEqual(["b1 1024+2048"]);
    expect(cache.stats.corrupt).toBe(1);
    await store.readRanges(data(1), whole, size);
    expect(inner.take()).toEqual([]);
    // Cut short, and something else altogether.
    writeFileSync(join(folder, "chunks"), chunks.subarray(0, 1500));
    expect((await open().store.readRanges(data(1), whole, size))[0]).toEqual(content(1, size));
    writeFileSync(join(folder, "records"), "not ours");
    expect((await open().store.readRanges(data(1), whole, size))[0]).toEqual(content(1, size));
  });

  test("reads any damage of its files as absence", async () => {
    const size = await put(1, 3000);
    const whole = [{ offset: 0, length: size }];
    await open().store.readRanges(data(1), whole, size);
    const files = ["chunks", "records"].map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
    const places = fc.array(fc.record({ file: fc.nat(1), at: fc.nat(5000), value: fc.nat(255) }), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(places, fc.nat(5000), async (damage, length) => {
        for (const [i, { name, bytes }] of files.entries()) {
          const damaged = Buffer.from(bytes);
          for (const { file, at, value } of damage) if (file === i) damaged[at % damaged.length] = value;
          writeFileSync(join(folder, name), i === length % 2 ? damaged.subarray(0, length) : damaged);
        }
        const { store } = open();
        expect((await store.readRanges(data(1), whole, size))[0]!.slice()).toEqual(content(1, size));
      }),
      { numRuns: 200 },
    );
  });

  test("lets go of what has not been used lately when it is full", async () => {
    const { store, cache } = open({ bytesMax: 4 * (chunkBytes + recordBytes) });
    for (let block = 1; block <= 7; block++) await put(block, 1000);
    const read = (block: number) => store.readRanges(data(block), [{ offset: 0, length: 1000 }], 1000);
    for (const block of [1, 2, 3, 4, 1, 2, 5, 1, 2, 6, 1, 2, 7]) await read(block);
    inner.take();
    await read(1);
    await read(2);
    expect(inner.take()).toEqual([]);
    expect(cache.stats).toMatchObject({ chunks: 4, evictions: 3 });
    expect(cache.stats.bytes).toBe(cache.stats.bytesMax);
  });

  test("never fails a query where the disk is full, and tries to write again after a while", async () => {
    let nowMs = 0;
    let isFull = true;
    const size = await put(1, 3000);
    const { store, cache } = open({
      now: () => nowMs,
      write: (file, bytes, position) => {
        if (isFull && bytes.length > recordBytes) {
          writeAt(file, bytes.subarray(0, 100), position);
          throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        }
        writeAt(file, bytes, position);
      },
    });
    const read = async () => {
      expect((await store.readRanges(data(1), [{ offset: 0, length: 3000 }], size))[0]).toEqual(
        content(1, 3000),
      );
      return inner.take().length;
    };
    expect(await read()).toBe(1);
    expect(await read()).toBe(1);
    expect(cache.stats).toMatchObject({ writeErrors: 1, chunks: 0 });
    expect(lines.length).toBe(1);
    isFull = false;
    expect(await read()).toBe(1);
    nowMs += 10_001;
    expect(await read()).toBe(1);
    expect(await read()).toBe(0);
  });

  test("forgets blocks that are no more, and one of the same name but another length", async () => {
    const { store, cache } = open();
    for (const block of [1, 2, 3]) await put(block, 2000);
    const read = (block: number, size = 2000) =>
      store.readRanges(data(block), [{ offset: 0, length: size }], size);
    for (const block of [1, 2, 3]) await read(block);
    cache.retain(["t/b2", "t/b9"]);
    expect(cache.stats.chunks).toBe(2);
    inner.take();
    await read(2);
    expect(inner.take()).toEqual([]);
    await put(2, 2048);
    expect((await read(2, 2048))[0]).toEqual(content(2, 2048));
    expect(inner.take()).toEqual(["b2 0+2048"]);
    await store.deleteAll("t/b2");
    expect(cache.stats.chunks).toBe(0);
  });

  test("gives nothing of another block that had the same id, of the same length too, and forgets that", async () => {
    const bloom = "t/b1/bloom-0";
    const read = async (store: CachedStore, which: number) => {
      const [part] = await store.readRanges(data(1), [{ offset: 0, length: 2000 }], 2000, which);
      expect(part).toEqual(content(which, 2000));
      expect(await store.read(bloom, which)).toEqual(content(which, 1500));
      return inner.take().length;
    };
    const first = open();
    for (const which of [7, 8]) {
      await inner.write(data(1), content(which, 2000));
      await inner.write(bloom, content(which, 1500));
      expect(await read(first.store, which)).toBe(2);
      expect(await read(first.store, which)).toBe(0);
    }
    expect(first.cache.stats).toMatchObject({ chunks: 4, corrupt: 0 });
    expect(await read(open().store, 8)).toBe(0);
  });

  test("asks the store where it can't tell what lies around a range, or whether there is such a range", async () => {
    await put(1, 2000);
    const { store, cache } = open();
    await store.readRange(data(1), 10, 20);
    expect(inner.take()).toEqual(["b1 10+20"]);
    await expect(store.readRanges(data(1), [{ offset: -1, length: 1 }], 2000)).rejects.toThrow("no range");
    await store.readRanges(data(1), [{ offset: 1990, length: 20 }], 2000);
    expect(inner.take()).toEqual(["b1 1990+20"]);
    expect(cache.stats.chunks).toBe(0);
  });
});
