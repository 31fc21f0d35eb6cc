import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { BlockList } from "../store/block_list.ts";
import { blockMeta, idOf, numbersOf, putBlock, watched } from "../store/block_list_fixture.ts";
import { BlockListPoll } from "../store/block_list_poll.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import type { Store } from "../store/store.ts";
import { log } from "../telemetry/log.ts";
import { Retention, type RetentionLimits } from "./retention.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const start = Date.UTC(2026, 0, 1);
const iso = (ms: number) => new Date(ms).toISOString();

/** A store with a clock, in which a prefix is deleted object by object. */
class SlowStore extends MemoryStore {
  constructor(
    readonly now: () => number,
    readonly step: () => void = () => {},
  ) {
    super();
  }

  override async write(path: string, bytes: Uint8Array): Promise<void> {
    await super.write(path, bytes);
    this.objects.get(path)!.modifiedMs = this.now();
  }

  override async deleteAll(prefix: string): Promise<void> {
    for (const path of [...this.objects.keys()].filter((each) => each.startsWith(`${prefix}/`)).reverse()) {
      this.step();
      this.objects.delete(path);
    }
  }
}

const dayAndHour: RetentionLimits = {
  blockMs: () => dayMs,
  compactedMs: hourMs,
  isKept: () => false,
  tenantBytesMax: () => 0,
  bytesMax: 0,
  concurrency: 1,
};

describe("Retention", () => {
  let now = start;
  /** By how long the machine was suspended. */
  let sleptMs = 0;
  let store: SlowStore;
  let list: BlockList;
  const lines: string[] = [];
  const newRetention = (limits: Partial<RetentionLimits> = {}, own: Store = store) => {
    list = new BlockList(own, { compactedMsMax: 0, now: () => now });
    return new Retention(
      own,
      list,
      { ...dayAndHour, ...limits },
      () => now,
      () => now - sleptMs,
    );
  };
  const objectsOf = (n: number, tenant = "acme") =>
    [...store.objects.keys()]
      .filter((path) => path.startsWith(`${tenant}/${idOf(n)}/`))
      .map((path) => path.split("/")[2]!)
      .sort();

  beforeEach(() => {
    now = start;
    sleptMs = 0;
    store = new SlowStore(() => now);
    lines.length = 0;
    log.configure({ sink: (line) => lines.push(line) });
  });
  afterEach(() => log.configure({ sink: (line) => process.stderr.write(line) }));

  test("byAge() marks a block past its time, and deletes it so long after that", async () => {
    await putBlock(store, blockMeta(1, { endTime: iso(start) }));
    await putBlock(store, blockMeta(2, { endTime: iso(start + 2 * hourMs) }));
    const retention = newRetention();
    await list.load();
    now = start + dayMs;
    await retention.byAge();
    expect(numbersOf(list.live("acme"))).toEqual([1, 2]); // to the second
    now++;
    await retention.byAge();
    expect(numbersOf(list.live("acme"))).toEqual([2]);
    expect(objectsOf(1)).toEqual(["bloom-0", "data.parquet", "index", "meta.compacted.json"]);
    expect(objectsOf(2)).toEqual(["bloom-0", "data.parquet", "index", "meta.json"]);
    expect(list.compacted("acme")).toMatchObject([{ compactedMs: now }]);
    now += hourMs;
    await retention.byAge();
    expect(objectsOf(1).length).toBe(4);
    now++;
    await retention.byAge();
    expect(objectsOf(1)).toEqual([]);
    expect(list.compacted("acme")).toEqual([]);
    expect(retention.stats).toEqual({
      marked: 1,
      errors: 0,
      deleted: {
        age: { blocks: 1, bytes: 100 },
        bytes: { blocks: 0, bytes: 0 },
        disk: { blocks: 0, bytes: 0 },
      },
      swept: 0,
    });
  });

  test("byAge() has times of its own for a tenant, leaves kept ones alone, and 0 is for ever", async () => {
    for (const tenant of ["short", "long", "kept", "ever"]) {
      await putBlock(store, blockMeta(1, { tenantID: tenant, endTime: iso(start) }));
      await putBlock(store, blockMeta(2, { tenantID: tenant, endTime: iso(start) }), "meta.compacted.json");
    }
    const retention = newRetention({
      blockMs: (tenant) => ({ short: hourMs, long: 9 * dayMs, kept: hourMs, ever: 0 })[tenant]!,
      isKept: (tenant) => tenant === "kept",
    });
    await list.load();
    now += 2 * hourMs;
    await retention.byAge();
    const left = (tenant: string) => [objectsOf(1, tenant).at(-1), objectsOf(2, tenant).at(-1)];
    expect(left("short")).toEqual(["meta.compacted.json", undefined]);
    expect(left("long")).toEqual(["meta.json", undefined]);
    expect(left("kept")).toEqual(["meta.json", "meta.compacted.json"]);
    expect(left("ever")).toEqual(["meta.json", undefined]);
    now += 1000 * dayMs;
    await retention.byAge();
    expect([left("ever")[0], left("kept")[0], left("long")[0]]).toEqual([
      "meta.json",
      "meta.json",
      "meta.compacted.json",
    ]);
  });

  test("a block whose times are clamped or make no sense is not taken for an old one", async () => {
    await putBlock(store, blockMeta(1, { startTime: iso(start + dayMs), endTime: iso(start - 99 * dayMs) }));
    await putBlock(store, blockMeta(2, { startTime: "", endTime: "" }));
    const retention = newRetention();
    await list.load();
    now += dayMs;
    await retention.byAge();
    expect(numbersOf(list.live("acme"))).toEqual([1, 2]);
  });

  test("what another process has marked or deleted meanwhile is no error", async () => {
    for (const n of [1, 2]) await putBlock(store, blockMeta(n, { endTime: iso(start - 9 * dayMs) }));
    await putBlock(store, blockMeta(3), "meta.compacted.json");
    const retention = newRetention();
    await list.load();
    await store.deleteAll(`acme/${idOf(1)}`);
    await store.deleteAll(`acme/${idOf(3)}`);
    now += 2 * hourMs;
    await retention.byAge();
    expect(retention.stats).toMatchObject({ marked: 1, errors: 0 });
    expect(store.objects.has(`acme/${idOf(1)}/meta.compacted.json`)).toBe(false);
  });

  test("a block that fails is counted and tried again, and stops no other", async () => {
    for (const n of [1, 2, 3]) await putBlock(store, blockMeta(n, { endTime: iso(start - 9 * dayMs) }));
    let broken = true;
    const retention = newRetention(
      {},
      watched(store, (call, path) => {
        if (broken && call === "write" && path.includes(idOf(2))) throw new Error("no");
      }),
    );
    await list.load();
    await expect(retention.byAge()).rejects.toThrow("1 of 3 blocks failed; the first: no");
    expect(numbersOf(list.live("acme"))).toEqual([2]);
    expect(retention.stats).toMatchObject({ marked: 2, errors: 1 });
    broken = false;
    await retention.byAge();
    expect(list.live("acme")).toEqual([]);
  });

  test("byBytes() deletes the oldest at once: compacted ones first, of a tenant, then of all", async () => {
    const put = (n: number, tenant: string, hours: number, name?: string) =>
      putBlock(store, blockMeta(n, { tenantID: tenant, endTime: iso(start + hours * hourMs) }), name);
    await put(1, "a", 1);
    await put(2, "a", 2);
    await put(3, "a", 9, "meta.compacted.json");
    await put(4, "a", 4);
    await put(5, "b", 3);
    await put(6, "b", 5);
    const retention = newRetention({
      tenantBytesMax: (tenant) => (tenant === "a" ? 250 : 0),
      bytesMax: 350,
      isKept: () => true, // limits of bytes hold all the same
    });
    await list.load();
    await retention.byBytes();
    // a had 400: without 3 and 1 it has 200. All then have 400: without 2 they have 300.
    expect(numbersOf(list.live("a"))).toEqual([4]);
    expect(numbersOf(list.live("b"))).toEqual([5, 6]);
    expect([1, 2, 3].flatMap((n) => objectsOf(n, "a"))).toEqual([]);
    expect(retention.stats.deleted.bytes).toEqual({ blocks: 3, bytes: 300 });
    await retention.byBytes();
    expect(retention.stats.deleted.bytes.blocks).toBe(3);
  });

  test("a crash at any moment leaves no live block half deleted, and everything due goes in the end", async () => {
    const whole = ["bloom-0", "data.parquet", "index", "meta.json"];
    for (let moment = 1; ; moment++) {
      now = start;
      let operations = 0;
      const die = () => {
        if (++operations >= moment) throw new Error("the process has died");
      };
      let dies = false;
      store = new SlowStore(
        () => now,
        () => dies && die(),
      );
      await putBlock(store, blockMeta(1, { endTime: iso(start - 9 * dayMs) })); // by age
      await putBlock(store, blockMeta(2, { endTime: iso(start) })); // stays
      await putBlock(store, blockMeta(3), "meta.compacted.json"); // due in an hour
      await putBlock(store, blockMeta(4, { endTime: iso(start - 99 * dayMs), size: 900 })); // by bytes
      const limits = { bytesMax: 1000 };
      const dying = newRetention(
        limits,
        watched(store, (call) => {
          if (dies && ["write", "delete"].includes(call)) die();
        }),
      );
      await list.load();
      now += hourMs + 1;
      dies = true;
      await dying.byBytes().catch(() => {});
      await dying.byAge().catch(() => {});
      const died = operations >= moment;
      dies = false;

      for (const n of [1, 2, 3, 4]) {
        if (objectsOf(n).includes("meta.json")) {
          expect(objectsOf(n).filter((name) => name !== "meta.compacted.json")).toEqual(whole);
        }
      }
      const next = newRetention(limits);
      for (let hours = 0; hours < 14; hours++) {
        await list.load();
        await next.byBytes();
        await next.byAge();
        now += hourMs;
      }
      await list.load();
      expect([...store.objects.keys()].sort()).toEqual(whole.map((name) => `acme/${idOf(2)}/${name}`));
      expect(numbersOf(list.live("acme"))).toEqual([2]);
      if (!died) break;
    }
  });

  test("folders without a meta go when nothing can be writing them any more", async () => {
    await store.write(`acme/${idOf(1)}/data.parquet`, new Uint8Array(1));
    await store.write(`acme/${idOf(2)}/data.parquet.part`, new Uint8Array(1));
    await store.write(`acme/${idOf(3)}/data.parquet`, new Uint8Array(1));
    const retention = newRetention();
    await list.load();
    await retention.byAge();
    now += 12 * hourMs - 1;
    await retention.byAge();
    await putBlock(store, blockMeta(3, { endTime: iso(now) })); // it was slow
    expect(store.objects.size).toBe(6);
    now++;
    await retention.byAge();
    expect([objectsOf(1), objectsOf(2).length, objectsOf(3).length]).toEqual([[], 1, 4]);
    await list.load();
    now = start + 48 * hourMs;
    await retention.byAge();
    expect(objectsOf(2)).toEqual([]);
    expect(retention.stats.swept).toBe(2);
  });

  test("a folder that was written while the machine went to sleep is given time to become a block", async () => {
    await store.write(`acme/${idOf(1)}/data.parquet`, new Uint8Array(1));
    const retention = newRetention();
    await list.load();
    await retention.byAge();
    now += 60 * hourMs;
    sleptMs = 60 * hourMs;
    await retention.byAge();
    expect(objectsOf(1)).toEqual(["data.parquet"]);
    now += 600_000;
    await retention.byAge();
    expect(objectsOf(1)).toEqual([]);
  });

  test("a month of three tenants: a week is kept, by age and by bytes, and never another block", async () => {
    const tenants = ["a", "b", "c"];
    // Each hour a block of 100 bytes for each tenant; b may have 3 days of them.
    const retention = newRetention({
      blockMs: () => 7 * dayMs,
      tenantBytesMax: (tenant) => (tenant === "b" ? 72 * 100 : 0),
      concurrency: 10,
    });
    const poll = new BlockListPoll(store, list, {
      buildsIndex: true,
      indexAgeMsMax: 0,
      fallback: true,
      retries: 0,
      failedTenantsMax: 0,
      now: () => now,
    });
    log.configure({ sink: () => {} });
    for (let hour = 1; hour <= 30 * 24; hour++) {
      now = start + hour * hourMs;
      for (const tenant of tenants) {
        const meta = blockMeta(hour, {
          tenantID: tenant,
          startTime: iso(now - hourMs),
          endTime: iso(now - 60_000),
        });
        await putBlock(store, meta);
        list.add(meta);
      }
      await retention.byAge();
      await retention.byBytes();
      if (hour % 120 === 0) await poll.run();
    }
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
    // Of hour h the last span is at h - 1 min: gone are those with h - 1 min + 168 h < 720 h.
    expect(numbersOf(list.live("a"))).toEqual(range(553, 720));
    expect(numbersOf(list.live("b"))).toEqual(range(649, 720));
    expect(numbersOf(list.live("c"))).toEqual(range(553, 720));
    // Marked an hour and two ago.
    expect(numbersOf(list.compacted("a").map(({ meta }) => meta))).toEqual([551, 552]);
    const fresh = new BlockList(store, { compactedMsMax: 0 });
    await fresh.load();
    for (const tenant of tenants) expect(fresh.live(tenant).length).toBe(list.live(tenant).length);
    // Four objects of each block, and two indexes of each tenant.
    expect(store.objects.size).toBe((168 * 2 + 72 + 2 * 2) * 4 + 6);
    expect(retention.stats).toMatchObject({
      marked: 552 * 2,
      errors: 0,
      deleted: { age: { blocks: 550 * 2 }, bytes: { blocks: 648 } },
    });
  });
});
