// The memory budget is a number that holds: whatever clients send, the process stays near it, and what it takes it keeps.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { traceIdHex } from "../bench/load/ids.ts";
import { loadDefaults, runLoad } from "../bench/load/run.ts";
import { spansPerTrace } from "../bench/load/shop.ts";
import { Rubato } from "./support/rubato.ts";
import { blockFiles, storedTraces } from "./support/stored_spans.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const mebibyte = 1024 * 1024;
const seconds = Number(process.env.RUBATO_MEMORY_SECONDS ?? 5);

let server: Rubato | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
});

test("a budget of 64 MiB at full speed stays within a container of 256 MiB and loses nothing", async () => {
  server = await Rubato.start({ settings: { memory: { budget_bytes: 64 * mebibyte } } });
  const sent = await runLoad({
    ...loadDefaults,
    port: server.ports.otlpGrpc,
    seconds,
    connections: 8,
    inFlight: 8,
  });
  expect(server.peakRssBytes() / mebibyte).toBeLessThan(256);
  expect(sent.failedSpans).toBe(0);
  expect(sent.lostSpans).toBe(0);
  expect(sent.acknowledgedSpans).toBeGreaterThan(100_000);
  for (const message of Object.keys(sent.messages)) expect(message).toMatch(/grpc status 8: /);
  await server.flush();
  const stored = await storedTraces(blockFiles(join(server.dataFolder, "blocks")));
  const wrong: string[] = [];
  for (const trace of sent.acknowledged) {
    const id = traceIdHex(loadDefaults.seed, trace);
    const found = stored.get(id);
    if (found?.spans !== spansPerTrace || found.distinct !== spansPerTrace) wrong.push(id);
  }
  expect(wrong).toEqual([]);
});
