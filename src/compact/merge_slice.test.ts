import { expect, test } from "bun:test";
import type { MergeInput } from "./merge_input.ts";
import { leftOut, nextSlice, type Slice } from "./merge_slice.ts";

/** An input with one span a row, whose row groups have these trace ids. */
function inputOf(groups: number[][], copies = true): MergeInput {
  const input = {
    meta: {},
    copies,
    group: 0,
    row: 0,
    weight: 1,
    get ids() {
      return groups[this.group] ?? [];
    },
    get ended() {
      return this.row >= this.ids.length;
    },
    get id() {
      return Uint32Array.of(this.ids[this.row]!);
    },
    get repeats() {
      return this.ids[this.row] === this.ids[this.row + 1];
    },
    isAt([id]: Uint32Array) {
      return this.ids[this.row] === id;
    },
    compare(other: { ids: number[]; row: number }) {
      return this.ids[this.row]! - other.ids[other.row]!;
    },
    async nextGroup() {
      this.group++;
      this.row = 0;
    },
  };
  return input as unknown as MergeInput;
}

/** What a slice has, with the place of an input in the list for it. */
function shown({ runs, picks, combined, combinedTraces }: Slice, inputs: readonly MergeInput[]) {
  return {
    runs: runs.map(({ input, group, start, end }) => [inputs.indexOf(input), group, start, end]),
    picks,
    combined: combined.map(({ input, group, rows }) => [inputs.indexOf(input), group, rows]),
    combinedTraces,
  };
}

test("nextSlice() copies rows in order, and combines those of a trace that lies in several inputs", async () => {
  const inputs = [inputOf([[1, 2, 5], [9]]), inputOf([[3, 5, 6, 7]])];
  expect(shown(await nextSlice(inputs, 100), inputs)).toEqual({
    runs: [
      [0, 0, 0, 3],
      [1, 0, 0, 4],
      [0, 1, 0, 1],
    ],
    picks: [1, 2, 2, 1, 1 + leftOut, 1, 2 + leftOut, 1, 0, 1, 2, 2, 3, 1],
    combined: [
      [0, 0, [{ start: 2, end: 3 }]],
      [1, 0, [{ start: 1, end: 2 }]],
    ],
    combinedTraces: 1,
  });
  expect((await nextSlice(inputs, 100)).picks).toEqual([]);
});

test("nextSlice() combines rows of one trace within an input, and all rows of inputs with other columns", async () => {
  const inputs = [inputOf([[1, 4, 4, 4, 8]]), inputOf([[2, 3, 9]], false)];
  expect(shown(await nextSlice(inputs, 100), inputs)).toEqual({
    runs: [[0, 0, 0, 5]],
    picks: [1, 1, 0, 2, 1 + leftOut, 3, 0, 1, 1, 1, 0, 1],
    combined: [
      [1, 0, [{ start: 0, end: 3 }]],
      [0, 0, [{ start: 1, end: 4 }]],
    ],
    combinedTraces: 4,
  });
});

test("nextSlice() ends before it is too heavy, or has too many runs, and keeps a trace whole", async () => {
  const inputs = [inputOf([[1, 2, 4]]), inputOf([[3, 4]])];
  const picks: number[][] = [];
  for (;;) {
    const slice = await nextSlice(inputs, 2);
    if (slice.picks.length === 0) break;
    picks.push(slice.picks);
  }
  expect(picks).toEqual([
    [1, 2],
    [1, 1],
    [0, 1],
  ]);
  const many = Array.from({ length: 40 }, (_, i) => inputOf([[i + 1, 100]]));
  const first = await nextSlice(many, 1000);
  expect([first.runs.length, first.combined.length]).toEqual([31, 0]);
  const second = await nextSlice(many, 1000);
  expect([second.runs.length, second.combined.length, second.combinedTraces]).toEqual([9, 40, 1]);
});
