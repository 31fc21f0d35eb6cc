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
  const schedule = new Schedule(clock, () => 0.5);
  let runs = 0;
  schedule.add({
    name: "look",
    intervalMs: 10,
    run: () => {
      if (runs++ === 0) throw new Error("not today");
    },
  });
  await clock.advance(10);
  // A second's wait, of which the random half is half.
  expect(schedule.status()[0]).toMatchObject({ failures: 1, lastError: "not today", nextAt: 1760 });
  expect(lines[0]).toContain('msg="scheduled task failed" task=look error="not today"');
  await clock.advance(750);
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

test("Schedule waits longer after each failure, up to a minute, and as usual after a success", async () => {
  log.configure({ sink: () => {} });
  const clock = new FakeClock();
  const schedule = new Schedule(clock, () => 0.999_999);
  let broken = true;
  schedule.add({
    name: "look",
    intervalMs: 10,
    run: () => {
      if (broken) throw new Error("not today");
    },
  });
  const waits: number[] = [];
  await clock.advance(10);
  for (let failures = 1; failures <= 8; failures++) {
    const { nextAt, failuresInRow } = schedule.status()[0]!;
    expect(failuresInRow).toBe(failures);
    waits.push(nextAt! - clock.now());
    await clock.advance(waits.at(-1)!);
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  broken = false;
  await clock.advance(60_000);
  expect(schedule.status()[0]).toMatchObject({ failuresInRow: 0, failures: 9, nextAt: clock.now() + 10 });
  await schedule.stop();
  log.configure({ sink: (line) => process.stderr.write(line) });
});

test("Schedule.runNow() runs a task at once, and again when it is under way", async () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock);
  const runs: PromiseWithResolvers<void>[] = [];
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  schedule.add({
    name: "look",
    intervalMs: 1000,
    run: () => {
      runs.push(Promise.withResolvers());
      return runs.at(-1)!.promise;
    },
    status: () => ({ seen: runs.length }),
  });
  const first = schedule.runNow("look");
  expect(runs.length).toBe(1);
  let ended = 0;
  const others = [schedule.runNow("look"), schedule.runNow("look")];
  for (const other of others) void other.then(() => ended++);
  runs[0]!.resolve();
  await first;
  await settle();
  expect([runs.length, ended]).toEqual([2, 0]);
  runs[1]!.resolve();
  await Promise.all(others);
  expect(schedule.status()[0]).toMatchObject({ runs: 2, nextAt: 2000, detail: { seen: 2 } });
  // The timer of before is taken back: there is one.
  expect(clock.timers.length).toBe(1);
  expect(() => schedule.runNow("nothing")).toThrow("no task is called nothing");
  await schedule.stop();
  await schedule.runNow("look");
  expect(runs.length).toBe(2);
});

test("Schedule has a first wait of its own, and jitter", async () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock, () => 0.25);
  schedule.add({ name: "look", intervalMs: 1000, firstMs: 10, jitterMs: 100, run: () => {} });
  expect(schedule.status()[0]!.nextAt).toBe(1035);
  await clock.advance(35);
  expect(schedule.status()[0]!.nextAt).toBe(1035 + 1025);
  await schedule.stop();
});

test("Schedule.stop() lets go of who waits for a run that does not come", async () => {
  const clock = new FakeClock();
  const schedule = new Schedule(clock);
  const run = Promise.withResolvers<void>();
  schedule.add({ name: "look", intervalMs: 1000, run: () => run.promise });
  void schedule.runNow("look");
  const second = schedule.runNow("look");
  const stopped = schedule.stop();
  run.resolve();
  await Promise.all([second, stopped]);
  expect(schedule.status()[0]).toMatchObject({ runs: 1, nextAt: null });
});
