import { expect, test } from "bun:test";
import { pickTraceIds, placeOfTraceId, traceIdAt } from "./trace_ids.ts";
import { id } from "./wire_fixture.ts";

const list = (...numbers: number[]): Uint8Array => Buffer.concat(numbers.map((number) => id(16, number)));

test("traceIdAt() is the id at a place", () => {
  expect([...traceIdAt(list(7, 8, 9), 1)]).toEqual([...id(16, 8)]);
});

test("pickTraceIds() gives ids in the order of their places, wherever the list begins", () => {
  expect([...pickTraceIds(list(7, 8, 9), [2, 0, 2])]).toEqual([...list(9, 7, 9)]);
  expect(pickTraceIds(list(7), []).length).toBe(0);
  for (const offset of [1, 2, 3, 4]) {
    const room = new Uint8Array(offset + 48);
    room.set(list(7, 8, 9), offset);
    expect([...pickTraceIds(room.subarray(offset), [1])]).toEqual([...id(16, 8)]);
  }
});

test("placeOfTraceId() finds every id of a list that ascends, and no other", () => {
  for (let length = 0; length < 9; length++) {
    const numbers = Array.from({ length }, (_, i) => i * 2 + 1);
    const ids = list(...numbers);
    for (const [place, number] of numbers.entries()) {
      expect(placeOfTraceId(ids, id(16, number))).toBe(place);
      expect(placeOfTraceId(ids, id(16, number + 1))).toBe(-1);
    }
    expect(placeOfTraceId(ids, id(16, 0))).toBe(-1);
  }
});
