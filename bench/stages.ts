// The write path stage by stage, each alone on the same spans: `bun bench/stages.ts [--spans 300000]`. The yardstick is the
// share of the five microseconds of CPU a span that the design gives each stage.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SpanBatch } from "../src/batch/span_batch.ts";
import { writeBlock } from "../src/block/write.ts";
import { defaultConfig } from "../src/config/defaults.ts";
import { Splitter } from "../src/ingest/splitter.ts";
import { blockOptions } from "../src/shard/block_options.ts";
import { WalSegment } from "../src/shard/wal_segment.ts";
import { LocalStore } from "../src/store/local_store.ts";
import { root } from "../test/support/rubato.ts";
import { drive } from "./drive.ts";
import { Request } from "./load/request.ts";
import { calibrate, printNoise, printTable } from "./table.ts";

const { values } = parseArgs({
  options: { spans: { type: "string", default: "300000" }, shards: { type: "string", default: "2" } },
});
const spansWanted = Number(values.spans);
const shards = Number(values.shards);
const tracesPerRequest = 50;
const rounds = 5;
const requestsPerAppend = 4; // what a group commit joins when clients send at once
const clockTicksPerSecond = 100;

const config = defaultConfig();
const { max_attribute_bytes } = config.distributor;

const before = calibrate();
const requests: Uint8Array[] = [];
let spans = 0;
for (let i = 0; spans < spansWanted; i++) {
  const request = new Request(1, i, tracesPerRequest, () => new Uint8Array(0), false);
  request.stamp(i * tracesPerRequest, Date.now());
  requests.push(request.message());
  spans += request.spans;
}

const microsByStage = new Map<string, number[]>();
function note(stage: string, micros: number): void {
  const list = microsByStage.get(stage);
  if (list === undefined) microsByStage.set(stage, [micros]);
  else list.push(micros);
}
async function measure(stage: string, run: () => void | Promise<void>): Promise<number> {
  const cpu = process.cpuUsage();
  await run();
  const used = process.cpuUsage(cpu);
  const micros = (used.user + used.system) / spans;
  note(stage, micros);
  return micros;
}

// Framing needs a socket, so a process of its own; the generator is a third one.
async function framing(protocol: "grpc" | "http"): Promise<void> {
  const server = spawn(process.execPath, [join(root, "bench/framing_server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const ports = JSON.parse(line.toString("utf8")) as { grpc: number; http: number };
  const cpuSeconds = () => {
    const stat = readFileSync(`/proc/${server.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond;
  };
  const options = { protocol, spans: spansWanted * 2 };
  await drive(ports[protocol], options); // warms up
  for (let round = 0; round < rounds; round++) {
    const start = cpuSeconds();
    const { acknowledgedSpans } = await drive(ports[protocol], options);
    note(`framing, ${protocol}`, ((cpuSeconds() - start) * 1e6) / acknowledgedSpans);
  }
  server.stdin.end();
  await once(server, "exit");
}

// Compression is a call of the runtime in the middle of encoding: it is timed there and taken out of the rest.
let compressMicros = 0;
const compress = Bun.zstdCompressSync;
Bun.zstdCompressSync = ((...args: Parameters<typeof compress>) => {
  const startMs = performance.now();
  const bytes = compress(...args);
  compressMicros += (performance.now() - startMs) * 1000;
  return bytes;
}) as typeof compress;

await framing("grpc");
await framing("http");
const folder = mkdtempSync(join(tmpdir(), "rubato-stages-"));
try {
  const splitter = new Splitter(shards);
  const store = new LocalStore(join(folder, "blocks"));
  for (let round = 0; round < rounds; round++) {
    const parts: Uint8Array[][] = Array.from({ length: shards }, () => []);
    await measure("split", () => {
      for (const request of requests) {
        for (const [shard, part] of splitter.split(request).parts.entries()) {
          if (part !== null) parts[shard]!.push(part.request);
        }
      }
    });
    await measure("WAL", async () => {
      for (const [shard, list] of parts.entries()) {
        const uuid = `00000000-0000-4000-8000-${String(round * shards + shard).padStart(12, "0")}`;
        const identity = { tenant: "bench", sequence: 1, uuid };
        const segment = WalSegment.create(join(folder, `${uuid}.wal`), identity, Date.now(), false);
        for (let i = 0; i < list.length; i += requestsPerAppend)
          segment.append(list.slice(i, i + requestsPerAppend));
        await segment.close();
      }
    });
    const batches: SpanBatch[] = [];
    await measure("decode", () => {
      for (const list of parts) {
        const batch = SpanBatch.create();
        for (const part of list) batch.decode(part, max_attribute_bytes);
        batches.push(batch);
      }
    });
    compressMicros = 0;
    const cpu = process.cpuUsage();
    for (const [shard, batch] of batches.entries()) {
      await writeBlock(
        batch,
        store,
        blockOptions(
          config,
          "bench",
          `00000000-0000-4000-8000-${String(round * shards + shard).padStart(12, "0")}`,
        ),
        () => Promise.resolve(),
      );
    }
    const used = process.cpuUsage(cpu);
    note("order, encode and write", (used.user + used.system - compressMicros) / spans);
    note("compress", compressMicros / spans);
    await store.deleteAll("bench");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const shares: [stage: string, share: number][] = [
  ["framing, grpc", 1.4],
  ["framing, http", 1.4],
  ["split", 0.4],
  ["WAL", 0.3],
  ["decode", 0.8],
  ["order, encode and write", 1.2],
  ["compress", 0.5],
];
let sum = 0;
const rows = shares.map(([stage, share]) => {
  const sorted = microsByStage.get(stage)!.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  if (stage !== "framing, http") sum += median;
  return [stage, median.toFixed(2), sorted[0]!.toFixed(2), String(share)];
});
printTable(["stage", "µs of CPU per span (median)", "best", "design's share"], rows);
process.stdout.write(
  `\nSum over gRPC: ${sum.toFixed(2)} µs per span of a budget of 5, 0.4 of it for compaction.\n`,
);
printNoise(before, calibrate());
