import { expect, test } from "bun:test";
import { Registry } from "./metrics.ts";
import { lagProbeMs, lagWindowMs, registerProcessMetrics, watchEventLoop } from "./process_metrics.ts";

async function values(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.render()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => line.split(" ")).map(([name, value]) => [name!, Number(value)]),
  );
}

test("registerProcessMetrics() tells what the operating system tells", async () => {
  const registry = new Registry();
  const stop = registerProcessMetrics(registry);
  const got = await values(registry);
  stop();
  const { user, system } = process.cpuUsage();
  expect(got.process_cpu_seconds_total).toBeWithin(0, (user + system) / 1e6 + 0.001);
  expect(got.process_resident_memory_bytes! / process.memoryUsage.rss()).toBeWithin(0.8, 1.25);
  expect(got.rubato_process_resident_memory_peak_bytes).toBeGreaterThanOrEqual(
    got.process_resident_memory_bytes! * 0.9,
  );
  expect(got.process_start_time_seconds! + process.uptime()).toBeWithin(
    Date.now() / 1000 - 2,
    Date.now() / 1000 + 2,
  );
  if (process.platform === "linux") {
    expect(got.process_open_fds).toBeWithin(3, 10_000);
    expect(got.process_max_fds).toBeGreaterThan(got.process_open_fds!);
  }
});

test("watchEventLoop() shows the worst lag of the window, also of a stall that still goes on", () => {
  let time = 1000;
  const loop = watchEventLoop(() => time);
  const pass = (ms: number) => {
    time += ms;
    loop.probe();
  };
  expect(loop.worstMs()).toBe(0);
  pass(lagProbeMs);
  expect(loop.worstMs()).toBe(0);
  pass(lagProbeMs + 70);
  pass(lagProbeMs + 20);
  expect(loop.worstMs()).toBe(70);
  time += lagProbeMs + 300;
  expect(loop.worstMs()).toBe(300);
  pass(0);
  // The stall is shown for one more window after the one that it fell into.
  const probes = lagWindowMs / lagProbeMs;
  for (let i = 0; i < probes; i++) pass(lagProbeMs);
  expect(loop.worstMs()).toBe(300);
  for (let i = 0; i < probes; i++) pass(lagProbeMs);
  expect(loop.worstMs()).toBe(0);
  loop.stop();
});
