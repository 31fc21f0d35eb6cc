import { describe, expect, test } from "bun:test";
import { listed, sourceOf } from "./otlp_peer.ts";
import { QueryCanceled, QueryTimeout } from "./query_errors.ts";
import { TraceTooLarge } from "./trace_combine.ts";
import {
  type BlockFinder,
  type CandidateRange,
  type FindTraceRequest,
  type LiveTraces,
  type TraceCandidates,
  TraceFinder,
} from "./trace_finder.ts";

const traceId = new Uint8Array(16).fill(7);
const second = 1_000_000_000;
const spanAt = (n: number) => ({
  id: n.toString(16).padStart(16, "0"),
  name: `s${n}`,
  start: n * second,
  end: n * second + 1,
});
const part = (...spans: number[]): Uint8Array => sourceOf({ a: spans.map(spanAt) });
const never = new AbortController().signal;
const request = (over: Partial<FindTraceRequest> = {}): FindTraceRequest => ({
  tenants: ["t"],
  traceId,
  mode: "all",
  bytesMax: 0,
  allowPartial: false,
  ...over,
});

type Heads = Record<string, () => Promise<Uint8Array[]>>;
type Stored = Record<string, Record<string, Uint8Array | null>>;

/** A finder over live traces and blocks by tenant that notes what is asked, in order. */
function finderOver(heads: Heads, stored: Stored = {}, queryTimeoutMs = 60_000) {
  const asked: string[] = [];
  const ranges: CandidateRange[] = [];
  const signals: AbortSignal[] = [];
  const live: LiveTraces = {
    find(tenant, id, signal) {
      expect(id).toBe(traceId);
      signals.push(signal);
      asked.push(`live ${tenant}`);
      return heads[tenant]?.() ?? Promise.resolve([]);
    },
  };
  const list: TraceCandidates<string> = {
    async candidates(tenant, range, id) {
      expect(id).toBe(traceId);
      asked.push(`list ${tenant}`);
      ranges.push(range);
      return Object.keys(stored[tenant] ?? {});
    },
  };
  const blocks: BlockFinder<string> = {
    async find(tenant, id, among, signal) {
      expect(id).toBe(traceId);
      signals.push(signal);
      asked.push(`blocks ${tenant} ${among.join()}`);
      return {
        traces: among.flatMap((block) => stored[tenant]![block] ?? []),
        inspectedBytes: among.length * 10,
      };
    },
  };
  return { finder: new TraceFinder(live, list, blocks, { queryTimeoutMs }), asked, ranges, signals };
}

const holds =
  (...parts: Uint8Array[]) =>
  async () =>
    parts;
const hangs = () => new Promise<never>(() => {});
const names = (trace: Uint8Array): string[] => listed(trace).map((line) => line.split(" ")[1]!);

describe("TraceFinder", () => {
  test("joins live data and blocks, and lists blocks only after live data answered", async () => {
    const released = Promise.withResolvers<Uint8Array[]>();
    const { finder, asked } = finderOver({ t: () => released.promise }, { t: { b1: part(1, 2), b2: null } });
    const finding = finder.find(request(), never);
    await Promise.resolve();
    expect(asked).toEqual(["live t"]);
    released.resolve([part(3), part(2, 4)]);
    const found = await finding;
    expect(asked).toEqual(["live t", "list t", "blocks t b1,b2"]);
    expect(names(found.trace)).toEqual(["s1", "s2", "s3", "s4"]);
    expect(found.inspectedBytes).toBe(20);
  });

  test("finds nothing where nothing is", async () => {
    const { finder, asked } = finderOver({});
    const found = await finder.find(request(), never);
    expect([found.trace.length, found.spans, found.inspectedBytes]).toEqual([0, 0, 0]);
    expect(asked).toEqual(["live t", "list t"]);
  });

  test("asks what the mode says", async () => {
    for (const [mode, asked, spans] of [
      ["ingesters", ["live t"], ["s1"]],
      ["blocks", ["list t", "blocks t b"], ["s2"]],
      ["external", [], []],
    ] as const) {
      const over = finderOver({ t: holds(part(1)) }, { t: { b: part(2) } });
      const found = await over.finder.find(request({ mode }), never);
      expect(over.asked).toEqual([...asked]);
      expect(names(found.trace)).toEqual([...spans]);
    }
  });

  test("asks every tenant and joins their parts", async () => {
    const { finder } = finderOver({ a: holds(part(1)), b: holds(part(1, 2)) }, { b: { x: part(3) } });
    const found = await finder.find(request({ tenants: ["a", "b"] }), never);
    expect(names(found.trace)).toEqual(["s1", "s2", "s3"]);
    expect(names((await finder.find(request({ tenants: ["a"] }), never)).trace)).toEqual(["s1"]);
  });

  test("narrows the list by time and block ids", async () => {
    const { finder, ranges } = finderOver({});
    await finder.find(request({ start: 1, end: 9, blockStart: "a", blockEnd: "b" }), never);
    expect(ranges).toEqual([{ start: 1, end: 9, blockStart: "a", blockEnd: "b" }]);
  });

  test("a trace outside the time asked for is not found, live or stored", async () => {
    const { finder } = finderOver({ t: holds(part(100, 110)) });
    const spans = async (start?: number, end?: number): Promise<number> =>
      (await finder.find(request({ start, end }), never)).spans;
    expect(await spans(50, 99)).toBe(0);
    expect(await spans(50, 100)).toBe(2);
    expect(await spans(105, 106)).toBe(2);
    expect(await spans(110, 200)).toBe(2);
    expect(await spans(111, 200)).toBe(0);
    expect(await spans(111)).toBe(0);
    expect(await spans(undefined, 99)).toBe(0);
    const timeless = finderOver({ t: holds(sourceOf({ a: [{ id: "0000000000000001" }] })) });
    expect((await timeless.finder.find(request({ start: 1, end: 2 }), never)).spans).toBe(1);
  });

  test("refuses or cuts a trace over the limit", async () => {
    const { finder } = finderOver({ t: holds(part(1, 2, 3)) });
    await expect(finder.find(request({ bytesMax: 90 }), never)).rejects.toThrow(TraceTooLarge);
    const found = await finder.find(request({ bytesMax: 90, allowPartial: true }), never);
    expect(found.partial).toBe(true);
    expect(found.spans).toBeLessThan(3);
  });

  test("gives up at the deadline and stops what is under way", async () => {
    const { finder, signals } = finderOver({ t: hangs }, {}, 1);
    await expect(finder.find(request(), never)).rejects.toThrow(new QueryTimeout());
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });

  test("stops when the client goes away, and does not start when it has gone", async () => {
    const { finder, signals, asked } = finderOver({ t: hangs });
    const client = new AbortController();
    const finding = finder.find(request(), client.signal);
    client.abort();
    await expect(finding).rejects.toThrow(new QueryCanceled());
    expect(signals[0]!.aborted).toBe(true);
    await expect(finder.find(request(), client.signal)).rejects.toThrow(QueryCanceled);
    expect(asked).toEqual(["live t"]);
  });

  test("one part that fails fails the query and stops the others", async () => {
    const broken = new Error("shard 1 broken");
    const { finder, signals } = finderOver({ a: hangs, b: () => Promise.reject(broken) });
    await expect(finder.find(request({ tenants: ["a", "b"] }), never)).rejects.toThrow(broken);
    expect(signals.every((signal) => signal.aborted)).toBe(true);
  });
});
