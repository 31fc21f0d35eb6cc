import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRows } from "../block/encode_fixture.ts";
import { writeMeta } from "../block/write.ts";
import { defaultConfig } from "../config/defaults.ts";
import { BlockPool } from "../jobs/block_pool.ts";
import { refsOf } from "../jobs/block_refs.ts";
import { LocalStore } from "../store/local_store.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { StoreError } from "../store/store.ts";
import { blockOf, mergeOptions, spanTexts } from "./compact_fixture.ts";
import { compactJob } from "./compact_job.ts";

const folders: string[] = [];
const pools: BlockPool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function poolOn(): { pool: BlockPool; store: LocalStore } {
  const folder = mkdtempSync(join(tmpdir(), "rubato-compact-"));
  folders.push(folder);
  const config = defaultConfig();
  config.storage.trace.local.path = folder;
  const pool = new BlockPool(config);
  pools.push(pool);
  return { pool, store: new LocalStore(folder) };
}

const { signal } = new AbortController();

test("a block worker merges blocks", async () => {
  const { pool, store } = poolOn();
  const inputs = [
    await blockOf(store, [{ trace: 1, span: 1 }]),
    await blockOf(store, [{ trace: 2, span: 2 }]),
  ];
  const params = {
    ...mergeOptions,
    blockId: crypto.randomUUID(),
    busy: new SharedArrayBuffer(4),
    blocks: refsOf(inputs),
  };
  const outcome = await pool.call(null, "compact", params, signal);
  if ("failure" in outcome) throw new Error(outcome.failure);
  expect(outcome).toMatchObject({ spans: 2, spansRead: 2 });
  await writeMeta(store, outcome.meta);
  const rows = await readRows(await store.read(`t/${params.blockId}/data.parquet`));
  expect(spanTexts(rows).length).toBe(2);
});

test("a block worker says which block it cannot merge", async () => {
  const { pool, store } = poolOn();
  const inputs = [
    await blockOf(store, [{ trace: 1, span: 1 }]),
    await blockOf(store, [{ trace: 2, span: 2 }]),
  ];
  await store.delete(`t/${inputs[1]!.blockID}/data.parquet`);
  const params = {
    ...mergeOptions,
    blockId: crypto.randomUUID(),
    busy: new SharedArrayBuffer(4),
    blocks: refsOf(inputs),
  };
  const outcome = await pool.call(null, "compact", params, signal);
  expect(outcome).toMatchObject({
    blockId: inputs[1]!.blockID,
    failure: expect.stringContaining("does not exist"),
  });
});

test("whatever fails in a merge, but for the output's store and being ended, is told as a failure of the blocks", async () => {
  const store = new MemoryStore();
  const metas = [
    await blockOf(store, [{ trace: 1, span: 1 }]),
    await blockOf(store, [{ trace: 2, span: 2 }]),
  ];
  const params = { ...mergeOptions, blockId: "o", busy: new SharedArrayBuffer(4), metas };
  store.readRanges = () => Promise.reject(new RangeError("out of everything"));
  expect(await compactJob(store, params, signal)).toEqual({
    failure: "merge: out of everything",
    blockId: null,
  });
  const full = new MemoryStore();
  for (const meta of metas) await blockOf(full, [{ trace: 1, span: 1 }], { blockId: meta.blockID });
  full.create = () => Promise.reject(new StoreError("store: the disk is full"));
  expect(compactJob(full, params, signal)).rejects.toThrow("the disk is full");
});
