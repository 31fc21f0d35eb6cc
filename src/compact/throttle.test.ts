import { expect, test } from "bun:test";
import { Throttle } from "./throttle.ts";

/** A throttle over a clock that its pauses move. */
function throttleOf(options: { isBusy?: () => boolean; turnMs?: number; signal?: AbortSignal } = {}) {
  const clock = { ms: 0, rests: [] as number[], turnMs: options.turnMs ?? 0 };
  const throttle = new Throttle({
    signal: options.signal ?? new AbortController().signal,
    isBusy: options.isBusy ?? (() => false),
    now: () => clock.ms,
    turn: async () => {
      clock.ms += clock.turnMs;
    },
    rest: async (ms) => {
      clock.rests.push(ms);
      clock.ms += ms;
    },
  });
  return { clock, throttle };
}

test("Throttle does not rest while nobody else wants the processor", async () => {
  const { clock, throttle } = throttleOf();
  for (let i = 0; i < 5; i++) {
    clock.ms += 10;
    await throttle.pause();
  }
  expect(clock.rests).toEqual([]);
});

test("Throttle works a quarter of the time while others are busy", async () => {
  const { clock, throttle } = throttleOf({ isBusy: () => true });
  for (let i = 0; i < 3; i++) {
    clock.ms += 10;
    await throttle.pause();
  }
  expect(clock.rests).toEqual([30, 30, 30]);
});

test("Throttle takes a long turn of others for half a second of other work", async () => {
  const { clock, throttle } = throttleOf({ turnMs: 5 });
  clock.ms += 10;
  await throttle.pause();
  expect(clock.rests).toEqual([30]);
  clock.turnMs = 0;
  clock.ms += 10;
  await throttle.pause();
  expect(clock.rests).toEqual([30, 30]);
  clock.ms += 500;
  await throttle.pause();
  expect(clock.rests).toEqual([30, 30]);
});

test("Throttle.pause() throws once it is cancelled", async () => {
  const stop = new AbortController();
  const { throttle } = throttleOf({ signal: stop.signal });
  await throttle.pause();
  stop.abort(new Error("stop"));
  expect(throttle.pause()).rejects.toThrow("stop");
});
