// What every backend of a network has to hold: spans that were acknowledged are found again after a kill, from blocks that others can read.
import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { traceIdHex } from "../../bench/load/ids.ts";
import { loadDefaults, runLoad } from "../../bench/load/run.ts";
import { spansPerTrace } from "../../bench/load/shop.ts";
import type { Rubato } from "./rubato.ts";
import { blockFiles, storedTraces } from "./stored_spans.ts";
import { checkTraces } from "./trace_reader.ts";

/**
 * Loads a server that was just started, ends it in both ways, and looks for everything in it and in its blocks.
 *
 * @param blocksFolder gives the folder in which the objects of the store lie as files, once the server has ended
 */
export async function checkKeptBlocks(
  rubato: Rubato,
  blocksFolder: () => string | Promise<string>,
): Promise<void> {
  const load = (seed: number) =>
    runLoad({ ...loadDefaults, port: rubato.ports.otlpGrpc, seed, spans: 20_000, seconds: 30 });
  const flushed = await load(1);
  await rubato.flush();
  const killed = await load(2);
  await rubato.kill(); // with the second half in its log
  await rubato.restart();
  await rubato.flush();
  const ids = [
    ...Array.from(flushed.acknowledged, (trace) => traceIdHex(1, trace)),
    ...Array.from(killed.acknowledged, (trace) => traceIdHex(2, trace)),
  ];
  expect(ids).toHaveLength(40_000 / spansPerTrace);
  const some = ids.filter((_, i) => i % 50 === 0);
  const whole = { whole: some.length, missing: [], partial: [], repeated: [] };
  expect(await checkTraces(rubato, some, spansPerTrace)).toEqual(whole);
  await rubato.stop();
  await rubato.restart();
  expect(await checkTraces(rubato, some, spansPerTrace)).toEqual(whole);
  const found = await rubato.request(`/api/search?q=${encodeURIComponent("{}")}&limit=5`);
  expect(found.status).toBe(200);
  await rubato.stop();
  // On the disk there is the log alone.
  expect(readdirSync(rubato.dataFolder, { recursive: true }).map(String)).not.toContainEqual(
    expect.stringContaining("data.parquet"),
  );
  const stored = await storedTraces(blockFiles(await blocksFolder()));
  expect([...stored.keys()].sort()).toEqual([...ids].sort());
  for (const { spans } of stored.values()) expect(spans).toBe(spansPerTrace);
}
