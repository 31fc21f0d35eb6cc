import { describe, expect, test } from "bun:test";
import { ParquetError } from "./parquet_error.ts";
import { ThriftReader, ThriftType } from "./thrift_reader.ts";

const reader = (...bytes: number[]) => new ThriftReader(Uint8Array.from(bytes));

describe("ThriftReader", () => {
  test("reads fields by delta and by explicit id", () => {
    // 1: i32 -3, 2: true, 20 (explicit, zigzag 40): binary "ab", end
    const struct = reader(0x15, 0x05, 0x11, 0x08, 0x28, 0x02, 0x61, 0x62, 0x00);
    let id = struct.field(0);
    expect([id, struct.integer()]).toEqual([1, -3]);
    id = struct.field(id);
    expect([id, struct.type]).toEqual([2, ThriftType.true]);
    id = struct.field(id);
    expect([id, struct.string()]).toEqual([20, "ab"]);
    expect(struct.field(id)).toBe(0);
  });

  test("reads numbers up to 2^53", () => {
    expect(reader(0xac, 0x02).varint()).toBe(300);
    expect(reader(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f).integer()).toBe(2 ** 53 - 1);
    expect(() => reader(...Array(11).fill(0xff)).varint()).toThrow(ParquetError);
    expect(() => reader(0x03).count()).toThrow("negative or huge");
  });

  test("skips values of every type", () => {
    // A struct with i16, double, list of two booleans, map of one i8 to binary, and a nested struct.
    const bytes = [
      ...[0x14, 0x02],
      ...[0x17, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0x19, 0x21, 1, 2],
      ...[0x1b, 0x01, 0x38, 7, 1, 0x61],
      ...[0x1c, 0x15, 0x02, 0x00],
      0x00,
    ];
    const struct = reader(...bytes);
    let fields = 0;
    for (let id = 0; ; fields++) {
      id = struct.field(id);
      if (id === 0) break;
      struct.skip();
    }
    expect(fields).toBe(5);
    expect(struct.position).toBe(bytes.length);
  });

  test("refuses lists longer than the bytes and nesting without end", () => {
    expect(() => reader(0xf5, 0xff, 0xff, 0x03).list(ThriftType.i32)).toThrow("cut short");
    expect(() => reader(0x2c, 1, 1).list(ThriftType.i32)).toThrow("another type");
    const deep = reader(...Array(200).fill(0x1c));
    deep.field(0);
    expect(() => deep.skip()).toThrow("too deep");
  });
});
