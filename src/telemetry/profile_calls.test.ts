import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { WorkerClient } from "../threads/call.ts";
import { type ProfileCalls, profiledWorker } from "./profile_calls.ts";

interface BusyApi extends ProfileCalls {
  burn: { params: { ms: number }; result: number };
}

const worker = new Worker(
  `const load = (path) => import(path);
  Promise.all([load(${path("../threads/call.ts")}), load(${path("./profile_calls.ts")})]).then(([calls, profiles]) => {
    class OnlyInTheWorker {}
    globalThis.kept = Array.from({ length: 321 }, () => new OnlyInTheWorker());
    function burnInWorker({ ms }) {
      const end = performance.now() + ms;
      let x = 1;
      while (performance.now() < end) for (let i = 0; i < 1000; i++) x = Math.imul(x, 1103515245) + 12345;
      return x;
    }
    calls.serveCalls({ ...profiles.profileHandlers, burn: burnInWorker });
  });`,
  { eval: true },
);
const client = new WorkerClient<BusyApi>(worker, "busy 0");
afterAll(() => client.close());

function path(relative: string): string {
  return JSON.stringify(join(import.meta.dir, relative));
}

function leaves({ frames, samples }: Awaited<ReturnType<ReturnType<typeof profiledWorker>["heap"]>>) {
  const sums = new Map<string, number>();
  for (const { stack, values } of samples) {
    const name = frames[stack[0]!]!.name;
    sums.set(name, (sums.get(name) ?? 0) + values[0]!);
  }
  return sums;
}

test("profiledWorker() profiles the worker's own thread and heap", async () => {
  const thread = profiledWorker(client);
  expect(thread.name).toBe("busy 0");
  const pending = thread.cpu(400, new AbortController().signal);
  await client.call("burn", { ms: 200 });
  const hits = leaves(await pending);
  expect(hits.get("burnInWorker")).toBeGreaterThan(5);
  expect(leaves(await thread.heap()).get("OnlyInTheWorker")).toBeGreaterThanOrEqual(321);
});

test("profiledWorker() ends when the signal is given", async () => {
  const caller = new AbortController();
  const pending = profiledWorker(client).cpu(100_000, caller.signal);
  caller.abort();
  await expect(pending).rejects.toThrow("busy 0 profileCpu was canceled");
  expect(await client.call("burn", { ms: 1 })).toBeNumber();
});
