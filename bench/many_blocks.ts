// Queries of a server whose thousands of small blocks lie in an S3 server that takes 20 ms for every request:
// `bun bench/many_blocks.ts [--blocks 2000] [--lookups 50] [--runs 5] [--only lookup|search] [--folder F] [--settings '{}']`.
// The blocks are written once, into a scratch folder.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ConnectError } from "@connectrpc/connect";
import { Rubato } from "../test/support/rubato.ts";
import { versitygwMissing } from "../test/support/s3_server.ts";
import { withServer } from "./drive.ts";
import { traceIdHex } from "./load/ids.ts";
import { Random } from "./load/random.ts";
import { type ManyBlocks, seed, withManyBlocks } from "./many_blocks_data.ts";
import { list } from "./measure_queries.ts";
import { QueryClient } from "./query_client.ts";
import type { Settings } from "./query_servers.ts";
import { StreamClient, type StreamedSearch } from "./query_stream.ts";
import { type Counts, SlowStore } from "./slow_store.ts";
import { calibrate, mebibytes, printNoise, printTable, quantile } from "./table.ts";

const { values } = parseArgs({
  options: {
    blocks: { type: "string", default: "2000" },
    lookups: { type: "string", default: "50" },
    runs: { type: "string", default: "5" },
    only: { type: "string" },
    folder: { type: "string", default: join(tmpdir(), "rubato-bench-many-blocks") },
    settings: { type: "string", default: "{}" }, // JSON laid over the configuration
  },
});
const delayMs = 20;
const warmUps = 3;
const indexMsMax = 120_000;
const statusMs = 100;
const hourSeconds = 3600;
const daySeconds = 24 * hourSeconds;
const limit = 20;
const seedUnknown = 4;
const lookups = Number(values.lookups);
const runs = Number(values.runs);

const queries = [
  "{ status = error }",
  '{ resource.service.name = "cart" && span.http.status_code >= 500 }',
  '{ span.http.url =~ ".*op7.*" }',
  '{ span.user.id = "nobody" }',
  '{ resource.service.name = "frontend" } >> { status = error }',
];

/** The server as an operator would run it, but that the number of blocks stays what it is. */
function settingsOf(store: SlowStore, s3: { backend: string; s3: Settings }): Settings {
  const given = JSON.parse(values.settings) as { storage?: { trace?: Settings } } & Settings;
  return {
    ...given,
    overrides: { defaults: { compaction: { compaction_disabled: true } } },
    storage: { trace: { ...s3, s3: { ...s3.s3, endpoint: store.endpoint }, ...given.storage?.trace } },
  };
}

async function starts(server: Rubato, store: SlowStore): Promise<void> {
  await server.stop();
  store.take();
  await server.restart();
  process.stdout.write(
    `\nStart to ready, block list known: ${server.readyMs.toFixed(0)} ms, ${countsText(store.take(), 1)}; RSS ${mebibytes(server.rssBytes())}\n`,
  );
  const indexedMs = await indexed(server);
  process.stdout.write(
    `Index from trace ids to blocks: ${indexedMs.toFixed(0)} ms later, ${countsText(store.take(), 1)}\n\n`,
  );
}

/** Starts it anew, with nothing in memory but the block list and the index. */
async function restart(server: Rubato): Promise<void> {
  await server.stop();
  await server.restart();
  await indexed(server);
}

/** Waits until the index covers all blocks. @returns ms */
async function indexed(server: Rubato): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const { tasks } = JSON.parse((await server.request("/status/scheduler?format=json")).text()) as {
      tasks: { name: string; runs: number; detail?: { blocks: number; coveredBlocks: number } }[];
    };
    const task = tasks.find(({ name }) => name === "build index");
    if (task === undefined) return 0;
    const { runs, detail } = task;
    if (runs > 0 && detail && detail.coveredBlocks >= detail.blocks) return performance.now() - startMs;
    if (performance.now() - startMs > indexMsMax) throw new Error("the index does not cover all blocks");
    await new Promise((resolve) => setTimeout(resolve, statusMs));
  }
}

/** One after the other. */
async function lookUp(server: Rubato, store: SlowStore, name: string, ids: string[], bar = "") {
  const client = new QueryClient(server.ports.http);
  store.take();
  const ms: number[] = [];
  const statuses = new Map<number, number>();
  for (const id of ids) {
    const answer = await client.ask(`/api/v2/traces/${id}`, {});
    ms.push(answer.ms);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  }
  client.close();
  ms.sort((a, b) => a - b);
  const answers = [...statuses].map(([status, count]) => `${count} × ${status}`).join(", ");
  const counts = store.take();
  return [
    name,
    ...[0.5, 0.99].map((q) => quantile(ms, q).toFixed(1)),
    answers,
    countsText(counts, ids.length),
    bar,
  ];
}

async function lookup(server: Rubato, store: SlowStore, data: ManyBlocks): Promise<void> {
  const random = new Random(7);
  const blocks = data.traces.map((trace) => ({ trace, at: random.next() })).sort((a, b) => a.at - b.at);
  const cold = blocks.slice(0, lookups).map(({ trace }) => traceIdHex(seed, trace));
  const absent = Array.from({ length: lookups }, (_, i) => traceIdHex(seedUnknown, i));
  await restart(server);
  const rows = [
    await lookUp(server, store, "first after the start", cold.slice(0, 1)),
    await lookUp(server, store, "cold: each in another block", cold.slice(1), "≤ 60 ms p50"),
    await lookUp(server, store, "the same again", cold.slice(1)),
    await lookUp(server, store, "absent ids", absent, "≤ 5 ms p50"),
  ];
  printTable(["trace by id", "p50 ms", "p99 ms", "answers", "each asks for", "bar"], rows);
  process.stdout.write(
    `\nServer RSS ${mebibytes(server.rssBytes())}, peak ${mebibytes(server.peakRssBytes())}\n\n`,
  );
}

interface TimedSearch {
  /** Sorted. */
  firstMs: number[];
  wholeMs: number[];
  httpMs: number[];
  found: Set<string>;
  counts: string;
}

async function searchOnce(server: Rubato, q: string, range: Range): Promise<StreamedSearch> {
  const client = new StreamClient(server.ports.grpc);
  try {
    return await client.search(q, limit, range.start, range.end);
  } finally {
    client.close();
  }
}

interface Range {
  start: number;
  end: number;
}

/** @param times each over the stream and over HTTP */
async function timed(
  server: Rubato,
  store: SlowStore,
  q: string,
  range: Range,
  times: number,
): Promise<TimedSearch> {
  const timed: TimedSearch = { firstMs: [], wholeMs: [], httpMs: [], found: new Set(), counts: "" };
  const client = new QueryClient(server.ports.http);
  store.take();
  for (let i = 0; i < times; i++) {
    try {
      const { firstMs, wholeMs, found } = await searchOnce(server, q, range);
      timed.firstMs.push(firstMs);
      timed.wholeMs.push(wholeMs);
      timed.found.add(String(found));
    } catch (error) {
      timed.found.add(`failed: ${ConnectError.from(error).rawMessage}`);
    }
    if (i === 0) timed.counts = countsText(store.take(), 1);
  }
  for (let i = 0; i < times; i++) {
    const parameters = { q, limit: String(limit), start: String(range.start), end: String(range.end) };
    const { ms, status, body } = await client.ask("/api/search", parameters);
    if (status === 200) {
      timed.httpMs.push(ms);
      timed.found.add(String(list(JSON.parse(body.toString("utf8")), "traces").length));
    } else timed.found.add(`status ${status}`);
  }
  client.close();
  for (const ms of [timed.firstMs, timed.wholeMs, timed.httpMs]) ms.sort((a, b) => a - b);
  return timed;
}

async function search(server: Rubato, store: SlowStore, data: ManyBlocks): Promise<void> {
  const end = Math.ceil(data.endMs / 1000);
  const ranges: [string, Range][] = [
    ["last hour", { start: end - hourSeconds, end }],
    ["last day", { start: end - daySeconds, end }],
  ];
  const rows: string[][] = [];
  const p50 = (ms: number[]) => (ms.length === 0 ? "" : quantile(ms, 0.5).toFixed(0));
  for (const [name, range] of ranges) {
    for (const q of queries) {
      // Nothing in memory but what the server reads at its start.
      await restart(server);
      // Elsewhere, so that the runtime has met the code but the server none of the blocks.
      await timed(
        server,
        store,
        q,
        { start: range.end - daySeconds, end: range.end - daySeconds + hourSeconds },
        warmUps,
      );
      const cold = await timed(server, store, q, range, 1);
      const warm = await timed(server, store, q, range, runs);
      rows.push([
        `${name}: ${q}`,
        p50(cold.firstMs),
        p50(cold.wholeMs),
        cold.counts,
        p50(warm.firstMs),
        p50(warm.wholeMs),
        p50(warm.httpMs),
        warm.counts,
        [...new Set([...cold.found, ...warm.found])].join(", "),
        "≤ 150 ms",
      ]);
    }
  }
  const head = [
    `search, limit ${limit}`,
    "cold: first results ms",
    "all ms",
    "asks for",
    "again: first results p50 ms",
    "all p50 ms",
    "HTTP p50 ms",
    "asks for",
    "found",
    "bar of first results",
  ];
  printTable(head, rows);
  process.stdout.write(
    `\nServer RSS ${mebibytes(server.rssBytes())}, peak of the last ${mebibytes(server.peakRssBytes())}\n`,
  );
}

function countsText({ requests, byKind, objects, bytes }: Counts, queries: number): string {
  const each = (count: number) => (count / queries).toFixed(queries === 1 ? 0 : 1);
  const kinds = [...byKind]
    .sort((a, b) => b[1] - a[1])
    .map(([kind, count]) => `${kind} ${each(count)}`)
    .join(", ");
  if (requests === 0) return "nothing";
  return `${each(requests)} requests (${kinds}) of ${each(objects.size)} objects, ${(bytes / queries / 1024).toFixed(0)} KiB`;
}

if (versitygwMissing !== null) {
  process.stdout.write(`many_blocks: left out, ${versitygwMissing}\n`);
  process.exit(0);
}
const before = calibrate();
await withManyBlocks(values.folder, Number(values.blocks), async (s3, data) => {
  const store = await SlowStore.start(s3.port, delayMs);
  process.stdout.write(
    `${data.blocks} blocks of ${data.spans} spans and ${mebibytes(data.bytes)} within a day, ${delayMs} ms for each request\n`,
  );
  try {
    await withServer(await Rubato.start({ settings: settingsOf(store, s3.settings()) }), async (server) => {
      await starts(server, store);
      if (values.only !== "search") await lookup(server, store, data);
      if (values.only !== "lookup") await search(server, store, data);
    });
  } finally {
    await store.stop();
  }
});
printNoise(before, calibrate());
