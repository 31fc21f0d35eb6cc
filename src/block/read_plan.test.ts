import { describe, expect, test } from "bun:test";
import { Physical, ValueKind } from "../../wasm/parquet_decode_ids.ts";
import { ChunkBounds } from "./footer_bounds.ts";
import type { RowGroup } from "./footer_reader.ts";
import { coalesce, planLeaf } from "./read_plan.ts";

describe("coalesce()", () => {
  test("joins ranges that touch, overlap or are near, whatever their order", () => {
    expect(
      coalesce([
        { offset: 100_000, length: 10 },
        { offset: 0, length: 100 },
        { offset: 50, length: 10 },
        { offset: 200, length: 50 },
      ]),
    ).toEqual([
      { offset: 0, length: 250 },
      { offset: 100_000, length: 10 },
    ]);
    expect(coalesce([])).toEqual([]);
  });
});

describe("planLeaf()", () => {
  const leaf = { index: 0, path: "x", physical: Physical.Int64, maxRepetition: 1, maxDefinition: 1 };
  const read = { leaf, kind: ValueKind.Number };
  const none = new Set<number>();
  const group = (nulls: number, zero = 0): RowGroup => ({
    rows: 30,
    lowest: null,
    highest: null,
    chunks: {
      codec: Uint8Array.of(6),
      slots: Float64Array.of(40),
      nulls: Float64Array.of(nulls),
      zero: Uint8Array.of(zero),
      indexed: Uint8Array.of(0),
      bounds: new ChunkBounds(1),
      dataPage: Float64Array.of(120),
      dictionaryPage: Float64Array.of(100),
      bytes: Float64Array.of(80),
      columnIndex: Float64Array.of(0),
      columnIndexBytes: Uint32Array.of(0),
      offsetIndex: Float64Array.of(0),
      offsetIndexBytes: Uint32Array.of(0),
    },
  });
  const pages = {
    offsets: Float64Array.of(120, 140, 160),
    sizes: Uint32Array.of(20, 20, 20),
    firstRows: Uint32Array.of(0, 10, 20),
  };

  test("takes the dictionary and the pages that hold the rows", () => {
    const index = { pages, nullPages: Uint8Array.of(0, 1, 0) };
    const plan = planLeaf(
      group(3),
      read,
      index,
      [
        { start: 12, end: 13 },
        { start: 29, end: 30 },
      ],
      false,
      none,
    );
    expect(plan.pages.map(({ firstRow }) => firstRow)).toEqual([10, 20]);
    expect(plan.dictionary).toEqual({ offset: 100, length: 20 });
    expect(plan.chunk).toBeNull();
  });

  test("takes nothing where the pages hold nothing but nulls, unless the levels are needed", () => {
    const index = { pages, nullPages: Uint8Array.of(0, 1, 0) };
    const rows = [{ start: 12, end: 13 }];
    expect(planLeaf(group(3), read, index, rows, false, none)).toMatchObject({ empty: true, pages: [] });
    expect(planLeaf(group(3), read, index, rows, true, none)).toMatchObject({ empty: false });
    expect(planLeaf(group(40), read, index, [{ start: 0, end: 30 }], false, none).empty).toBe(true);
  });

  test("takes nothing where all values are the default", () => {
    const rows = [{ start: 0, end: 1 }];
    expect(planLeaf(group(3, 1), read, { pages, nullPages: null }, rows, false, new Set([0])).empty).toBe(
      true,
    );
    expect(planLeaf(group(3, 1), read, { pages, nullPages: null }, rows, false, none).empty).toBe(false);
  });

  test("takes the whole chunk where there is no offset index", () => {
    expect(planLeaf(group(3), read, null, [{ start: 0, end: 1 }], false, none).chunk).toEqual({
      offset: 100,
      length: 80,
    });
  });
});
