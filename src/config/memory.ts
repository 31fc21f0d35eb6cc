// The memory budget when the configuration leaves it open: a quarter of what the machine or its control group allows.
import { readFileSync } from "node:fs";
import os from "node:os";
import type { Config } from "./config.ts";

const budgetBytesMax = 512 * 1024 * 1024;

/** Reads a file; null if there is none. */
export type ReadText = (path: string) => string | null;

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // no such control group here
  }
}

/** Bytes that heads, queues and caches may take together. */
export function resolveMemoryBudget(
  config: Config,
  read: ReadText = readText,
  machineBytes: number = os.totalmem(),
): number {
  const configured = config.memory.budget_bytes;
  if (configured > 0) return configured;
  return Math.floor(Math.min(memoryLimit(read, machineBytes) / 4, budgetBytesMax));
}

/** The least of the machine's memory and the limits of the control groups, v1 and v2, that this process is in. */
export function memoryLimit(read: ReadText = readText, machineBytes: number = os.totalmem()): number {
  let limit = machineBytes;
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const v2 = controllers === "";
    if (!v2 && !controllers.split(",").includes("memory")) continue;
    const root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const name = v2 ? "memory.max" : "memory.limit_in_bytes";
    for (const group of ancestors(path)) limit = Math.min(limit, parseLimit(read(`${root}${group}/${name}`)));
  }
  return limit;
}

/** `/a/b` gives `/a/b`, `/a` and the root: a limit of a parent holds for its children. */
function ancestors(path: string): string[] {
  const steps = path.split("/").filter((step) => step !== "" && step !== "..");
  return [...steps.map((_, index) => `/${steps.slice(0, steps.length - index).join("/")}`), ""];
}

/** `max`, a missing file and v1's huge number for "none" are no limit. */
function parseLimit(text: string | null): number {
  const bytes = Number(text?.trim() || Number.NaN);
  return bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
}
