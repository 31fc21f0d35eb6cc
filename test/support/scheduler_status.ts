// What a server's schedule says of itself.
import type { Rubato } from "./rubato.ts";
import { waitUntil } from "./wait_until.ts";

interface Task {
  name: string;
  runs: number;
  detail?: { tenants: { isElsewhere: boolean }[] };
}

async function taskOf(server: Rubato, name: string): Promise<Task | undefined> {
  const answer = await server.request("/status/scheduler?format=json").catch(() => null);
  if (answer === null) return undefined;
  return (JSON.parse(answer.text()) as { tasks: Task[] }).tasks.find((task) => task.name === name);
}

/** True while another process has the lease that it wants. */
export async function isCompactedElsewhere(server: Rubato): Promise<boolean> {
  const task = await taskOf(server, "compaction");
  return task?.detail?.tenants.some(({ isElsewhere }) => isElsewhere) ?? false;
}

/** Waits for a run of a task that began after the call, or for the end of the server. */
export async function ran(server: Rubato, task: "poll block list" | "retention"): Promise<void> {
  const runs = async () => (await taskOf(server, task))?.runs ?? 0;
  const before = await runs();
  await waitUntil(`a run of ${task}`, async () => server.exited || (await runs()) > before + 1);
}
