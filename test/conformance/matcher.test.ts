import { expect, test } from "bun:test";
import { Matcher, pattern } from "./matcher.ts";
import { type Json, Renderer } from "./placeholders.ts";
import { decodeProto } from "./proto_reader.ts";
import { flatten } from "./traces.ts";

const matcher = new Matcher(null);

// Each: matcher, a value it accepts, a value it must not accept (undefined: a missing member).
const cases: [Json, Json | undefined, Json | undefined][] = [
  [5, 5, "5"],
  [0.1, 0.1000000000001, 0.11],
  [
    [1, 2],
    [1, 2],
    [2, 1],
  ],
  [{ a: 1 }, { a: 1 }, { a: 1, b: 2 }],
  [{ $any: true }, 0, undefined],
  [{ $absent: true }, undefined, 0],
  [{ $optional: 1 }, undefined, 2],
  [{ $regex: "a.c" }, "a\nc", "xabc"],
  [{ $starts: "ab" }, "abc", "cab"],
  [{ $includes: ["a", "b"] }, "b a", "a"],
  [{ $not: 1 }, 2, 1],
  [{ $all: [{ $starts: "a" }, { $includes: "c" }] }, "abc", "ab"],
  [{ $anyOf: [1, 2] }, 2, 3],
  [{ $string_int: { min: 0 } }, "0", "-1"],
  [{ $string_int: true }, "12", 12],
  [{ $number: { max: 3 } }, 3, 4],
  [{ $approx: [10, 1] }, 10.5, 12],
  [{ $type: "bool" }, false, 0],
  [{ $type: "list" }, [], {}],
  [{ $subset: { a: 1 } }, { a: 1, b: 2 }, { b: 2 }],
  [{ $values: { $number: true } }, { a: 1 }, { a: "1" }],
  [{ $unordered: [{ $any: true }, 1] }, [1, 2], [2, 3]],
  [{ $contains: [1] }, [2, 1], [2]],
  [{ $excludes: [1] }, [2], [1]],
  [{ $set: { must: [1], may: [2] } }, [2, 1, 2], [1, 3]],
  [{ $within: [1, 2] }, [2], [2, 2]],
  [{ $each: 1 }, [1, 1], [1, 2]],
  [{ $len: 2 }, [1, 2], [1]],
  [{ $len: { min: 1 } }, "a", ""],
  [{ $sorted: "asc" }, ["9", "10"], ["10", "9"]],
  [{ $sorted: ["desc", "n"] }, [{ n: 2 }, { n: 1 }], [{ n: 1 }, { n: 2 }]],
  [{ $sum: ["n", 3] }, [{ n: 1 }, {}, { n: 2 }], [{ n: 1 }]],
  [{ $json: { a: 1 } }, '{"a":1}', '{"a":2}'],
];
for (const [want, accepted, refused] of cases) {
  test(`matcher ${JSON.stringify(want)} accepts and refuses`, () => {
    expect(matcher.fits(want, accepted)).toBe(true);
    expect(matcher.fits(want, refused)).toBe(false);
  });
}

test("an unknown matcher is an error, not a mismatch", () => {
  expect(() => matcher.fits({ $nonsense: 1 }, 1)).toThrow("matcher $nonsense is unknown");
});

test("pattern() takes Python's leading (?m)", () => {
  expect(pattern("(?m)^b$", false).test("a\nb\nc")).toBe(true);
  expect(pattern("^b$", false).test("a\nb\nc")).toBe(false);
});

test("placeholders give times and ids", () => {
  const renderer = new Renderer(1_700_000_000);
  const rendered: Json = renderer.render({
    "{{s:+5}}": ["{{ns:+5.000000001}}", "{{f:-0.5}}", "{{rfcns:+1}}"],
  });
  expect(rendered).toEqual({
    "1700000005": ["1700000005000000001", "1699999999.500", "2023-11-14T22:13:21.000000000Z"],
  });
  const id = renderer.text("{{tid:7}}");
  expect(id).toMatch(/^a0a0[0-9a-f]{8}0{19}7$/);
  expect(renderer.text("{{tid64:7}}")).toBe(Buffer.from(id, "hex").toString("base64"));
});

test("flatten() forgets grouping and defaults, not values", () => {
  const resource: Json = {
    attributes: [
      { key: "b", value: { intValue: "0" } },
      { key: "a", value: {} },
    ],
  };
  const one: Json = [
    { resource, scopeSpans: [{ spans: [{ name: "x", kind: "SPAN_KIND_UNSPECIFIED" }, { name: "y" }] }] },
  ];
  const two: Json = [
    { resource, scopeSpans: [{ scope: {}, spans: [{ name: "y", events: [] }] }] },
    { resource, scopeSpans: [{ spans: [{ name: "x", droppedLinksCount: 0 }] }] },
  ];
  expect(flatten(two)).toEqual(flatten(one));
  expect(flatten(one)[0]).toContain('"intValue":"0"');
});

test("decodeProto() reads fields and refuses unknown ones", () => {
  expect(decodeProto("Status", Uint8Array.of(0x12, 2, 0x6f, 0x6b, 0x18, 2))).toEqual({
    message: "ok",
    code: "STATUS_CODE_ERROR",
  });
  expect(() => decodeProto("Status", Uint8Array.of(0x08, 1))).toThrow("unexpected field 1");
  expect(() => decodeProto("Status", Uint8Array.of(0x12, 9, 1))).toThrow("cut off");
});
