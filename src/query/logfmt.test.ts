import { expect, test } from "bun:test";
import { parseTags } from "./logfmt.ts";
import { InvalidRequest } from "./query_errors.ts";

test("reads pairs, quoted and plain, and keys alone", () => {
  expect([
    ...parseTags('service.name=front  root.name="GET /checkout" vip\tklíč="a \\"b\\" \\u010d\\n"'),
  ]).toEqual([
    ["service.name", "front"],
    ["root.name", "GET /checkout"],
    ["vip", ""],
    ["klíč", 'a "b" č\n'],
  ]);
  expect(parseTags(" ").size).toBe(0);
  expect([...parseTags('a= b=""c=d')]).toEqual([
    ["a", ""],
    ["b", ""],
    ["c", "d"],
  ]);
});

test("says what is wrong, and where", () => {
  for (const [text, message] of [
    ["a=b a=c", "invalid tags: tag a has been set twice"],
    ["=b", 'invalid tags: unexpected "=" at pos 1'],
    ["a=b=c", 'invalid tags: unexpected "=" at pos 4'],
    ['a"b', 'invalid tags: unexpected "\\"" at pos 2'],
    ['x=1 a="b c', "invalid tags: unterminated quoted value at pos 7"],
    ['a="\\x"', "invalid tags: invalid quoted value at pos 1"],
  ] as const)
    expect(() => parseTags(text)).toThrow(new InvalidRequest(message));
});
