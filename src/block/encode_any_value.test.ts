import { expect, test } from "bun:test";
import { attribute, field, fixed64, message, text, varintField } from "../batch/wire_fixture.ts";
import { anyValueToJson } from "./encode_any_value.ts";

test("anyValueToJson() prints proto3 JSON", () => {
  const double = (value: number) => fixed64(4, new BigUint64Array(Float64Array.of(value).buffer)[0]!);
  const list = (...values: Uint8Array[]) => field(5, message(...values.map((value) => field(1, value))));
  expect(anyValueToJson(message())).toBe("{}");
  expect(anyValueToJson(list())).toBe('{"arrayValue":{}}');
  expect(
    anyValueToJson(list(double(2.5), double(Number.NaN), double(1), varintField(2, 1n), message())),
  ).toBe(
    '{"arrayValue":{"values":[{"doubleValue":2.5},{"doubleValue":"NaN"},{"doubleValue":1},{"boolValue":true},{}]}}',
  );
  expect(anyValueToJson(varintField(3, 2n ** 64n - 1n))).toBe('{"intValue":"-1"}');
  expect(anyValueToJson(field(7, new Uint8Array()))).toBe('{"bytesValue":""}');
  const pairs = message(field(1, attribute("k", text(1, 'a"é'))), field(1, field(2, varintField(3, 1n))));
  expect(anyValueToJson(field(6, pairs))).toBe(
    '{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"a\\"é"}},{"value":{"intValue":"1"}}]}}',
  );
});

test("anyValueToJson() survives what is malformed or nested without end", () => {
  for (const bytes of [
    [0x0a],
    [0x0a, 0x05, 0x41],
    [0x21, 0],
    [0x10, 0x80],
    [0x2b],
    [0x2a, 0x02, 0x0a, 0x7f],
  ]) {
    expect(anyValueToJson(Uint8Array.from(bytes))).toBe("{}");
  }
  let deep = text(1, "x");
  for (let i = 0; i < 1000; i++) deep = field(5, field(1, deep));
  expect(anyValueToJson(deep).length).toBeLessThan(4000);
});
