import { expect, test } from "bun:test";
import { fromInspector, profileCpu } from "./cpu_profile.ts";

const call = (functionName: string, url: string, lineNumber: number) => ({
  functionName,
  url,
  lineNumber,
  scriptId: "1",
  columnNumber: 1,
});

test("fromInspector() turns the tree into stacks by line, without the root and without idle time", () => {
  const profile = fromInspector({
    startTime: 0,
    endTime: 1,
    nodes: [
      { id: 1, hitCount: 0, callFrame: call("(root)", "", -1), children: [2, 3, 4] },
      { id: 2, hitCount: 9, callFrame: call("(idle)", "", -1) },
      { id: 3, hitCount: 2, callFrame: call("(garbage collector)", "", -1) },
      {
        id: 4,
        hitCount: 4,
        callFrame: call("serve", "file:///app/a%20b.ts", 9),
        positionTicks: [{ line: 12, ticks: 3 }],
        children: [5],
      },
      { id: 5, hitCount: 0, callFrame: call("", "node:http", 0), children: [6] },
      {
        id: 6,
        hitCount: 1,
        callFrame: call(".wasm-function[wasm/batch/decode]", "", -1),
        positionTicks: [{ line: 77, ticks: 1 }],
      },
    ],
  });
  const readable = profile.samples.map(({ stack, values }) => [
    stack
      .map((i) => `${profile.frames[i]!.name} ${profile.frames[i]!.file}:${profile.frames[i]!.line}`)
      .join(" < "),
    ...values,
  ]);
  expect(readable.sort()).toEqual([
    ["(garbage collector) :0", 2, 10_000_000],
    ["serve /app/a b.ts:10", 1, 5_000_000],
    ["serve /app/a b.ts:12", 3, 15_000_000],
    ["wasm/batch/decode :0 < (anonymous) node:http:1 < serve /app/a b.ts:10", 1, 5_000_000],
  ]);
});

test("profileCpu() finds the function that burns, and ends early when told", async () => {
  const abort = new AbortController();
  const pending = profileCpu(60_000, abort.signal);
  let rounds = 0;
  await new Promise<void>((resolve) => {
    const burnForTest = () => {
      let x = 1;
      for (let i = 0; i < 2e7; i++) x = Math.imul(x, 1103515245) + 12345;
      if (x !== 0.5 && ++rounds < 20) setTimeout(burnForTest, 0);
      else resolve();
    };
    setTimeout(burnForTest, 1);
  });
  abort.abort();
  const { frames, samples } = await pending;
  const burning = samples.filter(({ stack }) => frames[stack[0]!]!.name === "burnForTest");
  expect(burning.length).toBeGreaterThan(0);
  expect(frames[burning[0]!.stack[0]!]!.file).toBe(import.meta.path);
});
