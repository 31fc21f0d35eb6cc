// Compaction of stored blocks down to as few as there can be: `bun bench/compaction.ts [--spans 3000000] [--settings '{}']`.
// The merges run in this process, one after the other, as they do in a block worker.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BlockMeta } from "../src/block/meta.ts";
import { compactJob } from "../src/compact/compact_job.ts";
import { Compactor } from "../src/compact/compactor.ts";
import type { Merged } from "../src/compact/merge_blocks.ts";
import { compactionSettings } from "../src/compact/settings.ts";
import { defaultConfig } from "../src/config/defaults.ts";
import { BlockList } from "../src/store/block_list.ts";
import { realClock } from "../src/store/clock.ts";
import { LocalStore } from "../src/store/local_store.ts";
import { Rubato } from "../test/support/rubato.ts";
import { drive, withServer } from "./drive.ts";
import { calibrate, mebibytes, printNoise, printTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "3000000" },
  },
});
/** Runs of the generator, each with traces of its own. */
const seeds = 4;
const hourMs = 3_600_000;

interface Level {
  jobs: number;
  inputs: number;
  spans: number;
  bytesIn: number;
  bytesOut: number;
  cpuSeconds: number;
  seconds: number;
  peakBytes: number;
}

function resetPeak(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}

function peakBytes(): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const bytesOf = (metas: readonly BlockMeta[]): number => metas.reduce((sum, { size }) => sum + size, 0);

/** Merges all that there is, and counts by the level of the output. */
async function compact(folder: string): Promise<void> {
  const store = new LocalStore(folder);
  const blocks = new BlockList(store, { compactedMsMax: 0 });
  await blocks.load();
  const before = blocks.live("single-tenant");
  const levels = new Map<number, Level>();
  const atStart = process.memoryUsage.rss();
  const compactor = new Compactor({
    store,
    blocks,
    settings: compactionSettings(defaultConfig()),
    merge: async (params, signal) => {
      resetPeak();
      const startCpu = cpuSeconds();
      const startMs = performance.now();
      const outcome = await compactJob(store, params, signal);
      if ("failure" in outcome) return outcome;
      count(levels, params.metas, outcome, {
        cpuSeconds: cpuSeconds() - startCpu,
        seconds: (performance.now() - startMs) / 1000,
      });
      return outcome;
    },
    isBusy: () => false,
    clock: realClock,
    now: () => performance.now(),
    // The window that the blocks were written in is over.
    unixMs: () => Date.now() + 2 * hourMs,
  });
  while ((await compactor.run(new AbortController().signal)).jobs > 0);
  const after = blocks.live("single-tenant");
  printLevels(levels);
  const spans = Number(values.spans);
  process.stdout.write(
    `\n${spans} spans: ${before.length} blocks of ${(bytesOf(before) / spans).toFixed(1)} bytes per span, ` +
      `then ${after.length} of ${(bytesOf(after) / spans).toFixed(1)}; RSS ${mebibytes(atStart)} before the first merge\n`,
  );
}

function count(
  levels: Map<number, Level>,
  metas: readonly BlockMeta[],
  { meta, spans }: Merged,
  took: { cpuSeconds: number; seconds: number },
): void {
  const none = {
    jobs: 0,
    inputs: 0,
    spans: 0,
    bytesIn: 0,
    bytesOut: 0,
    cpuSeconds: 0,
    seconds: 0,
    peakBytes: 0,
  };
  const level = levels.get(meta.compactionLevel) ?? none;
  levels.set(meta.compactionLevel, {
    jobs: level.jobs + 1,
    inputs: level.inputs + metas.length,
    spans: level.spans + spans,
    bytesIn: level.bytesIn + bytesOf(metas),
    bytesOut: level.bytesOut + meta.size,
    cpuSeconds: level.cpuSeconds + took.cpuSeconds,
    seconds: level.seconds + took.seconds,
    peakBytes: Math.max(level.peakBytes, peakBytes()),
  });
}

function printLevels(levels: Map<number, Level>): void {
  const head = [
    "level",
    "jobs",
    "inputs",
    "spans",
    "spans/s per core",
    "CPU µs/span",
    "bytes/span",
    "",
    "peak RSS",
  ];
  printTable(
    head,
    [...levels].map(([level, one]) => [
      String(level),
      String(one.jobs),
      String(one.inputs),
      String(one.spans),
      Math.round(one.spans / one.cpuSeconds).toString(),
      ((one.cpuSeconds * 1e6) / one.spans).toFixed(2),
      (one.bytesIn / one.spans).toFixed(1),
      (one.bytesOut / one.spans).toFixed(1),
      mebibytes(one.peakBytes),
    ]),
  );
}

const noise = calibrate();
await withServer(await Rubato.start(), async (server) => {
  for (let seed = 1; seed <= seeds; seed++) {
    await drive(server.ports.otlpGrpc, { spans: Math.ceil(Number(values.spans) / seeds), seed });
  }
  await server.flush();
  await server.stop();
  await compact(join(server.dataFolder, "blocks"));
});
printNoise(noise, calibrate());
