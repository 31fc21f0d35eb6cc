// Profiles of the running server for `go tool pprof` and whatever else reads its format: CPU time and heap, of the main
// thread and of every worker.
import process from "node:process";
import { type Context, Hono } from "hono";
import { cpuSampleNs, profileCpu } from "../telemetry/cpu_profile.ts";
import { profileHeap } from "../telemetry/heap_profile.ts";
import { log } from "../telemetry/log.ts";
import { encodePprof, type Profile, type ThreadProfile, type ValueType } from "../telemetry/pprof.ts";
import type { ProfiledThread } from "../telemetry/profile_calls.ts";

export interface DebugDeps {
  /** The workers that live now, each through `profiledWorker`. The main thread needs no mention. */
  workers(): ProfiledThread[];
}

export const profileSecondsDefault = 30;
export const profileSecondsMax = 300;

const index = `/debug/pprof/

profile?seconds=${profileSecondsDefault}   CPU time of all threads, for at most ${profileSecondsMax} seconds
heap                 objects on the JavaScript heaps by class; stops each thread for a moment and takes memory while it lasts

go tool pprof -http=: http://<this address>/debug/pprof/profile
`;

const main: ProfiledThread = { name: "main", cpu: profileCpu, heap: profileHeap };

export function debugRoutes(deps: DebugDeps): Hono {
  let running = "";
  // A profile costs what it measures: one at a time, and the next client is told.
  const exclusive = (what: string, take: (c: Context) => Promise<Response>) => async (c: Context) => {
    if (running !== "")
      return plain(c, `profile: a ${running} profile is being taken; try again later\n`, 409);
    running = what;
    try {
      return await take(c);
    } finally {
      running = "";
    }
  };

  const app = new Hono();
  app.get("/debug/pprof", (c) => c.redirect(`${c.req.path}/`, 301));
  app.get("/debug/pprof/", (c) => plain(c, index));
  app.get(
    "/debug/pprof/profile",
    exclusive("CPU", async (c) => {
      const asked = c.req.query("seconds");
      const seconds = asked === undefined || asked === "" ? profileSecondsDefault : Number(asked);
      if (!(seconds > 0 && seconds <= profileSecondsMax)) {
        return plain(
          c,
          `profile: seconds must be above 0 and at most ${profileSecondsMax}, not ${asked}\n`,
          400,
        );
      }
      const timeMs = Date.now();
      const { signal } = c.req.raw;
      const threads = await eachThread(
        [main, ...deps.workers()].map((thread) => [thread.name, thread.cpu(seconds * 1000, signal)]),
        signal,
      );
      return pprof(c, "profile", {
        sampleTypes: [
          { type: "samples", unit: "count" },
          { type: "cpu", unit: "nanoseconds" },
        ],
        periodType: { type: "cpu", unit: "nanoseconds" },
        period: cpuSampleNs,
        timeMs,
        durationMs: Date.now() - timeMs,
        threads,
      });
    }),
  );
  app.get(
    "/debug/pprof/heap",
    exclusive("heap", async (c) => {
      const timeMs = Date.now();
      const resident = process.memoryUsage.rss(); // before the snapshots, which take memory themselves
      const threads: Profile["threads"] = [];
      // One after the other, so that only one thread stands still and only one snapshot is in memory.
      for (const thread of [main, ...deps.workers()]) {
        threads.push(...(await eachThread([[thread.name, thread.heap()]])));
      }
      const space: ValueType = { type: "inuse_space", unit: "bytes" };
      return pprof(c, "heap", {
        sampleTypes: [{ type: "inuse_objects", unit: "count" }, space],
        periodType: space,
        period: 1,
        timeMs,
        durationMs: Date.now() - timeMs,
        threads: [...threads, { name: "process", profile: outsideHeaps(resident, threads) }],
      });
    }),
  );
  app.get("/debug/pprof/:name", (c) =>
    plain(c, `profile: no ${c.req.param("name")} in this runtime; there are profile and heap\n`, 404),
  );
  return app;
}

/** Waits for every thread; one that fails (its worker has just ended, say) is left out. */
async function eachThread(
  pending: [name: string, profile: Promise<ThreadProfile>][],
  signal?: AbortSignal,
): Promise<Profile["threads"]> {
  const results = await Promise.allSettled(pending.map(([, profile]) => profile));
  const threads: Profile["threads"] = [];
  for (const [i, result] of results.entries()) {
    const thread = pending[i]![0];
    if (result.status === "fulfilled") threads.push({ name: thread, profile: result.value });
    else if (!signal?.aborted)
      log.warn("profile of a thread failed", { thread, err: result.reason as Error });
  }
  return threads;
}

/** The rest of the resident memory: WASM memory without a view, sockets, code, the allocator's slack. */
function outsideHeaps(resident: number, threads: Profile["threads"]): ThreadProfile {
  let heaps = 0;
  for (const { profile } of threads) for (const { values } of profile.samples) heaps += values[1]!;
  const rest = Math.max(0, resident - heaps);
  return {
    frames: [{ name: "(outside the heaps)", file: "", line: 0 }],
    samples: [{ stack: [0], values: [1, rest] }],
  };
}

function pprof(c: Context, name: string, profile: Profile): Response {
  if (profile.threads.every((thread) => thread.name === "process")) {
    return plain(c, "profile: no thread could be profiled; the log says why\n", 500);
  }
  return c.body(encodePprof(profile) as Uint8Array<ArrayBuffer>, 200, {
    "Content-Type": "application/octet-stream",
    "Content-Disposition": `attachment; filename="${name}.pb.gz"`,
    "X-Content-Type-Options": "nosniff",
  });
}

function plain(c: Context, text: string, status: 200 | 400 | 404 | 409 | 500 = 200): Response {
  return c.body(text, status, { "Content-Type": "text/plain; charset=utf-8" });
}
