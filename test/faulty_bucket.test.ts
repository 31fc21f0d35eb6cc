// A whole server on a bucket that fails all the time, by chance and always the same: requests are refused, lost, torn, answered late or not
// at all, and listings are behind. Nothing acknowledged is lost, nothing is there twice, and a query gives the right answer or says what
// went wrong. RUBATO_CRASH_ROUNDS and RUBATO_FAULT_SEED make it longer and another one.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Random } from "../bench/load/random.ts";
import { Rubato } from "./support/rubato.ts";
import { type Fate, S3Proxy, type S3Question } from "./support/s3_proxy.ts";
import { S3Server, versitygwMissing } from "./support/s3_server.ts";
import { readStoredFolder } from "./support/stored_folder.ts";
import { Tally } from "./support/tally.ts";
import { waitUntil } from "./support/wait_until.ts";

setDefaultTimeout(600_000); // servers start and stop in tests

const seed = Number(process.env.RUBATO_FAULT_SEED ?? 20_262);
const rounds = Number(process.env.RUBATO_CRASH_ROUNDS ?? 8);
const slowMsMax = 30;

/** What may become of a request, each with a chance of one in so many. */
const oneIn: [Fate | "slow", number][] = [
  ["refuse", 16],
  ["lose", 20],
  ["tear", 20],
  ["silence", 16],
  ["repeat", 5],
  ["slow", 20],
];

let cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

/** What becomes of requests, and how often it did. */
class Faults {
  readonly counts = new Map<string, number>();
  isCalm = false;
  readonly #random = new Random(seed);

  async of(question: S3Question): Promise<Fate> {
    if (this.isCalm) return "pass";
    const [name = "pass"] = oneIn.find(([, chance]) => this.#random.below(chance) === 0) ?? [];
    const fate = name === "repeat" && !question.query.has("list-type") ? "pass" : name;
    this.counts.set(fate, (this.counts.get(fate) ?? 0) + 1);
    if (fate !== "slow") return fate;
    await wait(this.#random.below(slowMsMax));
    return "pass";
  }
}

const settings = {
  live_store: { shards: 1 },
  backend_scheduler: {
    provider: {
      compaction: { min_cycle_interval: "20ms", max_compaction_level: 1 },
      retention: { interval: "50ms" },
    },
  },
  backend_worker: { compaction: { block_retention: "0s", compacted_block_retention: "200ms" } },
};
/** Few enough attempts that now and then one after the other fails. */
const retries = { retry_max_attempts: 4, retry_backoff_initial: "2ms", retry_backoff_max: "20ms" };

/** Asks until the store has let it come to pass. @returns how often it did not */
async function persist(attempt: () => Promise<unknown>): Promise<number> {
  for (let failures = 0; ; failures++) {
    try {
      await attempt();
      return failures;
    } catch (error) {
      if (failures === 50) throw error;
    }
  }
}

async function failsAllTheTime(): Promise<void> {
  const s3 = await S3Server.start();
  cleanUps.push(() => s3.remove());
  const folder = join(s3.folder, "buckets", s3.bucket);
  const faults = new Faults();
  const proxy = await S3Proxy.start(s3, { before: (question) => faults.of(question) });
  cleanUps.push(() => proxy.remove());
  faults.isCalm = true;
  const trace = { ...proxy.settings(retries), blocklist_poll: "200ms" };
  const server = await Rubato.start({ settings: { ...settings, storage: { trace } } });
  cleanUps.push(() => server.remove());
  const tally = new Tally();
  const range = { start: tally.base, end: tally.base + 3600 };
  const answers = { right: 0, failed: 0 };
  faults.isCalm = false;
  for (let round = 0; round < rounds; round++) {
    for (const request of Object.values(tally.pair()) as ((server: Rubato) => Promise<void>)[]) {
      await request(server);
      let isFlushing = true;
      const flushed = persist(() => server.flush()).finally(() => {
        isFlushing = false;
      });
      do {
        const params = new URLSearchParams({
          q: "{} | count_over_time()",
          start: `${range.start}`,
          end: `${range.end}`,
        });
        const { status, body } = await server.request(`/api/metrics/query?${params}`);
        if (status === 200) {
          answers.right++;
          const { series } = JSON.parse(body.toString()) as { series: { value: number }[] };
          expect([round, series.map(({ value }) => value)]).toEqual([round, [tally.spans]]);
        } else {
          answers.failed++;
          expect([round, status, body.toString()]).toEqual([
            round,
            500,
            expect.stringMatching(/store: .{10}/),
          ]);
        }
      } while (isFlushing);
      await flushed;
    }
  }
  for (const [fate] of oneIn) expect([fate, faults.counts.get(fate) ?? 0]).not.toEqual([fate, 0]);
  expect(answers.right).toBeGreaterThan(rounds);

  faults.isCalm = true;
  await server.flush();
  await waitUntil(
    "all is merged and deleted",
    () => {
      const { live, compacted, lease } = readStoredFolder(folder);
      return (
        lease?.job === null && compacted.length === 0 && live.filter(({ level }) => level === 0).length < 2
      );
    },
    () => readStoredFolder(folder),
  );
  await tally.check(server, "at rest");
  expect(readStoredFolder(folder).strange).toEqual([]);
}

if (versitygwMissing) test.skip(`a server on a bucket that fails: ${versitygwMissing}`, () => {});
else
  test(
    `in ${rounds} rounds on a bucket that fails all the time, answers are right or errors`,
    failsAllTheTime,
  );
