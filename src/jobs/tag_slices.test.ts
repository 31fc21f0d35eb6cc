import { describe, expect, test } from "bun:test";
import { growingSlices } from "./tag_slices.ts";

/** A thousand spans to a row. */
const size = { rows: 1000, spans: 1_000_000 };

describe("growingSlices()", () => {
  test("begins with few spans", () => {
    const slices = [...growingSlices([{ start: 0, end: 500 }], size, false)];
    expect(slices).toEqual([
      [{ start: 0, end: 8 }],
      [{ start: 8, end: 40 }],
      [{ start: 40, end: 171 }],
      [{ start: 171, end: 433 }],
      [{ start: 433, end: 500 }],
    ]);
  });

  test("begins with many where all will be read", () => {
    const slices = [...growingSlices([{ start: 0, end: 500 }], size, true)];
    expect(slices).toEqual([[{ start: 0, end: 262 }], [{ start: 262, end: 500 }]]);
  });

  test("goes from one range to the next", () => {
    const ranges = [
      { start: 3, end: 5 },
      { start: 10, end: 20 },
      { start: 900, end: 901 },
    ];
    expect([...growingSlices(ranges, size, false)]).toEqual([
      [
        { start: 3, end: 5 },
        { start: 10, end: 16 },
      ],
      [
        { start: 16, end: 20 },
        { start: 900, end: 901 },
      ],
    ]);
  });

  test("takes rows that are larger than a piece one by one, and gives nothing of nothing", () => {
    const rows = { rows: 2, spans: 4_000_000 };
    expect([...growingSlices([{ start: 0, end: 2 }], rows, true)].length).toBe(2);
    expect([...growingSlices([], size, false)]).toEqual([]);
    expect([...growingSlices([{ start: 0, end: 3 }], { rows: 3, spans: 0 }, false)].length).toBe(1);
  });
});
