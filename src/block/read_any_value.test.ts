import { expect, test } from "bun:test";
import { anyValueFromJson } from "./read_any_value.ts";

const hex = (text: string) => {
  const bytes = anyValueFromJson(text);
  return bytes && Buffer.from(bytes).toString("hex");
};

test("anyValueFromJson() encodes every kind of value", () => {
  expect(hex('{"stringValue":"a"}')).toBe("0a0161");
  expect(hex('{"stringValue":""}')).toBe("0a00");
  expect(hex('{"boolValue":true}')).toBe("1001");
  expect(hex('{"intValue":"300"}')).toBe("18ac02");
  expect(hex('{"intValue":"-1"}')).toBe("18ffffffffffffffffff01");
  expect(hex('{"doubleValue":1}')).toBe("21000000000000f03f");
  expect(hex('{"doubleValue":"Infinity"}')).toBe("21000000000000f07f");
  expect(hex('{"bytesValue":"AP8="}')).toBe("3a0200ff");
  expect(hex('{"arrayValue":{}}')).toBe("2a00");
  expect(hex('{"arrayValue":{"values":[{"boolValue":false},{}]}}')).toBe("2a060a0210000a00");
  expect(hex('{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}}]}}')).toBe(
    "32090a070a016b12021801",
  );
  expect(hex("{}")).toBe("");
});

test("anyValueFromJson() gives null for what is no value", () => {
  expect(hex("")).toBeNull();
  expect(hex("{")).toBeNull();
  expect(hex('{"intValue":"x"}')).toBeNull();
  expect(hex(`${'{"arrayValue":{"values":['.repeat(200)}{}${"]}}".repeat(200)}`)).toBeNull();
});
