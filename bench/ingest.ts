// Ingest from the socket to the flushed block: `bun bench/ingest.ts [--seconds 60] [--protocol grpc|http]
// [--threads] [--settings '{"live_store":{"shards":1}}']`.
// The yardstick is the design's budget, with what Tempo 3.0.3 took on the same kind of machine and spans beside it.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Rubato } from "../test/support/rubato.ts";
import { drive, type PrintedResult, withServer } from "./drive.ts";
import { calibrate, mebibytes, printNoise, printTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    protocol: { type: "string", default: "grpc" },
    "spans-per-request": { type: "string", default: "500" },
    connections: { type: "string", default: "4" },
    threads: { type: "boolean", default: false },
    "full-speed-only": { type: "boolean", default: false },
    settings: { type: "string", default: "{}" },
  },
});
const seconds = Number(values.seconds);
const starts = 5;
const idleMs = 3000;
const slowRate = 30_000;

interface Run {
  result: PrintedResult;
  cpuSeconds: number; // socket to flushed block
  cpuSecondsBeforeFlush: number;
  peakRss: number;
  bytesPerSpan: number;
  blocks: number;
  threads: [string, number][];
}

async function run(rate: number, runSeconds: number): Promise<Run> {
  return withServer(await Rubato.start({ settings: JSON.parse(values.settings) }), async (server) => {
    const port = values.protocol === "http" ? server.ports.otlpHttp : server.ports.otlpGrpc;
    const cpuAtStart = server.cpuSeconds();
    const result = await drive(port, {
      protocol: values.protocol,
      seconds: runSeconds,
      rate,
      "spans-per-request": values["spans-per-request"],
      connections: values.connections,
    });
    const cpuSecondsBeforeFlush = server.cpuSeconds() - cpuAtStart;
    await server.flush();
    const cpuSeconds = server.cpuSeconds() - cpuAtStart;
    const threads = server.threads();
    const peakRss = server.peakRssBytes();
    const { bytes, blocks } = stored(join(server.dataFolder, "blocks"));
    return {
      result,
      cpuSeconds,
      cpuSecondsBeforeFlush,
      peakRss,
      bytesPerSpan: bytes / result.acknowledgedSpans,
      blocks,
      threads,
    };
  });
}

function stored(folder: string): { bytes: number; blocks: number } {
  let bytes = 0;
  let blocks = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    bytes += statSync(join(entry.parentPath, entry.name)).size;
    if (entry.name === "meta.json") blocks++;
  }
  return { bytes, blocks };
}

async function idle(): Promise<{ readyMs: number[]; rss: number }> {
  const readyMs: number[] = [];
  let rss = 0;
  for (let i = 0; i < starts; i++) {
    await withServer(await Rubato.start({ settings: JSON.parse(values.settings) }), async (server) => {
      readyMs.push(server.readyMs);
      if (i < starts - 1) return;
      await new Promise((resolve) => setTimeout(resolve, idleMs));
      rss = server.rssBytes();
    });
  }
  return { readyMs: readyMs.sort((a, b) => a - b), rss };
}

const before = calibrate();
const full = await run(0, seconds);
const runs: [string, Run][] = [["at full speed", full]];
const rows: string[][] = [];
const million = (spans: number) => spans / 1e6;
const perMillion = (r: Run) => (r.cpuSeconds / million(r.result.acknowledgedSpans)).toFixed(2);
rows.push(["CPU s per million spans, socket to flushed block", perMillion(full), "≤ 5", "45–57"]);
rows.push([
  `sustained spans/s over ${seconds} s (worst second)`,
  `${Math.round(full.result.spansPerSecond)} (${full.result.spansPerSecondLow})`,
  "≥ 300 000",
  "31 000–35 000",
]);
rows.push([
  "request latency p50 / p99 / max at full speed",
  `${full.result.latencyMsP50.toFixed(1)} / ${full.result.latencyMsP99.toFixed(0)} / ${full.result.latencyMsMax.toFixed(0)} ms`,
]);
rows.push(["peak RSS at full speed", mebibytes(full.peakRss), "≤ 512 MiB", "3.6–4.7 GB"]);
rows.push([
  `bytes stored per span, fresh (${full.blocks} blocks)`,
  full.bytesPerSpan.toFixed(1),
  "≤ 78",
  "130–135",
]);
if (!values["full-speed-only"]) {
  const slow = await run(slowRate, Math.min(seconds, 30));
  runs.push([`at ${slowRate} spans/s`, slow]);
  rows.push([`peak RSS at ${slowRate} spans/s`, mebibytes(slow.peakRss), "≤ 256 MiB", "3.6–4.7 GB"]);
  rows.push([
    `request latency p50 / p99 / max at ${slowRate} spans/s`,
    `${slow.result.latencyMsP50.toFixed(1)} / ${slow.result.latencyMsP99.toFixed(0)} / ${slow.result.latencyMsMax.toFixed(0)} ms`,
  ]);
  rows.push([`CPU s per million spans at ${slowRate} spans/s`, perMillion(slow)]);
  const { readyMs, rss } = await idle();
  rows.push([
    `start to ready, median of ${starts} (worst)`,
    `${readyMs[starts >> 1]!.toFixed(0)} ms (${readyMs[starts - 1]!.toFixed(0)})`,
    "≤ 300 ms",
    "seconds",
  ]);
  rows.push(["idle RSS", mebibytes(rss), "≤ 80 MB", "101 MB"]);
}
printTable(["", "Rubato", "budget", "Tempo 3.0.3"], rows);
const { result } = full;
process.stdout.write(
  `\n${result.acknowledgedSpans} spans acknowledged, ${result.refusedRequests} requests refused and sent again, ${result.failedSpans} spans given up; ` +
    `server CPU before the last flush ${full.cpuSecondsBeforeFlush.toFixed(1)} s of ${full.cpuSeconds.toFixed(1)} s; ` +
    `generator ${(result.cpuSeconds / million(result.acknowledgedSpans)).toFixed(2)} CPU s per million spans (${values.protocol}, ${values["spans-per-request"]} spans a request)\n`,
);
for (const [message, count] of Object.entries(result.messages))
  process.stdout.write(`  ${count} × ${message}\n`);
if (values.threads) {
  for (const [name, { threads, result: sent }] of runs) {
    process.stdout.write(`\nCPU by thread of the server ${name}:\n`);
    const spans = million(sent.acknowledgedSpans);
    for (const [thread, cpu] of threads) {
      process.stdout.write(
        `  ${thread.padEnd(24)} ${cpu.toFixed(2)} s, ${(cpu / spans).toFixed(2)} per million spans\n`,
      );
    }
  }
}
printNoise(before, calibrate());
