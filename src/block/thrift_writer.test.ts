import { expect, test } from "bun:test";
import { ThriftWriter, thriftType } from "./thrift_writer.ts";

function hex(write: (thrift: ThriftWriter) => void): string {
  const thrift = new ThriftWriter();
  write(thrift);
  return Buffer.from(thrift.bytes()).toString("hex");
}

test("fields carry the step from the field before, or their id when it is far", () => {
  expect(
    hex((thrift) => {
      thrift.i32(1, 1);
      thrift.i32(3, -1);
      thrift.i64(20, 300);
      thrift.end();
    }),
  ).toBe("15" + "02" + "25" + "01" + "06" + "28" + "d804" + "00");
});

test("numbers above 32 bits keep all their bits", () => {
  // 2^33 zigzags to 2^34: four groups of zero bits, then bit 6 of the fifth.
  expect(hex((thrift) => thrift.i64(1, 2 ** 33))).toBe("16" + "8080808040");
});

test("structs begin to count their fields anew", () => {
  expect(
    hex((thrift) => {
      thrift.struct(2);
      thrift.bool(1, true);
      thrift.bool(2, false);
      thrift.end();
      thrift.binary(3, "ab");
      thrift.end();
    }),
  ).toBe("2c" + "11" + "12" + "00" + "18" + "026162" + "00");
});

test("lists of 15 and more write their length apart", () => {
  expect(hex((thrift) => thrift.list(1, thriftType.i32, 14))).toBe("19" + "e5");
  expect(hex((thrift) => thrift.list(1, thriftType.i32, 15))).toBe("19" + "f5" + "0f");
  expect(
    hex((thrift) => {
      thrift.list(1, thriftType.struct, 1);
      thrift.beginStructElement();
      thrift.i8(1, 64);
      thrift.end();
      thrift.end();
    }),
  ).toBe("19" + "1c" + "13" + "40" + "00" + "00");
});
