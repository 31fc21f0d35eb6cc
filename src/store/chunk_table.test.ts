import { expect, test } from "bun:test";
import fc from "fast-check";
import { blockHashBytes, type ChunkKey, printRecord } from "./chunk_files.ts";
import { ChunkTable } from "./chunk_table.ts";

const keyOf = (n: number): ChunkKey => ({
  block: Buffer.alloc(blockHashBytes, n % 5),
  object: n % 3,
  chunk: Math.floor(n / 15),
});
const record = (n: number) =>
  printRecord({ ...keyOf(n), length: n, checksum: 7, content: 9, objectBytes: 2 ** 40 + n });

test("finds what was entered and no longer what was dropped or pushed out, whatever the order", () => {
  const step = fc.record({ act: fc.constantFrom("put", "put", "drop", "use", "block"), n: fc.nat(59) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 200 }), (slots, steps) => {
      const table = new ChunkTable(slots);
      /** The keys by slot, as they should be. */
      const held = new Map<number, number>();
      for (const { act, n } of steps) {
        const slot = table.find(keyOf(n));
        if (act === "put" && slot === undefined) {
          const { slot: taken, evicted } = table.take();
          expect(evicted).toBe(held.size === slots);
          expect(held.has(taken)).toBe(evicted);
          held.set(taken, n);
          table.enter(taken, record(n));
        } else if (act === "drop" && slot !== undefined) {
          table.drop(slot);
          held.delete(slot);
        } else if (act === "use" && slot !== undefined) {
          table.use(slot);
        } else if (act === "block") {
          table.dropBlocks((hash) => hash[0] === n % 5);
          for (const [at, other] of held) if (other % 5 === n % 5) held.delete(at);
        }
        expect(table.held).toBe(held.size);
        for (let other = 0; other < 60; other++) {
          const at = [...held].find(([, one]) => one === other)?.[0];
          expect(table.find(keyOf(other))).toBe(at);
          if (at !== undefined) expect(table.record(at)).toMatchObject({ length: other });
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("passes by what was used since the hand last came", () => {
  const table = new ChunkTable(3);
  for (let n = 0; n < 3; n++) table.enter(table.take().slot, record(n));
  table.use(0);
  table.use(2);
  expect(table.take()).toEqual({ slot: 1, evicted: true });
});
