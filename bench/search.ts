// TraceQL search over stored blocks and over live spans:
// `bun bench/search.ts [--spans 3000000] [--runs 15] [--live-spans 300000] [--seconds 15] [--only stored|live]`.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Rubato } from "../test/support/rubato.ts";
import { drive, type PrintedResult, withServer } from "./drive.ts";
import { QueryClient, type Timed } from "./query_client.ts";
import { type MeasuredQuery, measuredQueries } from "./search_queries.ts";
import { calibrate, mebibytes, printNoise, printTable, quantile } from "./table.ts";

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "3000000" },
    runs: { type: "string", default: "15" },
    "live-spans": { type: "string", default: "300000" },
    seconds: { type: "string", default: "15" }, // of ingest beside live queries
    only: { type: "string" },
    settings: { type: "string", default: "{}" }, // JSON laid over the configuration
  },
});
const runs = Number(values.runs);
const seed = 1;
const seedOfIngest = 2;
const ingestRate = 30_000;
const pausedMs = 100;
const marginSeconds = 60;
const queries = measuredQueries(seed);
const settings: NonNullable<Parameters<typeof Rubato.start>[0]>["settings"] = JSON.parse(values.settings);

/** Heads that are never cut while the benchmark runs. */
const liveSettings = {
  live_store: { max_block_duration: "1h", max_block_bytes: 4 * 1024 ** 3 },
  memory: { budget_bytes: 3 * 1024 ** 3 },
};

/** Time ranges around all that was sent, each of them new: no cache of answers helps. */
class Windows {
  private next = 0;

  constructor(
    private readonly fromMs: number,
    private readonly toMs: number,
  ) {}

  take(): { start: string; end: string } {
    const shift = marginSeconds + this.next++;
    return {
      start: String(Math.floor(this.fromMs / 1000) - shift),
      end: String(Math.ceil(this.toMs / 1000) + shift),
    };
  }
}

interface Measured {
  query: MeasuredQuery;
  firstMs: number;
  sortedMs: Float64Array; // of the runs after the first
  cpuMs: number; // of the server, per run
  found: string;
}

async function measure(server: Rubato, windows: Windows): Promise<Measured[]> {
  const client = new QueryClient(server.ports.http);
  const all: Measured[] = [];
  for (const query of queries) {
    const ask = () => client.ask(query.path, { ...query.parameters, ...windows.take() });
    const first = await ask();
    const found = new Set([foundIn(query, first)]);
    const ms = new Float64Array(first.status === 200 ? runs : 0);
    const cpuAtStart = server.cpuSeconds();
    for (let i = 0; i < ms.length; i++) {
      const timed = await ask();
      ms[i] = timed.ms;
      found.add(foundIn(query, timed));
    }
    const cpuMs = ((server.cpuSeconds() - cpuAtStart) / ms.length) * 1000;
    all.push({ query, firstMs: first.ms, sortedMs: ms.sort(), cpuMs, found: [...found].join(", ") });
  }
  client.close();
  return all;
}

function foundIn(query: MeasuredQuery, { status, body }: Timed): string {
  return status === 200 ? String(query.count(JSON.parse(body.toString("utf8")))) : `status ${status}`;
}

function printMeasured(measured: Measured[]): void {
  const rows = measured.map(({ query, firstMs, sortedMs, cpuMs, found }) => [
    query.name,
    ...[quantile(sortedMs, 0.5), quantile(sortedMs, 0.95), sortedMs[0] ?? Number.NaN, firstMs, cpuMs].map(
      (ms) => (Number.isNaN(ms) ? "" : ms.toFixed(1)),
    ),
    found,
    query.bar,
    query.tempo,
  ]);
  const head = ["", "p50 ms", "p95 ms", "min ms", "first ms", "CPU ms", "found", "bar", "Tempo 3.0.3"];
  printTable(head, rows);
}

async function stored(): Promise<void> {
  await withServer(await Rubato.start({ settings }), async (server) => {
    const fromMs = Date.now();
    const sent = await drive(server.ports.otlpGrpc, { spans: values.spans, seed });
    await server.flush();
    const windows = new Windows(fromMs, Date.now());
    // From a cold start: nothing in memory but what the server reads at start.
    await server.stop();
    await server.restart();
    const blocks = readdirSync(join(server.dataFolder, "blocks", "single-tenant")).length;
    const atStart = server.rssBytes();
    server.resetPeak();
    printMeasured(await measure(server, windows));
    process.stdout.write(
      `\n${sent.acknowledgedSpans} spans in ${blocks} blocks; server RSS ${mebibytes(atStart)} after the start, ` +
        `${mebibytes(server.rssBytes())} after the queries, peak ${mebibytes(server.peakRssBytes())}\n`,
    );
  });
}

interface Beside {
  name: string;
  /** Between two queries; null: no queries. */
  pauseMs: number | null;
}

interface LiveRun {
  sent: PrintedResult;
  cpuSeconds: number;
  rss: number;
  queryMs: Float64Array;
  failed: number;
}

/** Ingest at a fixed rate into heads that hold spans already, with queries beside it. */
async function ingestBeside(server: Rubato, { pauseMs }: Beside): Promise<LiveRun> {
  const windows = new Windows(Date.now(), Date.now() + Number(values.seconds) * 1000);
  const cpuAtStart = server.cpuSeconds();
  let done = false;
  const driven = drive(server.ports.otlpGrpc, {
    rate: ingestRate,
    seconds: values.seconds,
    seed: seedOfIngest,
  });
  const ingest = driven.finally(() => {
    done = true;
  });
  const client = new QueryClient(server.ports.http);
  const queryMs: number[] = [];
  let failed = 0;
  for (let i = 0; !done && pauseMs !== null; i++) {
    const query = queries[i % queries.length]!;
    const { ms, status } = await client.ask(query.path, { ...query.parameters, ...windows.take() });
    if (status === 200) queryMs.push(ms);
    else failed++;
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.max(0, pauseMs - ms)));
  }
  const sent = await ingest;
  client.close();
  return {
    sent,
    cpuSeconds: server.cpuSeconds() - cpuAtStart,
    rss: server.rssBytes(),
    queryMs: Float64Array.from(queryMs).sort(),
    failed,
  };
}

async function live(): Promise<void> {
  const besides: Beside[] = [
    { name: "no queries", pauseMs: null },
    { name: `one query every ${pausedMs} ms`, pauseMs: pausedMs },
    { name: "one query after another", pauseMs: 0 },
  ];
  const rows: string[][] = [];
  for (const beside of besides) {
    const server = await Rubato.start({ settings: { ...settings, ...liveSettings } });
    await withServer(server, async () => {
      const fromMs = Date.now();
      await drive(server.ports.otlpGrpc, { spans: values["live-spans"], seed });
      if (beside.pauseMs === null) {
        process.stdout.write(`\nLive, ${values["live-spans"]} spans in heads and no ingest:\n\n`);
        printMeasured(await measure(server, new Windows(fromMs, Date.now())));
      }
      rows.push(liveRow(beside.name, await ingestBeside(server, beside)));
    });
  }
  process.stdout.write(`\nLive, ${ingestRate} spans/s beside the same queries in turn:\n\n`);
  const head = [
    "",
    "spans/s",
    "worst second",
    "request p50 / p99 / max ms",
    "server CPU s",
    "queries",
    "query p50 / p95 ms",
    "RSS",
  ];
  printTable(head, rows);
}

function liveRow(name: string, { sent, cpuSeconds, rss, queryMs, failed }: LiveRun): string[] {
  const latency = [sent.latencyMsP50, sent.latencyMsP99, sent.latencyMsMax].map((ms) => ms.toFixed(1));
  return [
    name,
    Math.round(sent.spansPerSecond).toString(),
    sent.spansPerSecondLow.toString(),
    latency.join(" / "),
    cpuSeconds.toFixed(1),
    failed > 0 ? `${queryMs.length}, ${failed} failed` : String(queryMs.length),
    queryMs.length === 0 ? "" : [0.5, 0.95].map((q) => quantile(queryMs, q).toFixed(1)).join(" / "),
    mebibytes(rss),
  ];
}

const before = calibrate();
if (values.only !== "live") await stored();
if (values.only !== "stored") await live();
printNoise(before, calibrate());
