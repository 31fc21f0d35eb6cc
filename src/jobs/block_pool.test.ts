import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type BlockMeta, parseMeta } from "../block/meta.ts";
import { traceJson } from "../block/trace_peer.ts";
import type { Config } from "../config/config.ts";
import { defaultConfig } from "../config/defaults.ts";
import { log } from "../telemetry/log.ts";
import { BlockPool } from "./block_pool.ts";

const fixtures = join(import.meta.dir, "../../../shared/fixtures/tempo-blocks");
const missing = !existsSync(fixtures);
if (missing) console.warn("skipped: the golden blocks are not here (../shared/fixtures/tempo-blocks)");

const live = new AbortController().signal;
const idRich = Buffer.from("22220000000000000000000000000001", "hex");

/** What a promise is rejected with. Bun's own `rejects` waits without letting the messages of workers in. */
async function failure(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(() => null).catch((error: Error) => error);
  if (!outcome) throw new Error("not rejected");
  return outcome;
}

describe.skipIf(missing)("BlockPool", () => {
  let folder: string;
  let config: Config;
  const metas = new Map<string, BlockMeta[]>();
  beforeAll(() => {
    log.configure({ sink: () => {} });
    folder = mkdtempSync(join(tmpdir(), "find-pool-"));
    cpSync(join(fixtures, "vParquet4"), folder, { recursive: true });
    config = defaultConfig();
    config.storage.trace.local.path = folder;
    config.querier.block_workers = 2;
    for (const tenant of ["rich", "dedicated"]) {
      metas.set(
        tenant,
        readdirSync(join(folder, tenant))
          .map((id) => join(folder, tenant, id, "meta.json"))
          .filter(existsSync)
          .map((path) => parseMeta(readFileSync(path, "utf8"))),
      );
    }
  });
  afterAll(() => {
    log.configure({ sink: (line) => process.stderr.write(line) });
    rmSync(folder, { recursive: true });
  });

  test("finds traces in blocks, and says how much it read", async () => {
    const pool = new BlockPool(config);
    expect(pool.stats.workers.length).toBe(0);
    try {
      const found = await pool.find(
        "rich",
        idRich,
        [...metas.get("dedicated")!, ...metas.get("rich")!],
        live,
      );
      expect(found.traces.length).toBe(1);
      expect(JSON.stringify(traceJson(found.traces[0]!))).toContain('"traceId":"IiIAAAAAAAAAAAAAAAAAAQ=="');
      expect(found.inspectedBytes).toBeGreaterThan(1000);
      const none = await pool.find("rich", new Uint8Array(16).fill(9), metas.get("rich")!, live);
      expect(none).toEqual({ traces: [], inspectedBytes: 0 }); // the bloom is in memory by now
      expect(pool.stats.workers.length).toBeGreaterThan(0);
    } finally {
      await pool.close();
    }
  });

  test("reads a block with the same worker each time, and other blocks with others", async () => {
    const pool = new BlockPool(config);
    const [rich] = metas.get("rich")!;
    const other = (firstDigits: string) => ({ ...rich!, blockID: firstDigits + rich!.blockID.slice(8) });
    try {
      const ask = (...blocks: BlockMeta[]) => failure(pool.find("rich", idRich, blocks, live)); // there are none
      await ask(other("00000002"), other("0000000a"));
      await ask(other("00000004"));
      expect(pool.workers.map(({ name }) => name)).toEqual(["block 0"]);
      await ask(other("00000003"));
      expect(pool.workers.map(({ name }) => name)).toEqual(["block 0", "block 1"]);
    } finally {
      await pool.close();
    }
  });

  test("splits long lists into jobs and joins their answers", async () => {
    const pool = new BlockPool(config);
    try {
      const many = Array.from({ length: 150 }, () => metas.get("rich")![0]!);
      expect((await pool.find("rich", idRich, many, live)).traces.length).toBe(150);
    } finally {
      await pool.close();
    }
  });

  test("tells of blocks deleted since they were listed, and fails on damaged ones", async () => {
    const pool = new BlockPool(config);
    const [rich] = metas.get("rich")!;
    const gone = { ...rich!, blockID: "00000000-0000-4000-8000-000000000000" };
    const copy = join(folder, "broken", rich!.blockID);
    cpSync(join(folder, "rich", rich!.blockID), copy, { recursive: true });
    writeFileSync(join(copy, "data.parquet"), new Uint8Array(rich!.size));
    try {
      const deleted = pool.find("rich", idRich, [gone, rich!], live);
      expect(await failure(deleted)).toMatchObject({ name: "BlockGone", code: "block_gone" });
      const damaged = pool.find("broken", idRich, [rich!, { ...rich!, tenantID: "broken" }], live);
      expect(await failure(damaged)).toMatchObject({ name: "ParquetError", code: "data_loss" });
      expect((await failure(damaged)).message).toStartWith(`block broken/${rich!.blockID}: `);
      // Beside the time that a search is about it only might have had other parts.
      const blocks = [rich!, { ...rich!, tenantID: "broken" }];
      const later = { start: Date.parse(rich!.endTime) / 1000 + 1, end: 2 ** 33 };
      expect((await pool.find("broken", idRich, blocks, live, later)).traces.length).toBe(1);
    } finally {
      await pool.close();
    }
  });

  test("ends a job that is cancelled", async () => {
    const pool = new BlockPool(config);
    try {
      const client = new AbortController();
      const many = Array.from({ length: 5000 }, () => metas.get("rich")![0]!);
      const job = pool.find("rich", idRich, many, client.signal);
      client.abort();
      expect(await failure(job)).toMatchObject({ code: "canceled" });
      expect(pool.stats.queuedJobs).toBe(0);
      // The worker is free for the next one.
      expect((await pool.find("rich", idRich, metas.get("rich")!, live)).traces.length).toBe(1);
    } finally {
      await pool.close();
    }
  });

  test("rejects the jobs of a worker that dies, and starts another one for the next", async () => {
    const script = join(folder, "dies.mjs");
    writeFileSync(script, "process.exit(3)");
    let started = 0;
    const pool = new BlockPool(config, {
      spawn: (options, number) => {
        const url = started++ === 0 ? script : new URL("../../workers/block.ts", import.meta.url);
        return new Worker(url, { name: `block ${number}`, workerData: options });
      },
    });
    try {
      expect(await failure(pool.find("rich", idRich, metas.get("rich")!, live))).toMatchObject({
        code: "unavailable",
      });
      expect((await pool.find("rich", idRich, metas.get("rich")!, live)).traces.length).toBe(1);
      expect(started).toBe(2);
    } finally {
      await pool.close();
    }
  });

  test("refuses work once it is closed", async () => {
    const pool = new BlockPool(config);
    await pool.close();
    expect(await failure(pool.find("rich", idRich, metas.get("rich")!, live))).toMatchObject({
      code: "unavailable",
    });
  });

  test("refuses by rejecting, so that one who has other jobs under way can end those", async () => {
    const pool = new BlockPool(config);
    await pool.close();
    const ask = { blocks: "", live: new Uint8Array(0), searched: { start: 0, end: 1 } };
    expect(await failure(pool.call(0, "splitTraces", ask, live))).toMatchObject({ code: "unavailable" });
  });
});
