// Blocks through a store of the network that fails all the time: nothing is lost, nothing is there twice, and nothing is left over.
import { expect, test } from "bun:test";
import { Random } from "../bench/load/random.ts";
import { request, span } from "../src/batch/wire_fixture.ts";
import { batchOf, defaultOptions } from "../src/block/encode_fixture.ts";
import { BlockReader } from "../src/block/read.ts";
import { writeBlock } from "../src/block/write.ts";
import { hurriedClock } from "../src/store/clock_fixture.ts";
import { type Faults, FaultyService } from "../src/store/faulty_service_fixture.ts";
import { MemoryService } from "../src/store/memory_service_fixture.ts";
import { RemoteStore } from "../src/store/remote_store.ts";
import { resilient } from "../src/store/resilience.ts";
import { storeCases } from "../src/store/store_cases.ts";
import { spanIds } from "./support/trace_reader.ts";

const seed = Number(process.env.RUBATO_FAULT_SEED ?? 20_261);
const blocks = 4;
const tracesPerBlock = 3000;
const spansPerTrace = 3;
const faults: Faults = {
  refused: 0.1,
  lostBefore: 0.1,
  lostAfter: 0.1,
  torn: 0.1,
  slow: 0.02,
  staleList: 0,
};

function faultyStore(memory: MemoryService, chances: Faults): { store: RemoteStore; faulty: FaultyService } {
  const random = new Random(seed);
  const faulty = new FaultyService(memory, chances, () => random.next());
  const options = {
    retry: { attemptsMax: 30, backoffMsInitial: 1, backoffMsMax: 5 },
    hedge: { afterMs: 3, requestsMax: 2 },
  };
  const service = resilient(faulty, options, { clock: hurriedClock, random: () => random.next() });
  // Parts far smaller than a real service takes, so that a block has many.
  return {
    store: new RemoteStore(service, { prefix: "p/", listsMax: 2, partBytes: 4096, partsMax: 3 }),
    faulty,
  };
}

storeCases("RemoteStore on a service that refuses requests", () => {
  const memory = new MemoryService(7);
  // Not losing answers: those of conditional writes are an error then, which the cases don't expect.
  const chances = { ...faults, lostAfter: 0, torn: 0, lostBefore: 0 };
  return {
    store: faultyStore(memory, chances).store,
    other: faultyStore(memory, chances).store,
    close: () => {},
  };
});

function traceId(block: number, trace: number): Uint8Array {
  const id = new Uint8Array(16);
  const view = new DataView(id.buffer);
  view.setUint32(0, Math.imul(trace + 1, 2_654_435_761));
  view.setUint32(4, block + 1);
  view.setUint32(12, trace + 1);
  return id;
}

function spanNumber(block: number, trace: number, i: number): number {
  return (block * tracesPerBlock + trace) * spansPerTrace + i + 1;
}

test("blocks are written and read whole while requests and answers get lost", async () => {
  const memory = new MemoryService();
  const { store, faulty } = faultyStore(memory, faults);
  const start = 1_700_000_000_000_000_000n;
  const metas = [];
  for (let block = 0; block < blocks; block++) {
    const spans = [];
    for (let trace = 0; trace < tracesPerBlock; trace++) {
      for (let i = 0; i < spansPerTrace; i++) {
        const id = spanNumber(block, trace, i);
        spans.push(span({ trace: traceId(block, trace), id, name: `work ${id}`, start, end: start + 5n }));
      }
    }
    const options = { ...defaultOptions, blockId: `5f0b1b3c-5a55-4f0a-8d3c-00000000000${block}` };
    metas.push(await writeBlock(batchOf([request(spans)]), store, options, async () => {}));
  }

  expect((await store.list(defaultOptions.tenant)).sort()).toEqual(
    metas.map(({ blockID }) => blockID).sort(),
  );
  for (const [block, meta] of metas.entries()) {
    expect(await store.size(`${meta.tenantID}/${meta.blockID}/data.parquet`)).toBe(meta.size);
    const reader = await BlockReader.open(store, meta);
    for (let trace = 0; trace < tracesPerBlock; trace += 37) {
      const found = await reader.findTrace(traceId(block, trace));
      const wanted = Array.from({ length: spansPerTrace }, (_, i) =>
        spanNumber(block, trace, i).toString(16).padStart(16, "0"),
      );
      expect(spanIds(found!).sort()).toEqual(wanted.sort());
    }
    expect(await reader.findTrace(traceId(block, tracesPerBlock + 1))).toBeNull();
  }

  for (const fault of ["refused", "lostBefore", "lostAfter", "torn", "slow"] as const) {
    expect(faulty.counts[fault], fault).toBeGreaterThan(0);
  }
  // Of each block what belongs to it; of uploads those alone whose beginning nobody heard of.
  const names = [...memory.objects.keys()].map((key) => key.split("/").slice(3).join("/"));
  expect(names.filter((name) => !/^(data\.parquet|bloom-\d+|index|meta\.json)$/.test(name))).toEqual([]);
  expect(memory.objects.size).toBe(blocks * 3 + metas.reduce((sum, { bloomShards }) => sum + bloomShards, 0));
  for (const parts of memory.uploads.values()) expect(parts.size).toBe(0);
});

test("a listing that is behind shows blocks later, and nothing that never was", async () => {
  const memory = new MemoryService();
  const { store, faulty } = faultyStore(memory, { ...faults, staleList: 0.5 });
  const written = new Set<string>();
  for (let i = 0; i < 40; i++) {
    await store.write(`t/block-${i}/meta.json`, new Uint8Array(1));
    written.add(`block-${i}`);
    for (const name of await store.list("t")) expect(written.has(name)).toBe(true);
  }
  expect(faulty.counts.staleList).toBeGreaterThan(0);
});

test("of many who count together through lost answers nobody counts twice, or is told what is not so", async () => {
  const memory = new MemoryService();
  const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() };
  const counted: string[] = [];
  const unknown: string[] = [];
  const count = async (id: number) => {
    const { store } = faultyStore(memory, faults);
    for (let i = 0; i < 20; ) {
      const found = await store.readTagged("count");
      const before = found ? utf8.decode.decode(found.bytes) : "";
      const mine = `${id}.${i}`;
      try {
        const tag = await store.writeIf("count", utf8.encode.encode(`${before} ${mine}`), found?.tag ?? null);
        if (tag === null) continue;
        counted.push(mine);
      } catch {
        unknown.push(mine);
      }
      i++;
    }
  };
  await Promise.all([0, 1, 2, 3].map(count));
  const stored = utf8.decode.decode(memory.objects.get("p/count")!.bytes).trim().split(" ");
  expect(new Set(stored).size).toBe(stored.length);
  for (const mine of counted) expect(stored).toContain(mine);
  for (const mine of stored) expect(counted.includes(mine) || unknown.includes(mine)).toBe(true);
  expect(counted.length).toBeGreaterThan(40);
});
