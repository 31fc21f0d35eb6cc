import { afterEach, describe, expect, test } from "bun:test";
import { Worker } from "node:worker_threads";
import { CallError, WorkerClient, type WorkerClientOptions } from "./call.ts";
import type { FixtureApi } from "./call_fixture.ts";

const clients: WorkerClient<FixtureApi>[] = [];

function start(options?: WorkerClientOptions): WorkerClient<FixtureApi> {
  const worker = new Worker(new URL("./call_fixture.ts", import.meta.url));
  const client = new WorkerClient<FixtureApi>(worker, "fixture", options);
  clients.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

async function failure(promise: Promise<unknown>): Promise<CallError> {
  const error = await promise.then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(CallError);
  return error as CallError;
}

describe("WorkerClient.call()", () => {
  test("answers calls, also those made before the worker serves", async () => {
    const client = start();
    const sums = [1, 2, 3].map((a) => client.call("add", { a, b: 10 }));
    expect(await Promise.all(sums)).toEqual([11, 12, 13]);
    expect(client.pendingCalls).toBe(0);
  });

  test("moves buffers both ways", async () => {
    const client = start();
    const bytes = new Uint8Array([1, 2, 3]);
    const reversed = await client.call("reverse", { bytes }, { transfer: [bytes.buffer] });
    expect([...reversed]).toEqual([3, 2, 1]);
    expect(bytes.length).toBe(0);
  });

  test("rejects with the class name and the code of the worker's error", async () => {
    const error = await failure(start().call("fail", { code: "teapot" }));
    expect([error.name, error.code, error.message]).toEqual(["FixtureError", "teapot", "as asked"]);
  });

  test("rejects a method that the worker does not have, and a result that can't be posted", async () => {
    const client = start();
    expect((await failure(client.call("missing", null))).message).toBe("no handler for missing");
    expect((await failure(client.call("unpostable", null))).code).not.toBe("unavailable");
    expect(await client.call("add", { a: 1, b: 1 })).toBe(2);
  });

  test("ends a call at its deadline, and tells the worker", async () => {
    const client = start();
    await client.serving;
    const error = await failure(client.call("hold", { bytes: new Uint8Array(1) }, { deadlineMs: 1 }));
    expect(error.code).toBe("deadline_exceeded");
    expect(error.message).toBe("fixture hold took longer than 1 ms");
    expect(await client.call("aborted", null)).toBe(1);
  });

  test("ends a call when its signal is aborted, and tells the worker", async () => {
    const client = start();
    await client.serving;
    const abort = new AbortController();
    const held = failure(client.call("hold", { bytes: new Uint8Array(1) }, { signal: abort.signal }));
    expect(await client.call("aborted", null)).toBe(0);
    abort.abort();
    expect((await held).code).toBe("canceled");
    expect(await client.call("aborted", null)).toBe(1);
    expect(
      (await failure(client.call("hold", { bytes: new Uint8Array(1) }, { signal: abort.signal }))).code,
    ).toBe("canceled");
    expect(client.pendingCalls).toBe(0);
  });

  test("does not send a call that was cancelled before the worker served", async () => {
    const client = start();
    const abort = new AbortController();
    const held = failure(client.call("hold", { bytes: new Uint8Array(1) }, { signal: abort.signal }));
    abort.abort();
    expect((await held).code).toBe("canceled");
    expect(await client.call("open", null)).toBe(0);
  });

  test("counts queued bytes until calls are settled, and refuses those over the limit", async () => {
    const client = start({ queuedBytesMax: 100 });
    const hold = (bytes: number) => client.call("hold", { bytes: new Uint8Array(bytes) }, { bytes });
    const first = hold(60);
    const second = hold(40);
    expect(client.queuedBytes).toBe(100);
    const error = await failure(hold(1));
    expect(error.code).toBe("resource_exhausted");
    expect(error.message).toBe("fixture queue is full: 100 bytes wait, at most 100 may");
    expect(client.queuedBytes).toBe(100);
    expect(await client.call("open", null)).toBe(2);
    expect(await Promise.all([first, second])).toEqual([60, 40]);
    expect(client.queuedBytes).toBe(0);
  });

  test("has all waiting calls handled before a handler's setImmediate", async () => {
    const client = start();
    await client.serving;
    const gate = new SharedArrayBuffer(4);
    const held = client.call("gate", { gate });
    const calls = Array.from({ length: 20 }, () => client.call("groups", null));
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    await held;
    const sizes = await Promise.all(calls);
    expect(sizes).toEqual(Array.from({ length: 20 }, () => 20));
  });

  for (const how of ["throw", "reject", "exit", "trap"] as const) {
    test(`rejects what is pending when the worker ends by: ${how}`, async () => {
      const client = start();
      const gone = new Promise<Error>((resolve) => client.onGone(resolve));
      const held = failure(client.call("hold", { bytes: new Uint8Array(1) }, { bytes: 1 }));
      const died = failure(client.call("die", { how }));
      expect((await held).code).toBe("unavailable");
      expect((await died).code).toBe("unavailable");
      expect((await gone).message).toStartWith("fixture ");
      expect(client.alive).toBe(false);
      expect(client.queuedBytes).toBe(0);
      expect((await failure(client.call("add", { a: 1, b: 1 }))).code).toBe("unavailable");
    });
  }
});

test("WorkerClient.on() hears events in order, before the answer that follows them", async () => {
  const client = start();
  const ticks: number[] = [];
  client.on<number>("tick", (tick) => ticks.push(tick));
  await client.call("emit", { count: 5 });
  expect(ticks).toEqual([0, 1, 2, 3, 4]);
});

test("WorkerClient.close() rejects what is pending and does not count as the worker's death", async () => {
  const client = start();
  let deaths = 0;
  client.onGone(() => deaths++);
  const held = failure(client.call("hold", { bytes: new Uint8Array(1) }));
  await client.close();
  expect((await held).message).toBe("fixture is closed");
  expect(deaths).toBe(0);
});

test("WorkerClient.serving rejects when the worker can't start", async () => {
  const worker = new Worker(new URL("./no_such_worker.ts", import.meta.url));
  const client = new WorkerClient<FixtureApi>(worker, "fixture");
  clients.push(client);
  expect((await failure(client.serving)).code).toBe("unavailable");
});
