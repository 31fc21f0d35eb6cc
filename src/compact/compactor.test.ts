import { describe, expect, test } from "bun:test";
import { type Row, readRows } from "../block/encode_fixture.ts";
import { blockVersions } from "../block/meta.ts";
import { leasePath } from "../store/compaction_lease.ts";
import { deleteBlock } from "../store/delete_block.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { StoreError } from "../store/store.ts";
import { log } from "../telemetry/log.ts";
import {
  blockOf,
  liveBlocks,
  ManualClock,
  processOn,
  readMeta,
  settings,
  spanTexts,
  storedSpans,
} from "./compact_fixture.ts";
import { compactJob } from "./compact_job.ts";

log.configure({ sink: () => {} });

const leaseMs = 60_000;

/** Three blocks with a trace that is in all of them, a span that is in two, and traces of their own. */
async function blocksOf(store: MemoryStore) {
  const shared = { trace: 5, span: 50, name: "repeated" };
  return [
    await blockOf(store, [{ trace: 1, span: 1 }, shared, { trace: 5, span: 51, parent: 50 }]),
    await blockOf(store, [{ trace: 2, span: 2 }, shared, { trace: 5, span: 52, parent: 51 }]),
    await blockOf(store, [
      { trace: 5, span: 53, parent: 50, second: 1 },
      { trace: 9, span: 9 },
    ]),
  ];
}

/** What a store with those blocks must give, once each. */
async function distinctSpans(store: MemoryStore): Promise<string[]> {
  return [...new Set(await storedSpans(store))];
}

describe("Compactor", () => {
  test("merges blocks into one, which takes their place at once", async () => {
    const store = new MemoryStore();
    const inputs = await blocksOf(store);
    const before = await distinctSpans(store);
    const { compactor, blocks, run } = await processOn(store, new ManualClock());
    await run();
    expect(compactor.status().total).toEqual({ jobs: 1, inputBlocks: 3, spans: 7, failures: 0 });
    const [output, ...others] = blocks.live("t");
    expect(others).toEqual([]);
    expect(output).toMatchObject({
      format: "vParquet4",
      compactionLevel: 1,
      totalObjects: 4,
      replicationFactor: 1,
      startTime: "2026-01-02T00:00:00Z",
      endTime: "2026-01-02T00:00:02Z",
      dedicatedColumns: inputs[0]!.dedicatedColumns,
    });
    expect(await readMeta(store, output!)).toEqual(output!);
    expect(await liveBlocks(store)).toEqual([output!.blockID]);
    expect(await storedSpans(store)).toEqual(before);
    for (const { blockID } of inputs) {
      expect(store.objects.has(`t/${blockID}/meta.json`)).toBe(false);
      expect(store.objects.has(`t/${blockID}/meta.compacted.json`)).toBe(true);
    }
    expect(
      blocks
        .compacted("t")
        .map(({ meta }) => meta.blockID)
        .sort(),
    ).toEqual(inputs.map(({ blockID }) => blockID).sort());
  });

  test("leaves the lease free, and takes none where there is nothing to do", async () => {
    const store = new MemoryStore();
    await blocksOf(store);
    const { run } = await processOn(store, new ManualClock());
    await run();
    const lease = store.objects.get(leasePath("t"))!;
    expect(JSON.parse(new TextDecoder().decode(lease.bytes))).toMatchObject({ holder: null, job: null });
    await run();
    expect(store.objects.get(leasePath("t"))!.tag).toBe(lease.tag);
  });

  test("leaves blocks alone that are flagged, disabled, or of versions that are not known", async () => {
    const store = new MemoryStore();
    const [first, second, third] = await blocksOf(store);
    await store.write(`t/${first!.blockID}/nocompact.flg`, new Uint8Array(0));
    const metaPath = `t/${second!.blockID}/meta.json`;
    const meta = new TextDecoder().decode(await store.read(metaPath));
    await store.write(metaPath, new TextEncoder().encode(meta.replace("vParquet4", "vParquet6")));
    const { compactor, run } = await processOn(store, new ManualClock());
    const fourth = await blockOf(store, [{ trace: 3, span: 3 }]);
    await run();
    expect((await liveBlocks(store)).sort()).toEqual(
      [first!, second!, third!, fourth].map(({ blockID }) => blockID).sort(),
    );
    expect(compactor.status().tenants[0]!.left).toEqual({
      "nocompact.flg, or gone meanwhile": 1,
      "vParquet6 can't be merged": 1,
    });
    const other = await processOn(store, new ManualClock(), { settings: { ...settings, disabled: true } });
    await other.run();
    expect(other.compactor.status().total.jobs).toBe(0);
  });

  test("tells of a damaged block, and merges the others", async () => {
    const store = new MemoryStore();
    const [, , damaged] = await blocksOf(store);
    const before = await storedSpans(store);
    const { bytes } = store.objects.get(`t/${damaged!.blockID}/data.parquet`)!;
    bytes.fill(0, 4, 200);
    const { compactor, blocks, run } = await processOn(store, new ManualClock());
    await run();
    const { total, tenants } = compactor.status();
    expect(total).toMatchObject({ jobs: 1, inputBlocks: 2, failures: 1 });
    expect(tenants[0]!.lastError).toContain(`block t/${damaged!.blockID}: `);
    expect(tenants[0]!.left).toEqual({ "merging it failed; it is tried again later": 1 });
    expect(blocks.live("t").map(({ blockID }) => blockID)).toContain(damaged!.blockID);
    expect((await store.list("t")).length).toBe(4);
    expect(before.length).toBe(8);
  });

  test("gives a merge up when it is told to stop", async () => {
    const store = new MemoryStore();
    await blocksOf(store);
    const before = await storedSpans(store);
    const stop = new AbortController();
    const { compactor } = await processOn(store, new ManualClock(), {
      merge: (params, signal) => {
        stop.abort();
        return compactJob(store, params, signal);
      },
    });
    await compactor.run(stop.signal);
    expect(compactor.status().total).toMatchObject({ jobs: 0, failures: 0 });
    expect(await storedSpans(store)).toEqual(before);
    const next = await processOn(store, new ManualClock());
    await next.run();
    expect(await storedSpans(store)).toEqual([...new Set(before)]);
    expect((await store.list("t")).length).toBe(4);
  });
});

/** A store whose process ends at the n-th operation, before or after the store has done it. */
function endingAt(store: MemoryStore, last: number, after: boolean): MemoryStore & { operations: number } {
  let operations = 0;
  const counted =
    (work: (...args: unknown[]) => unknown) =>
    async (...args: unknown[]): Promise<unknown> => {
      const number = ++operations;
      if (number > last || (number === last && !after)) throw new StoreError("the process has ended");
      const result = await work(...args);
      if (number === last) throw new StoreError("the process has ended");
      return result;
    };
  return new Proxy(store, {
    get(target, name) {
      if (name === "operations") return operations;
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      const method = value.bind(target);
      if (name !== "create") return counted(method);
      return counted(async (path) => {
        const writer = await target.create(path as string);
        return {
          write: counted((bytes) => writer.write(bytes as Uint8Array)),
          close: counted(() => writer.close()),
          abort: counted(() => writer.abort()),
        };
      });
    },
  }) as MemoryStore & { operations: number };
}

function copyOf(store: MemoryStore): MemoryStore {
  const copy = new MemoryStore();
  for (const [path, object] of store.objects) copy.objects.set(path, { ...object });
  return copy;
}

for (const after of [false, true]) {
  test(`a process that ends ${after ? "after" : "before"} any operation loses no span and leaves none twice`, async () => {
    const original = new MemoryStore();
    await blocksOf(original);
    const before = await storedSpans(original);
    const expected = [...new Set(before)];
    let ended = true;
    let published = 0;
    for (let last = 1; ended; last++) {
      const store = copyOf(original);
      const dying = endingAt(store, last, after);
      const clock = new ManualClock();
      await processOn(dying, clock)
        .then(({ run }) => run())
        .catch(() => {});
      ended = dying.operations >= last;
      // As another process reads it meanwhile.
      const between = await storedSpans(store);
      expect({ last, lost: expected.filter((one) => !between.includes(one)) }).toEqual({ last, lost: [] });
      const isPublished = (await liveBlocks(store)).length === 1;
      if (isPublished) published++;
      expect({ last, between }).toEqual({ last, between: isPublished ? expected : before });
      const next = await processOn(store, clock);
      await next.run();
      clock.ms += leaseMs;
      await next.run();
      expect({ last, spans: await storedSpans(store) }).toEqual({ last, spans: expected });
      expect({ last, live: next.blocks.live("t").length }).toEqual({ last, live: 1 });
      for (const id of await store.list("t")) {
        const metas = [...store.objects.keys()].filter((path) => path.startsWith(`t/${id}/meta.`));
        expect({ last, id, metas: metas.length }).toEqual({ last, id, metas: 1 });
      }
    }
    expect(published).toBeGreaterThan(3);
  });
}

test("two processes on one store, in any interleaving, lose no span and leave none twice", async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const store = new MemoryStore();
    await blocksOf(store);
    await blocksOf(store);
    const expected = await distinctSpans(store);
    const clock = new ManualClock();
    let state = seed;
    const delayed = () =>
      new Proxy(store, {
        get(target, name) {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== "function") return value;
          return async (...args: unknown[]) => {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            for (let turns = state >>> 29; turns > 0; turns--)
              await new Promise((resolve) => setImmediate(resolve));
            return value.apply(target, args);
          };
        },
      });
    const [a, b] = [await processOn(delayed(), clock), await processOn(delayed(), clock)];
    await Promise.all([a.run(), b.run()]);
    expect({ seed, spans: await storedSpans(store) }).toEqual({ seed, spans: expected });
    await Promise.all([b.run(), a.run()]);
    expect({ seed, spans: await storedSpans(store) }).toEqual({ seed, spans: expected });
    const failures = [a, b].map(({ compactor }) => compactor.status().total.failures);
    expect({ seed, failures }).toEqual({ seed, failures: [0, 0] });
  }
});

test("a process that lost its lease publishes nothing and marks nothing", async () => {
  const store = new MemoryStore();
  await blocksOf(store);
  const expected = await distinctSpans(store);
  const clock = new ManualClock();
  const stalled = Promise.withResolvers<void>();
  const wakes = Promise.withResolvers<void>();
  // It runs no timers while it stalls, as a process that is stopped.
  const slow = await processOn(store, { ...clock, after: () => () => {} } as unknown as ManualClock, {
    now: () => clock.ms,
    merge: async (params, signal) => {
      const merged = await compactJob(store, params, signal);
      stalled.resolve();
      await wakes.promise;
      return merged;
    },
  });
  const slowRun = slow.run();
  await stalled.promise;
  const quick = await processOn(store, clock);
  await quick.run();
  expect(quick.compactor.status().tenants[0]!.isElsewhere).toBe(true);
  clock.ms += leaseMs;
  await quick.run();
  expect(quick.compactor.status().total.jobs).toBe(1);
  expect(await storedSpans(store)).toEqual(expected);
  const objects = new Map([...store.objects].map(([path, { tag }]) => [path, tag]));
  wakes.resolve();
  await slowRun;
  expect(slow.compactor.status().tenants[0]!.lastError).toContain("lease");
  expect(new Map([...store.objects].map(([path, { tag }]) => [path, tag]))).toEqual(objects);
});

/** What a process that knows nothing yet finds live. */
async function listedBy(store: MemoryStore): Promise<string[]> {
  const { blocks } = await processOn(store, new ManualClock());
  return blocks.live("t").map(({ blockID }) => blockID);
}

// The holder of a lease looks at it, and is stopped before the write that comes next: of the meta, or of the lease that says that the merge
// has come to pass. Others finish, merge on, and delete; then the write arrives after all.
for (const [what, isIt] of [
  ["its meta", (path: string) => path.endsWith("/meta.json")],
  ["its last object but the meta", (path: string) => path.endsWith("/index")],
] as const) {
  for (const ends of [true, false]) {
    test(`a block comes never back by the hand of who was stopped before ${what}${ends ? ", and ended after it" : ""}`, async () => {
      const store = new MemoryStore();
      await blocksOf(store);
      const expected = await distinctSpans(store);
      const clock = new ManualClock();
      const stopped = Promise.withResolvers<string>();
      const goesOn = Promise.withResolvers<void>();
      let hasEnded = false;
      const slowStore = new Proxy(store, {
        get(target, name) {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== "function") return value;
          return async (...args: unknown[]) => {
            if (hasEnded) throw new StoreError("the process has ended");
            const isLate = name === "write" && isIt(args[0] as string);
            if (isLate) {
              stopped.resolve((args[0] as string).split("/")[1]!);
              await goesOn.promise;
            }
            const result = await value.apply(target, args);
            if (isLate) hasEnded = ends;
            return result;
          };
        },
      });
      // Its clock has stood still with it.
      const slow = await processOn(slowStore, new ManualClock(), { now: () => 0 });
      const slowRun = slow.run();
      const output = await stopped.promise;

      const quick = await processOn(store, clock);
      await quick.run();
      clock.ms += leaseMs;
      await quick.run();
      expect(quick.compactor.status().total).toMatchObject({ jobs: 1, failures: 0 });
      await blockOf(store, [{ trace: 7, span: 70 }]);
      await quick.blocks.load();
      await quick.run();
      const [last, ...others] = quick.blocks.live("t");
      expect([last!.compactionLevel, others]).toEqual([2, []]);
      for (const { meta } of quick.blocks.compacted("t")) await deleteBlock(store, meta);

      goesOn.resolve();
      await slowRun;
      expect(await listedBy(store)).toEqual([last!.blockID]);
      await quick.blocks.load();
      await quick.run();
      expect((await storedSpans(store)).filter((text) => !text.includes("number=70"))).toEqual(expected);
      // Nothing of it stays, and nothing is done about it any more.
      expect(await store.list("t")).toEqual([last!.blockID]);
      expect(last!.blockID).not.toBe(output);
      const { tag } = store.objects.get(leasePath("t"))!;
      await quick.run();
      expect(store.objects.get(leasePath("t"))!.tag).toBe(tag);
    });
  }
}

test("a process that did not hear that its merge came to pass leaves the output to its successor", async () => {
  const store = new MemoryStore();
  await blocksOf(store);
  const expected = await distinctSpans(store);
  const clock = new ManualClock();
  const quick = await processOn(store, clock);
  // The write that completes the merge arrives; by the time that it is asked about, the successor has done the rest.
  const deaf = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      if (name !== "writeIf") return value.bind(target);
      return async (path: string, bytes: Uint8Array, tag: string | null) => {
        const written = await target.writeIf(path, bytes, tag);
        if (!new TextDecoder().decode(bytes).includes("vParquet4")) return written;
        await quick.run();
        clock.ms += leaseMs;
        await quick.run();
        throw new StoreError("no answer");
      };
    },
  });
  const { compactor, run } = await processOn(deaf, clock);
  await run();
  expect(compactor.status().tenants[0]!.lastError).toContain("lease");
  expect(quick.blocks.live("t").map(({ compactionLevel }) => compactionLevel)).toEqual([1]);
  expect(await storedSpans(store)).toEqual(expected);
});

test("a lease is renewed while a merge runs, and the merge ends when it cannot be", async () => {
  const store = new MemoryStore();
  await blocksOf(store);
  const clock = new ManualClock();
  const merging = Promise.withResolvers<AbortSignal>();
  const { compactor, run } = await processOn(store, clock, {
    merge: (_, signal) => {
      merging.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  const ran = run();
  const signal = await merging.promise;
  const other = await processOn(store, clock);
  await clock.advance(10 * leaseMs);
  await other.run();
  await clock.advance(leaseMs);
  await other.run();
  expect(other.compactor.status().tenants[0]!.isElsewhere).toBe(true);
  expect(signal.aborted).toBe(false);
  await store.write(
    leasePath("t"),
    new TextEncoder().encode('{"holder":"x","turn":99,"leaseMs":1,"job":null}'),
  );
  await clock.advance(leaseMs);
  await ran;
  expect(signal.aborted).toBe(true);
  expect(compactor.status().tenants[0]!.lastError).toContain("lease");
});

test("blocks are merged with those of their version", async () => {
  const store = new MemoryStore();
  for (const version of [...blockVersions, ...blockVersions]) {
    for (const trace of [1, 2]) await blockOf(store, [{ trace, span: trace, service: version }], { version });
  }
  const before = [...new Set(await storedSpans(store))];
  const { blocks, run } = await processOn(store, new ManualClock());
  await run();
  const merged = blocks.live("t").map(({ format, totalObjects }) => [format, totalObjects]);
  expect(merged.sort()).toEqual([
    ["vParquet3", 2],
    ["vParquet4", 2],
    ["vParquet5", 2],
  ]);
  for (const { blockID, format } of blocks.live("t")) {
    const { bytes } = store.objects.get(`t/${blockID}/data.parquet`)!;
    const services = (await readRows(bytes)).flatMap(({ rs }) =>
      rs.map(({ Resource }: Row) => Resource.ServiceName),
    );
    expect(services).toEqual([format, format]);
  }
  expect(await storedSpans(store)).toEqual(before);
});

test("what was merged is merged again, a level higher", async () => {
  const store = new MemoryStore();
  for (let i = 0; i < 7; i++) await blockOf(store, [{ trace: i + 1, span: i + 1 }]);
  const before = await storedSpans(store);
  const { blocks, run } = await processOn(store, new ManualClock());
  await run();
  expect(
    blocks.live("t").map(({ compactionLevel, totalObjects }) => [compactionLevel, totalObjects]),
  ).toEqual([[2, 7]]);
  const { bytes } = store.objects.get(`t/${blocks.live("t")[0]!.blockID}/data.parquet`)!;
  expect(spanTexts(await readRows(bytes)).sort()).toEqual(before);
});
