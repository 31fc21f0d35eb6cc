import { beforeEach, describe, expect, jest, test } from "bun:test";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { SpanBatch } from "../batch/span_batch.ts";
import { log } from "../telemetry/log.ts";
import { locate } from "./head_queries.ts";
import { appendWaitMsMax, ShardFull } from "./shard.ts";
import { makeShard, range, spansIn, traceId } from "./shard_fixture.ts";
import { FaultyFiles, temporaryDirectory } from "./wal_fixture.ts";
import { WalError } from "./wal_segment.ts";

const tenant = "single-tenant";
let lines: string[] = [];

beforeEach(() => {
  lines = [];
  log.configure({ sink: (line) => lines.push(line) });
});

function walFiles(root: string, ending = ".wal"): string[] {
  return readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending))
    .sort();
}

describe("Shard.append()", () => {
  test("holds what it acknowledged, by tenant", async () => {
    using directory = temporaryDirectory();
    const { shard } = makeShard(directory.path);
    await shard.append("a", spansIn([1, 2]));
    await shard.append("b", spansIn([2, 3]));
    expect(shard.find("a", traceId(2)).length).toBe(1);
    expect(shard.find("b", traceId(3)).length).toBe(1);
    expect(shard.find("a", traceId(3))).toEqual([]);
    expect(shard.find("c", traceId(1))).toEqual([]);
    expect(walFiles(directory.path).map((name) => name.split("/").slice(0, 2))).toEqual([
      ["shard-0", "a"],
      ["shard-0", "b"],
    ]);
  });

  test("gives all parts of the first traces that fit, and of one at least", async () => {
    using directory = temporaryDirectory();
    const { shard } = makeShard(directory.path);
    await shard.append(tenant, spansIn([1, 2, 3]));
    const bytes = shard.find(tenant, traceId(1))[0]!.length;
    const ids = Buffer.concat([1, 9, 2, 3].map(traceId));
    const found = (bytesMax: number) => {
      const { places, count } = shard.findAll(tenant, ids, bytesMax);
      return { places, count };
    };
    expect(found(1)).toEqual({ places: [0], count: 1 });
    expect(found(bytes + 1)).toEqual({ places: [0, 2], count: 3 });
    expect(found(bytes * 100)).toEqual({ places: [0, 2, 3], count: 4 });
  });

  test("writes what waits as one group", async () => {
    using directory = temporaryDirectory();
    const { shard } = makeShard(directory.path);
    await Promise.all(range(10, 40).map((trace) => shard.append(tenant, spansIn([trace]))));
    const { shard: report } = shard.report();
    expect(report).toMatchObject({ walAppendedRecords: 30, walWrites: 1, headSpans: 30, walSyncs: 0 });
    expect(report.walAppendedBytes).toBe(30 * (32 + spansIn([10]).length));
  });

  test("syncs before it acknowledges where the policy is always", async () => {
    using directory = temporaryDirectory();
    const files = new FaultyFiles();
    const { shard } = makeShard(directory.path, { sync: "always", files });
    await shard.append(tenant, spansIn([1]));
    expect(files.calls.slice(-2)).toEqual(["write", "sync"]);
    expect(shard.report().shard).toMatchObject({ walUnsyncedBytes: 0, walUnsyncedMs: 0, walSyncs: 1 });
  });

  test("syncs in the background where the policy is interval", async () => {
    using directory = temporaryDirectory();
    const files = new FaultyFiles();
    const synced = Promise.withResolvers<void>();
    const syncLater = files.syncLater.bind(files);
    files.syncLater = async (file) => {
      await syncLater(file);
      synced.resolve();
    };
    const { shard } = makeShard(directory.path, { sync: "interval", syncIntervalMs: 1, files });
    await shard.append(tenant, spansIn([1]));
    expect(shard.report().shard.walUnsyncedBytes).toBeGreaterThan(0);
    await synced.promise;
    await Promise.resolve();
    expect(shard.report().shard).toMatchObject({ walUnsyncedBytes: 0, walSyncs: 1 });
  });

  test("refuses a group that the disk has no room for, keeps what it has, and goes on later", async () => {
    using directory = temporaryDirectory();
    const files = new FaultyFiles();
    const { shard, store } = makeShard(directory.path, { files });
    await shard.append(tenant, spansIn([1]));
    files.roomBytes = 60;
    const [first, second] = await Promise.allSettled([
      shard.append(tenant, spansIn([2])),
      shard.append(tenant, spansIn([3])),
    ]);
    expect(first.status === "rejected" && first.reason).toBeInstanceOf(WalError);
    expect(second.status === "rejected" && second.reason.code).toBe("unavailable");
    expect(shard.find(tenant, traceId(2))).toEqual([]);
    files.roomBytes = 1e9;
    await shard.append(tenant, spansIn([4]));
    await shard.flush(null, "flush");
    expect(store.names).toEqual(["span-1", "span-4"]);
  });

  test("refuses a tenant whose segment can't be created", async () => {
    using directory = temporaryDirectory();
    const files = new FaultyFiles();
    const { shard } = makeShard(directory.path, { files });
    files.faults.open = Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    expect(await shard.append(tenant, spansIn([1])).catch((error) => error.code)).toBe("unavailable");
    expect(await shard.append("../x", spansIn([1])).catch((error) => error.message)).toContain(
      "no directory name",
    );
    files.faults = {};
    await shard.append(tenant, spansIn([1]));
    expect(shard.find(tenant, traceId(1)).length).toBe(1);
  });

  test("cuts the head of a segment that broke, and starts another", async () => {
    using directory = temporaryDirectory();
    const files = new FaultyFiles();
    const { shard, store } = makeShard(directory.path, { sync: "always", files });
    await shard.append(tenant, spansIn([1]));
    files.faults.sync = Object.assign(new Error("EIO"), { code: "EIO" });
    expect(await shard.append(tenant, spansIn([2])).catch((error) => error.code)).toBe("unavailable");
    files.faults = {};
    await shard.append(tenant, spansIn([3]));
    expect(shard.find(tenant, traceId(1)).length).toBe(1);
    await shard.flush(null, "flush");
    expect(store.names).toEqual(["span-1", "span-3"]);
    expect(store.blocks.size).toBe(2);
    expect(walFiles(directory.path)).toEqual([]);
    expect(lines.some((line) => line.includes("WAL segment failed"))).toBe(true);
  });
});

describe("Shard.flush()", () => {
  test("writes a block per tenant, has it listed, and only then removes the segment", async () => {
    using directory = temporaryDirectory();
    const steps: string[] = [];
    const { shard, store, listed, cuts } = makeShard(directory.path, {
      listBlock: async (meta) => {
        steps.push(`${store.blocks.has(meta.blockID)} ${walFiles(directory.path).length}`);
        expect(shard.find(meta.tenantID, traceId(1)).length).toBe(1);
      },
    });
    await shard.append("a", spansIn([1]));
    await shard.append("b", spansIn([1]));
    const metas = await shard.flush(null, "flush");
    expect(steps).toEqual(["true 2", "true 1"]);
    expect(metas).toEqual(listed);
    expect(cuts.map(({ tenant, reason, spans }) => [tenant, reason, spans])).toEqual([
      ["a", "flush", 1],
      ["b", "flush", 1],
    ]);
    expect(walFiles(directory.path)).toEqual([]);
    expect(shard.find("a", traceId(1))).toEqual([]);
  });

  test("cuts only the tenant that is asked for", async () => {
    using directory = temporaryDirectory();
    const { shard } = makeShard(directory.path);
    await shard.append("a", spansIn([1]));
    await shard.append("b", spansIn([1]));
    expect((await shard.flush("b", "flush")).map((meta) => meta.tenantID)).toEqual(["b"]);
    expect(await shard.flush("b", "flush")).toEqual([]);
    expect(shard.find("a", traceId(1)).length).toBe(1);
  });

  test("takes requests and answers while a block is written, into another head", async () => {
    using directory = temporaryDirectory();
    const { shard, store } = makeShard(directory.path);
    await shard.append(tenant, spansIn([1, 2]));
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    const flushed = shard.flush(null, "flush");
    await shard.append(tenant, spansIn([2, 3]));
    expect(shard.find(tenant, traceId(1)).length).toBe(1);
    expect(shard.find(tenant, traceId(2)).length).toBe(2);
    // Once for every head: a search has to know that trace 2 lies in both.
    const ids = Buffer.concat([traceId(1), traceId(2), traceId(3), traceId(4)]);
    expect([...locate(shard, { tenant, ids })].sort()).toEqual([0, 1, 1, 2]);
    expect(walFiles(directory.path).length).toBe(2);
    gate.resolve();
    expect((await flushed).length).toBe(1);
    expect(store.names).toEqual(["span-1", "span-2"]);
    expect(shard.find(tenant, traceId(2)).length).toBe(1);
    expect(shard.report().shard.headSpans).toBe(2);
  });

  test("rejects when the block can't be written, keeps head and log, and writes the same block when asked again", async () => {
    using directory = temporaryDirectory();
    const { shard, store, failures } = makeShard(directory.path);
    await shard.append(tenant, spansIn([1]));
    store.faults = [Object.assign(new Error("disk full"), { code: "ENOSPC" })];
    expect(await shard.flush(null, "flush").catch((error) => error.message)).toBe("disk full");
    expect(failures).toEqual(["disk full"]);
    expect(shard.cutter.failing).toBe(true);
    expect(shard.find(tenant, traceId(1)).length).toBe(1);
    await shard.append(tenant, spansIn([2]));
    const metas = await shard.flush(null, "flush");
    expect(store.writes[0]).toBe(store.writes[1]!);
    expect(metas.length).toBe(2);
    expect(store.names).toEqual(["span-1", "span-2"]);
    expect(shard.cutter.failing).toBe(false);
    expect(walFiles(directory.path)).toEqual([]);
  });

  test("sets a segment aside that the writer fails on by its own fault, and goes on", async () => {
    using directory = temporaryDirectory();
    const { shard, store } = makeShard(directory.path);
    await shard.append(tenant, spansIn([1]));
    store.faults = [new TypeError("x is undefined"), new RangeError("out of bounds"), new Error("wrong")];
    for (let i = 0; i < 3; i++) await shard.flush(null, "flush").catch(() => {});
    expect(walFiles(directory.path)).toEqual([]);
    expect(walFiles(directory.path, ".corrupt").length).toBe(1);
    await shard.append(tenant, spansIn([2]));
    await shard.flush(null, "flush");
    expect(store.names).toEqual(["span-2"]);
    expect(shard.report().shard).toMatchObject({ corruptSegments: 1, corruptRecords: 1 });
  });
});

describe("Shard cuts by itself", () => {
  test("what is too old", async () => {
    using directory = temporaryDirectory();
    const { shard, cuts } = makeShard(directory.path);
    await shard.append("old", spansIn([1]));
    const started = Date.now();
    shard.cutAged(60_000, started + 50_000);
    expect(shard.cutter.waiting).toBe(0);
    shard.cutAged(60_000, started + 60_001);
    expect(shard.cutter.waiting).toBe(1);
    await shard.flush(null, "flush");
    expect(cuts.map((cut) => cut.reason)).toEqual(["age"]);
  });

  test("what is too old by a clock that has been set back since", async () => {
    using directory = temporaryDirectory();
    const { shard, cuts } = makeShard(directory.path);
    await shard.append("old", spansIn([1]));
    const started = Date.now();
    shard.cutAged(60_000, started - 50_000);
    expect(shard.cutter.waiting).toBe(0);
    shard.cutAged(60_000, started - 3_600_000);
    await shard.flush(null, "flush");
    expect(cuts.map((cut) => cut.reason)).toEqual(["age"]);
  });

  test("what has grown to max_block_bytes", async () => {
    using directory = temporaryDirectory();
    const { shard, cuts } = makeShard(directory.path, { blockBytesMax: 1000 });
    for (const trace of range(10, 50)) await shard.append(tenant, spansIn([trace]));
    await shard.flush(null, "flush");
    // 256 bytes of header and 32 + 86 bytes for each record: the seventh passes 1000.
    expect(spansIn([10]).length).toBe(86);
    expect(cuts[0]).toMatchObject({ reason: "bytes", spans: 7 });
    expect(cuts.reduce((spans, cut) => spans + cut.spans, 0)).toBe(40);
  });

  test("the fullest head when its memory is full, and lets clients wait for it", async () => {
    using directory = temporaryDirectory();
    const { shard, store, cuts } = makeShard(directory.path, { memoryBytesMax: 700_000 });
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    await shard.append("small", spansIn([1]));
    const appends = range(0, 40).map((i) => shard.append("large", spansIn(range(i * 100, i * 100 + 100))));
    await appends[0];
    for (let i = 0; i < 200; i++) await shard.pause();
    const before = shard.report().shard.walAppendedRecords;
    expect(before).toBeLessThan(41);
    expect(shard.cutter.waiting).toBeGreaterThan(0);
    gate.resolve();
    await Promise.all(appends);
    await shard.flush(null, "flush");
    expect(cuts[0]).toMatchObject({ tenant: "large", reason: "budget" });
    expect(store.names.length).toBe(4001);
  });
});

describe("Shard refuses", () => {
  test("at once when it is full and its blocks can't be written", async () => {
    using directory = temporaryDirectory();
    const { shard, store } = makeShard(directory.path, { memoryBytesMax: 700_000 });
    store.faults = Array.from({ length: 100 }, () =>
      Object.assign(new Error("disk full"), { code: "ENOSPC" }),
    );
    let refused = 0;
    let taken = 0;
    for (const i of range(0, 40)) {
      try {
        await shard.append(tenant, spansIn(range(i * 100, i * 100 + 100)));
        taken++;
      } catch (error) {
        expect(error).toBeInstanceOf(ShardFull);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect(shard.report().shard.headSpans).toBe(taken * 100);
    store.faults = [];
    await shard.flush(null, "flush");
    expect(store.names.length).toBe(taken * 100);
    await shard.append(tenant, spansIn([1]));
  });

  test("what has waited too long for a block that hangs", async () => {
    jest.useFakeTimers();
    try {
      using directory = temporaryDirectory();
      const { shard, store } = makeShard(directory.path, { memoryBytesMax: 700_000 });
      const gate = Promise.withResolvers<void>();
      store.gate = gate.promise;
      const appends = range(0, 40).map((i) => shard.append(tenant, spansIn(range(i * 100, i * 100 + 100))));
      const settled = Promise.allSettled(appends);
      for (let i = 0; i < 200; i++) await shard.pause();
      jest.setSystemTime(Date.now() + appendWaitMsMax);
      jest.advanceTimersByTime(appendWaitMsMax);
      gate.resolve();
      const results = await settled;
      const refused = results.filter((result) => result.status === "rejected");
      expect(refused.length).toBeGreaterThan(0);
      for (const { reason } of refused) expect(reason).toBeInstanceOf(ShardFull);
      await shard.flush(null, "flush");
      expect(store.names.length).toBe((40 - refused.length) * 100);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe("Shard with records that can't be decoded", () => {
  test("sets a malformed record aside and keeps its segment", async () => {
    using directory = temporaryDirectory();
    const { shard, store } = makeShard(directory.path);
    await shard.append(tenant, spansIn([1]));
    await shard.append(tenant, new Uint8Array([0x0a, 0xff, 0xff]));
    await shard.append(tenant, spansIn([2]));
    await shard.flush(null, "flush");
    expect(store.names).toEqual(["span-1", "span-2"]);
    expect(walFiles(directory.path)).toEqual([]);
    expect(walFiles(directory.path, ".corrupt").length).toBe(1);
    expect(lines.some((line) => line.includes("WAL record set aside"))).toBe(true);
  });

  test("fills a fresh batch from the log when the core traps, without the record that did it", async () => {
    using directory = temporaryDirectory();
    const { shard, store } = makeShard(directory.path);
    const decode = SpanBatch.prototype.decode;
    const poison = spansIn([13], "poison-");
    SpanBatch.prototype.decode = function (request, maxAttributeBytes) {
      if (Buffer.from(request).equals(poison)) {
        decode.call(this, spansIn([99], "half-done-"), maxAttributeBytes);
        throw new WebAssembly.RuntimeError("unreachable executed");
      }
      return decode.call(this, request, maxAttributeBytes);
    };
    try {
      await Promise.all([1, 2].map((trace) => shard.append(tenant, spansIn([trace]))));
      await Promise.all([
        shard.append(tenant, spansIn([3])),
        shard.append(tenant, poison.slice()),
        shard.append(tenant, spansIn([4])),
        shard.append(tenant, poison.slice()),
        shard.append(tenant, spansIn([5])),
      ]);
      for (const trace of range(1, 6)) expect(shard.find(tenant, traceId(trace)).length).toBe(1);
      expect(shard.find(tenant, traceId(99))).toEqual([]);
      await shard.flush(null, "flush");
    } finally {
      SpanBatch.prototype.decode = decode;
    }
    expect(store.names).toEqual(["span-1", "span-2", "span-3", "span-4", "span-5"]);
    expect(walFiles(directory.path, ".corrupt").length).toBe(1);
    expect(shard.report().shard).toMatchObject({ corruptRecords: 2, corruptSegments: 1 });
  });

  test("gives itself up when the core traps and the log can't be read", async () => {
    using directory = temporaryDirectory();
    const { shard, store, broken } = makeShard(directory.path);
    await shard.append(tenant, spansIn([1]));
    expect(shard.find(tenant, traceId(1)).length).toBe(1);
    const decode = SpanBatch.prototype.decode;
    SpanBatch.prototype.decode = () => {
      throw new WebAssembly.RuntimeError("unreachable executed");
    };
    const path = join(directory.path, walFiles(directory.path)[0]!);
    renameSync(path, `${path}.gone`);
    try {
      await shard.append(tenant, spansIn([2]));
      expect(() => shard.find(tenant, traceId(1))).toThrow("ENOENT");
    } finally {
      SpanBatch.prototype.decode = decode;
    }
    expect(broken.length).toBe(1);
    expect(store.blocks.size).toBe(0);
  });

  test("drops a head in which nothing could be decoded, without a block", async () => {
    using directory = temporaryDirectory();
    const { shard, store } = makeShard(directory.path);
    await shard.append(tenant, new Uint8Array([0x0a, 0xff, 0xff]));
    expect(await shard.flush(null, "flush")).toEqual([]);
    expect(store.blocks.size).toBe(0);
    expect(walFiles(directory.path)).toEqual([]);
  });
});

test("Shard.report() counts traces and cut attributes by tenant over the life of the shard", async () => {
  using directory = temporaryDirectory();
  const { shard } = makeShard(directory.path, { attributeBytesMax: 4 });
  await shard.append("a", spansIn([1, 2]));
  await shard.append("b", spansIn([1]));
  // One resource with service.name: its key is longer than 4 bytes; svc is not.
  expect(shard.report().tenants).toEqual([
    { tenant: "a", attributesTruncated: { resource: 1 }, liveTraces: 2, tracesCreated: 2 },
    { tenant: "b", attributesTruncated: { resource: 1 }, liveTraces: 1, tracesCreated: 1 },
  ]);
  await shard.flush("a", "flush");
  await shard.append("a", spansIn([3]));
  expect(shard.report().tenants[0]).toEqual({
    tenant: "a",
    attributesTruncated: { resource: 2 },
    liveTraces: 1,
    tracesCreated: 3,
  });
  expect(existsSync(join(directory.path, "shard-0", "a"))).toBe(true);
});
