// Trace by id over stored blocks: `bun bench/trace_lookup.ts [--spans 3000000] [--lookups 2000]`.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Rubato } from "../test/support/rubato.ts";
import { drive, withServer } from "./drive.ts";
import { traceIdHex } from "./load/ids.ts";
import { Random } from "./load/random.ts";
import { calibrate, mebibytes, printNoise, printTable, quantile } from "./table.ts";

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "3000000" },
    lookups: { type: "string", default: "2000" },
    settings: { type: "string", default: "{}" }, // JSON laid over the configuration
  },
});
const spans = Number(values.spans);
const lookups = Number(values.lookups);
const seed = 1;
const seedUnknown = 2;

async function time(
  server: Rubato,
  ids: string[],
  atOnce: number,
): Promise<{ ms: Float64Array; found: number; wall: number }> {
  const ms = new Float64Array(ids.length);
  let next = 0;
  let found = 0;
  const wallMs = performance.now();
  const client = async () => {
    while (next < ids.length) {
      const i = next++;
      const startMs = performance.now();
      const answer = await fetch(`http://127.0.0.1:${server.ports.http}/api/v2/traces/${ids[i]}`);
      const body = await answer.text();
      ms[i] = performance.now() - startMs;
      if (answer.status !== 200) throw new Error(`trace ${ids[i]}: status ${answer.status} ${body}`);
      if (body.includes('"spanId"')) found++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return { ms: ms.sort(), found, wall: performance.now() - wallMs };
}

const before = calibrate();
await withServer(await Rubato.start({ settings: JSON.parse(values.settings) }), async (server) => {
  const sent = await drive(server.ports.otlpGrpc, { spans, seed });
  await server.flush();
  // From a cold start: nothing in memory but what the server reads at start.
  await server.stop();
  await server.restart();
  const blocks = readdirSync(join(server.dataFolder, "blocks", "single-tenant")).length;
  const random = new Random(7);
  const hits = Array.from({ length: lookups }, () => traceIdHex(seed, random.below(sent.acknowledgedTraces)));
  const misses = Array.from({ length: lookups }, () => traceIdHex(seedUnknown, random.below(1 << 30)));
  const rows: string[][] = [];
  const add = (name: string, { ms, found, wall }: Awaited<ReturnType<typeof time>>, bar = "", tempo = "") =>
    rows.push([
      name,
      ...[0.5, 0.95, 0.99].map((q) => quantile(ms, q).toFixed(2)),
      (ms.length / (wall / 1000)).toFixed(0),
      String(found),
      bar,
      tempo,
    ]);
  add("first 50 after a start", await time(server, hits.slice(0, 50), 1));
  add("hits", await time(server, hits, 1), "≤ 5 ms p50", "40–70 ms");
  add("misses", await time(server, misses, 1));
  add("hits, 8 at once", await time(server, hits, 8));
  printTable(["", "p50 ms", "p95 ms", "p99 ms", "a second", "found", "budget", "Tempo 3.0.3"], rows);
  process.stdout.write(
    `\n${sent.acknowledgedSpans} spans in ${blocks} blocks; server RSS ${mebibytes(server.rssBytes())}, peak ${mebibytes(server.peakRssBytes())}\n`,
  );
});
printNoise(before, calibrate());
