import { describe, expect, test } from "bun:test";
import { parseIdentifier, printAttribute, TraceQLError } from "./index.ts";

describe("parseIdentifier()", () => {
  const known: [string, string][] = [
    [".http.status", ".http.status"],
    ["span.foo", "span.foo"],
    ['resource."a b"', 'resource."a b"'],
    ["event.x", "event.x"],
    ["link.x", "link.x"],
    ["instrumentation.x", "instrumentation.x"],
    ["name", "name"],
    ["span:name", "name"],
    ["event:name", "event:name"],
    ["trace:rootService", "rootServiceName"],
    [".service.name", ".service.name"],
    [".a/b", ".a/b"],
  ];
  for (const [text, printed] of known) {
    test(text, () => expect(printAttribute(parseIdentifier(text))).toBe(printed));
  }

  test("refuses everything else, with the columns of {identifier}", () => {
    expect(() => parseIdentifier("foo.bar")).toThrow(
      new Error("failed to parse identifier foo.bar: parse error at line 1, col 2: unknown identifier: foo"),
    );
    for (const text of [
      "",
      "span.",
      "a b",
      "span.a} || {.b",
      "childCount",
      "span:foo",
      ".a = 1",
      ".a }",
      '."a',
      "//",
    ]) {
      expect(() => parseIdentifier(text)).toThrow(TraceQLError);
    }
  });
});
