import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import { FilterError } from "./filter_error.ts";
import { FuseCore, fuseShape } from "./fuse.ts";
import { FilterSet, filterBytesOf, partRowsMax, TraceFilter, TraceFilterBuilder } from "./trace_filter.ts";

const noPause = async () => {};

/** Ids in order, one behind the other. */
function sorted(ids: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([...ids].sort(Buffer.compare)));
}

/** Numbers that are the same in every run: xorshift32. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function randomIds(count: number, seed: number): Uint8Array[] {
  const next = numbers(seed);
  return Array.from({ length: count }, () => new Uint8Array(Uint32Array.from({ length: 4 }, next).buffer));
}

async function filterOf(ids: Uint8Array, pieceRows = 1000): Promise<TraceFilter> {
  const builder = new TraceFilterBuilder(ids.length / traceIdBytes);
  for (let at = 0; at < ids.length; at += pieceRows * traceIdBytes) {
    await builder.add(ids.subarray(at, at + pieceRows * traceIdBytes), noPause);
  }
  return builder.finish();
}

/** Each id passes, and lies where the filter says. */
function expectAll(filter: TraceFilter, ids: Uint8Array): void {
  const count = ids.length / traceIdBytes;
  let missed = 0;
  for (let row = 0; row < count; row++) {
    const [rows] = new FilterSet([filter]).findRows(traceIdAt(ids, row));
    if (!rows || row < rows.start || row >= rows.end) missed++;
  }
  expect(missed).toBe(0);
}

describe("TraceFilter", () => {
  test("passes every id that it was made of, and says between which rows it is", () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const padded = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((low) => {
      const id = new Uint8Array(16);
      id.set(low, 8);
      return id;
    });
    const counted = fc.nat(0xffff).map((n) => {
      const id = new Uint8Array(16);
      new DataView(id.buffer).setUint32(12, n);
      return id;
    });
    const lists = [bytes, padded, counted].map((id) => fc.array(id, { minLength: 1, maxLength: 600 }));
    return fc.assert(
      fc.asyncProperty(fc.oneof(...lists), fc.integer({ min: 1, max: 700 }), async (ids, piece) => {
        const all = sorted(ids);
        expectAll(await filterOf(all, piece), all);
      }),
      { numRuns: 200 },
    );
  });

  test("lets one other id in 65,536 pass", async () => {
    const filters = await Promise.all(
      Array.from({ length: 20 }, (_, i) => filterOf(sorted(randomIds(2000, i + 1)))),
    );
    const asked = randomIds(100_000, 4711);
    let passed = 0;
    for (const id of asked)
      passed += new FilterSet(filters).findRows(id).filter((rows) => rows !== null).length;
    // 2,000,000 times a chance of 2^-16 is 30.5; six standard deviations are 33.
    expect(passed).toBeGreaterThan(0);
    expect(passed).toBeLessThan(64);
  });

  test("takes 2.7 bytes for each of some thousand traces, and as many as were foretold", async () => {
    for (const count of [1, 2, 3, 64, 65, 1000, 10_000]) {
      const filter = await filterOf(sorted(randomIds(count, 99)));
      expect(filter.bytes.length).toBe(filterBytesOf(count));
      expect(filter.rows).toBe(count);
    }
    expect(filterBytesOf(10_000)).toBeLessThan(27_000);
    expect(filterBytesOf(1_000_000)).toBeLessThan(2_600_000);
  });

  test("is made in stretches where there are many rows", async () => {
    const ids = sorted(randomIds(partRowsMax + 5000, 7));
    const pauses: number[] = [];
    const builder = new TraceFilterBuilder(ids.length / traceIdBytes);
    await builder.add(ids, async () => void pauses.push(1));
    const filter = builder.finish();
    expect(filter.parts.map(({ firstRow, rows }) => [firstRow, rows])).toEqual([
      [0, partRowsMax],
      [partRowsMax, 5000],
    ]);
    expect(pauses.length).toBe(2);
    expectAll(filter, ids);
  });

  test("is made of its own ids while others are made", async () => {
    const lists = [300, 5000, 40].map((count, i) => sorted(randomIds(count, i + 20)));
    const builders = lists.map((ids) => new TraceFilterBuilder(ids.length / traceIdBytes));
    for (let at = 0; at < 5000; at += 100) {
      for (const [i, builder] of builders.entries()) {
        await builder.add(lists[i]!.subarray(at * traceIdBytes, (at + 100) * traceIdBytes), noPause);
      }
    }
    for (const [i, builder] of builders.entries()) expectAll(builder.finish(), lists[i]!);
  });

  test("names few rows of many, however alike the ids begin", async () => {
    for (const prefix of [0, 8, 11]) {
      const ids = randomIds(5000, prefix + 1);
      for (const id of ids) id.fill(0x2a, 0, prefix);
      const all = sorted(ids);
      const filter = await filterOf(all);
      for (let row = 0; row < 5000; row += 50) {
        const [rows] = new FilterSet([filter]).findRows(traceIdAt(all, row));
        expect(rows!.end - rows!.start).toBeLessThanOrEqual(128);
      }
    }
  });

  test("asks many filters at once, and none where there is none", async () => {
    const lists = Array.from({ length: 1100 }, (_, i) => sorted(randomIds(3, i + 1)));
    const filters = await Promise.all(lists.map((ids) => filterOf(ids)));
    for (const n of [0, 511, 512, 1099]) {
      const rows = new FilterSet(filters).findRows(traceIdAt(lists[n]!, 1));
      expect(rows[n]).toEqual({ start: 0, end: 3 });
      expect(rows.filter((each) => each !== null).length).toBeLessThan(3);
    }
    expect(new FilterSet([null, filters[0]!]).findRows(traceIdAt(lists[0]!, 0))).toEqual([
      null,
      { start: 0, end: 3 },
    ]);
  });

  test("refuses ids that are out of order, too few or too many", async () => {
    const [low, high] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
    const both = Buffer.concat([low, high]);
    const wrong = new TraceFilterBuilder(2).add(Buffer.concat([high, low]), noPause);
    await expect(wrong).rejects.toThrow("out of order");
    const across = new TraceFilterBuilder(3);
    await across.add(high, noPause);
    await expect(across.add(low, noPause)).rejects.toThrow("out of order");
    await expect(new TraceFilterBuilder(1).add(both, noPause)).rejects.toThrow("more than the 1 rows");
    const few = new TraceFilterBuilder(3);
    await few.add(both, noPause);
    expect(() => few.finish()).toThrow("2 rows where 3 should be");
  });

  test("of damaged bytes is refused, or answers, but reads nothing outside of them", async () => {
    const good = (await filterOf(sorted(randomIds(300, 3)))).bytes;
    const id = new Uint8Array(16).fill(5);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
        const bytes = good.slice(0, at % 2 === 0 ? length : undefined);
        if (at < bytes.length) bytes[at] = value;
        try {
          new FilterSet([new TraceFilter(bytes)]).findRows(id);
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError);
        }
      }),
      { numRuns: 2000 },
    );
    expect(() => new TraceFilter(new Uint8Array(0))).toThrow(FilterError);
  });
});

test("FuseCore.construct() gives up where ids repeat that are not neighbours, after many seeds", () => {
  const core = FuseCore.get();
  const ids = new Uint8Array(64);
  for (const [i, byte] of [1, 2, 1, 2].entries()) ids.fill(byte, i * 16, i * 16 + 16);
  let seeds = 0;
  const next = numbers(1);
  const random = () => {
    seeds++;
    return next();
  };
  expect(core.construct(ids, random)).toBeNull();
  expect(seeds).toBe(200);
  expect(fuseShape(1_000_000)).toEqual({ segmentLength: 8192, segments: 136 });
});
