import { expect, test } from "bun:test";
import { Order } from "../../wasm/parquet_encode_ids.ts";
import { above, compareBounds } from "./encode_bounds.ts";

test("above() gives the next string behind all with this beginning", () => {
  expect(above(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 3));
  expect(above(Uint8Array.of(1, 255, 255))).toEqual(Uint8Array.of(2));
  expect(above(Uint8Array.of(255, 255))).toBeNull();
});

test("compareBounds() compares as the column's type does", () => {
  const i64 = (value: bigint) => new Uint8Array(BigInt64Array.of(value).buffer);
  const i32 = (value: number) => new Uint8Array(Int32Array.of(value).buffer);
  const f64 = (value: number) => new Uint8Array(Float64Array.of(value).buffer);
  expect(compareBounds(i64(-1n), i64(1n), Order.Signed)).toBeLessThan(0);
  expect(compareBounds(i64(-1n), i64(1n), Order.Unsigned)).toBeGreaterThan(0);
  expect(compareBounds(i64(256n), i64(255n), Order.Unsigned)).toBeGreaterThan(0);
  expect(compareBounds(i32(-2), i32(-1), Order.Signed)).toBeLessThan(0);
  expect(compareBounds(f64(-2.5), f64(1), Order.Double)).toBeLessThan(0);
  expect(compareBounds(Uint8Array.of(0x80), Uint8Array.of(0x7f, 1), Order.Bytes)).toBeGreaterThan(0);
  expect(compareBounds(Uint8Array.of(1), Uint8Array.of(1, 0), Order.Bytes)).toBeLessThan(0);
  expect(compareBounds(i32(7), i32(7), Order.Signed)).toBe(0);
});
