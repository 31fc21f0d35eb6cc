import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { field, id, request, span } from "../batch/wire_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { Config } from "../config/config.ts";
import { defaultConfig } from "../config/defaults.ts";
import { range, spansIn, traceId } from "../shard/shard_fixture.ts";
import { temporaryDirectory } from "../shard/wal_fixture.ts";
import type { CutDone } from "../telemetry/ingest_metrics.ts";
import { log } from "../telemetry/log.ts";
import type { MemoryShares } from "./budget.ts";
import { Ingest, type IngestDeps, IngestError } from "./ingest.ts";
import { spawnShard } from "./shard_worker.ts";

const tenant = "single-tenant";
const running: Ingest[] = [];
const workers: Worker[] = [];
let directory: ReturnType<typeof temporaryDirectory>;

beforeEach(() => {
  directory = temporaryDirectory();
  log.configure({ sink: () => {} });
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((ingest) => ingest.stop()));
  workers.length = 0;
  directory[Symbol.dispose]();
});

function configure(change: (config: Config) => void = () => {}): Config {
  const config = structuredClone(defaultConfig());
  config.storage.trace.local.path = join(directory.path, "blocks");
  config.storage.trace.wal.path = join(directory.path, "wal");
  config.live_store.shards = 2;
  config.server.log_level = "error";
  change(config);
  return config;
}

interface Started {
  ingest: Ingest;
  listed: BlockMeta[];
  cuts: CutDone[];
}

async function start(config = configure(), deps: Partial<IngestDeps> = {}): Promise<Started> {
  const listed: BlockMeta[] = [];
  const cuts: CutDone[] = [];
  const ingest = await Ingest.start({
    config,
    addBlock: (meta) => {
      listed.push(meta);
    },
    cutDone: (cut) => cuts.push(cut),
    spawn: (options) => {
      const worker = spawnShard(options);
      workers[options.shard] = worker;
      return worker;
    },
    ...deps,
  });
  running.push(ingest);
  await ingest.ready();
  return { ingest, listed, cuts };
}

function files(ending: string, root = directory.path): string[] {
  return readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending))
    .sort();
}

async function spansFound(ingest: Ingest, traces: number[]): Promise<number[]> {
  const found = await Promise.all(traces.map((trace) => ingest.find(tenant, traceId(trace))));
  return found.map((parts) => parts.length);
}

async function refusal(promise: Promise<void>): Promise<IngestError> {
  const error = await promise.then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(IngestError);
  return error as IngestError;
}

describe("Ingest.push()", () => {
  test("makes spans findable, spread over the shards", async () => {
    const { ingest } = await start();
    expect(ingest.state).toBe("ready");
    await ingest.push(tenant, spansIn(range(0, 100)));
    expect(await spansFound(ingest, range(0, 101))).toEqual([...range(0, 100).map(() => 1), 0]);
    const { shards, tenants } = await ingest.stats();
    expect(shards.map((shard) => shard.shard)).toEqual([0, 1]);
    expect(shards[0]!.headSpans + shards[1]!.headSpans).toBe(100);
    expect(Math.min(shards[0]!.headSpans, shards[1]!.headSpans)).toBeGreaterThan(20);
    expect(tenants).toMatchObject([
      {
        tenant,
        receivedSpans: 100,
        ingressBytes: spansIn(range(0, 100)).length,
        liveTraces: 100,
        tracesCreated: 100,
      },
    ]);
    expect(ingest.queuedBytes).toBe(0);
  });

  test("sees every acknowledged span under concurrent requests", async () => {
    const { ingest } = await start();
    await Promise.all(
      range(0, 100).map(async (i) => {
        await ingest.push(tenant, spansIn([i, i + 1000]));
        expect(await spansFound(ingest, [i, i + 1000])).toEqual([1, 1]);
      }),
    );
  });

  test("accepts a request without spans and refuses bad ones whole", async () => {
    const { ingest } = await start();
    await ingest.push(tenant, new Uint8Array(0));
    const badTrace = request([span({ trace: traceId(1), id: 1 }), span({ trace: id(15, 2), id: 2 })]);
    const error = await refusal(ingest.push(tenant, badTrace));
    expect([error.code, error.message]).toEqual([
      "invalid_argument",
      "trace ids must be 128 bit, received 120 bits",
    ]);
    expect((await refusal(ingest.push(tenant, new Uint8Array([0x0a, 0xff])))).code).toBe("invalid_argument");
    expect(await spansFound(ingest, [1])).toEqual([0]);
    expect(files(".wal")).toEqual([]);
    const { tenants } = await ingest.stats();
    expect(tenants[0]!.discardedSpans).toEqual({ invalid_trace_id: 2, unknown_error: 1 });
  });

  test("refuses for good what would take many times as much memory as it does on the wire", async () => {
    const memory: MemoryShares = {
      budgetBytes: 1,
      receiveBytesMax: 1,
      filterBytesMax: 0,
      queueBytesMax: 1 << 20,
      shardBytesMax: 16 << 20,
      requestRowBytesMax: 1_000_000,
      cellsMax: 1 << 16,
    };
    const { ingest } = await start(configure(), { memory });
    const withEvents = (count: number) =>
      request([
        span({ trace: traceId(1), id: 1, fields: new Array(count).fill(field(11, new Uint8Array(0))) }),
      ]);
    const error = await refusal(ingest.push(tenant, withEvents(50_000)));
    expect([error.code, error.retryDelayMs]).toEqual(["invalid_argument", undefined]);
    expect(error.message).toStartWith("request takes too much memory: ");
    await ingest.push(tenant, withEvents(40_000));
    expect(await spansFound(ingest, [1])).toEqual([1]);
  });

  test("holds a tenant to its rate limit", async () => {
    const bytes = spansIn([1]).length;
    const config = configure((config) => {
      config.overrides.defaults.ingestion.rate_limit_bytes = 1;
      config.overrides.defaults.ingestion.burst_size_bytes = bytes;
      config.distributor.retry_after_on_resource_exhausted = 3000;
    });
    const { ingest } = await start(config);
    await ingest.push("a", spansIn([1]));
    const error = await refusal(ingest.push("a", spansIn([2])));
    expect([error.code, error.retryDelayMs]).toEqual(["resource_exhausted", 3000]);
    expect(error.message).toStartWith("RATE_LIMITED: ingestion rate limit (local: 1 bytes/s");
    await ingest.push("b", spansIn([1]));
    const { tenants } = await ingest.stats();
    expect(
      tenants.map(({ tenant, receivedSpans, discardedSpans }) => [tenant, receivedSpans, discardedSpans]),
    ).toEqual([
      ["a", 1, { rate_limited: 1 }],
      ["b", 1, {}],
    ]);
  });

  test("refuses what does not fit beside the requests under way, and takes it later", async () => {
    const memory: MemoryShares = {
      budgetBytes: 1,
      receiveBytesMax: 1,
      filterBytesMax: 0,
      queueBytesMax: 1000,
      shardBytesMax: 16 << 20,
      requestRowBytesMax: 16 << 20,
      cellsMax: 1 << 16,
    };
    const { ingest } = await start(configure(), { memory });
    const large = spansIn(range(0, 100));
    const [taken, refused] = await Promise.allSettled([
      ingest.push(tenant, large),
      ingest.push(tenant, spansIn([1])),
    ]);
    expect(taken.status).toBe("fulfilled");
    const error = refused.status === "rejected" && (refused.reason as IngestError);
    expect(error && [error.code, error.retryDelayMs]).toEqual(["resource_exhausted", 5000]);
    await ingest.push(tenant, spansIn([1]));
  });

  test("stays within a tiny budget, and loses nothing of what it acknowledged", async () => {
    const memory: MemoryShares = {
      budgetBytes: 4 << 20,
      receiveBytesMax: 1,
      filterBytesMax: 0,
      queueBytesMax: 200_000,
      shardBytesMax: 1_500_000,
      requestRowBytesMax: 16 << 20,
      cellsMax: 1 << 16,
    };
    const { ingest, cuts } = await start(configure(), { memory });
    let refused = 0;
    let headBytesMax = 0;
    const send = async (i: number) => {
      for (;;) {
        try {
          return await ingest.push(tenant, spansIn(range(i * 200, i * 200 + 200)));
        } catch (error) {
          expect((error as IngestError).code).toBe("resource_exhausted");
          refused++;
          await ingest.stats(); // a round trip to each shard, in which they get on
        }
      }
    };
    for (const first of range(0, 10)) {
      await Promise.all(range(first * 20, first * 20 + 20).map(send));
      const { memory } = await ingest.stats();
      headBytesMax = Math.max(headBytesMax, memory.usedBytes);
    }
    expect(refused).toBeGreaterThan(0);
    expect(headBytesMax).toBeLessThan(2 * 1_500_000 * 1.5);
    await ingest.flush();
    expect(cuts.length).toBeGreaterThan(4);
    expect(cuts.reduce((spans, cut) => spans + cut.spans, 0)).toBe(200 * 200);
    expect(files(".wal")).toEqual([]);
  });
});

describe("Ingest.flush()", () => {
  test("makes blocks of all heads, has them listed, and removes the segments", async () => {
    const { ingest, listed, cuts } = await start();
    await ingest.push("a", spansIn(range(0, 50)));
    await ingest.push("b", spansIn(range(0, 50)));
    expect(files(".wal").length).toBe(4);
    const metas = await ingest.flush("a");
    expect(metas.map((meta) => meta.tenantID)).toEqual(["a", "a"]);
    expect(metas.reduce((traces, meta) => traces + meta.totalObjects, 0)).toBe(50);
    for (const meta of metas) {
      expect(existsSync(join(directory.path, "blocks", "a", meta.blockID, "meta.json"))).toBe(true);
    }
    expect(files(".wal").every((name) => name.includes("/b/"))).toBe(true);
    expect((await ingest.flush()).length).toBe(2);
    expect(files(".wal")).toEqual([]);
    expect(listed.length).toBe(4);
    expect(cuts.every((cut) => cut.reason === "flush" && cut.spans > 0 && cut.bytes > 0)).toBe(true);
    expect(await ingest.flush()).toEqual([]);
  });

  test("makes the same blocks again from a log that outlived them", async () => {
    const first = await start();
    await first.ingest.push(tenant, spansIn(range(0, 200)));
    const wal = join(directory.path, "wal");
    const copy = join(directory.path, "copy");
    cpSync(wal, copy, { recursive: true });
    const metas = await first.ingest.flush();
    await first.ingest.stop();
    const ids = metas.map((meta) => meta.blockID).sort();

    // Blocks and log: the log goes.
    cpSync(copy, wal, { recursive: true });
    const second = await start();
    expect(files(".wal", wal)).toEqual([]);
    expect(await second.ingest.flush()).toEqual([]);
    await second.ingest.stop();

    // The log and half a block.
    const data = join(directory.path, "blocks", tenant, ids[0]!, "data.parquet");
    const bytes = readFileSync(data);
    for (const each of ids) rmSync(join(directory.path, "blocks", tenant, each, "meta.json"));
    writeFileSync(data, bytes.subarray(0, 1000));
    cpSync(copy, wal, { recursive: true });
    const third = await start();
    expect(await spansFound(third.ingest, [0, 199])).toEqual([1, 1]);
    await third.ingest.flush();
    expect(third.listed.map((meta) => meta.blockID).sort()).toEqual(ids);
    expect(readFileSync(data).length).toBe(bytes.length);
  });

  test("rejects when blocks can't be written, and loses nothing", async () => {
    const { ingest } = await start();
    await ingest.push(tenant, spansIn([1]));
    mkdirSync(join(directory.path, "blocks"), { recursive: true });
    writeFileSync(join(directory.path, "blocks", tenant), "in the way");
    expect(await ingest.flush().catch((error) => error.message)).toContain("data.parquet");
    expect(await spansFound(ingest, [1])).toEqual([1]);
    rmSync(join(directory.path, "blocks", tenant));
    expect((await ingest.flush()).length).toBe(1);
  });

  test("answers from head or block list at every moment of a cut", async () => {
    const seen: number[][] = [];
    const config = configure((config) => {
      config.live_store.shards = 1;
    });
    const { ingest } = await start(config, {
      addBlock: async () => {
        seen.push(await spansFound(ingest, [1, 2, 3]));
      },
    });
    await ingest.push(tenant, spansIn([1, 2, 3]));
    await ingest.flush();
    expect(seen).toEqual([[1, 1, 1]]);
    expect(await spansFound(ingest, [1, 2, 3])).toEqual([0, 0, 0]);
  });
});

describe("Ingest after a worker died", () => {
  test("refuses requests meanwhile, then has all that was acknowledged", async () => {
    const { ingest } = await start();
    await ingest.push(tenant, spansIn(range(0, 100)));
    const pending = Promise.allSettled([ingest.push(tenant, spansIn([500, 501, 502, 503]))]);
    await Promise.all([workers[0]!.terminate(), workers[1]!.terminate()]);
    await pending;
    expect(ingest.state).toBe("replaying");
    const error = await refusal(ingest.push(tenant, spansIn([1])));
    expect(error.code).toBe("unavailable");
    // Waits for the new workers.
    expect(await spansFound(ingest, range(0, 100))).toEqual(range(0, 100).map(() => 1));
    expect(ingest.state).toBe("ready");
    await ingest.push(tenant, spansIn([1000]));
    const metas = await ingest.flush();
    expect(metas.reduce((traces, meta) => traces + meta.totalObjects, 0)).toBeGreaterThanOrEqual(101);
  });

  test("gives up waiting when the caller does", async () => {
    const { ingest } = await start();
    await Promise.all([workers[0]!.terminate(), workers[1]!.terminate()]);
    const signal = AbortSignal.abort(new Error("gone"));
    expect(await ingest.find(tenant, traceId(1), signal).catch((error) => error.message)).toBe("gone");
  });
});

describe("Ingest.stop()", () => {
  test("takes no more, and leaves blocks and an empty log", async () => {
    const { ingest, listed, cuts } = await start();
    const pushes = range(0, 20).map((i) => ingest.push(tenant, spansIn(range(i * 10, i * 10 + 10))));
    const stopped = ingest.stop();
    expect(ingest.state).toBe("stopping");
    expect((await refusal(ingest.push(tenant, spansIn([1])))).code).toBe("unavailable");
    await Promise.all(pushes);
    await stopped;
    expect(ingest.state).toBe("stopped");
    expect(cuts.map((cut) => cut.reason)).toEqual(listed.map(() => "shutdown"));
    expect(listed.reduce((traces, meta) => traces + meta.totalObjects, 0)).toBe(200);
    expect(files(".wal")).toEqual([]);
  });

  test("leaves the log where blocks can't be written", async () => {
    const { ingest } = await start();
    await ingest.push(tenant, spansIn(range(0, 10)));
    mkdirSync(join(directory.path, "blocks"), { recursive: true });
    writeFileSync(join(directory.path, "blocks", tenant), "in the way");
    await ingest.stop();
    rmSync(join(directory.path, "blocks", tenant));
    const second = await start();
    expect(await spansFound(second.ingest, range(0, 10))).toEqual(range(0, 10).map(() => 1));
  });
});

test("Ingest.cutAged() cuts heads older than max_block_duration", async () => {
  const { ingest, cuts } = await start(
    configure((config) => {
      config.live_store.max_block_duration = 0;
    }),
  );
  await ingest.push(tenant, spansIn([1]));
  await ingest.cutAged();
  await ingest.flush();
  expect(cuts.map((cut) => cut.reason)).toEqual(["age"]);
});

test("Ingest.start() rejects when its workers can't be started", async () => {
  const spawn = () => new Worker(new URL("./no_such_worker.ts", import.meta.url));
  expect(
    await Ingest.start({ config: configure(), addBlock: () => {}, spawn }).catch((error) => error.code),
  ).toBe("unavailable");
});
