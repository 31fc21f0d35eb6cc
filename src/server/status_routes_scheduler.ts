// The status pages of timed work: what runs, what waits, what failed and when it is tried again, and of each tenant what is stored.
import type { TaskStatus } from "../schedule/schedule.ts";
import { table } from "./status_routes_table.ts";

/** What is stored of a tenant. */
export interface TenantBlocks {
  tenant: string;
  blocks: number;
  bytes: number;
  /** Merged into others or past their retention, and not deleted yet. */
  compactedBlocks: number;
  compactedBytes: number;
  /** Merges of blocks that wait to be done; null where nothing does them. */
  outstanding: number | null;
}

export interface SchedulerReport {
  tasks: TaskStatus[];
  tenants: TenantBlocks[];
}

export function schedulerText({ tasks, tenants }: SchedulerReport): string {
  const details = tasks.flatMap(({ name, detail }) =>
    detail === undefined
      ? []
      : [`${name}: ${typeof detail === "string" ? detail : JSON.stringify(detail)}\n`],
  );
  return [
    "GET /status/scheduler\n",
    table(
      ["TASK", "STATE", "EVERY", "NEXT", "LAST START", "TOOK", "RUNS", "FAILURES", "LAST ERROR"],
      tasks.map((task) => [
        task.name,
        stateOf(task),
        duration(task.intervalMs),
        time(task.nextAt),
        time(task.lastStartedAt),
        duration(task.lastMs),
        String(task.runs),
        String(task.failures),
        oneLine(task.lastError ?? ""),
      ]),
    ),
    table(
      ["TENANT", "BLOCKS", "BYTES", "COMPACTED BLOCKS", "COMPACTED BYTES", "OUTSTANDING"],
      tenants.map((each) => [
        oneLine(each.tenant),
        String(each.blocks),
        String(each.bytes),
        String(each.compactedBlocks),
        String(each.compactedBytes),
        String(each.outstanding ?? "-"),
      ]),
    ),
    ...details,
  ].join("\n");
}

/** With times as RFC 3339. */
export function schedulerJson({ tasks, tenants }: SchedulerReport): string {
  const shown = tasks.map(({ lastStartedAt, nextAt, ...task }) => ({
    ...task,
    state: stateOf({ ...task, lastStartedAt, nextAt }),
    lastStartedAt: lastStartedAt === null ? null : time(lastStartedAt),
    nextAt: nextAt === null ? null : time(nextAt),
  }));
  return `${JSON.stringify({ tasks: shown, tenants })}\n`;
}

/** Tempo's types of the jobs that are tasks here. */
const jobTypes: Readonly<Record<string, string>> = {
  compaction: "JOB_TYPE_COMPACTION",
  retention: "JOB_TYPE_RETENTION",
};

/** The page of Tempo's scheduler, with its two tables. */
export function backendSchedulerText({ tasks }: SchedulerReport): string {
  const jobs = tasks.filter(({ name }) => Object.hasOwn(jobTypes, name));
  const active = jobs
    .filter(({ lastStartedAt }) => lastStartedAt !== null)
    .map((job) => {
      const ended = job.running ? null : job.lastStartedAt! + (job.lastMs ?? 0);
      const outcome = job.lastError === null ? "JOB_STATUS_SUCCEEDED" : "JOB_STATUS_FAILED";
      const status = job.running ? "JOB_STATUS_RUNNING" : outcome;
      const start = time(job.lastStartedAt);
      return ["", job.name, jobTypes[job.name]!, status, "", start, start, time(ended)];
    });
  const pending = jobs
    .filter(({ running }) => !running)
    .map(({ name }) => ["", name, jobTypes[name]!, "", ""]);
  return [
    `Active Jobs\n${table(["TENANT", "JOB_ID", "TYPE", "STATUS", "WORKER", "CREATED", "START", "END"], active)}`,
    `Pending Jobs\n${table(["TENANT", "JOB_ID", "TYPE", "BLOCK_ID", "BATCH_ID"], pending)}`,
  ].join("\n");
}

function stateOf({ running, lastError }: TaskStatus): "running" | "waiting" | "failed" {
  if (running) return "running";
  return lastError === null ? "waiting" : "failed";
}

function time(ms: number | null): string {
  return ms === null ? "" : new Date(ms).toISOString();
}

function duration(ms: number | null): string {
  if (ms === null) return "";
  return ms < 1000 ? `${Math.round(ms)}ms` : `${Math.round(ms / 100) / 10}s`;
}

/** What comes from errors and tenants can't break a table. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
