import { describe, expect, test } from "bun:test";
import { encodePprof, type Profile } from "./pprof.ts";
import { goPprof, hasGoPprof } from "./pprof_peer.ts";

const profile: Profile = {
  sampleTypes: [
    { type: "samples", unit: "count" },
    { type: "cpu", unit: "nanoseconds" },
  ],
  periodType: { type: "cpu", unit: "nanoseconds" },
  period: 5_000_000,
  timeMs: Date.UTC(2026, 2, 4, 5, 6, 7),
  durationMs: 2500,
  threads: [
    {
      name: "main",
      profile: {
        frames: [
          { name: "decode", file: "/app/decode.ts", line: 12 },
          { name: "decode", file: "/app/decode.ts", line: 13 },
          { name: "serve", file: "/app/serve.ts", line: 3 },
        ],
        samples: [
          { stack: [0, 2], values: [3, 15_000_000] },
          { stack: [1, 2], values: [1, 5_000_000] },
          { stack: [2], values: [2, 10_000_000] },
        ],
      },
    },
    {
      name: "shard 0",
      profile: {
        frames: [{ name: "decode", file: "/app/decode.ts", line: 12 }],
        samples: [{ stack: [0], values: [4, 20_000_000] }],
      },
    },
  ],
};

describe.skipIf(!hasGoPprof)("encodePprof() read by go tool pprof (skipped where go is missing)", () => {
  test("functions with their own and whole shares", () => {
    const lines = goPprof(encodePprof(profile), "-top", "-unit=ms").trimEnd().split("\n");
    expect(lines.slice(-6).map((line) => line.trim().split(/\s+/).join(" "))).toEqual([
      "Showing nodes accounting for 50ms, 100% of 50ms total",
      "flat flat% sum% cum cum%",
      "40ms 80.00% 80.00% 40ms 80.00% decode",
      "10ms 20.00% 100% 30ms 60.00% serve",
      "0 0% 100% 30ms 60.00% main",
      "0 0% 100% 20ms 40.00% shard 0",
    ]);
  });

  test("lines, labels, times and types", () => {
    const raw = goPprof(encodePprof(profile), "-raw");
    expect(raw).toContain(
      "PeriodType: cpu nanoseconds\nPeriod: 5000000\nTime: 2026-03-04 05:06:07 +0000 UTC\nDuration: 2.5s\n",
    );
    expect(raw).toContain("samples/count cpu/nanoseconds\n          3   15000000: 2 4 1");
    expect(raw).toContain("                thread:[shard 0]");
    expect(raw).toMatch(/2: 0x0 M=1 decode \/app\/decode\.ts:12:0 s=0/);
    expect(raw).toMatch(/3: 0x0 M=1 decode \/app\/decode\.ts:13:0 s=0/);
  });

  test("a profile without samples, and odd names", () => {
    const odd = { ...profile, threads: [{ name: 'größe "x"\n', profile: { frames: [], samples: [] } }] };
    expect(goPprof(encodePprof(odd), "-top")).toContain("0% of 0 total");
  });
});
