// Many blocks in an object store: how often a server asks for what when it looks for a trace, whatever happens to blocks and caches.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlockMeta } from "../src/block/meta.ts";
import { blockOf } from "../src/compact/compact_fixture.ts";
import { defaultConfig } from "../src/config/defaults.ts";
import { openStore, type Store } from "../src/store/store.ts";
import { CountingProxy } from "./support/counting_proxy.ts";
import { Rubato } from "./support/rubato.ts";
import { S3Server, versitygwMissing } from "./support/s3_server.ts";

setDefaultTimeout(60_000);

const blocks = 60;
const tracesPerBlock = 20;
const tenant = "single-tenant";
const hex = (trace: number) => trace.toString(16).padStart(32, "0");
/** A trace that only this block has. */
const traceOf = (block: number, place = 7) => block * 1000 + place + 1;

function manyBlocks(runtime: "bun" | "deno"): void {
  describe(`many blocks in S3, on ${runtime}`, () => {
    let s3: S3Server;
    let proxy: CountingProxy;
    let store: Store;
    let rubato: Rubato;
    let cache: string;
    const metas: BlockMeta[] = [];
    const write = (block: number) =>
      blockOf(
        store,
        Array.from({ length: tracesPerBlock }, (_, i) => ({ trace: traceOf(block, i), span: 1 })),
        { tenant },
      );
    const metric = async (name: string): Promise<number> => {
      const { body } = await rubato.request("/metrics");
      const line = body
        .toString()
        .split("\n")
        .find((each) => each.startsWith(`${name} `));
      return Number(line?.split(" ")[1]);
    };
    const until = async (name: string, count: number) => {
      while ((await metric(name)) !== count) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      proxy.take();
    };
    const covered = (count: number) => until('rubato_trace_filter_blocks{state="covered"}', count);
    const made = 'rubato_trace_filters_total{source="block"}';
    const lookUp = async (trace: number) => {
      proxy.take();
      const { status } = await rubato.request(`/api/traces/${hex(trace)}`);
      return [status, ...proxy.take()];
    };
    beforeAll(async () => {
      cache = mkdtempSync(join(tmpdir(), "block-cache-"));
      s3 = await S3Server.start();
      proxy = await CountingProxy.start(s3.port);
      const { trace } = defaultConfig().storage;
      const settings = s3.settings();
      store = openStore({
        ...defaultConfig(),
        storage: { trace: { ...trace, backend: "s3", s3: { ...trace.s3, ...settings.s3 } } },
      });
      for (let block = 0; block < blocks; block++) metas.push(await write(block));
      rubato = await Rubato.start({
        runtime,
        settings: {
          overrides: { defaults: { compaction: { compaction_disabled: true } } },
          // Blocks of the fixture are of a certain day, which is past any retention.
          backend_worker: { compaction: { block_retention: "0s" } },
          storage: {
            trace: {
              backend: "s3",
              s3: { ...settings.s3, endpoint: proxy.endpoint },
              block_cache: { path: cache, max_bytes: "64MiB" },
              blocklist_poll: "1h",
            },
          },
        },
      });
      await covered(blocks);
    });
    afterAll(async () => {
      await rubato?.remove();
      await proxy?.stop();
      await s3?.remove();
      rmSync(cache, { recursive: true });
    });

    test("a lookup asks for the one block that has the trace, and that once", async () => {
      for (const block of [0, 17, blocks - 1]) {
        expect(await lookUp(traceOf(block))).toEqual([200, "GET data.parquet"]);
        expect(await lookUp(traceOf(block))).toEqual([200]);
      }
      for (const trace of [999_999, 1, 1_000_001]) {
        const isThere = trace === 1;
        expect(await lookUp(trace)).toEqual([isThere ? 200 : 404]);
      }
    });

    test("a restart neither makes the filters again nor asks for what the disk has", async () => {
      await rubato.stop();
      await rubato.restart();
      expect(proxy.take().filter((asked) => asked.includes("data.parquet"))).toEqual([]);
      expect(await metric('rubato_trace_filters_total{source="disk"}')).toBe(blocks);
      expect(await lookUp(traceOf(17))).toEqual([200]);
      expect(await lookUp(traceOf(18))).toEqual([200, "GET data.parquet"]);
    });

    test("what is damaged on the disk is asked for again", async () => {
      await rubato.stop();
      for (const worker of readdirSync(cache)) {
        const path = join(cache, worker, "chunks");
        writeFileSync(
          path,
          readFileSync(path).map((byte, i) => (i % 1000 === 5 ? ~byte : byte)),
        );
      }
      const filters = join(rubato.dataFolder, "wal", "filters");
      const kept = readFileSync(filters);
      kept[kept.length >> 1] = kept[kept.length >> 1]! ^ 1;
      writeFileSync(filters, kept);
      await rubato.restart();
      await covered(blocks);
      expect(await metric('rubato_trace_filters_total{source="disk"}')).toBeLessThan(blocks);
      expect(await lookUp(traceOf(17))).toEqual([200, "GET data.parquet"]);
      expect(await metric('rubato_block_cache_errors_total{kind="corrupt"}')).toBeGreaterThan(0);
    });

    test("a block that appears is covered soon, and one that vanishes is gone", async () => {
      const before = await metric(made);
      const gone = metas[5]!;
      await store.deleteAll(`${tenant}/${gone.blockID}`);
      expect((await lookUp(traceOf(5)))[0]).toBe(404);
      const span = { traceId: hex(77_777_777), spanId: "00000000000000ab", name: "late" };
      const now = `${Date.now()}000000`;
      const body = { ...span, startTimeUnixNano: now, endTimeUnixNano: now };
      await fetch(`http://127.0.0.1:${rubato.ports.otlpHttp}/v1/traces`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [body] }] }] }),
      });
      await rubato.flush();
      await until(made, before + 1);
      expect(await lookUp(77_777_777)).toEqual([200, "GET data.parquet"]);
      expect(await lookUp(77_777_778)).toEqual([404]);
    });

    test("/status/scheduler says how much is covered", async () => {
      const { body } = await rubato.request({
        path: "/status/scheduler",
        headers: { Accept: "application/json" },
      });
      const { tasks } = JSON.parse(body.toString()) as { tasks: { name: string; detail: unknown }[] };
      expect(tasks.find(({ name }) => name === "build index")?.detail).toMatchObject({
        blocks,
        coveredBlocks: blocks,
        damagedBlocks: 0,
      });
    });
  });
}

if (versitygwMissing) test.skip(`many blocks: ${versitygwMissing}`, () => {});
else for (const runtime of ["bun", "deno"] as const) manyBlocks(runtime);
