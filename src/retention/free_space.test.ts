import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { BlockList } from "../store/block_list.ts";
import { blockMeta, numbersOf, putBlock } from "../store/block_list_fixture.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { log } from "../telemetry/log.ts";
import { diskOf, FreeSpace } from "./free_space.ts";
import { Retention } from "./retention.ts";

const start = Date.UTC(2026, 0, 1);
const minute = (n: number) => new Date(start + n * 60_000).toISOString();

describe("FreeSpace", () => {
  const lines: string[] = [];
  let list: BlockList;
  let retention: Retention;
  let writtenMs = 0;
  let space: FreeSpace;
  let total = 20_000;
  /** Of a disk on which there is room for 1000 bytes of blocks, besides all else. */
  const disk = async () => {
    let used = 0;
    for (const { live, compacted } of retention.stored()) {
      for (const { size } of live) used += size;
      for (const { meta } of compacted) used += meta.size;
    }
    return { free: 1000 - used, total };
  };

  beforeEach(async () => {
    const store = new MemoryStore();
    list = new BlockList(store, { compactedMsMax: 0 });
    retention = new Retention(store, list, {
      blockMs: () => 0,
      compactedMs: 0,
      isKept: () => true,
      tenantBytesMax: () => 0,
      bytesMax: 0,
      concurrency: 2,
    });
    for (const n of [1, 2, 3, 4, 5]) await putBlock(store, blockMeta(n, { endTime: minute(n), size: 150 }));
    await list.load();
    writtenMs = start + 5 * 60_000;
    total = 20_000;
    space = new FreeSpace(retention, { reserveBytes: 400, writtenMs: () => writtenMs, disk });
    lines.length = 0;
    log.configure({ sink: (line) => lines.push(line) });
  });
  afterEach(() => log.configure({ sink: (line) => process.stderr.write(line) }));

  test("keep() deletes as many of the oldest blocks as the reserve wants, and says so", async () => {
    // 250 are free; 150 more are wanted.
    await space.keep();
    expect(numbersOf(list.live("acme"))).toEqual([2, 3, 4, 5]);
    expect(space.freeBytes).toBe(400);
    expect(lines[0]).toContain('level=error msg="the disk is full: the oldest blocks are deleted"');
    expect(retention.stats.deleted.disk).toEqual({ blocks: 1, bytes: 150 });
    await space.keep();
    expect(retention.stats.deleted.disk.blocks).toBe(1);
  });

  test("keep() deletes nothing as new as what is being written, whatever is missing", async () => {
    writtenMs = start + 3 * 60_000;
    const full = new FreeSpace(retention, { reserveBytes: 999, writtenMs: () => writtenMs, disk });
    await full.keep();
    expect(numbersOf(list.live("acme"))).toEqual([3, 4, 5]);
    await expect(full.keep()).rejects.toThrow("no block is older than what is being written");
    expect(numbersOf(list.live("acme"))).toEqual([3, 4, 5]);
  });

  test("keep() wants no more of a small disk than a twentieth", async () => {
    total = 5000;
    await space.keep();
    expect(retention.stats.deleted.disk.blocks).toBe(0);
  });

  test("diskOf() asks the disk", async () => {
    const { free, total } = await diskOf(import.meta.dir);
    expect(free).toBeGreaterThan(0);
    expect(total).toBeGreaterThan(free);
  });
});
