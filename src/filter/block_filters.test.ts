import { beforeEach, describe, expect, test } from "bun:test";
import type { BlockMeta } from "../block/meta.ts";
import { blockMeta, numberOf } from "../store/block_list_fixture.ts";
import { type Clock, realClock } from "../store/clock.ts";
import { hurriedClock } from "../store/clock_fixture.ts";
import { log } from "../telemetry/log.ts";
import {
  BlockFilters,
  type BlockFiltersOptions,
  type BuiltFilter,
  type StoredFilters,
} from "./block_filters.ts";
import { filterBytesOf, TraceFilterBuilder } from "./trace_filter.ts";

const never = new AbortController().signal;

/** The only trace that a block of this number has of `rows`; the others are filler. */
function idOf(block: number): Uint8Array {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(0, block);
  return id;
}

async function built(block: number, rows: number): Promise<BuiltFilter> {
  const ids = new Uint8Array(rows * 16);
  for (let row = 0; row < rows; row++) {
    ids.set(idOf(block), row * 16);
    new DataView(ids.buffer).setUint32(row * 16 + 12, row);
  }
  const builder = new TraceFilterBuilder(rows);
  await builder.add(ids, async () => {});
  return { bytes: builder.finish().bytes };
}

describe("BlockFilters", () => {
  let listed: BlockMeta[];
  let asked: number[];
  let answer: (meta: BlockMeta) => Promise<BuiltFilter>;
  const over = (options: Partial<BlockFiltersOptions> = {}) =>
    new BlockFilters({
      listed: () => listed,
      build: (meta) => {
        asked.push(numberOf(meta));
        return answer(meta);
      },
      bytesMax: 1 << 20,
      buildsMax: 2,
      isBusy: () => false,
      waits: false,
      stored: null,
      clock: realClock,
      ...options,
    });
  const lookUp = (filters: BlockFilters, block: number) =>
    filters.narrow(listed, idOf(block)).map(({ meta, rows }) => [numberOf(meta), rows]);
  beforeEach(() => {
    listed = [1, 2, 3].map((n) => blockMeta(n, { totalObjects: 5 }));
    asked = [];
    answer = (meta) => built(numberOf(meta), meta.totalObjects);
  });

  test("leaves of the listed blocks those that have the trace, once it has covered them", async () => {
    const filters = over();
    expect(lookUp(filters, 2)).toEqual([
      [1, null],
      [2, null],
      [3, null],
    ]);
    await filters.run(never);
    expect(lookUp(filters, 2)).toEqual([[2, { start: 0, end: 5 }]]);
    expect(lookUp(filters, 9)).toEqual([]);
    expect(filters.stats).toMatchObject({
      blocks: 3,
      coveredBlocks: 3,
      bytes: 3 * filterBytesOf(5),
      built: 3,
    });
  });

  test("covers blocks that appear within a round, newest first, and forgets those that vanish", async () => {
    const filters = over({ buildsMax: 1 });
    await filters.run(never);
    const at = (n: number, endTime: string) => blockMeta(n, { totalObjects: 5, endTime });
    listed = [
      listed[0]!,
      at(4, "2026-01-05T00:00:00Z"),
      at(5, "2026-01-07T00:00:00Z"),
      at(6, "2026-01-06T00:00:00Z"),
    ];
    asked = [];
    expect(lookUp(filters, 4).map(([n]) => n)).toEqual([4, 5, 6]);
    await filters.run(never);
    expect(asked).toEqual([5, 6, 4]);
    expect(lookUp(filters, 4).map(([n]) => n)).toEqual([4]);
    expect(filters.stats).toMatchObject({ coveredBlocks: 4, bytes: 4 * filterBytesOf(5) });
    asked = [];
    await filters.run(never);
    expect(asked).toEqual([]);
  });

  test("stays within its bytes: the largest blocks go without, and come when there is room", async () => {
    listed = [1, 2, 3].map((n) => blockMeta(n, { totalObjects: n * 500 }));
    const large = listed[2]!;
    const filters = over({ bytesMax: filterBytesOf(500) + filterBytesOf(1500) });
    await filters.run(never);
    expect(asked.sort()).toEqual([1, 2]);
    expect(filters.stats.bytes).toBe(filterBytesOf(500) + filterBytesOf(1000));
    expect(lookUp(filters, 1).map(([n]) => n)).toEqual([1, 3]);
    listed = [listed[0]!, large];
    await filters.run(never);
    expect(lookUp(filters, 1).map(([n]) => n)).toEqual([1]);
    // A smaller one takes the place of the large one.
    listed = [listed[0]!, large, blockMeta(4, { totalObjects: 400 })];
    await filters.run(never);
    expect(filters.stats.coveredBlocks).toBe(2);
    expect(filters.stats.bytes).toBe(filterBytesOf(500) + filterBytesOf(400));
  });

  test("has none for a block that is not what its meta says, and does not try again", async () => {
    const lines: string[] = [];
    log.configure({ sink: (line) => lines.push(line) });
    answer = async (meta) =>
      numberOf(meta) === 2 ? { damage: "ids are out of order" } : built(numberOf(meta), 5);
    const filters = over();
    await filters.run(never);
    await filters.run(never);
    log.configure({ sink: (line) => process.stderr.write(line) });
    expect(asked.sort()).toEqual([1, 2, 3]);
    expect(lookUp(filters, 1).map(([n]) => n)).toEqual([1, 2]);
    expect(filters.stats.damagedBlocks).toBe(1);
    expect(lines.join()).toContain("ids are out of order");
    listed = [listed[0]!];
    await filters.run(never);
    expect(filters.stats.damagedBlocks).toBe(0);
  });

  test("does not trust a filter of other rows than the block has now", async () => {
    const filters = over();
    await filters.run(never);
    listed = [blockMeta(1, { totalObjects: 6 }), listed[1]!];
    expect(lookUp(filters, 9).map(([n]) => n)).toEqual([1]);
    await filters.run(never);
    expect(lookUp(filters, 9)).toEqual([]);
    answer = async () => built(1, 5);
    listed = [blockMeta(1, { totalObjects: 7 })];
    await filters.run(never);
    expect(lookUp(filters, 9).map(([n]) => n)).toEqual([1]);
  });

  test("fails where no block can be read now, and covers them in a later round", async () => {
    answer = async () => {
      throw new Error("the store is slow");
    };
    const filters = over();
    await expect(filters.run(never)).rejects.toThrow(
      "3 blocks could not be read; the last: the store is slow",
    );
    expect(lookUp(filters, 1).map(([n]) => n)).toEqual([1, 2, 3]);
    answer = (meta) => built(numberOf(meta), 5);
    await filters.run(never);
    expect(lookUp(filters, 1).map(([n]) => n)).toEqual([1]);
    // One that is away altogether is not asked for every block.
    answer = async () => {
      throw new Error("away");
    };
    listed = Array.from({ length: 100 }, (_, i) => blockMeta(i + 10, { totalObjects: 5 }));
    asked = [];
    await expect(filters.run(never)).rejects.toThrow("away");
    expect(asked.length).toBeLessThan(20);
  });

  test("covers all others where blocks can't be read, and tries those last, and again later and later", async () => {
    log.configure({ sink: () => {} });
    // The newest.
    const broken = (n: number) => n > 20 && n <= 36;
    const day = (n: number) => `2026-01-${String(n + 1).padStart(2, "0")}T00:00:00Z`;
    listed = Array.from({ length: 36 }, (_, i) =>
      blockMeta(i + 1, { totalObjects: 5, endTime: day(Math.min(i, 29)) }),
    );
    answer = async (meta) => {
      if (broken(numberOf(meta))) throw new Error("data.parquet ends before its footer");
      return built(numberOf(meta), 5);
    };
    const filters = over();
    // Nothing tells yet that it is not the store.
    await expect(filters.run(never)).rejects.toThrow("16 blocks could not be read");
    asked = [];
    await filters.run(never);
    expect(asked.slice(0, 20).every((n) => !broken(n))).toBe(true);
    expect(filters.stats.coveredBlocks).toBe(20);
    const tries: number[] = [];
    for (let round = 3; round <= 20; round++) {
      asked = [];
      await filters.run(never);
      if (asked.includes(36)) tries.push(round);
      // One that has just come does not wait for them.
      if (round === 5) expect(asked).toEqual([40]);
      if (round === 4) listed = [...listed, blockMeta(40, { totalObjects: 5 })];
    }
    log.configure({ sink: (line) => process.stderr.write(line) });
    expect(tries).toEqual([4, 8, 16]);
    answer = async (meta) => built(numberOf(meta), 5);
    for (let round = 21; round <= 32; round++) await filters.run(never);
    expect(filters.stats.coveredBlocks).toBe(37);
  });

  test("does not fail for a block among others, but says so once", async () => {
    const lines: string[] = [];
    log.configure({ sink: (line) => lines.push(line) });
    answer = async (meta) => {
      if (numberOf(meta) === 2) throw new Error("block 2 is gone");
      return built(numberOf(meta), 5);
    };
    const filters = over();
    for (let round = 1; round <= 5; round++) await filters.run(never);
    log.configure({ sink: (line) => process.stderr.write(line) });
    expect(filters.stats.coveredBlocks).toBe(2);
    expect(lines.filter((line) => line.includes("block 2 is gone")).length).toBe(1);
  });

  test("makes one filter at a time while queries are answered, some otherwise, and none once stopped", async () => {
    let running = 0;
    let most = 0;
    answer = async (meta) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return built(numberOf(meta), 5);
    };
    await over({ isBusy: () => true }).run(never);
    expect(most).toBe(1);
    await over().run(never);
    expect(most).toBe(2);
    asked = [];
    await over().run(AbortSignal.abort());
    expect(asked).toEqual([]);
  });

  test("lets lookups of many uncovered blocks wait for the round, where that is quicker, but not for ever", async () => {
    listed = Array.from({ length: 20 }, (_, i) => blockMeta(i + 1, { totalObjects: 5 }));
    const gate = Promise.withResolvers<void>();
    answer = async (meta) => {
      await gate.promise;
      return built(numberOf(meta), 5);
    };
    const filters = over({ waits: true });
    // Nothing is being made: nothing to wait for.
    expect((await filters.mayHold(listed, idOf(3), never)).length).toBe(20);
    const round = filters.run(never);
    const given = new AbortController();
    const impatient = filters.mayHold(listed, idOf(3), given.signal);
    const patient = filters.mayHold(listed, idOf(3), never);
    expect((await filters.mayHold(listed.slice(0, 16), idOf(3), never)).length).toBe(16);
    given.abort();
    expect((await impatient).length).toBe(20);
    gate.resolve();
    expect((await patient).length).toBeLessThanOrEqual(17);
    await round;
    expect((await filters.mayHold(listed, idOf(3), never)).map(({ meta }) => numberOf(meta))).toEqual([3]);
  });

  test("has lookups wait for a round that does not end no longer than a while", async () => {
    listed = Array.from({ length: 20 }, (_, i) => blockMeta(i + 1, { totalObjects: 5 }));
    const gate = Promise.withResolvers<void>();
    answer = async (meta) => {
      await gate.promise;
      return built(numberOf(meta), 5);
    };
    let waitedMs = 0;
    const clock: Clock = {
      after(ms, run) {
        waitedMs += ms;
        return hurriedClock.after(ms, run);
      },
    };
    const filters = over({ waits: true, clock });
    const round = filters.run(never);
    expect((await filters.mayHold(listed, idOf(3), never)).length).toBe(20);
    expect(waitedMs).toBe(1500);
    gate.resolve();
    await round;
  });

  test("has no lookup wait for blocks that the round does not cover", async () => {
    // The larger ones have no room.
    const large = Array.from({ length: 30 }, (_, i) => blockMeta(i + 100, { totalObjects: 5000 }));
    const small = Array.from({ length: 20 }, (_, i) => blockMeta(i + 1, { totalObjects: 5 }));
    listed = [...small, ...large];
    const gate = Promise.withResolvers<void>();
    answer = async (meta) => {
      await gate.promise;
      return built(numberOf(meta), 5);
    };
    let waits = 0;
    const clock: Clock = {
      after() {
        waits++;
        return () => {};
      },
    };
    const filters = over({ waits: true, clock, bytesMax: 20 * filterBytesOf(5) });
    const round = filters.run(never);
    expect((await filters.mayHold([...large, ...small.slice(0, 16)], idOf(3), never)).length).toBe(46);
    expect(waits).toBe(0);
    gate.resolve();
    await round;
  });

  test("says of many traces which blocks have each, and lets others have their turn meanwhile", async () => {
    listed = Array.from({ length: 500 }, (_, i) => blockMeta(i + 1, { totalObjects: 5 }));
    const filters = over({ bytesMax: 1 << 30 });
    await filters.run(never);
    const ids = new Uint8Array(256 * 16);
    for (let i = 0; i < 256; i++) ids.set(idOf(i * 3 + 1), i * 16);
    const each: number[][] = [];
    for await (const found of filters.mayHoldEach(listed, ids, never)) {
      each.push(found.map(({ meta }) => numberOf(meta)));
    }
    // Block n has trace n alone.
    expect(each).toEqual(Array.from({ length: 256 }, (_, i) => (i * 3 + 1 <= 500 ? [i * 3 + 1] : [])));
    // A search that is given up ends when others have had their turn.
    const given = new AbortController();
    const long = (async () => {
      for (let n = 0; n < 1000; n++) {
        for await (const _ of filters.mayHoldEach(listed, ids, given.signal));
      }
    })();
    setImmediate(() => given.abort(new Error("given up")));
    await expect(long).rejects.toThrow("given up");
  });

  test("takes those that were kept, makes what is missing, and has it kept", async () => {
    const kept = new Map<number, Uint8Array<ArrayBuffer>>();
    const stored: StoredFilters = {
      load: (metas) =>
        new Map(
          metas.flatMap((meta) => (kept.has(numberOf(meta)) ? [[meta, kept.get(numberOf(meta))!]] : [])),
        ),
      add: (meta, bytes) => void kept.set(numberOf(meta), bytes.slice()),
      retain: (metas) => {
        const wanted = new Set([...metas].map(numberOf));
        for (const n of kept.keys()) if (!wanted.has(n)) kept.delete(n);
      },
    };
    await over({ stored }).run(never);
    expect([...kept.keys()].sort()).toEqual([1, 2, 3]);
    asked = [];
    listed = [...listed.slice(0, 2), blockMeta(4, { totalObjects: 5 })];
    kept.set(2, new Uint8Array(100)); // damaged
    const again = over({ stored });
    await again.run(never);
    expect(asked.sort()).toEqual([2, 4]);
    expect(again.stats).toMatchObject({ loaded: 1, built: 2, coveredBlocks: 3 });
    expect([...kept.keys()].sort()).toEqual([1, 2, 4]);
  });
});
