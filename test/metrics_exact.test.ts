// Counts of metrics queries are exact at any moment: while heads are cut into blocks, while blocks are merged and what they were merged from
// is deleted, and after crashes that leave the same spans in the log and in a block.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { loadDefaults, runLoad } from "../bench/load/run.ts";
import { countedSpans } from "./support/counted_spans.ts";
import { Rubato } from "./support/rubato.ts";

setDefaultTimeout(120_000); // servers start and stop in tests

const seed = 7100;
const spansPerRound = 4000;
const rounds = 6;

let server: Rubato | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
});

/** Sends a round of spans. @returns how many were acknowledged: all of them */
async function send(round: number): Promise<number> {
  const { ports } = server!;
  const result = await runLoad({
    ...loadDefaults,
    port: ports.otlpGrpc,
    seed: seed + round,
    spans: spansPerRound,
    spansPerRequest: 100,
    connections: 3,
    retry: false,
    seconds: 20,
  });
  return result.acknowledgedSpans;
}

/** Filters alone, groups, and what has to see whole traces. */
const queries = [
  "{} | count_over_time()",
  "{} | count_over_time() by (resource.service.name)",
  "{ nestedSetParent < 0 } &>> {} | count_over_time()",
];

/** Blocks are cut every second or so, merged as soon as they can be, and deleted at once when they have been. */
const settings = {
  live_store: { max_block_duration: "1s" },
  backend_scheduler: {
    provider: {
      compaction: {
        min_cycle_interval: "50ms",
        max_input_blocks: 2,
        compaction: { compaction_window: "1s" },
      },
      retention: { interval: "100ms" },
    },
  },
  backend_worker: { compaction: { compacted_block_retention: "100ms" } },
};

interface SchedulerStatus {
  tasks: { name: string; detail: { total: { jobs: number; failures: number } } }[];
}

/** Merges since the server was started. */
async function merges(): Promise<number> {
  const { body } = await server!.request("/status/scheduler?format=json");
  const { tasks } = JSON.parse(body.toString()) as SchedulerStatus;
  const { jobs, failures } = tasks.find(({ name }) => name === "compaction")!.detail.total;
  expect(failures).toBe(0);
  return jobs;
}

test("counts are exact while heads are cut, blocks merged and deleted, and after every kill", async () => {
  server = await Rubato.start({ settings });
  let sent = 0;
  for (let round = 0; round < rounds; round++) {
    sent += await send(round);
    let isFlushing = true;
    const flush = server.flush().finally(() => {
      isFlushing = false;
    });
    let asked = 0;
    do {
      const query = queries[asked++ % queries.length]!;
      expect([round, query, await countedSpans(server, query)]).toEqual([round, query, sent]);
    } while (isFlushing || asked < queries.length);
    await flush;
    // While nobody has been killed: the lease of a dead server's compaction stands for a minute.
    while (round === 0 && (await merges()) === 0) expect(await countedSpans(server, queries[0]!)).toBe(sent);
    if (round % 2 === 0) continue;
    // Killed while a block is written, or just after: its spans are in the log, in the block, or in both.
    sent += await send(rounds + round);
    const lost = server.flush().catch(() => {});
    if (round % 4 === 3) await countedSpans(server, queries[0]!);
    await server.kill();
    await lost;
    await server.restart();
    for (const query of queries)
      expect([round, query, await countedSpans(server, query)]).toEqual([round, query, sent]);
  }
  expect(sent).toBe((rounds + rounds / 2) * spansPerRound);
});
