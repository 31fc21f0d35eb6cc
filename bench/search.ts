// TraceQL search over stored blocks and over live spans:
// `bun bench/search.ts [--spans 3000000] [--runs 15] [--live-spans 300000] [--seconds 15] [--only stored|live]`.
import { parseArgs } from "node:util";
import type { Rubato } from "../test/support/rubato.ts";
import { drive, type PrintedResult } from "./drive.ts";
import { measure, printMeasured, Windows } from "./measure_queries.ts";
import { QueryClient } from "./query_client.ts";
import { type Settings, withLive, withStored } from "./query_servers.ts";
import { searchQueries } from "./search_queries.ts";
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
const queries = searchQueries(seed);
const settings: Settings = JSON.parse(values.settings);

async function stored(): Promise<void> {
  await withStored({ spans: values.spans, seed, settings }, async (server, windows) =>
    printMeasured(await measure(server, queries, windows, runs)),
  );
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
    await withLive({ spans: values["live-spans"], seed, settings }, async (server, windows) => {
      if (beside.pauseMs === null) {
        process.stdout.write(`\nLive, ${values["live-spans"]} spans in heads and no ingest:\n\n`);
        printMeasured(await measure(server, queries, windows, runs));
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
