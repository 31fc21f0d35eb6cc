import { beforeEach, describe, expect, test } from "bun:test";
import { BlockList } from "./block_list.ts";
import { blockMeta, idOf, numbersOf, putBlock, watched } from "./block_list_fixture.ts";
import { listTenants, scanTenant } from "./block_list_scan.ts";
import { markCompacted } from "./block_objects.ts";
import { type LeasedJob, leasePath, printRecord } from "./compaction_lease.ts";
import { MemoryStore } from "./memory_store_fixture.ts";
import { StoreError } from "./store.ts";

const nothing = () => ({ live: new Map(), compacted: new Map(), unfinished: new Set<string>() });

describe("scanTenant()", () => {
  let store: MemoryStore;
  const merge = async (inputs: number[], output: number) => {
    await putBlock(store, blockMeta(output, { compactionLevel: 1 }));
    for (const n of inputs) {
      await putBlock(store, blockMeta(n), "meta.compacted.json");
      await store.delete(`acme/${idOf(n)}/meta.json`);
    }
  };

  beforeEach(() => {
    store = new MemoryStore();
  });

  test("tells live, compacted and unfinished blocks apart", async () => {
    await putBlock(store, blockMeta(1));
    await putBlock(store, blockMeta(2), "meta.compacted.json");
    await store.write(`acme/${idOf(3)}/data.parquet`, new Uint8Array(3));
    const found = await scanTenant(store, "acme", nothing());
    expect([...found.live.keys()]).toEqual([idOf(1)]);
    expect([...found.compacted.keys()]).toEqual([idOf(2)]);
    expect([...found.unfinished]).toEqual([idOf(3)]);
  });

  for (const known of [true, false]) {
    test(`finds the output or the inputs, never both and never neither, whenever a merge happens; ${known ? "known" : "new"} blocks`, async () => {
      for (let moment = 1; ; moment++) {
        store = new MemoryStore();
        for (const n of [1, 2, 3]) await putBlock(store, blockMeta(n));
        let asked = 0;
        let counts = false;
        const list = new BlockList(
          watched(store, async () => {
            if (counts && ++asked === moment) await merge([1, 3], 9);
          }),
          { compactedMsMax: 0 },
        );
        if (known) await list.load();
        counts = true;
        await list.load();
        expect([
          [1, 2, 3],
          [2, 9],
        ]).toContainEqual(numbersOf(list.live("acme")));
        if (asked < moment) break;
      }
    });
  }

  test("takes blocks for compacted that the lease says are replaced, once what replaces them is there", async () => {
    for (const n of [1, 2, 3]) await putBlock(store, blockMeta(n));
    const job = { output: idOf(9), inputs: [idOf(1), idOf(3)], meta: "{}" };
    const record = { holder: null, turn: 1, leaseMs: 60_000, job };
    await store.write(leasePath("acme"), new TextEncoder().encode(JSON.stringify(record)));
    expect([...(await scanTenant(store, "acme", nothing())).live.keys()].sort()).toEqual([1, 2, 3].map(idOf));
    await putBlock(store, blockMeta(9, { compactionLevel: 1 }));
    const found = await scanTenant(store, "acme", nothing());
    expect([...found.live.keys()].sort()).toEqual([2, 9].map(idOf));
    expect([...found.compacted.keys()].sort()).toEqual([1, 3].map(idOf));
    // Something else under that name hides nothing.
    await store.write(leasePath("acme"), new TextEncoder().encode("{"));
    expect((await scanTenant(store, "acme", nothing())).live.size).toBe(4);
  });

  test("looks again when a merge ends while it looks", async () => {
    const inputs = [blockMeta(1), blockMeta(2)];
    const output = blockMeta(9, { compactionLevel: 1 });
    for (const meta of [...inputs, output]) await putBlock(store, meta);
    const job = { output: idOf(9), inputs: [idOf(1), idOf(2)], meta: null };
    const lease = (now: LeasedJob | null) =>
      store.write(
        leasePath("acme"),
        printRecord({ holder: "x", turn: 1, leaseMs: 1, job: now, discarded: [] }),
      );
    await lease(job);
    let reads = 0;
    const merging = watched(store, async (call) => {
      // The metas have been read, and the lease is about to be.
      if (call !== "readTagged" || ++reads !== 2) return;
      for (const meta of inputs) await markCompacted(store, meta);
      await lease(null);
    });
    const live = new Map(inputs.map((meta) => [meta.blockID, meta]));
    const found = await scanTenant(merging, "acme", { ...nothing(), live });
    expect([...found.live.keys()]).toEqual([idOf(9)]);
  });

  test("takes the output of a merge that has not come to pass for no block", async () => {
    for (const n of [1, 2, 8, 9]) await putBlock(store, blockMeta(n, { compactionLevel: 1 }));
    const job = { output: idOf(9), inputs: [idOf(1), idOf(2)], meta: null };
    const record = { holder: null, turn: 1, leaseMs: 60_000, job, discarded: [idOf(7), idOf(8)] };
    await store.write(leasePath("acme"), new TextEncoder().encode(JSON.stringify(record)));
    const found = await scanTenant(store, "acme", nothing());
    expect([...found.live.keys()].sort()).toEqual([1, 2].map(idOf));
    expect([...found.unfinished].sort()).toEqual([8, 9].map(idOf));
  });

  test("keeps a block that a listing does not show yet, until it is gone", async () => {
    for (const n of [1, 2]) await putBlock(store, blockMeta(n));
    const list = new BlockList(store, { compactedMsMax: 0 });
    await list.load();
    await store.deleteAll(`acme/${idOf(2)}`);
    store.list = async (prefix) => (prefix === "" ? ["acme"] : []);
    await list.load();
    expect(numbersOf(list.live("acme"))).toEqual([1]);
    expect(list.unfinished()).toEqual([]);
  });

  test("fails where a meta can't be read, and a list stays as it was", async () => {
    await putBlock(store, blockMeta(1));
    let broken = false;
    const list = new BlockList(
      watched(store, (call) => {
        if (broken && call === "read") throw new StoreError("store: the disk is slow");
      }),
      { compactedMsMax: 0 },
    );
    await list.load();
    await putBlock(store, blockMeta(2));
    broken = true;
    await expect(list.load()).rejects.toThrow("the disk is slow");
    expect(numbersOf(list.live("acme"))).toEqual([1]);
  });

  test("listTenants() leaves out what lies beside them", async () => {
    await store.write("work.json/x", new Uint8Array());
    await putBlock(store, blockMeta(1));
    expect(await listTenants(store)).toEqual(["acme"]);
  });
});
