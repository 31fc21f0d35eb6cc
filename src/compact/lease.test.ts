import { expect, test } from "bun:test";
import {
  discardedMax,
  leasePath,
  readLease,
  replacedBlocks,
  unmadeBlocks,
} from "../store/compaction_lease.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { StoreError } from "../store/store.ts";
import { LeaseLost, Leases } from "./lease.ts";

const leaseMs = 60_000;
const job = { output: "o", inputs: ["a", "b"], meta: null };

const replaced = async (store: MemoryStore) => replacedBlocks((await readLease(store, "t"))!);
const unmade = async (store: MemoryStore) => unmadeBlocks((await readLease(store, "t"))!);

function leasesOn(store: MemoryStore, holder: string, clock: { ms: number }): Leases {
  return new Leases(store, { holder, leaseMs, now: () => clock.ms });
}

test("a lease is taken by one, and by another once it is given back", async () => {
  const store = new MemoryStore();
  const clock = { ms: 0 };
  const [a, b] = [leasesOn(store, "a", clock), leasesOn(store, "b", clock)];
  const lease = await a.take("t");
  expect(lease).not.toBeNull();
  expect(await b.take("t")).toBeNull();
  await lease!.release();
  expect(() => lease!.assertHeld()).toThrow(LeaseLost);
  expect(await b.take("t")).not.toBeNull();
});

test("a silent holder loses its lease, with its job, after as long as the other has seen no change", async () => {
  const store = new MemoryStore();
  const [ofA, ofB] = [{ ms: 0 }, { ms: 5_000_000 }];
  const [a, b] = [leasesOn(store, "a", ofA), leasesOn(store, "b", ofB)];
  const lease = (await a.take("t"))!;
  expect(await b.take("t")).toBeNull();
  ofB.ms += leaseMs - 1;
  await lease.setJob(job); // a change: the time begins anew
  ofB.ms += 1;
  expect(await b.take("t")).toBeNull();
  ofB.ms += leaseMs - 1;
  expect(await b.take("t")).toBeNull();
  ofB.ms += 1;
  const taken = await b.take("t");
  expect(taken!.job).toEqual(job);
  expect(lease.setJob({ ...job, meta: "{}" })).rejects.toThrow(LeaseLost);
  expect(await replaced(store)).toBeNull();
});

test("a holder no longer relies on its lease well before others may take it", async () => {
  const clock = { ms: 0 };
  const lease = (await leasesOn(new MemoryStore(), "a", clock).take("t"))!;
  clock.ms += leaseMs / 2;
  lease.assertHeld();
  clock.ms += leaseMs / 4;
  expect(() => lease.assertHeld()).toThrow(LeaseLost);
  await lease.renew(); // nobody has taken it after all
  lease.assertHeld();
});

test("a write whose answer got lost counts if it was done", async () => {
  const store = new MemoryStore();
  const lease = (await leasesOn(store, "a", { ms: 0 }).take("t"))!;
  const { writeIf } = store;
  store.writeIf = async (...args) => {
    await writeIf.apply(store, args);
    throw new StoreError("no answer");
  };
  await lease.setJob({ ...job, meta: "{}" });
  expect(await replaced(store)).toMatchObject({ output: "o", inputs: ["a", "b"] });
  store.writeIf = async () => {
    throw new StoreError("no answer");
  };
  expect(lease.setJob(null)).rejects.toThrow("no answer");
  store.writeIf = writeIf;
  await lease.setJob(null);
  expect(await replaced(store)).toBeNull();
});

test("a write that was done, and failed when it was made once more, counts", async () => {
  const store = new MemoryStore();
  const { writeIf } = store;
  store.writeIf = async (...args) => {
    await writeIf.apply(store, args);
    return writeIf.apply(store, args);
  };
  const lease = (await leasesOn(store, "a", { ms: 0 }).take("t"))!;
  await lease.setJob(job);
  await lease.release();
  expect(await leasesOn(store, "b", { ms: 0 }).take("t")).not.toBeNull();
});

test("an output is none before it is complete, and for ever when it was discarded", async () => {
  const store = new MemoryStore();
  const lease = (await leasesOn(store, "a", { ms: 0 }).take("t"))!;
  await lease.setJob(job);
  expect(await unmade(store)).toEqual(["o"]);
  await lease.discardJob();
  await lease.setJob({ ...job, output: "p" });
  expect(await unmade(store)).toEqual(["o", "p"]);
  await lease.setJob({ ...job, output: "p", meta: "{}" });
  expect(await unmade(store)).toEqual(["o"]);
  await lease.setJob(null);
  await lease.release();
  const next = (await leasesOn(store, "b", { ms: 0 }).take("t"))!;
  expect(next.discarded).toEqual(["o"]);
  for (let i = 0; i < discardedMax; i++) {
    await next.setJob({ ...job, output: `${i}` });
    await next.discardJob();
  }
  expect(next.discarded.length).toBe(discardedMax);
  expect([next.discarded[0], next.discarded.at(-1)]).toEqual(["0", `${discardedMax - 1}`]);
});

test("what is no lease is never taken for a free one", async () => {
  const store = new MemoryStore();
  await store.write(leasePath("t"), new TextEncoder().encode("{"));
  expect(leasesOn(store, "a", { ms: 0 }).take("t")).rejects.toThrow("is no lease");
});
