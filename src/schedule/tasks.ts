// The timed work of this server.

import type { BlockMeta } from "../block/meta.ts";
import type { Compactor } from "../compact/compactor.ts";
import type { Config } from "../config/config.ts";
import type { BlockFilters } from "../filter/block_filters.ts";
import type { Ingest } from "../ingest/ingest.ts";
import type { BlockPool } from "../jobs/block_pool.ts";
import type { FreeSpace } from "../retention/free_space.ts";
import type { Retention } from "../retention/retention.ts";
import type { BlockListPoll } from "../store/block_list_poll.ts";
import { MemoryGuard } from "./memory_guard.ts";
import type { Schedule } from "./schedule.ts";

/** How often heads are looked at for their age: a part of the shortest sensible max_block_duration. */
const cutAgedMs = 1000;
const guardMemoryMs = 250;
/** Of the budget; a budget smaller than the runtime itself is held by refusing spans alone. */
const guardedShare = 0.9;
const guardedBytesMin = 160 << 20;
/** How often the bytes of all blocks are added up, which are in memory. */
const limitBytesMs = 10_000;
/** How often free space is asked for: at full speed some 20 MB are written in a second. */
const keepSpaceMs = 2000;
/** A process that is started again and again lets blocks go too. */
const firstRetentionMs = 30_000;

/** A round that finds nothing new costs a millisecond for some thousand blocks. */
const buildIndexMs = 2000;

/** Deleted blocks are not read again; what is cached of them takes room from others, no more. */
const trimCacheMs = 60_000;

/** The task that is run at once when a block can't be written. */
export const freeSpaceTask = "free space";

export interface ScheduledParts {
  config: Config;
  ingest: Pick<Ingest, "cutAged"> & { readonly memory: Pick<Ingest["memory"], "budgetBytes"> };
  poll: BlockListPoll;
  /** Called with the seconds that a poll took. */
  polled(seconds: number): void;
  retention: Retention;
  /** Called with the seconds that it took. */
  retained(seconds: number): void;
  /** Null where blocks lie on no disk of this machine, or nothing is held free. */
  freeSpace: FreeSpace | null;
}

export function scheduleTasks(schedule: Schedule, parts: ScheduledParts): void {
  const { config, ingest, poll, retention, freeSpace } = parts;
  schedule.add({ name: "cut aged heads", intervalMs: cutAgedMs, run: () => ingest.cutAged() });
  const guard = new MemoryGuard(Math.max(ingest.memory.budgetBytes * guardedShare, guardedBytesMin));
  schedule.add({ name: "guard memory", intervalMs: guardMemoryMs, run: () => void guard.check() });

  const { blocklist_poll: pollMs, blocklist_poll_jitter_ms: jitterMs } = config.storage.trace;
  schedule.add({
    name: "poll block list",
    intervalMs: pollMs,
    jitterMs,
    run: (signal) => timed(parts.polled, () => poll.run(signal)),
    status: () => Object.fromEntries(poll.tenants),
  });

  const retentionMs = config.backend_scheduler.provider.retention.interval;
  schedule.add({
    name: "retention",
    intervalMs: retentionMs,
    firstMs: Math.min(retentionMs, firstRetentionMs),
    run: (signal) => timed(parts.retained, () => retention.byAge(signal)),
    status: () => retention.stats,
  });
  schedule.add({
    name: "limit bytes",
    intervalMs: limitBytesMs,
    run: (signal) => retention.byBytes(signal),
  });
  if (freeSpace) {
    schedule.add({
      name: freeSpaceTask,
      intervalMs: keepSpaceMs,
      run: (signal) => freeSpace.keep(signal),
      status: () => ({ freeBytes: freeSpace.freeBytes }),
    });
  }
}

/** Has the cache on the local disk forget the blocks that are no more. */
export function scheduleCache(
  schedule: Schedule,
  pool: Pick<BlockPool, "retainCached">,
  listed: () => BlockMeta[],
): void {
  schedule.add({
    name: "trim block cache",
    intervalMs: trimCacheMs,
    run: () => pool.retainCached(listed()),
  });
}

/** Has every block covered by the index from trace ids to blocks within one round. */
export function scheduleIndex(schedule: Schedule, filters: BlockFilters): void {
  schedule.add({
    name: "build index",
    intervalMs: buildIndexMs,
    firstMs: 0,
    run: (signal) => filters.run(signal),
    status: () => filters.stats,
  });
}

/** @throws (in the task) if blocks could not be merged, so that it is tried again later and later */
export function scheduleCompaction(schedule: Schedule, config: Config, compactor: Compactor): void {
  schedule.add({
    name: "compaction",
    intervalMs: config.backend_scheduler.provider.compaction.min_cycle_interval,
    run: async (signal) => {
      const { failures } = await compactor.run(signal);
      if (failures > 0) throw new Error(`${failures} merges failed: see the status of the tenants`);
    },
    status: () => compactor.status(),
  });
}

async function timed(done: (seconds: number) => void, run: () => Promise<void>): Promise<void> {
  const start = performance.now();
  try {
    await run();
  } finally {
    done((performance.now() - start) / 1000);
  }
}
