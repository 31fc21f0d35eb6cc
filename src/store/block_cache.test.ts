import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { id } from "../batch/wire_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { blockOf } from "../compact/compact_fixture.ts";
import type { Config } from "../config/config.ts";
import { defaultConfig } from "../config/defaults.ts";
import { findInBlocks } from "../jobs/find_trace.ts";
import { log } from "../telemetry/log.ts";
import { blockCacheOf, hasBlockCache, takeBlockCache, withCache } from "./block_cache.ts";
import { MemoryStore } from "./memory_store_fixture.ts";
import { NetworkStore } from "./network_store_fixture.ts";

describe("the block cache", () => {
  let folder: string;
  let config: Config;
  const lines: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "block-cache-"));
    lines.length = 0;
    log.configure({ sink: (line) => lines.push(line) });
    config = defaultConfig();
    config.storage.trace.backend = "s3";
    config.storage.trace.block_cache = { path: folder, max_bytes: 100 << 20 };
  });
  afterEach(() => {
    log.configure({ sink: (line) => process.stderr.write(line) });
    rmSync(folder, { recursive: true, force: true });
  });

  test("is shared out evenly among the workers, each with a folder of its own", () => {
    expect(blockCacheOf(config, 1, 4)).toEqual({
      folder: join(folder, "worker-1"),
      bytesMax: 25 << 20,
      chunkBytes: 64 << 10,
    });
  });

  test("has chunks of 64 KiB however large it is, so that a lookup fetches no more from the bucket", () => {
    config.storage.trace.block_cache.max_bytes = 128 * 2 ** 30;
    expect(blockCacheOf(config, 0, 4)).toMatchObject({ bytesMax: 32 * 2 ** 30, chunkBytes: 64 << 10 });
  });

  test("is off without a folder, and for blocks on the local disk", () => {
    config.storage.trace.block_cache.path = "";
    expect(hasBlockCache(config)).toBe(false);
    expect(blockCacheOf(config, 0, 2)).toBeNull();
    expect(takeBlockCache(config, 2)).toBeNull();
    config.storage.trace.block_cache.path = folder;
    config.storage.trace.backend = "local";
    expect(hasBlockCache(config)).toBe(false);
    const store = new MemoryStore();
    expect(withCache(store, null)).toEqual({ store, cache: null });
  });

  test("is taken by one process, which removes what workers have left that are no more", () => {
    for (const name of ["worker-0", "worker-1", "worker-7", "mine"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "chunks"), "x");
    }
    const lock = takeBlockCache(config, 2)!;
    expect(
      ["worker-0", "worker-1", "worker-7", "mine"].filter((name) => existsSync(join(folder, name))),
    ).toEqual(["worker-0", "worker-1", "mine"]);
    expect(() => takeBlockCache(config, 2)).toThrow(/^storage\.trace\.block_cache\.path: process \d+ has it/);
    lock.release();
    takeBlockCache(config, 2)!.release();
  });

  test("that can't be opened is done without", () => {
    writeFileSync(join(folder, "worker-0"), "a file where a folder should be");
    const store = new MemoryStore();
    const opened = withCache(store, blockCacheOf(config, 0, 2));
    expect(opened.store).toBe(store);
    expect(opened.cache).toBeNull();
    expect(lines.join()).toContain("the cache of blocks can't be used");
  });

  test("has lookups find what is in a block that was made once more of other spans, under the id of a deleted one", async () => {
    const inner = new NetworkStore();
    const blockId = crypto.randomUUID();
    const { store, cache } = withCache(inner, blockCacheOf(config, 0, 1));
    const find = async (meta: BlockMeta, trace: number) => {
      const never = new AbortController().signal;
      const found = await findInBlocks(store, new ReadCaches(), id(16, trace), [meta], [null], null, never);
      return found.traces.length;
    };
    const first = await blockOf(inner, [{ trace: 1, span: 1 }], { blockId });
    expect([await find(first, 1), await find(first, 2)]).toEqual([1, 0]);
    const two = [2, 3].map((trace) => ({ trace, span: 1 }));
    const second = await blockOf(inner, two, { blockId });
    expect([await find(second, 1), await find(second, 2), await find(second, 3)]).toEqual([0, 1, 1]);
    cache!.close();
  });
});
