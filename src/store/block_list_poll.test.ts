import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { log } from "../telemetry/log.ts";
import { BlockList } from "./block_list.ts";
import { blockMeta, idOf, numbersOf, putBlock, watched } from "./block_list_fixture.ts";
import { BlockListPoll, type BlockListPollOptions } from "./block_list_poll.ts";
import { MemoryStore } from "./memory_store_fixture.ts";
import type { Store } from "./store.ts";

describe("BlockListPoll", () => {
  let store: MemoryStore;
  let now = 0;
  const lines: string[] = [];

  /** A process of its own. */
  const newProcess = (options: Partial<BlockListPollOptions> = {}, own: Store = store) => {
    const list = new BlockList(own, { compactedMsMax: 0, now: () => now });
    const poll = new BlockListPoll(own, list, {
      buildsIndex: true,
      indexAgeMsMax: 0,
      fallback: true,
      retries: 1,
      failedTenantsMax: 1,
      now: () => now,
      ...options,
    });
    return { list, poll, live: (tenant = "acme") => numbersOf(list.live(tenant)) };
  };

  beforeEach(() => {
    store = new MemoryStore();
    now = Date.UTC(2026, 0, 1);
    lines.length = 0;
    log.configure({ sink: (line) => lines.push(line) });
  });
  afterEach(() => log.configure({ sink: (line) => process.stderr.write(line) }));

  test("two processes on one store see what the other writes and deletes", async () => {
    const [one, two] = [newProcess(), newProcess()];
    await putBlock(store, blockMeta(1));
    one.list.add(blockMeta(1));
    await two.poll.run();
    expect(two.live()).toEqual([1]);
    await putBlock(store, blockMeta(2, { tenantID: "other" }));
    two.list.add(blockMeta(2, { tenantID: "other" }));
    await store.deleteAll(`acme/${idOf(1)}`);
    await one.poll.run();
    expect(one.list.tenants()).toEqual(["other"]);
    expect(one.live("other")).toEqual([2]);
    // The tenant has no block left, and no index.
    expect([...store.objects.keys()].filter((path) => path.startsWith("acme/"))).toEqual([]);
  });

  test("a builder writes the indexes, and another process reads nothing else", async () => {
    const builder = newProcess();
    for (const n of [1, 2]) await putBlock(store, blockMeta(n));
    await putBlock(store, blockMeta(3), "meta.compacted.json");
    await builder.poll.run();
    now += 60_000;
    const asked: string[] = [];
    const reader = newProcess(
      { buildsIndex: false },
      watched(store, (call, path) => void asked.push(`${call} ${path}`)),
    );
    await reader.poll.run();
    expect(asked).toEqual(["list ", "read acme/index.pb.zst"]);
    expect(reader.live()).toEqual([1, 2]);
    expect(numbersOf(reader.list.compacted("acme").map(({ meta }) => meta))).toEqual([3]);
    expect(reader.poll.stats).toEqual([
      { tenant: "acme", errors: 0, indexErrors: 0, builtIndex: false, indexAgeSeconds: 60 },
    ]);
  });

  test("a reader keeps its own new block, which the index does not have yet", async () => {
    const reader = newProcess({ buildsIndex: false });
    await putBlock(store, blockMeta(1));
    await newProcess().poll.run();
    now += 1000;
    await putBlock(store, blockMeta(2));
    reader.list.add(blockMeta(2));
    await reader.poll.run();
    expect(reader.live()).toEqual([1, 2]);
  });

  test("an index that is missing, too old or damaged is passed over and written anew", async () => {
    await putBlock(store, blockMeta(1));
    const reader = newProcess({ buildsIndex: false, indexAgeMsMax: 600_000 });
    await reader.poll.run();
    expect(reader.live()).toEqual([1]);
    expect(reader.poll.tenants.get("acme")).toMatchObject({
      indexErrors: 1,
      builtIndex: true,
      lastError: null,
    });

    await putBlock(store, blockMeta(2));
    now += 600_000;
    await reader.poll.run();
    expect(reader.live()).toEqual([1]); // as the index says, which is just not too old
    now += 1;
    await reader.poll.run();
    expect(reader.live()).toEqual([1, 2]);

    await store.write("acme/index.pb.zst", new Uint8Array([1, 2, 3]));
    await putBlock(store, blockMeta(3));
    await reader.poll.run();
    expect(reader.live()).toEqual([1, 2, 3]);
    expect(reader.poll.tenants.get("acme")!.indexErrors).toBe(3);
    expect(lines.filter((line) => line.includes("index of a tenant")).length).toBe(3);
  });

  test("without fallback a tenant without a usable index keeps its list", async () => {
    await putBlock(store, blockMeta(1));
    await newProcess().poll.run();
    const reader = newProcess({ buildsIndex: false, fallback: false });
    await reader.poll.run();
    await store.delete("acme/index.pb.zst");
    await store.delete("acme/index.json.gz");
    await reader.poll.run();
    expect(reader.live()).toEqual([1]);
    expect(reader.poll.tenants.get("acme")).toMatchObject({
      errors: 2, // with the second attempt
      lastError: "no usable index of tenant acme",
    });
  });

  test("a tenant that can't be read keeps its list; others are read; too many end the poll", async () => {
    const broken = new Set<string>();
    const { list, poll, live } = newProcess(
      {},
      watched(store, (call, path) => {
        if (call === "list" && broken.has(path)) throw new Error(`${path} is broken`);
      }),
    );
    for (const tenant of ["a", "b", "c"]) await putBlock(store, blockMeta(1, { tenantID: tenant }));
    await poll.run();
    broken.add("a");
    for (const tenant of ["a", "b", "c"]) await putBlock(store, blockMeta(2, { tenantID: tenant }));
    await poll.run();
    expect([live("a"), live("b"), live("c")]).toEqual([[1], [1, 2], [1, 2]]);
    expect(poll.tenants.get("a")).toMatchObject({ errors: 2, lastError: "a is broken" });
    expect(lines.filter((line) => line.includes("a is broken")).length).toBe(2);

    broken.add("b");
    await putBlock(store, blockMeta(3, { tenantID: "c" }));
    await expect(poll.run()).rejects.toThrow("gave up after 2 tenants");
    expect([live("a"), live("b"), live("c")]).toEqual([[1], [1, 2], [1, 2]]);
    broken.clear();
    await poll.run();
    expect([live("a"), live("c")]).toEqual([
      [1, 2],
      [1, 2, 3],
    ]);
    expect(poll.tenants.get("a")!.lastError).toBeNull();
    expect(list.tenants()).toEqual(["a", "b", "c"]);

    broken.add("");
    await expect(poll.run()).rejects.toThrow("is broken");
    expect(poll.tenants.get("")!.errors).toBe(1);
  });

  test("an index that can't be written is counted, and the list is right all the same", async () => {
    await putBlock(store, blockMeta(1));
    const { poll, live } = newProcess(
      {},
      watched(store, (call) => {
        if (call === "write") throw new Error("read-only");
      }),
    );
    await poll.run();
    expect(live()).toEqual([1]);
    expect(poll.tenants.get("acme")).toMatchObject({ errors: 0, indexErrors: 1 });
  });

  test("reread() answers all who ask while it reads with one more reading", async () => {
    let lists = 0;
    const { poll, live } = newProcess(
      {},
      watched(store, (call, path) => {
        if (call === "list" && path === "acme") lists++;
      }),
    );
    await putBlock(store, blockMeta(1));
    const first = poll.reread("acme");
    const others = [poll.reread("acme"), poll.reread("acme")];
    await first;
    await putBlock(store, blockMeta(2));
    await Promise.all(others);
    expect(lists).toBe(2);
    await poll.reread("acme");
    expect(lists).toBe(3);
    expect(live()).toEqual([1, 2]);
  });
});
