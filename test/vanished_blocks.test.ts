// Another process merges and deletes blocks that a server has listed: its queries find all the same what they hold.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Rubato } from "./support/rubato.ts";

const tenant = "single-tenant";
const traces = [1, 2, 3].map((n) => n.toString(16).padStart(32, "a"));
const nowSeconds = Math.floor(Date.now() / 1000);
let rubato: Rubato;
let folder: string;

const blocks = () => readdirSync(folder).filter((name) => !name.startsWith("index"));

async function json(path: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${rubato.ports.http}${path}`);
  const body = await answer.text();
  expect([answer.status, body]).toEqual([200, body]);
  return JSON.parse(body) as Record<string, unknown>;
}

/** Gives a block another id, as if it had been merged, and deletes the old one. */
function moveAway(id: string, to: string): void {
  cpSync(join(folder, id), join(folder, to), { recursive: true });
  const path = join(folder, to, "meta.json");
  writeFileSync(
    path,
    JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), blockID: to, compactionLevel: 1 }),
  );
  rmSync(join(folder, id), { recursive: true });
}

beforeAll(async () => {
  rubato = await Rubato.start({ settings: { storage: { trace: { blocklist_poll: "1h" } } } });
  folder = join(rubato.dataFolder, "blocks", tenant);
  for (const [i, traceId] of traces.entries()) {
    const start = BigInt(nowSeconds - 60 + i) * 1_000_000_000n;
    const span = {
      traceId,
      spanId: "00000000000000ab",
      name: `span ${i}`,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + 1_000_000n),
    };
    await fetch(`http://127.0.0.1:${rubato.ports.otlpHttp}/v1/traces`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    });
    await fetch(`http://127.0.0.1:${rubato.ports.http}/flush`, { method: "POST" });
  }
  expect(blocks().length).toBe(3);
});

afterAll(async () => {
  await rubato.stop();
  rubato.remove();
});

const moved = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const range = `start=${nowSeconds - 600}&end=${nowSeconds + 60}`;

test("a search", async () => {
  moveAway(blocks()[0]!, moved(1));
  const { traces: found } = await json(`/api/search?q={}&limit=10&${range}`);
  expect((found as unknown[]).length).toBe(3);
});

test("a metrics query counts each span once", async () => {
  for (const [i, id] of blocks().entries()) moveAway(id, moved(10 + i));
  const { series } = await json(
    `/api/metrics/query?q=${encodeURIComponent("{} | count_over_time()")}&${range}`,
  );
  expect((series as { value: number }[]).map(({ value }) => value)).toEqual([3]);
});

test("a lookup, of each trace", async () => {
  for (const traceId of traces) {
    for (const [i, id] of blocks().entries()) moveAway(id, moved(Math.floor(Math.random() * 1e9) + i));
    const { trace } = await json(`/api/v2/traces/${traceId}`);
    expect((trace as { resourceSpans: unknown[] }).resourceSpans.length).toBe(1);
  }
});

test("a block that is deleted for good is missed by no query", async () => {
  rmSync(join(folder, blocks()[0]!), { recursive: true });
  const { traces: found } = await json(`/api/search?q={}&limit=10&${range}`);
  expect((found as unknown[]).length).toBe(2);
});

test("a listing of tags", async () => {
  for (const [i, id] of blocks().entries()) moveAway(id, moved(100 + i));
  const { tagValues } = await json(`/api/v2/search/tag/name/values?${range}`);
  expect((tagValues as { value: string }[]).length).toBe(2);
});
