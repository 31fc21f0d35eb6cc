// The timed work of this server.

import type { Ingest } from "../ingest/ingest.ts";
import { MemoryGuard } from "./memory_guard.ts";
import type { Schedule } from "./schedule.ts";

/** How often heads are looked at for their age: a part of the shortest sensible max_block_duration. */
const cutAgedMs = 1000;
const guardMemoryMs = 250;
/** Of the budget; a budget smaller than the runtime itself is held by refusing spans alone. */
const guardedShare = 0.9;
const guardedBytesMin = 160 << 20;

export function scheduleTasks(schedule: Schedule, parts: { ingest: Ingest }): void {
  const { ingest } = parts;
  schedule.add({ name: "cut aged heads", intervalMs: cutAgedMs, run: () => ingest.cutAged() });
  const guard = new MemoryGuard(Math.max(ingest.memory.budgetBytes * guardedShare, guardedBytesMin));
  schedule.add({ name: "guard memory", intervalMs: guardMemoryMs, run: () => void guard.check() });
}
