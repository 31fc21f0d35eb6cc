// What a user loses when things break under a running server: nothing that was acknowledged. Kills, a full disk, broken log
// bytes, and clients that vanish mid-upload. Rounds and durations grow through the environment for long runs.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GrpcConnection, grpcHead } from "../bench/load/grpc_connection.ts";
import { traceIdHex } from "../bench/load/ids.ts";
import { Random } from "../bench/load/random.ts";
import { Request } from "../bench/load/request.ts";
import { type LoadOptions, type LoadResult, loadDefaults, runLoad } from "../bench/load/run.ts";
import { spansPerTrace } from "../bench/load/shop.ts";
import { Acknowledged } from "./support/acknowledged.ts";
import { Rubato } from "./support/rubato.ts";
import { blockFiles, storedTraces } from "./support/stored_spans.ts";
import { checkTraces } from "./support/trace_reader.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const rounds = Number(process.env.RUBATO_CRASH_ROUNDS ?? 8);
const cutSeconds = Number(process.env.RUBATO_CUT_SECONDS ?? 6);
const seed = Number(process.env.RUBATO_CRASH_SEED ?? 20_260);
const testMsMax = 60_000 + rounds * 10_000 + cutSeconds * 1000;

let server: Rubato | undefined;
let cleanUp: (() => void) | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
  cleanUp?.();
  cleanUp = undefined;
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function load(options: Partial<LoadOptions>, stop?: AbortSignal): Promise<LoadResult> {
  const port = server!.ports.otlpGrpc;
  return runLoad(
    { ...loadDefaults, port, spansPerRequest: 100, connections: 3, retry: false, seconds: 20, ...options },
    stop,
  );
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

// A lookup by id takes the server milliseconds: rounds look up some, and the blocks are read as a whole at the end.
const sampleMax = 200;
function sample(ids: string[], random: Random): string[] {
  return ids
    .map((id) => ({ id, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, sampleMax)
    .map(({ id }) => id);
}

/** What is wrong with the acknowledged traces as they lie in the blocks. */
async function lostOrRepeated(acknowledged: Acknowledged): Promise<Record<string, string[]>> {
  const stored = await storedTraces(blockFiles(join(server!.dataFolder, "blocks")));
  const wrong = { missing: [] as string[], partial: [] as string[], repeated: [] as string[] };
  for (const id of acknowledged) {
    const trace = stored.get(id);
    if (trace === undefined) wrong.missing.push(id);
    else if (trace.distinct < spansPerTrace) wrong.partial.push(id);
    else if (trace.spans > trace.distinct) wrong.repeated.push(id);
  }
  return wrong;
}

describe("killed", () => {
  test(
    `SIGKILL in ${rounds} rounds loses no acknowledged span and repeats none`,
    async () => {
      const random = new Random(seed);
      // Blocks are cut every second or so, so that kills also fall into cutting, writing and dropping the log.
      server = await Rubato.start({ settings: { live_store: { max_block_duration: "1s" } } });
      const acknowledged = new Acknowledged();
      for (let round = 0; round < rounds; round++) {
        const running = load({
          seed: seed + round,
          protocol: round % 4 === 3 ? "http" : "grpc",
          port: round % 4 === 3 ? server.ports.otlpHttp : server.ports.otlpGrpc,
          rate: round % 3 === 2 ? 0 : 30_000,
          spans: 60_000,
        });
        await sleep(50 + random.below(1500));
        if (random.next() < 0.5) void server.request({ method: "POST", path: "/flush" }).catch(() => {});
        await sleep(random.below(100));
        await server.kill();
        const result = await running;
        acknowledged.add(seed + round, result.acknowledged);
        const ids = Array.from(result.acknowledged, (trace) => traceIdHex(seed + round, trace));
        if (random.next() < 0.3) {
          // Killed again while it replays the log.
          const starting = server.restart().catch(() => {});
          await sleep(20 + random.below(250));
          await server.kill();
          await starting;
        }
        await server.restart();
        expect({ round, ...(await checkTraces(server, sample(ids, random), spansPerTrace)) }).toEqual({
          round,
          whole: Math.min(ids.length, sampleMax),
          missing: [],
          partial: [],
          repeated: [],
        });
      }
      expect(acknowledged.count).toBeGreaterThan(rounds * 20);
      await server.flush();
      expect(await lostOrRepeated(acknowledged)).toEqual({ missing: [], partial: [], repeated: [] });
      // Everything is in blocks: another start finds nothing to replay and the same traces.
      await server.stop();
      await server.restart();
      const some = sample([...acknowledged], random);
      expect((await checkTraces(server, some, spansPerTrace)).whole).toBe(some.length);
      expect(await lostOrRepeated(acknowledged)).toEqual({ missing: [], partial: [], repeated: [] });
    },
    testMsMax,
  );

  test("SIGTERM flushes everything to blocks and ends with 0", async () => {
    server = await Rubato.start();
    const result = await load({ spans: 20_000 });
    const acknowledged = new Acknowledged();
    acknowledged.add(loadDefaults.seed, result.acknowledged);
    expect(acknowledged.count).toBe(2000);
    expect(await server.stop()).toBe(0);
    const blocks = filesUnder(join(server.dataFolder, "blocks"));
    expect(blocks.some((path) => path.endsWith("meta.json"))).toBe(true);
    expect(await lostOrRepeated(acknowledged)).toEqual({ missing: [], partial: [], repeated: [] });
    await server.restart();
    const some = sample([...acknowledged], new Random(seed));
    expect((await checkTraces(server, some, spansPerTrace)).whole).toBe(some.length);
  });
});

// A file system of its own needs the right to mount one.
const diskMiB = 24;
function mountSmallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "rubato-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${diskMiB}m`, "tmpfs", folder]);
  if (mounted.status !== 0) {
    rmSync(folder, { recursive: true });
    return null;
  }
  cleanUp = () => {
    spawnSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  };
  return folder;
}
const canMount = mountSmallDisk() !== null;
cleanUp?.();
cleanUp = undefined;

describe("full disk", () => {
  test.skipIf(!canMount)(
    `refuses while a disk of ${diskMiB} MiB is full, goes on when there is room (skipped where mounting is not allowed)`,
    async () => {
      const disk = mountSmallDisk()!;
      const data = join(disk, "data");
      mkdirSync(data);
      server = await Rubato.start({
        settings: {
          storage: { trace: { local: { path: join(data, "blocks") }, wal: { path: join(data, "wal") } } },
        },
      });
      const ballast = join(disk, "ballast");
      writeFileSync(ballast, Buffer.alloc((diskMiB - 8) * 1024 * 1024));
      const acknowledged = new Acknowledged();

      const first = await load({ seed: 1, spans: 60_000, seconds: 10 });
      acknowledged.add(1, first.acknowledged);
      expect(first.failedSpans).toBeGreaterThan(0);
      expect(first.lostSpans).toBe(0);
      const refusals = Object.keys(first.messages).join("\n");
      expect(refusals).toMatch(/grpc status (8|14): .*\S/); // RESOURCE_EXHAUSTED or UNAVAILABLE, with a text
      expect(server.exited).toBe(false);
      expect((await checkTraces(server, acknowledged, spansPerTrace)).whole).toBe(acknowledged.count);

      rmSync(ballast);
      const second = await load({ seed: 2, spans: 2000, seconds: 15, retry: true });
      acknowledged.add(2, second.acknowledged);
      expect(second.acknowledgedSpans).toBe(2000);
      await server.flush();
      expect((await checkTraces(server, acknowledged, spansPerTrace)).whole).toBe(acknowledged.count);
      await server.kill();
      await server.restart();
      expect((await checkTraces(server, acknowledged, spansPerTrace)).whole).toBe(acknowledged.count);
    },
    testMsMax,
  );
});

describe("broken log bytes", () => {
  // Sends one request at a time, so that a broken record holds the spans of one request and no more.
  async function fill(): Promise<string[]> {
    server = await Rubato.start({ settings: { live_store: { shards: 1 } } });
    const result = await load({ spans: 10_000, connections: 1, inFlight: 1 });
    expect(result.acknowledgedSpans).toBe(10_000);
    await server.kill();
    return Array.from(result.acknowledged, (trace) => traceIdHex(loadDefaults.seed, trace));
  }

  function segments(): string[] {
    const files = filesUnder(join(server!.dataFolder, "wal")).filter((path) => statSync(path).size > 10_000);
    expect(files.length).toBeGreaterThan(0);
    return files.sort((a, b) => statSync(b).size - statSync(a).size);
  }

  test("a flipped byte costs one record; the segment is kept aside, the rest is read", async () => {
    const ids = await fill();
    const path = segments()[0]!;
    const bytes = readFileSync(path);
    const middle = bytes.length >> 1;
    bytes[middle] = bytes[middle]! ^ 0x55;
    writeFileSync(path, bytes);
    await server!.restart();
    const check = await checkTraces(server!, ids, spansPerTrace);
    const hurt = check.missing.length + check.partial.length;
    expect(hurt).toBeGreaterThan(0);
    expect(hurt).toBeLessThanOrEqual(10);
    expect(check.repeated).toEqual([]);
    expect(server!.output).toMatch(/damaged/);
    // Once everything else is in blocks, the broken bytes are still there for somebody to look at.
    await server!.flush();
    const kept = filesUnder(join(server!.dataFolder, "wal")).some((file) => readFileSync(file).equals(bytes));
    expect(kept).toBe(true);
    expect((await checkTraces(server!, ids, spansPerTrace)).whole).toBe(ids.length - hurt);
  });

  test("a torn tail costs the last record", async () => {
    const ids = await fill();
    const path = segments()[0]!;
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 3));
    await server!.restart();
    const check = await checkTraces(server!, ids, spansPerTrace);
    expect(check.missing.length + check.partial.length).toBe(10);
    expect(check.whole).toBe(ids.length - 10);
    // What comes after the tear is kept.
    const more = await load({ seed: 77, spans: 1000 });
    await server!.kill();
    await server!.restart();
    const acknowledged = new Acknowledged();
    acknowledged.add(77, more.acknowledged);
    expect((await checkTraces(server!, acknowledged, spansPerTrace)).whole).toBe(100);
  });

  test("random garbage in a segment never keeps the server from starting", async () => {
    const random = new Random(seed);
    const ids = await fill();
    for (let round = 0; round < 4; round++) {
      const path = segments()[0]!;
      const bytes = readFileSync(path);
      const at = random.below(bytes.length - 64);
      for (let i = 0; i < 64; i++) bytes[at + i] = random.below(256);
      writeFileSync(path, bytes);
      await server!.restart();
      const check = await checkTraces(server!, ids, spansPerTrace);
      expect(check.repeated).toEqual([]);
      expect(server!.exited).toBe(false);
      await server!.kill();
      if (filesUnder(join(server!.dataFolder, "wal")).every((file) => statSync(file).size <= 10_000)) break;
    }
  });
});

describe("cut connections", () => {
  const growthBytesMax = 64 * 1024 * 1024;

  test(
    `uploads cut half-way for ${cutSeconds} s leave memory flat and the server well`,
    async () => {
      server = await Rubato.start();
      const random = new Random(seed);
      const until = performance.now() + cutSeconds * 1000;
      const settled = performance.now() + cutSeconds * 300;
      let baseline = 0;
      let cuts = 0;
      while (performance.now() < until) {
        await Promise.all([cutHttp(random), cutHttp(random), cutGrpc(random), cutGrpc(random)]);
        cuts += 4;
        if (baseline === 0 && performance.now() > settled) baseline = server.rssBytes();
      }
      await sleep(500);
      expect(cuts).toBeGreaterThan(cutSeconds * 10);
      expect(server.rssBytes() - baseline).toBeLessThan(growthBytesMax);
      const result = await load({ seed: 5, spans: 5000 });
      expect(result.acknowledgedSpans).toBe(5000);
    },
    testMsMax,
  );

  const uploadBytes = 1_000_000;

  // Announces a megabyte, sends a part of it and vanishes.
  function cutHttp(random: Random): Promise<void> {
    const sent = random.below(uploadBytes);
    return cut(server!.ports.otlpHttp, [
      Buffer.from(
        `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${uploadBytes}\r\n\r\n`,
      ),
      Buffer.alloc(sent),
    ]);
  }

  function cutGrpc(random: Random): Promise<void> {
    const request = new Request(seed, 0, 50, () => grpcHead("127.0.0.1", null), true);
    request.stamp(random.below(1_000_000), Date.now());
    const view = new DataView(request.bytes.buffer, request.bytes.byteOffset);
    view.setUint32(5, 1);
    for (const at of request.frames) view.setUint32(at + 5, 1);
    const settings = Uint8Array.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    return cut(server!.ports.otlpGrpc, [
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      settings,
      request.bytes.subarray(0, 200 + random.below(60_000)),
    ]);
  }

  function cut(port: number, parts: Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.on("connect", () => {
        for (const part of parts) socket.write(part);
        setTimeout(() => socket.destroy(), 5);
      });
    });
  }
});

// Keeps the client's own connection class honest: a server that is gone is a loss, not a hang.
test("a load run ends when nobody listens", async () => {
  const outcome = await new Promise<string>((resolve) => {
    new GrpcConnection({
      host: "127.0.0.1",
      port: 1,
      tenant: null,
      inFlight: 1,
      onReady: () => resolve("ready"),
      onOutcome: () => resolve("outcome"),
      onClosed: () => resolve("closed"),
    });
  });
  expect(outcome).toBe("closed");
});
