import { describe, expect, test } from "bun:test";
import { FakeClock } from "./clock_fixture.ts";
import { MemoryService } from "./memory_service_fixture.ts";
import type { ObjectService } from "./object_service.ts";
import { type ResilienceOptions, resilient } from "./resilience.ts";
import { noSuchUpload, ServiceError } from "./service_error.ts";
import { StoreNotFound } from "./store_error.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const never = () => new AbortController().signal;
const defaults: ResilienceOptions = {
  retry: { attemptsMax: 4, backoffMsInitial: 200, backoffMsMax: 1000 },
  hedge: { afterMs: 0, requestsMax: 2 },
};

const refused = () => new ServiceError("slow down", { mayRetry: true, mayBeDone: false });
const reset = () => new ServiceError("reset", { mayRetry: true, mayBeDone: true });
const denied = () => new ServiceError("denied", { mayRetry: false, mayBeDone: false });

/** A service in memory, some calls of which go as told, and one that relies on it. */
function set(calls: Partial<ObjectService>, options: Partial<ResilienceOptions> = {}, random = 0.999999) {
  const clock = new FakeClock();
  const memory = new MemoryService();
  const inner = Object.assign(memory, calls);
  const service = resilient(inner, { ...defaults, ...options }, { clock, random: () => random });
  return { clock, memory, service };
}

/** What came of a promise; "pending" while it is open. */
function watch<T>(promise: Promise<T>): { result: () => unknown } {
  let result: unknown = "pending";
  promise.then(
    (value) => {
      result = value;
    },
    (error) => {
      result = error;
    },
  );
  return { result: () => result };
}

describe("resilient()", () => {
  test("tries again after pauses that double up to a limit", async () => {
    const times: number[] = [];
    const { clock, service } = set(
      {
        head: async () => {
          times.push(clock.nowMs);
          throw refused();
        },
      },
      { retry: { attemptsMax: 6, backoffMsInitial: 200, backoffMsMax: 1000 } },
    );
    const asked = watch(service.head("a", never()));
    await clock.pass(10_000);
    expect(times.map(Math.round)).toEqual([0, 200, 600, 1400, 2400, 3400]);
    expect(asked.result()).toBeInstanceOf(ServiceError);
    expect(clock.pending).toEqual([]);
  });

  test("spreads the pauses over their upper half", async () => {
    for (const [random, ms] of [
      [0, 100],
      [0.5, 150],
    ] as const) {
      const { clock, service } = set({ head: () => Promise.reject(refused()) }, {}, random);
      watch(service.head("a", never()));
      await clock.pass(0);
      expect(clock.pending).toEqual([ms]);
    }
  });

  test("does not try again what will not pass", async () => {
    for (const error of [denied(), new StoreNotFound("a"), new Error("a fault of ours")]) {
      let calls = 0;
      const { service } = set({
        get: async () => {
          calls++;
          throw error;
        },
      });
      await expect(service.get("a", null, never())).rejects.toBe(error);
      expect(calls).toBe(1);
    }
  });

  test("gives up a request without an answer, and asks again", async () => {
    const signals: AbortSignal[] = [];
    const { clock, service } = set(
      {
        head: (_key, signal) => {
          signals.push(signal);
          return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        },
      },
      { retry: { attemptsMax: 2, backoffMsInitial: 200, backoffMsMax: 1000 } },
    );
    const asked = watch(service.head("a", never()));
    await clock.pass(29_999);
    expect(signals).toHaveLength(1);
    await clock.pass(1000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await clock.pass(30_000);
    expect(String(asked.result())).toContain("no answer in 30000 ms");
  });

  test("gives large requests more time", async () => {
    const { clock, service } = set({ put: () => new Promise(() => {}) });
    watch(service.put("a", new Uint8Array(8 << 20), "none", never()));
    await clock.pass(0);
    expect(clock.pending).toEqual([30_000 + 32_768]);
  });

  test("asks slow reads again, and takes the first answer", async () => {
    const answers: ((text: string) => void)[] = [];
    const signals: AbortSignal[] = [];
    const { clock, service } = set(
      {
        get: (_key, _range, signal) => {
          signals.push(signal);
          return new Promise((resolve, reject) => {
            answers.push((text) => resolve({ bytes: bytes(text), tag: "" }));
            signal.addEventListener("abort", () => reject(signal.reason));
          });
        },
      },
      { hedge: { afterMs: 50, requestsMax: 3 } },
    );
    const asked = watch(service.get("a", null, never()));
    await clock.pass(49);
    expect(answers).toHaveLength(1);
    await clock.pass(1);
    expect(answers).toHaveLength(2);
    await clock.pass(1000);
    expect(answers).toHaveLength(3);
    answers[1]!("second");
    await clock.pass(0);
    expect(asked.result()).toEqual({ bytes: bytes("second"), tag: "" });
    expect(signals[0]!.aborted).toBe(true);
    expect(signals[2]!.aborted).toBe(true);
    expect(clock.pending).toEqual([]);
  });

  test("takes the answer of the other where a hedged read fails", async () => {
    let asks = 0;
    const first = Promise.withResolvers<never>();
    const { clock, service } = set(
      {
        get: () => (++asks === 1 ? first.promise : Promise.resolve({ bytes: bytes("x"), tag: "t" })),
      },
      { hedge: { afterMs: 50, requestsMax: 2 } },
    );
    const asked = watch(service.get("a", null, never()));
    await clock.pass(50);
    first.reject(denied());
    await clock.pass(0);
    expect(asked.result()).toEqual({ bytes: bytes("x"), tag: "t" });
  });

  test("does not take waiting in line for slowness", async () => {
    let asks = 0;
    const { clock, service } = set(
      {
        get: () => {
          asks++;
          return new Promise((resolve) => clock.after(40, () => resolve({ bytes: bytes("x"), tag: "" })));
        },
      },
      { hedge: { afterMs: 50, requestsMax: 2 } },
    );
    const all = Array.from({ length: 320 }, () => watch(service.get("a", null, never())));
    await clock.pass(1000);
    expect(all.every(({ result }) => result() !== "pending")).toBe(true);
    expect(asks).toBe(320);
    expect(clock.pending).toEqual([]);
  });

  test("never writes twice at a time", async () => {
    let writes = 0;
    const { clock, service } = set(
      {
        put: () => {
          writes++;
          return new Promise(() => {});
        },
      },
      { hedge: { afterMs: 50, requestsMax: 3 } },
    );
    watch(service.put("a", bytes("x"), "none", never()));
    await clock.pass(10_000);
    expect(writes).toBe(1);
  });

  test("has so many requests on their way, and not more", async () => {
    const open: (() => void)[] = [];
    const { clock, service } = set({
      delete: () => new Promise((resolve) => open.push(resolve)),
    });
    const all = Array.from({ length: 40 }, () => watch(service.delete(["a"], never())));
    await clock.pass(0);
    expect(open).toHaveLength(32);
    for (const answer of open.splice(0, 5)) answer();
    await clock.pass(0);
    expect(open).toHaveLength(32);
    expect(all.filter(({ result }) => result() !== "pending")).toHaveLength(5);
    for (let i = 0; i < 40; i++) {
      open.shift()?.();
      await clock.pass(0);
    }
    expect(all.every(({ result }) => result() === undefined)).toBe(true);
  });

  test("leaves the line and the pauses when it is given up", async () => {
    const { clock, service } = set({ head: () => Promise.reject(refused()) });
    const giveUp = new AbortController();
    const asked = watch(service.head("a", giveUp.signal));
    await clock.pass(10);
    giveUp.abort(new Error("given up"));
    await clock.pass(0);
    expect(String(asked.result())).toContain("given up");
    expect(clock.pending).toEqual([]);
  });

  test("tells a conditional write whose answer was lost from one that others prevented", async () => {
    for (const [there, expected] of [
      ["mine", "tag"],
      ["theirs", "cannot tell"],
      [null, "cannot tell"],
    ] as const) {
      let writes = 0;
      const { clock, service, memory } = set({});
      const put = memory.put.bind(memory);
      memory.put = async () => {
        if (++writes === 2) return null;
        if (there !== null) await put("a", bytes(there), "none");
        throw reset();
      };
      const written = watch(service.put("a", bytes("mine"), "absent", never()));
      await clock.pass(1000);
      const tag = memory.objects.get("a")?.tag;
      if (expected === "tag") expect(written.result()).toBe(tag);
      else expect(String(written.result())).toContain(expected);
    }
  });

  // Bun and Deno do so when a connection that was kept open is closed without an answer.
  test("finds a conditional write done that the runtime sent twice, unseen", async () => {
    const { service, memory } = set({});
    const put = memory.put.bind(memory);
    memory.put = async (...args) => {
      await put(...args);
      return put(...args);
    };
    const tag = await service.put("a", bytes("mine"), "absent", never());
    expect(tag).toBe(memory.objects.get("a")!.tag);
    expect(await service.put("a", bytes("other"), "absent", never())).toBeNull();
    expect(await service.put("a", bytes("more"), { tag: tag! }, never())).toBe(memory.objects.get("a")!.tag);
  });

  test("looks no oftener than it tries", async () => {
    let looks = 0;
    const { clock, service, memory } = set({
      get: async () => {
        looks++;
        throw refused();
      },
    });
    let writes = 0;
    memory.put = async () => {
      if (++writes === 1) throw reset();
      return null;
    };
    const written = watch(service.put("a", bytes("mine"), "absent", never()));
    await clock.pass(100_000);
    expect(written.result()).toBeInstanceOf(ServiceError);
    expect([writes, looks]).toEqual([4, 3]);
  });

  test("knows that a write was not done where the service refused it before", async () => {
    let writes = 0;
    const { clock, service } = set({
      put: async () => {
        if (++writes === 1) throw refused();
        return null;
      },
    });
    const written = watch(service.put("a", bytes("x"), "absent", never()));
    await clock.pass(1000);
    expect(written.result()).toBeNull();
  });

  test("takes an upload that is gone after a lost answer for complete if the object is there", async () => {
    for (const isThere of [true, false]) {
      const { clock, service, memory } = set({});
      const complete = memory.completeUpload.bind(memory);
      let calls = 0;
      memory.completeUpload = async (upload, parts) => {
        if (++calls === 1) {
          if (isThere) await complete(upload, parts);
          else await memory.abortUpload(upload);
          throw reset();
        }
        await complete(upload, parts);
      };
      const upload = await service.startUpload("a", never());
      const tag = await service.uploadPart(upload, 1, bytes("12345"), never());
      const done = watch(service.completeUpload(upload, [{ number: 1, tag, bytes: 5 }], never()));
      await clock.pass(1000);
      if (isThere) expect(done.result()).toBeUndefined();
      else expect(done.result()).toMatchObject({ reason: noSuchUpload });
    }
    const { service } = set({});
    const gone = service.completeUpload({ key: "a", id: "none" }, [], never());
    await expect(gone).rejects.toMatchObject({ reason: noSuchUpload });
  });
});
