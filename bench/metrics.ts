// TraceQL metrics over stored blocks and over live spans:
// `bun bench/metrics.ts [--spans 3000000] [--runs 15] [--live-spans 300000] [--only stored|live]`.
import { parseArgs } from "node:util";
import type { Rubato } from "../test/support/rubato.ts";
import { measure, printMeasured, type Windows } from "./measure_queries.ts";
import { metricsQueries, unboundedQuery } from "./metrics_queries.ts";
import { type Settings, withLive, withStored } from "./query_servers.ts";
import { calibrate, mebibytes, printNoise } from "./table.ts";

const { values } = parseArgs({
  options: {
    spans: { type: "string", default: "3000000" },
    runs: { type: "string", default: "15" },
    "live-spans": { type: "string", default: "300000" },
    only: { type: "string" },
    settings: { type: "string", default: "{}" }, // JSON laid over the configuration
  },
});
const runs = Number(values.runs);
const runsUnbounded = 3;
const seed = 1;
const settings: Settings = JSON.parse(values.settings);

async function measureAll(server: Rubato, windows: Windows): Promise<void> {
  printMeasured(await measure(server, metricsQueries, windows, runs));
  const peak = server.peakRssBytes();
  process.stdout.write(`\nA group for each span, and then the first query again:\n\n`);
  const again = metricsQueries.slice(0, 1);
  printMeasured([
    ...(await measure(server, [unboundedQuery], windows, runsUnbounded)),
    ...(await measure(server, again, windows, runs)),
  ]);
  process.stdout.write(
    `\nserver RSS peak ${mebibytes(peak)} before, ${mebibytes(server.peakRssBytes())} with it\n`,
  );
}

const before = calibrate();
if (values.only !== "live") {
  await withStored({ spans: values.spans, seed, settings }, measureAll);
}
if (values.only !== "stored") {
  await withLive({ spans: values["live-spans"], seed, settings }, async (server, windows) => {
    process.stdout.write(`\nLive, ${values["live-spans"]} spans in heads and no ingest:\n\n`);
    server.resetPeak();
    await measureAll(server, windows);
  });
}
printNoise(before, calibrate());
