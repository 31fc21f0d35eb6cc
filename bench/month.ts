// A month of a server's timed work, simulated: ten thousand small blocks are flushed one after the other, and the schedule with all its
// tasks, polling, compaction and retention among them, runs on a clock of its own:
// `bun bench/month.ts [--days 30] [--blocks 10000] [--traces 10] [--retention-days 14] [--print-days 2] [--settings '{}']`.
import { parseArgs } from "node:util";
import { Compactor } from "../src/compact/compactor.ts";
import { mergeBlocks } from "../src/compact/merge_blocks.ts";
import { compactionSettings } from "../src/compact/settings.ts";
import type { Config } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import { BlockFilters } from "../src/filter/block_filters.ts";
import { FilterMaker } from "../src/jobs/build_filter.ts";
import { retentionOf } from "../src/retention/configured.ts";
import { Schedule } from "../src/schedule/schedule.ts";
import { scheduleCompaction, scheduleIndex, scheduleTasks } from "../src/schedule/tasks.ts";
import { BlockList } from "../src/store/block_list.ts";
import { BlockListPoll, pollOptionsOf } from "../src/store/block_list_poll.ts";
import { MemoryStore } from "../src/store/memory_store_fixture.ts";
import { log } from "../src/telemetry/log.ts";
import { BlockGenerator, generatedTenant } from "./generated_blocks.ts";
import { traceIdHex } from "./load/ids.ts";
import { spansPerTrace } from "./load/shop.ts";
import { costOfLookup, costOfSearch, type QueryCost } from "./query_cost.ts";
import { SteppedClock } from "./stepped_clock.ts";
import { calibrate, mebibytes, printNoise, printTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    days: { type: "string", default: "30" },
    blocks: { type: "string", default: "10000" },
    traces: { type: "string", default: "10" }, // of a block
    "retention-days": { type: "string", default: "14" },
    "print-days": { type: "string", default: "2" },
    settings: { type: "string", default: "{}" }, // JSON laid over the configuration
  },
});
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Whatever is due more often is done so often. */
const stepMs = 30_000;
const days = Number(values.days);
const blocks = Number(values.blocks);
const tracesPerBlock = Number(values.traces);
const retentionDays = Number(values["retention-days"]);
const filterBytesMax = 16 << 20;
const seed = 5;
const seedUnknown = 6;
/** A span of it is in every trace of the generator. */
const query = '{ span.user.id = "nobody" }';
/** How old the trace is that is looked for. */
const lookupAgeMs = 6 * hourMs;

interface Totals {
  flushed: number;
  flushedBytes: number;
  merged: number;
  mergedBytes: number;
  mergedSpans: number;
  jobs: number;
  deleted: number;
}

function configOf(): Config {
  const given = JSON.parse(values.settings) as Record<string, unknown>;
  const text = JSON.stringify({
    backend_worker: { compaction: { block_retention: `${retentionDays * 24}h` } },
    ...given,
  });
  const { config } = loadConfig({ text });
  // Waits of a real clock.
  config.storage.trace.blocklist_poll_jitter_ms = 0;
  return config;
}

class Month {
  readonly #config = configOf();
  readonly #startMs = Date.now() - days * dayMs;
  readonly #clock = new SteppedClock(this.#startMs, stepMs);
  readonly #now = () => this.#clock.now();
  readonly #store = new MemoryStore(this.#now);
  readonly #list: BlockList;
  readonly #schedule = new Schedule(this.#clock, () => 0.5);
  readonly #retention;
  readonly #compactor: Compactor;
  readonly #filters: BlockFilters;
  readonly #generator = new BlockGenerator(seed);
  readonly #totals: Totals = {
    flushed: 0,
    flushedBytes: 0,
    merged: 0,
    mergedBytes: 0,
    mergedSpans: 0,
    jobs: 0,
    deleted: 0,
  };
  /** Spans that were written, by compaction level. */
  readonly #levels = new Map<number, number>();
  readonly #rows: string[][] = [];

  constructor() {
    const config = this.#config;
    const compactedMsMax = 2 * config.storage.trace.blocklist_poll;
    this.#list = new BlockList(this.#store, { compactedMsMax, now: this.#now });
    this.#retention = retentionOf(config, this.#store, this.#list, this.#now);
    this.#compactor = new Compactor({
      store: this.#store,
      blocks: this.#list,
      settings: compactionSettings(config),
      // Without the pauses that a block worker makes, which take real time.
      merge: async ({ metas, ...params }) => {
        const merged = await mergeBlocks(this.#store, metas, params, async () => {});
        const { size, compactionLevel } = merged.meta;
        this.#totals.jobs++;
        this.#totals.merged += metas.length;
        this.#totals.mergedSpans += merged.spans;
        this.#totals.mergedBytes += size;
        this.#levels.set(compactionLevel, (this.#levels.get(compactionLevel) ?? 0) + merged.spans);
        return merged;
      },
      isBusy: () => false,
      clock: this.#clock,
      now: this.#now,
      unixMs: this.#now,
    });
    scheduleTasks(this.#schedule, {
      config,
      ingest: { cutAged: () => this.#flush(), memory: { budgetBytes: Number.POSITIVE_INFINITY } },
      poll: new BlockListPoll(this.#store, this.#list, { ...pollOptionsOf(config), now: this.#now }),
      polled: () => {},
      retention: this.#retention,
      retained: () => {},
      freeSpace: null,
    });
    scheduleCompaction(this.#schedule, config, this.#compactor);
    const maker = new FilterMaker(this.#store);
    this.#filters = new BlockFilters({
      listed: () => this.#list.candidates(generatedTenant),
      build: (meta, signal) => maker.make(meta, signal),
      bytesMax: filterBytesMax,
      buildsMax: 1,
      waits: false,
      isBusy: () => false,
      stored: null,
      clock: this.#clock,
    });
    scheduleIndex(this.#schedule, this.#filters);
  }

  async run(): Promise<void> {
    const startMs = performance.now();
    for (let step = 1; step <= (days * dayMs) / stepMs; step++) {
      await this.#clock.step(() => this.#idle());
      const day = (step * stepMs) / dayMs;
      if (Number.isInteger(day / Number(values["print-days"]))) await this.#note(day);
    }
    this.#print((performance.now() - startMs) / 1000);
    await this.#schedule.stop();
  }

  /** Writes the blocks whose time has come. */
  async #flush(): Promise<void> {
    const everyMs = (days * dayMs) / blocks;
    for (;;) {
      const number = this.#totals.flushed;
      const toMs = this.#startMs + (number + 1) * everyMs;
      if (toMs > this.#now()) return;
      const firstTrace = number * tracesPerBlock;
      const block = { number, firstTrace, traces: tracesPerBlock, fromMs: toMs - everyMs, toMs };
      const { meta } = await this.#generator.write(this.#store, block);
      this.#totals.flushed++;
      this.#totals.flushedBytes += meta.size;
      this.#list.add(meta);
    }
  }

  async #idle(): Promise<void> {
    while (this.#schedule.status().some(({ running }) => running)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #note(day: number): Promise<void> {
    const nowMs = this.#now();
    const end = Math.floor(nowMs / 1000);
    const live = this.#list.live(generatedTenant);
    const ofAge = Math.floor((nowMs - this.#startMs - lookupAgeMs) / ((days * dayMs) / blocks));
    const id = traceIdHex(seed, ofAge * tracesPerBlock);
    const hit = await this.#lookUp(id);
    const miss = await this.#lookUp(traceIdHex(seedUnknown, day));
    const range = { start: end - hourMs / 1000, end };
    const search = await costOfSearch(this.#store, this.#list.view(), query, range);
    if (hit.found === 0 || miss.found > 0 || search.found > 0) throw new Error(`day ${day}: wrong answers`);
    const { flushed, flushedBytes, merged, mergedBytes, mergedSpans } = this.#totals;
    this.#rows.push([
      String(day),
      String(flushed),
      mebibytes(flushedBytes),
      String(live.length),
      String(this.#list.compacted(generatedTenant).length),
      String(merged),
      String(this.#retention.stats.marked),
      String(this.#retention.stats.deleted.age.blocks),
      (mergedBytes / flushedBytes).toFixed(2),
      (mergedSpans / (flushed * tracesPerBlock * spansPerTrace)).toFixed(2),
      costText(hit),
      costText(miss),
      costText(search),
    ]);
  }

  #lookUp(traceId: string): Promise<QueryCost> {
    const id = Buffer.from(traceId, "hex");
    const blocks = this.#filters.narrow(this.#list.candidates(generatedTenant), id);
    return costOfLookup(this.#store, blocks, id);
  }

  #print(seconds: number): void {
    const head = [
      "day",
      "flushed",
      "data",
      "live blocks",
      "compacted",
      "merged",
      "past retention",
      "deleted",
      "bytes rewritten per byte",
      "spans per span (≤ 3)",
      "trace by id",
      "absent id",
      "last hour's search",
    ];
    printTable(head, this.#rows);
    const { jobs, flushed } = this.#totals;
    const spans = flushed * tracesPerBlock * spansPerTrace;
    const byLevel = [...this.#levels]
      .sort((a, b) => a[0] - b[0])
      .map(([level, written]) => `level ${level} ${(written / spans).toFixed(2)}`);
    process.stdout.write(`\n${jobs} merges; spans written per span flushed: ${byLevel.join(", ")}\n`);
    const failed = this.#schedule.status().filter(({ failures }) => failures > 0);
    for (const { name, failures, lastError } of failed) {
      process.stdout.write(`task ${name} failed ${failures} times; the last: ${lastError}\n`);
    }
    const known = new Set(
      [
        ...this.#list.live(generatedTenant),
        ...this.#list.compacted(generatedTenant).map(({ meta }) => meta),
      ].map(({ blockID }) => `${generatedTenant}/${blockID}`),
    );
    const others = [...this.#store.objects.keys()].filter(
      (path) => !known.has(path.split("/").slice(0, 2).join("/")),
    );
    process.stdout.write(
      `${this.#store.objects.size} objects left, of no listed block: ${others.join(", ") || "none"}; ` +
        `${seconds.toFixed(0)} s for ${days} days, RSS ${mebibytes(process.memoryUsage.rss())}\n`,
    );
  }
}

function costText({ ms, requests, bytes }: QueryCost): string {
  return `${ms.toFixed(1)} ms, ${requests} reads, ${(bytes / 1024).toFixed(0)} KiB`;
}

log.configure({ level: "error", format: "logfmt" });
const before = calibrate();
await new Month().run();
printNoise(before, calibrate());
