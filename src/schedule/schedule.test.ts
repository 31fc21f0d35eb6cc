import { expect, test } from "bun:test";
import { log } from "../telemetry/log.ts";
import { type Clock, Schedule } from "./schedule.ts";

class FakeClock implements Clock {
  time = 1000;
  timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((each) => each !== timer);
    };
  }

  /** Moves on, runs what is due, and lets its promises settle. */
  async advance(ms: number): Promise<void> {
    this.time += ms;
    const due = this.timers.filter(({ at }) => at <= this.time);
    this.timers = this.timers.filter(({ at }) => at > this.time);
    for (const { run } of due) run();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("Schedule runs a task one interval after the last run ended, never twice at a time", async () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock);
  const runs: PromiseWithResolvers<void>[] = [];
  schedule.add({
    name: "look",
    intervalMs: 10,
    run: () => {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      return run.promise;
    },
  });
  await clock.advance(9);
  expect(runs.length).toBe(0);
  await clock.advance(1);
  expect(runs.length).toBe(1);
  expect(schedule.status()[0]).toMatchObject({ running: true, nextAt: null, lastStartedAt: 1010 });
  await clock.advance(100);
  expect(runs.length).toBe(1);
  runs[0]!.resolve();
  await clock.advance(0);
  expect(schedule.status()[0]).toMatchObject({ running: false, runs: 1, lastMs: 100, nextAt: 1120 });
  await clock.advance(10);
  expect(runs.length).toBe(2);
  runs[1]!.resolve();
  await schedule.stop();
});

test("Schedule tells of a task that failed, and runs it again", async () => {
  const lines: string[] = [];
  log.configure({ sink: (line) => lines.push(line) });
  const clock = new FakeClock();
  const schedule = new Schedule(clock);
  let runs = 0;
  schedule.add({
    name: "look",
    intervalMs: 10,
    run: () => {
      if (runs++ === 0) throw new Error("not today");
    },
  });
  await clock.advance(10);
  expect(schedule.status()[0]).toMatchObject({ failures: 1, lastError: "not today", nextAt: 1020 });
  expect(lines[0]).toContain('msg="scheduled task failed" task=look error="not today"');
  await clock.advance(10);
  expect(schedule.status()[0]).toMatchObject({ runs: 2, failures: 1, lastError: null });
  await schedule.stop();
});

test("Schedule.stop() cancels what waits and waits for what runs", async () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock);
  let ended = false;
  schedule.add({
    name: "runs",
    intervalMs: 1,
    run: (signal) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          ended = true;
          resolve();
        }),
      ),
  });
  schedule.add({ name: "waits", intervalMs: 1000, run: () => {} });
  await clock.advance(1);
  await schedule.stop();
  expect(ended).toBe(true);
  expect(clock.timers).toEqual([]);
});
