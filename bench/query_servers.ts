// Servers with spans in them that nothing but queries keeps busy: all in blocks, or all in heads.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Rubato } from "../test/support/rubato.ts";
import { drive, withServer } from "./drive.ts";
import { Windows } from "./measure_queries.ts";
import { mebibytes } from "./table.ts";

export type Settings = NonNullable<NonNullable<Parameters<typeof Rubato.start>[0]>["settings"]>;

export interface Load {
  spans: string;
  seed: number;
  settings: Settings;
}

/** Heads that are never cut while the benchmark runs. */
export const liveSettings = {
  live_store: { max_block_duration: "1h", max_block_bytes: 4 * 1024 ** 3 },
  memory: { budget_bytes: 3 * 1024 ** 3 },
};

type Run = (server: Rubato, windows: Windows) => Promise<void>;

/** Stores the spans, runs on them from a cold start, and prints what memory that took. */
export async function withStored({ spans, seed, settings }: Load, run: Run): Promise<void> {
  await withServer(await Rubato.start({ settings }), async (server) => {
    const fromMs = Date.now();
    const sent = await drive(server.ports.otlpGrpc, { spans, seed });
    await server.flush();
    const windows = new Windows(fromMs, Date.now());
    // From a cold start: nothing in memory but what the server reads at start.
    await server.stop();
    await server.restart();
    const blocks = readdirSync(join(server.dataFolder, "blocks", "single-tenant")).length;
    const atStart = server.rssBytes();
    server.resetPeak();
    await run(server, windows);
    process.stdout.write(
      `\n${sent.acknowledgedSpans} spans in ${blocks} blocks; server RSS ${mebibytes(atStart)} after the start, ` +
        `${mebibytes(server.rssBytes())} after the queries, peak ${mebibytes(server.peakRssBytes())}\n`,
    );
  });
}

/** The same with all spans in heads. */
export async function withLive({ spans, seed, settings }: Load, run: Run): Promise<void> {
  await withServer(await Rubato.start({ settings: { ...settings, ...liveSettings } }), async (server) => {
    const fromMs = Date.now();
    await drive(server.ports.otlpGrpc, { spans, seed });
    await run(server, new Windows(fromMs, Date.now()));
  });
}
