// A real server that is killed at each step of a flush, a merge and retention in turn, and started again: on a local disk before each change
// of its files, on a bucket before or after each request that changes what is stored. RUBATO_CRASH_ALL=1 has it killed both before and after.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlledProcess } from "./support/controlled_process.ts";
import { Rubato } from "./support/rubato.ts";
import { S3Proxy, type S3Question } from "./support/s3_proxy.ts";
import { S3Server, versitygwMissing } from "./support/s3_server.ts";
import { isCompactedElsewhere, ran } from "./support/scheduler_status.ts";
import { isTenantIndex, readStoredFolder, type StoredFolder } from "./support/stored_folder.ts";
import { Tally } from "./support/tally.ts";
import { waitUntil } from "./support/wait_until.ts";

setDefaultTimeout(300_000); // servers start and stop in tests

/** Longer than a lease of compaction. */
const pastLeaseMs = 61_000;
/** Longer than blocks are kept that were merged into others. */
const pastCompactedMs = 61_000;
/** Longer than what a crash has left of a block is kept. */
const leftoverMs = 13 * 3_600_000;

const settings = {
  storage: { trace: { blocklist_poll: "500ms" } },
  live_store: { shards: 1 },
  backend_scheduler: {
    provider: {
      compaction: { min_cycle_interval: "20ms", max_compaction_level: 1 },
      retention: { interval: "20ms" },
    },
  },
  backend_worker: { compaction: { block_retention: "0s", compacted_block_retention: "1m" } },
};

let cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

interface Victim {
  server: Rubato;
  control: ControlledProcess;
  /** The folder of the store. */
  folder: string;
  /** Has the server killed at the n-th step from now, counted from 0; null: no more. */
  killAt(step: number | null): void;
  /** What it was killed at, each time. */
  ends(): string[];
}

/** Waits until all is merged, and then until what was merged is deleted, and helps with the time that this takes. */
async function settled(
  victim: Victim,
  isDone: (stored: StoredFolder) => boolean = () => true,
): Promise<void> {
  const { server, control, folder } = victim;
  const waitFor = (what: string, isSo: (stored: StoredFolder) => boolean) =>
    waitUntil(
      what,
      async () => {
        const stored = readStoredFolder(folder);
        if (server.exited || isSo(stored)) return true;
        if (stored.lease?.holder != null && (await isCompactedElsewhere(server)))
          control.steadyMs += pastLeaseMs;
        return false;
      },
      () => readStoredFolder(folder),
    );
  const isMerged = ({ live, lease }: StoredFolder) =>
    lease?.job === null && live.every(({ level }) => level === 1);
  await waitFor("all blocks are merged", (stored) => isMerged(stored) && isDone(stored));
  control.wallMs = pastCompactedMs;
  await waitFor("merged blocks are deleted", (stored) => stored.compacted.length === 0 && isDone(stored));
  control.wallMs = 0;
}

/** @returns how many steps there are */
async function killedAtEachStep(victim: Victim): Promise<number> {
  const { server, folder } = victim;
  const tally = new Tally();
  let leftovers: string[] = [];
  for (let step = 0; ; step++) {
    const pair = tally.pair();
    await pair.first(server);
    await server.flush();
    await pair.second(server);
    victim.killAt(step);
    await server.flush().catch(() => {});
    // Blocks that are deleted at this moment are unfinished ones for as long.
    await settled(victim, ({ lease, compacted, unfinished }) => {
      const isDeleted = unfinished.every((id) => leftovers.includes(id));
      return lease?.holder === null && (compacted.length > 0 || isDeleted);
    });
    await ran(server, "retention"); // what it did last may be what it is killed at
    victim.killAt(null);
    if (!server.exited) {
      await checkLeftovers(victim, tally);
      return step;
    }
    await server.restart();
    const where = `killed before step ${step}, ${victim.ends().at(-1)}`;
    await tally.checkCounts(server, `${where}; at once`);
    await server.flush();
    await settled(victim);
    await tally.check(server, `${where}; at rest`);
    const { live, unfinished } = readStoredFolder(folder);
    expect([where, live.length]).toEqual([where, step + 1]);
    leftovers = unfinished;
  }
}

/** Once enough time has passed, nothing is left of what was cut short, and all else is whole. */
async function checkLeftovers(victim: Victim, tally: Tally): Promise<void> {
  const { server, control, folder } = victim;
  // The files are made older: requests of a server whose clock is far ahead are refused by the bucket.
  const old = new Date(Date.now() - leftoverMs);
  for (const path of readdirSync(folder, { recursive: true }))
    utimesSync(join(folder, String(path)), old, old);
  control.steadyMs += leftoverMs;
  await waitUntil(
    "what crashes left is removed",
    () => {
      const { unfinished, strange } = readStoredFolder(folder);
      return unfinished.length + strange.length === 0;
    },
    () => readStoredFolder(folder),
  );
  await tally.check(server, "after sweeping up");
  const verify = Bun.spawn([process.execPath, "src/main.ts", "blocks", "verify", `-path=${folder}`], {
    stdout: "pipe",
  });
  const verified = await new Response(verify.stdout).text();
  expect([await verify.exited, verified]).toEqual([0, verified]);
  expect(verified.match(/^ok /gm)?.length).toBe(readStoredFolder(folder).live.length);
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rubato-killed-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const objectsWritten = ["data.parquet", "bloom-0", "index", "meta.json"];

test("on a local disk, before each change of its files, loses no span and leaves none twice", async () => {
  const control = ControlledProcess.create(join(newFolder(), "control"));
  const server = await Rubato.start({ control, settings });
  cleanUps.push(() => server.remove());
  const ends = () => control.ends().map((end) => end.replace(/ .*\/(?=[^/]*$)/, " "));
  const victim: Victim = {
    server,
    control,
    folder: join(server.dataFolder, "blocks"),
    killAt: (step) => control.endBefore(step),
    ends,
  };
  expect(await killedAtEachStep(victim)).toBe(ends().length);
  for (const end of [...objectsWritten, "meta.compacted.json"]) expect(ends()).toContain(`rename ${end}`);
  for (const end of ["meta.json", "meta.compacted.json"]) expect(ends()).toContain(`unlink ${end}`);
  expect(ends()).toContain("renameSync compaction_lease.json");
});

/** What is done before a request is killed for is mostly what was done after the one before it. */
const orders = process.env.RUBATO_CRASH_ALL ? (["before", "after"] as const) : (["before or after"] as const);

function onBucket(): void {
  for (const order of orders) {
    test(`on a bucket, ${order} each request that changes it, loses no span and leaves none twice`, async () => {
      const s3 = await S3Server.start();
      cleanUps.push(() => s3.remove());
      const control = ControlledProcess.create(join(newFolder(), "control"));
      let left = Number.POSITIVE_INFINITY;
      let isBefore = order === "before";
      const ends: string[] = [];
      const isKilled = async ({ isWrite, method, key }: S3Question): Promise<boolean> => {
        if (!isWrite || isTenantIndex(key) || left-- !== 0) return false;
        ends.push(`${method} ${key.split("/").at(-1)}`);
        await server.kill();
        return true;
      };
      const proxy = await S3Proxy.start(s3, {
        before: async (question) => (isBefore && (await isKilled(question)) ? "lose" : "pass"),
        after: async (question) => isBefore || !(await isKilled(question)),
      });
      cleanUps.push(() => proxy.remove());
      const { trace } = settings.storage;
      const storage = { trace: { ...trace, ...proxy.settings() } };
      const server = await Rubato.start({ control, settings: { ...settings, storage } });
      cleanUps.push(() => server.remove());
      const victim: Victim = {
        server,
        control,
        folder: join(s3.folder, "buckets", s3.bucket),
        killAt: (step) => {
          left = step ?? Number.POSITIVE_INFINITY;
          if (order === "before or after" && step !== null) isBefore = step % 2 === 0;
        },
        ends: () => ends,
      };
      expect(await killedAtEachStep(victim)).toBe(ends.length);
      for (const end of [...objectsWritten, "compaction_lease.json", "meta.compacted.json"]) {
        expect(ends).toContain(`PUT ${end}`);
      }
      for (const end of ["meta.json", "meta.compacted.json"]) expect(ends).toContain(`DELETE ${end}`);
    });
  }
}

if (versitygwMissing) test.skip(`on a bucket: ${versitygwMissing}`, () => {});
else onBucket();
