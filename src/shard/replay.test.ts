import { beforeEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { log } from "../telemetry/log.ts";
import { blockIdOf } from "./head.ts";
import { replay } from "./replay.ts";
import { makeShard, RememberingStore, range, type ShardFixture, spansIn, traceId } from "./shard_fixture.ts";
import { temporaryDirectory } from "./wal_fixture.ts";
import { WalSegment } from "./wal_segment.ts";

const tenant = "single-tenant";
let lines: string[] = [];

beforeEach(() => {
  lines = [];
  log.configure({ sink: (line) => lines.push(line), level: "info" });
});

function walFiles(root: string, ending = ".wal"): string[] {
  return readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending))
    .sort();
}

/** The next process: the same directory and store, nothing in memory. */
async function restart(
  root: string,
  store: RememberingStore,
  options: Parameters<typeof makeShard>[1] = {},
): Promise<ShardFixture> {
  const fixture = makeShard(root, { ...options, store });
  await replay(fixture.shard);
  return fixture;
}

const names = (traces: number[]) => traces.map((trace) => `span-${trace}`).sort();

describe("replay()", () => {
  test("does nothing where there is nothing", async () => {
    using directory = temporaryDirectory();
    const { shard } = await restart(join(directory.path, "wal"), new RememberingStore());
    expect(shard.report().shard).toMatchObject({ replayedRecords: 0, headSpans: 0, walBytes: 0 });
    expect(existsSync(join(directory.path, "wal"))).toBe(false);
  });

  test("lets the newest segment grow on, with the same block id to come", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    await first.shard.append("a", spansIn([1, 2]));
    await first.shard.append("b", spansIn([1]));
    await first.shard.append("a", spansIn([3]));
    const segments = walFiles(directory.path);
    const { shard, store, listed } = await restart(directory.path, first.store);
    expect(shard.report().shard).toMatchObject({ replayedRecords: 3, replayedSpans: 4, headSpans: 4 });
    expect(shard.find("a", traceId(3)).length).toBe(1);
    await shard.append("a", spansIn([4]));
    expect(walFiles(directory.path)).toEqual(segments);
    await shard.flush(null, "flush");
    expect(store.names).toEqual(["span-1", "span-1", "span-2", "span-3", "span-4"]);
    const uuids = segments.map((path) => path.slice(-40, -4));
    expect(listed.map((meta) => meta.blockID)).toEqual(uuids.map((uuid) => blockIdOf(uuid, 0)));
  });

  test("makes the same block again when the process ended before the segment was removed", async () => {
    using directory = temporaryDirectory();
    const wal = join(directory.path, "wal");
    const before = join(directory.path, "before");
    const first = makeShard(wal);
    await first.shard.append(tenant, spansIn([1, 2, 3]));
    cpSync(wal, before, { recursive: true });
    await first.shard.flush(null, "flush");

    // The block is whole: the segment goes, and nothing is written.
    rmSync(wal, { recursive: true });
    cpSync(before, wal, { recursive: true });
    const second = await restart(wal, first.store);
    expect(second.store.writes.length).toBe(1);
    expect(second.listed.map((meta) => meta.blockID)).toEqual([...first.store.blocks.keys()]);
    expect(walFiles(wal)).toEqual([]);
    expect(second.shard.report().shard.headSpans).toBe(0);

    // The block is not whole: what there is of it goes, and the same one is written.
    cpSync(before, wal, { recursive: true });
    const [blockId] = [...first.store.blocks.keys()];
    first.store.blocks.clear();
    const third = await restart(wal, first.store);
    expect(third.store.dropped).toContain(blockId!);
    await third.shard.flush(null, "flush");
    expect([...third.store.blocks.keys()]).toEqual([blockId!]);
    expect(third.store.names).toEqual(names([1, 2, 3]));
  });

  test("cuts the older segments of a tenant, whose block had failed", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    await first.shard.append(tenant, spansIn([1]));
    first.store.faults = [Object.assign(new Error("disk full"), { code: "ENOSPC" })];
    await first.shard.flush(null, "flush").catch(() => {});
    await first.shard.append(tenant, spansIn([2]));
    expect(walFiles(directory.path).length).toBe(2);
    const { shard, store, cuts } = await restart(directory.path, new RememberingStore());
    expect(store.names).toEqual(["span-1"]);
    expect(cuts.map((cut) => cut.reason)).toEqual(["replay"]);
    expect(shard.report().shard.headSpans).toBe(1);
    expect(walFiles(directory.path).length).toBe(1);
  });

  test("takes over the segments of shards that are no more", async () => {
    using directory = temporaryDirectory();
    for (const shardIndex of [0, 1, 2, 3]) {
      const { shard } = makeShard(directory.path, { shardIndex, shards: 4 });
      await shard.append(tenant, spansIn([shardIndex]));
    }
    const store = new RememberingStore();
    const shards = [
      await restart(directory.path, store, { shardIndex: 0, shards: 2 }),
      await restart(directory.path, store, { shardIndex: 1, shards: 2 }),
    ];
    expect(store.names).toEqual(names([2, 3]));
    for (const { shard } of shards) await shard.flush(null, "flush");
    expect(store.names).toEqual(names([0, 1, 2, 3]));
    expect(readdirSync(directory.path).sort()).toEqual(["shard-0", "shard-1"]);
  });

  test("cuts a segment that does not fit in parts, at whatever point it is interrupted", async () => {
    using directory = temporaryDirectory();
    const wal = join(directory.path, "wal");
    const first = makeShard(wal);
    const all = range(0, 3000);
    for (const i of range(0, 30))
      await first.shard.append(tenant, spansIn(all.slice(i * 100, i * 100 + 100)));
    const options = { memoryBytesMax: 700_000 };

    const whole = join(directory.path, "whole");
    cpSync(wal, whole, { recursive: true });
    const undisturbed = await restart(whole, new RememberingStore(), options);
    const parts = undisturbed.store.writes.length;
    expect(parts).toBeGreaterThan(2);
    await undisturbed.shard.flush(null, "flush");
    expect(undisturbed.store.names).toEqual(names(all));
    expect(walFiles(whole)).toEqual([]);
    expect(walFiles(whole, ".cut")).toEqual([]);

    // The disk as it is when the block of a part is whole but not listed, and before it is whole.
    for (let stop = 1; stop <= parts; stop++) {
      for (const written of [true, false]) {
        const root = join(directory.path, `${stop}-${written}`);
        const frozen = `${root}-frozen`;
        cpSync(wal, root, { recursive: true });
        const store = new RememberingStore();
        const listed: string[] = [];
        const stopped = makeShard(root, {
          ...options,
          store,
          listBlock: async (meta) => {
            if (listed.push(meta.blockID) === stop) cpSync(root, frozen, { recursive: true });
          },
        });
        await replay(stopped.shard);
        const survived = new RememberingStore();
        for (const id of listed.slice(0, written ? stop : stop - 1))
          survived.blocks.set(id, store.blocks.get(id)!);
        // The next process may have another budget.
        const next = await restart(frozen, survived, { memoryBytesMax: stop % 2 ? 700_000 : 1_000_000 });
        await next.shard.flush(null, "flush");
        expect(next.store.names).toEqual(names(all));
        expect(walFiles(frozen)).toEqual([]);
      }
    }
  });

  test("does not take a block of all for one of a part, after a larger head than was planned", async () => {
    using directory = temporaryDirectory();
    const wal = join(directory.path, "wal");
    const cut = join(directory.path, "cut");
    const first = makeShard(wal);
    const all = range(0, 3000);
    for (const i of range(0, 30))
      await first.shard.append(tenant, spansIn(all.slice(i * 100, i * 100 + 100)));
    // As it is when a process ends that has planned its first part, and written nothing.
    first.shard.directory.setPlan(join(wal, walFiles(wal)[0]!), { from: 0, to: 7 });

    const second = await restart(wal, new RememberingStore(), {
      listBlock: async () => cpSync(wal, cut, { recursive: true }),
    });
    await second.shard.flush(null, "flush");
    expect(second.store.names).toEqual(names(all));
    const third = await restart(cut, second.store);
    await third.shard.flush(null, "flush");
    expect(third.store.names).toEqual(names(all));
    expect(walFiles(cut)).toEqual([]);
  });

  test("waits for a disk that can't take the plan of a segment in parts", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    const all = range(0, 3000);
    for (const i of range(0, 30))
      await first.shard.append(tenant, spansIn(all.slice(i * 100, i * 100 + 100)));
    const next = makeShard(directory.path, { memoryBytesMax: 700_000 });
    const { directory: segments } = next.shard;
    const setPlan = segments.setPlan.bind(segments);
    let full = true;
    segments.setPlan = (path, plan) => {
      if (full) {
        full = false;
        throw Object.assign(new Error("disk full"), { code: "ENOSPC" });
      }
      setPlan(path, plan);
    };
    await replay(next.shard);
    await next.shard.flush(null, "flush");
    expect(next.store.names).toEqual(names(all));
    expect(lines.some((line) => line.includes("WAL replay waits for the disk"))).toBe(true);
  });

  test("answers from a segment that can only be read, and cuts it when blocks can be written", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    await first.shard.append(tenant, spansIn([1]));
    const path = join(directory.path, walFiles(directory.path)[0]!);
    const reopen = WalSegment.reopen;
    WalSegment.reopen = () => {
      throw Object.assign(new Error("read-only file system"), { code: "EROFS" });
    };
    try {
      const store = new RememberingStore();
      store.dropPartial = async () => {
        throw Object.assign(new Error("read-only file system"), { code: "EROFS" });
      };
      store.faults = [Object.assign(new Error("read-only file system"), { code: "EROFS" })];
      const { shard } = await restart(directory.path, store);
      expect(shard.find(tenant, traceId(1)).length).toBe(1);
      await shard.flush(null, "flush").catch(() => {});
      expect(existsSync(path)).toBe(true);
      await shard.flush(null, "flush");
      expect(store.names).toEqual(["span-1"]);
      expect(existsSync(path)).toBe(false);
    } finally {
      WalSegment.reopen = reopen;
    }
  });

  test("cuts off a torn tail and goes on behind it", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    await first.shard.append(tenant, spansIn([1]));
    await first.shard.append(tenant, spansIn([2]));
    const path = join(directory.path, walFiles(directory.path)[0]!);
    truncateSync(path, readFileSync(path).length - 1);
    const { shard, store } = await restart(directory.path, first.store);
    expect(shard.report().shard).toMatchObject({ corruptRecords: 0, corruptSegments: 0, headSpans: 1 });
    expect(lines.some((line) => line.includes("level=warn") && line.includes("incomplete record"))).toBe(
      true,
    );
    await shard.append(tenant, spansIn([3]));
    const again = await restart(directory.path, store);
    await again.shard.flush(null, "flush");
    expect(again.store.names).toEqual(["span-1", "span-3"]);
  });

  test("keeps what can be read of a damaged segment, and the segment aside", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    for (const trace of [1, 2, 3]) await first.shard.append(tenant, spansIn([trace]));
    const path = join(directory.path, walFiles(directory.path)[0]!);
    const damaged = readFileSync(path);
    damaged[256 + 32 + spansIn([1]).length + 40]! ^= 0xff;
    writeFileSync(path, damaged);
    const { shard, store } = await restart(directory.path, first.store);
    expect(store.names).toEqual(["span-1", "span-3"]);
    expect(shard.report().shard).toMatchObject({ corruptRecords: 1, corruptSegments: 1 });
    expect(walFiles(directory.path)).toEqual([]);
    expect(walFiles(directory.path, ".corrupt")).toEqual([
      `${path.slice(directory.path.length + 1)}.corrupt`,
    ]);
    expect(readFileSync(`${path}.corrupt`).equals(damaged)).toBe(true);
    expect(lines.some((line) => line.includes("level=error") && line.includes("places=1"))).toBe(true);
  });

  test("goes on behind segments that are empty, garbage or can't be read", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    await first.shard.append(tenant, spansIn([1]));
    const path = join(directory.path, walFiles(directory.path)[0]!);
    const other = (sequence: string, digit: string) =>
      path.replace(/\d{8}-[0-9a-f-]{36}/, `${sequence}-${digit.repeat(8)}-0000-4000-8000-000000000000`);
    writeFileSync(other("00000002", "2"), "");
    writeFileSync(other("00000003", "3"), crypto.getRandomValues(new Uint8Array(5000)));
    const { shard } = await restart(directory.path, first.store);
    expect(shard.find(tenant, traceId(1)).length + first.store.names.length).toBe(1);
    expect(walFiles(directory.path).length).toBeLessThan(2);
    expect(walFiles(directory.path, ".corrupt").length).toBe(1);
    expect(shard.report().shard.corruptSegments).toBe(1);
  });

  test("waits for a store that fails", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    await first.shard.append(tenant, spansIn([1]));
    const store = new RememberingStore();
    let asked = 0;
    store.findBlock = async () => {
      if (asked++ === 0) throw Object.assign(new Error("not mounted"), { code: "EIO" });
      return null;
    };
    const { shard } = await restart(directory.path, store);
    expect(asked).toBe(2);
    expect(shard.find(tenant, traceId(1)).length).toBe(1);
  });

  test("removes a segment whose last block was compacted meanwhile, by its id alone", async () => {
    using directory = temporaryDirectory();
    const first = makeShard(directory.path);
    await first.shard.append(tenant, spansIn([1]));
    const uuid = walFiles(directory.path)[0]!.slice(-40, -4);
    const store = new RememberingStore();
    const asked: string[] = [];
    store.findBlock = async (_, blockId) => {
      asked.push(blockId);
      return "compacted";
    };
    const { shard, listed } = await restart(directory.path, store);
    expect(asked).toEqual([blockIdOf(uuid, 0)]);
    expect(listed).toEqual([]);
    expect(walFiles(directory.path)).toEqual([]);
    expect(shard.find(tenant, traceId(1))).toEqual([]);
  });
});

test("blockIdOf() is a name-based UUID of the segment's UUID and the first record's number", () => {
  // Worked out with Python's uuid.uuid5(UUID("00112233-4455-4677-8899-aabbccddeeff"), "0") and "17".
  expect(blockIdOf("00112233-4455-4677-8899-aabbccddeeff", 0)).toBe("8acd2be8-2b01-5df8-b625-7119fc4133e7");
  expect(blockIdOf("00112233-4455-4677-8899-aabbccddeeff", 17)).toBe("a7faef63-cb9e-5e55-8a36-30340b08b0ab");
});
