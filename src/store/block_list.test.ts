import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type BlockMeta, printMeta } from "../block/meta.ts";
import { log } from "../telemetry/log.ts";
import { BlockList } from "./block_list.ts";
import { MemoryStore } from "./memory_store_fixture.ts";

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

function meta(n: number, start: string, end: string, tenant = "acme"): BlockMeta {
  return {
    format: "vParquet4",
    blockID: id(n),
    tenantID: tenant,
    startTime: start,
    endTime: end,
    totalObjects: 1,
    size: 100,
    compactionLevel: 0,
    indexPageSize: 0,
    totalRecords: 1,
    bloomShards: 1,
    footerSize: 10,
    dedicatedColumns: [],
    replicationFactor: 1,
  };
}

/** Seconds from 2026-01-01T00:00:00Z. */
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const unix = (seconds: number) => Date.UTC(2026, 0, 1) / 1000 + seconds;
const numbers = (metas: BlockMeta[]) => metas.map(({ blockID }) => Number(blockID.slice(-3))).sort();

describe("BlockList", () => {
  let store: MemoryStore;
  let list: BlockList;
  let now = 0;
  const lines: string[] = [];
  const put = async (value: BlockMeta, name = "meta.json") =>
    store.write(`${value.tenantID}/${value.blockID}/${name}`, new TextEncoder().encode(printMeta(value)));

  beforeEach(() => {
    store = new MemoryStore();
    now = Date.now();
    list = new BlockList(store, { compactedMsMax: 10_000, now: () => now });
    lines.length = 0;
    log.configure({ sink: (line) => lines.push(line) });
  });
  afterEach(() => log.configure({ sink: (line) => process.stderr.write(line) }));

  test("load() finds the blocks of every tenant and passes over what is none", async () => {
    await put(meta(1, at(0), at(10)));
    await put(meta(2, at(0), at(10), "other"));
    await store.write("work.json", new Uint8Array());
    await store.write("work.json/odd/meta.json", new Uint8Array());
    await store.write("acme/not-a-uuid/meta.json", new Uint8Array());
    await store.write(`acme/${id(9)}/data.parquet`, new Uint8Array());
    await store.write("acme/index.json.gz", new Uint8Array());
    await list.load();
    expect(list.tenants()).toEqual(["acme", "other"]);
    expect(numbers(list.candidates("acme"))).toEqual([1]);
    expect(numbers(list.candidates("other"))).toEqual([2]);
    expect(list.candidates("nobody")).toEqual([]);
    expect(lines).toEqual([]);
  });

  test("load() logs a broken meta and goes on", async () => {
    await put(meta(1, at(0), at(10)));
    await store.write(`acme/${id(2)}/meta.json`, new TextEncoder().encode("{ not json"));
    await list.load();
    expect(numbers(list.candidates("acme"))).toEqual([1]);
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain(id(2));
  });

  test("load() takes tenant and block from the folder", async () => {
    const copied = meta(1, at(0), at(10), "before");
    await store.write(`copy/${id(3)}/meta.json`, new TextEncoder().encode(printMeta(copied)));
    await list.load();
    expect(list.live("copy")[0]).toMatchObject({ tenantID: "copy", blockID: id(3) });
  });

  test("candidates() by time: overlapping seconds count, clamped metas are turned round", async () => {
    await put(meta(1, at(100), at(200)));
    await put(meta(2, at(900), at(150))); // the live store clamped the start
    await put(meta(3, "no time", at(10)));
    await list.load();
    const between = (start?: number, end?: number) =>
      numbers(
        list.candidates("acme", {
          start: start === undefined ? undefined : unix(start),
          end: end === undefined ? undefined : unix(end),
        }),
      );
    expect(between(0, 99)).toEqual([3]);
    expect(between(0, 100)).toEqual([1, 3]);
    expect(between(200, 300)).toEqual([1, 2, 3]);
    expect(between(201, 300)).toEqual([2, 3]);
    expect(between(901)).toEqual([3]);
    expect(between(undefined, 120)).toEqual([1, 3]);
  });

  test("candidates() by block id: both ends inclusive", async () => {
    for (const n of [1, 2, 3, 4]) await put(meta(n, at(0), at(10)));
    await list.load();
    expect(numbers(list.candidates("acme", { blockStart: id(2), blockEnd: id(3) }))).toEqual([2, 3]);
    expect(numbers(list.candidates("acme", { blockStart: id(4) }))).toEqual([4]);
  });

  test("candidates() holds blocks that were compacted lately", async () => {
    await put(meta(1, at(0), at(10)), "meta.compacted.json");
    await put(meta(2, at(0), at(10)));
    await list.load();
    expect(list.compacted("acme").length).toBe(1);
    expect(numbers(list.candidates("acme"))).toEqual([1, 2]);
    now += 11_000;
    expect(numbers(list.candidates("acme"))).toEqual([2]);
  });

  test("load() again follows what was marked and deleted, without reading known metas twice", async () => {
    for (const n of [1, 2, 3]) await put(meta(n, at(0), at(10)));
    await list.load();
    let reads = 0;
    const read = store.read.bind(store);
    store.read = (path) => {
      if (path.endsWith("meta.json")) reads++;
      return read(path);
    };
    store.modified = async (path) => {
      await read(path);
      return now;
    };
    await put(meta(2, at(0), at(10)), "meta.compacted.json");
    await store.delete(`acme/${id(2)}/meta.json`);
    await store.deleteAll(`acme/${id(3)}`);
    await list.load();
    expect(numbers(list.live("acme"))).toEqual([1]);
    expect(list.compacted("acme").map(({ meta }) => meta.blockID)).toEqual([id(2)]);
    // The second and third were looked for once more; the first was known.
    expect(reads).toBe(0);
  });

  test("add() makes a block known at once, also while load() runs", async () => {
    await put(meta(1, at(0), at(10)));
    const listed = store.list.bind(store);
    store.list = async (prefix) => {
      const names = await listed(prefix);
      // Written when their place has been passed.
      if (prefix === "acme") list.add(meta(2, at(0), at(10)));
      if (prefix === "") list.add(meta(3, at(0), at(10), "fresh"));
      return names;
    };
    await put(meta(3, at(0), at(10), "fresh"));
    await list.load();
    expect(numbers(list.candidates("acme"))).toEqual([1, 2]);
    expect(list.tenants()).toEqual(["acme", "fresh"]);
  });

  test("load() leaves the list as it was when the store fails", async () => {
    await put(meta(1, at(0), at(10)));
    await list.load();
    store.list = () => Promise.reject(new Error("disk is gone"));
    await expect(list.load()).rejects.toThrow("disk is gone");
    expect(numbers(list.candidates("acme"))).toEqual([1]);
  });

  test("replace() puts the output in the place of its inputs, which lookups by id still look into", async () => {
    const [one, two, three] = [1, 2, 3].map((n) => meta(n, at(n), at(n + 10)));
    for (const each of [one!, two!, three!]) list.add(each);
    const merged = { ...meta(9, at(1), at(12)), compactionLevel: 1 };
    list.replace([one!, two!], merged);
    expect(numbers(list.live("acme"))).toEqual([3, 9]);
    expect(list.compacted("acme")).toEqual([
      { meta: one!, compactedMs: now },
      { meta: two!, compactedMs: now },
    ]);
    expect(numbers(list.candidates("acme"))).toEqual([1, 2, 3, 9]);
    now += 11_000;
    expect(numbers(list.candidates("acme"))).toEqual([3, 9]);
  });

  test("view() shows a query the blocks that it saw first, and those that are written meanwhile", () => {
    const [one, two, three] = [1, 2, 3].map((n) => meta(n, at(n), at(n + 10)));
    for (const each of [one!, two!, three!]) list.add(each);
    const first = list.view();
    const merged = { ...meta(8, at(1), at(12)), compactionLevel: 1 };
    list.replace([one!, two!], merged);
    const second = list.view();
    list.replace([merged, three!], { ...meta(9, at(1), at(13)), compactionLevel: 2 });
    list.add(meta(4, at(500), at(510)));
    expect(numbers(first.candidates("acme"))).toEqual([1, 2, 3, 4]);
    expect(numbers(second.candidates("acme"))).toEqual([3, 4, 8]);
    expect(numbers(list.view().candidates("acme"))).toEqual([4, 9]);
    expect(numbers(first.candidates("acme", { start: unix(0), end: unix(1) }))).toEqual([1]);
    expect(first.candidates("other")).toEqual([]);
  });

  test("view() goes on with its blocks when a reading finds that others have merged them", async () => {
    for (const n of [1, 2]) await put(meta(n, at(0), at(10)));
    await list.load();
    const view = list.view();
    await put({ ...meta(9, at(0), at(10)), compactionLevel: 1 });
    for (const n of [1, 2]) {
      await put(meta(n, at(0), at(10)), "meta.compacted.json");
      await store.delete(`acme/${id(n)}/meta.json`);
    }
    await put(meta(3, at(0), at(10)));
    await list.load();
    expect(numbers(list.view().candidates("acme"))).toEqual([3, 9]);
    expect(numbers(view.candidates("acme"))).toEqual([1, 2]);
    // Written here, and read before it was told of: a head may have been dropped for it.
    list.add(meta(3, at(0), at(10)));
    expect(numbers(view.candidates("acme"))).toEqual([1, 2, 3]);
  });

  test("what changes while the store is read holds", async () => {
    for (const n of [1, 2, 3, 4]) await put(meta(n, at(0), at(10)));
    await list.load();
    const read = Promise.withResolvers<void>();
    const refreshed = list.refresh("acme", async (known) => {
      await read.promise;
      return known;
    });
    list.replace([meta(1, at(0), at(10)), meta(2, at(0), at(10))], meta(9, at(0), at(10)));
    list.remove(meta(3, at(0), at(10)));
    read.resolve();
    await refreshed;
    expect(numbers(list.live("acme"))).toEqual([4, 9]);
    expect(list.compacted("acme").length).toBe(2);
  });

  test("a list that is read from an older index keeps what this process did since", async () => {
    list.add(meta(1, at(0), at(10)));
    now += 60_000;
    list.add(meta(2, at(0), at(10)));
    list.remove(meta(3, at(0), at(10)));
    const live = new Map([3, 4].map((n) => [id(n), meta(n, at(0), at(10))]));
    const index = { live, compacted: new Map(), unfinished: new Set<string>(), indexedMs: now - 1 };
    await list.refresh("acme", async () => index);
    expect(numbers(list.live("acme"))).toEqual([2, 4]);
  });

  test("inputs stay compacted when the store is read before it is told, but not for ever", async () => {
    const inputs = [1, 2].map((n) => meta(n, at(0), at(10)));
    for (const each of inputs) await put(each);
    await list.load();
    const merged = { ...meta(9, at(0), at(10)), compactionLevel: 1 };
    await put(merged);
    list.replace(inputs, merged);
    await list.load();
    expect(numbers(list.live("acme"))).toEqual([9]);
    list.add(inputs[0]!); // written once more
    await list.load();
    expect(numbers(list.live("acme"))).toEqual([1, 9]);
    now += 60_001; // it was never told
    await list.load();
    expect(numbers(list.live("acme"))).toEqual([1, 2, 9]);
  });
});
