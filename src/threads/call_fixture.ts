// The worker of call.test.ts.

import { serveCalls } from "./call.ts";

export interface FixtureApi {
  add: { params: { a: number; b: number }; result: number };
  fail: { params: { code: string }; result: null };
  /** Resolves with the length when `open` is called; rejects when it is cancelled. */
  hold: { params: { bytes: Uint8Array<ArrayBuffer> }; result: number };
  open: { params: null; result: number };
  aborted: { params: null; result: number };
  reverse: { params: { bytes: Uint8Array<ArrayBuffer> }; result: Uint8Array<ArrayBuffer> };
  die: { params: { how: "throw" | "reject" | "exit" | "trap" }; result: null };
  unpostable: { params: null; result: unknown };
  emit: { params: { count: number }; result: null };
  /** Blocks the worker until the first word of the buffer is set. */
  gate: { params: { gate: SharedArrayBuffer }; result: null };
  groups: { params: null; result: number };
  missing: { params: null; result: null };
}

class FixtureError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

let held: { length: number; resolve: (length: number) => void }[] = [];
let aborted = 0;
let waiting: ((size: number) => void)[] = [];

// Modules of real workers await at the top, and calls made meanwhile must not be lost.
await new Promise((resolve) => setImmediate(resolve));

const { emit } = serveCalls<Omit<FixtureApi, "missing">>({
  add: ({ a, b }) => a + b,
  fail: ({ code }) => {
    throw new FixtureError(code, "as asked");
  },
  hold: ({ bytes }, { signal }) =>
    new Promise((resolve, reject) => {
      held.push({ length: bytes.length, resolve });
      signal.addEventListener("abort", () => {
        aborted++;
        reject(new Error("aborted"));
      });
    }),
  open: () => {
    const count = held.length;
    for (const { length, resolve } of held) resolve(length);
    held = [];
    return count;
  },
  aborted: () => aborted,
  reverse: ({ bytes }, context) => {
    const reversed = bytes.toReversed() as Uint8Array<ArrayBuffer>;
    context.transfer(reversed.buffer);
    return reversed;
  },
  die: ({ how }) => {
    if (how === "exit") process.exit(7);
    if (how === "reject") void Promise.reject(new Error("rejected on purpose"));
    // An error of a handler is the caller's; one outside of any handler is the worker's end.
    if (how === "throw") {
      setImmediate(() => {
        throw new Error("thrown on purpose");
      });
    }
    if (how === "trap") {
      const unreachable = new Uint8Array([
        0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0,
        11,
      ]);
      const { f } = new WebAssembly.Instance(new WebAssembly.Module(unreachable)).exports as {
        f: () => void;
      };
      setImmediate(f);
    }
    return new Promise(() => {});
  },
  unpostable: () => () => {},
  emit: ({ count }) => {
    for (let i = 0; i < count; i++) emit("tick", i);
    return null;
  },
  gate: ({ gate }) => {
    Atomics.wait(new Int32Array(gate), 0, 0);
    return null;
  },
  groups: () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) > 1) return;
      setImmediate(() => {
        const group = waiting;
        waiting = [];
        for (const resolve of group) resolve(group.length);
      });
    }),
});
