import { expect, test } from "bun:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { attributeText } from "./attribute.ts";
import { attributesOf } from "./attribute_json.ts";
import { readAttribute } from "./attribute_protobuf.ts";

const message = (write: (writer: BinaryWriter) => BinaryWriter) => write(new BinaryWriter()).finish();

test("values of every type are shown alike from JSON and from protobuf", () => {
  const text = message((w) => w.tag(1, 2).string("a"));
  const pair = message((w) => w.tag(1, 2).string("k").tag(2, 2).bytes(text));
  const cases: [unknown, Uint8Array, string][] = [
    [{ stringValue: 'a "b"\\\n' }, message((w) => w.tag(1, 2).string('a "b"\\\n')), '"a \\"b\\"\\\\\\n"'],
    [{ boolValue: false }, message((w) => w.tag(2, 0).bool(false)), "false"],
    [
      { intValue: "9007199254740993" },
      message((w) => w.tag(3, 0).int64("9007199254740993")),
      "9007199254740993",
    ],
    [{ intValue: "-7" }, message((w) => w.tag(3, 0).int64("-7")), "-7"],
    [{ doubleValue: 2.5 }, message((w) => w.tag(4, 1).double(2.5)), "2.5"],
    [{ doubleValue: "NaN" }, message((w) => w.tag(4, 1).double(Number.NaN)), "NaN"],
    [{ bytesValue: "AP8=" }, message((w) => w.tag(7, 2).bytes(Uint8Array.of(0, 255))), "0x00ff"],
    [
      { arrayValue: { values: [{ stringValue: "a" }, {}] } },
      message((w) =>
        w.tag(5, 2).bytes(message((list) => list.tag(1, 2).bytes(text).tag(1, 2).bytes(new Uint8Array(0)))),
      ),
      '["a", nil]',
    ],
    [
      { kvlistValue: { values: [{ key: "k", value: { stringValue: "a" } }] } },
      message((w) => w.tag(6, 2).bytes(message((list) => list.tag(1, 2).bytes(pair)))),
      '{k="a"}',
    ],
    [{}, new Uint8Array(0), "nil"],
  ];
  for (const [json, protobuf, shown] of cases) {
    const bytes = message((w) => w.tag(1, 2).string("x").tag(2, 2).bytes(protobuf));
    expect(attributesOf([{ key: "x", value: json }]).map(attributeText)).toEqual([`x=${shown}`]);
    expect(attributeText(readAttribute(bytes))).toBe(`x=${shown}`);
  }
});

test("values nested without end are cut off", () => {
  let json: unknown = { stringValue: "deep" };
  let bytes = message((w) => w.tag(1, 2).string("deep"));
  for (let i = 0; i < 1000; i++) {
    json = { arrayValue: { values: [json] } };
    const inner = bytes;
    bytes = message((w) => w.tag(5, 2).bytes(message((list) => list.tag(1, 2).bytes(inner))));
  }
  const shown = `x=${"[".repeat(21)}nil${"]".repeat(21)}`;
  expect(attributesOf([{ key: "x", value: json }]).map(attributeText)).toEqual([shown]);
  const whole = bytes;
  expect(attributeText(readAttribute(message((w) => w.tag(1, 2).string("x").tag(2, 2).bytes(whole))))).toBe(
    shown,
  );
});
