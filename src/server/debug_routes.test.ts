import { afterEach, describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { Hono } from "hono";
import { log } from "../telemetry/log.ts";
import type { ThreadProfile } from "../telemetry/pprof.ts";
import { goPprof, hasGoPprof } from "../telemetry/pprof_peer.ts";
import type { ProfiledThread } from "../telemetry/profile_calls.ts";
import { debugRoutes } from "./debug_routes.ts";

afterEach(() => log.configure({ sink: (line) => process.stderr.write(line) }));

const profileOf = (name: string): ThreadProfile => ({
  frames: [{ name, file: "", line: 0 }],
  samples: [{ stack: [0], values: [2, 10_000_000] }],
});
const shard: ProfiledThread = {
  name: "shard 0",
  cpu: () => Promise.resolve(profileOf("appendRecord")),
  heap: () => Promise.resolve(profileOf("OnlyInAWorker")),
};

async function bytesOf(response: Response): Promise<Buffer> {
  expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "application/octet-stream"]);
  return Buffer.from(await response.arrayBuffer());
}

describe("debugRoutes()", () => {
  test("gives an index, a redirect to it, and a clear no to profiles that this runtime hasn't", async () => {
    const app = debugRoutes({ workers: () => [] });
    expect(await (await app.request("/debug/pprof/")).text()).toContain("/debug/pprof/profile");
    const redirect = await new Hono().route("/base", app).request("/base/debug/pprof");
    expect([redirect.status, redirect.headers.get("Location")]).toEqual([301, "/base/debug/pprof/"]);
    const goroutine = await app.request("/debug/pprof/goroutine");
    expect([goroutine.status, await goroutine.text()]).toEqual([
      404,
      "profile: no goroutine in this runtime; there are profile and heap\n",
    ]);
  });

  test("refuses times that it can't do", async () => {
    const app = debugRoutes({ workers: () => [] });
    for (const seconds of ["0", "-1", "x", "301", "NaN", "Infinity"]) {
      const answer = await app.request(`/debug/pprof/profile?seconds=${seconds}`);
      expect([answer.status, await answer.text()]).toEqual([
        400,
        `profile: seconds must be above 0 and at most 300, not ${seconds}\n`,
      ]);
    }
  });

  test("takes one profile at a time, ends it when its client goes, and then takes the next", async () => {
    const app = debugRoutes({ workers: () => [] });
    const client = new AbortController();
    const first = app.request("/debug/pprof/profile?seconds=200", { signal: client.signal });
    const second = await app.request("/debug/pprof/heap");
    expect([second.status, await second.text()]).toEqual([
      409,
      "profile: a CPU profile is being taken; try again later\n",
    ]);
    client.abort();
    await first;
    expect((await app.request("/debug/pprof/profile?seconds=0.01")).status).toBe(200);
  });

  test("a worker that fails is left out and named in the log", async () => {
    const lines: string[] = [];
    log.configure({ sink: (line) => lines.push(line) });
    const gone = () => Promise.reject(new Error("worker has ended"));
    const broken = { ...shard, name: "shard 1", cpu: gone, heap: gone };
    const app = debugRoutes({ workers: () => [broken, shard] });
    const profile = gunzipSync(
      await bytesOf(await app.request("/debug/pprof/profile?seconds=0.01")),
    ).toString("latin1");
    expect(profile).toContain("appendRecord");
    expect(profile).not.toContain("shard 1");
    const heap = gunzipSync(await bytesOf(await app.request("/debug/pprof/heap"))).toString("latin1");
    expect(heap).toContain("OnlyInAWorker");
    expect(lines.length).toBe(2);
    for (const line of lines) expect(line).toContain('thread="shard 1" err="worker has ended"');
  });
});

describe.skipIf(!hasGoPprof)("debugRoutes() read by go tool pprof (skipped where go is missing)", () => {
  const top = (profile: Uint8Array, ...flags: string[]) =>
    goPprof(profile, "-top", "-nodecount=1000", ...flags);

  test("the CPU profile holds all threads", async () => {
    const app = debugRoutes({ workers: () => [shard] });
    const out = top(await bytesOf(await app.request("/debug/pprof/profile?seconds=0.05")));
    expect(out).toContain("Type: cpu\n");
    expect(out).toMatch(/\s10ms\s.*appendRecord\n/);
    expect(out).toMatch(/\s10ms\s.*shard 0\n/);
  });

  test("the heap profile adds up to about the resident memory", async () => {
    const app = debugRoutes({ workers: () => [shard] });
    const out = top(await bytesOf(await app.request("/debug/pprof/heap")), "-unit=mb");
    expect(out).toContain("Type: inuse_space\n");
    expect(out).toMatch(/OnlyInAWorker\n/);
    expect(out).toMatch(/\(outside the heaps\)\n/);
    const total = Number(/of ([\d.]+)MB total/.exec(out)?.[1]) * 2 ** 20;
    expect(total / process.memoryUsage.rss()).toBeWithin(0.5, 2);
  });
});
