import { expect, test } from "bun:test";
import fc from "fast-check";
import { SpanIdTable } from "./span_id_table.ts";

test("SpanIdTable behaves as a Map with the same keys, through growth", () => {
  const u32 = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffffffff }));
  const key = fc.tuple(u32, u32, fc.integer({ min: -1, max: 3 }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 400 }), (keys) => {
      const table = new SpanIdTable();
      const map = new Map<string, number>();
      for (const [at, [hi, lo, tag]] of keys.entries()) {
        const name = `${hi} ${lo} ${tag}`;
        const known = table.find(hi, lo, tag) >= 0;
        const slot = table.slotOf(hi, lo, tag);
        expect([known, table.inserted, table.value(slot)]).toEqual([
          map.has(name),
          !map.has(name),
          map.get(name) ?? 0,
        ]);
        table.setValue(slot, at + 1);
        map.set(name, at + 1);
      }
      expect(table.size).toBe(map.size);
      const values = (of: (hi: number, lo: number, tag: number) => number | undefined) =>
        keys.map(([hi, lo, tag]) => of(hi, lo, tag));
      expect(values((hi, lo, tag) => table.value(table.find(hi, lo, tag)))).toEqual(
        values((hi, lo, tag) => map.get(`${hi} ${lo} ${tag}`)),
      );
    }),
    { seed: 5, numRuns: 100 },
  );
});
