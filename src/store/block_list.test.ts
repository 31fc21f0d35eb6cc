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
    const loading = list.load();
    list.add(meta(2, at(0), at(10)));
    list.add(meta(3, at(0), at(10), "fresh"));
    expect(numbers(list.candidates("acme"))).toContain(2);
    await loading;
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
});
