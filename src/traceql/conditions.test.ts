import { describe, expect, test } from "bun:test";
import {
  extractConditions,
  parseLeniently,
  print,
  printAttribute,
  printLiteral,
  TraceQLError,
} from "./index.ts";

/** Groups as text: conditions joined by `&`, in the order found. */
function groups(text: string, groupsMax = 100): string[] | null {
  const found = extractConditions(text, { groupsMax });
  if (found === null) return null;
  return found.map((group) =>
    group
      .map((condition) => {
        const name = printAttribute(condition.attribute);
        if (condition.kind === "existence") return `${name} ${condition.exists ? "!=" : "="} nil`;
        return `${name} ${condition.op} ${printLiteral(condition.value)}`;
      })
      .join(" & "),
  );
}

describe("extractConditions()", () => {
  const cases: [string, string[] | null][] = [
    ['{ span.a = "b" && }', ["span.a = `b`"]],
    ['{ span.a = "b" && span.c = }', ["span.a = `b`"]],
    ['{ span.a = "b"', ["span.a = `b`"]],
    ['{ span.a = "b" && span.c >=', ["span.a = `b`"]],
    ['{ && span.a = "b" || || }', ["span.a = `b`"]],
    ['{ (span.c = ) && span.a = "b" && () }', ["span.a = `b`"]],
    ['{ (span.a = "b" && (span.c = )) && span.d = 2 }', ["span.a = `b` & span.d = 2"]],
    ['{ resource.service.name = && span.foo = "bar" }', ["span.foo = `bar`"]],
    ['{ span:status = && name = "x" && event:name =~ }', ["name = `x`"]],
    ['{ span.a = "b" && span.c = } | rate() by (span.d)', ["span.a = `b`"]],
    ['{ span.a = "b" } | count() > 5', ["span.a = `b`"]],
    ['({ span.a = "b" } | count() > 5)', ["span.a = `b`"]],
    ['({ span.a = "b" })', ["span.a = `b`"]],
    ["{ span.a = -1 && duration > 1ms && span.b != nil }", ["span.a = -1 & duration > 1ms & span.b != nil"]],
    ["{ 4 < span.b && 1 = span.c }", ["span.b > 4 & span.c = 1"]],
    ["{ span.a = 1 || span.b = 2 }", ["span.a = 1", "span.b = 2"]],
    ["{ (span.a = 1 || span.b = 2) && span.c = 3 }", ["span.a = 1 & span.c = 3", "span.b = 2 & span.c = 3"]],
    ["{ span.a = 1 || span.a = 1 }", ["span.a = 1"]],
    ["{ span.a = 1 && true && span.b = span.c && span.d + 1 = 2 }", ["span.a = 1"]],
    ["{ !(span.a = 1) }", ["span.a = 1"]],
    // Nothing to restrict by, or nothing that can be used.
    ["{ span.a = 1 || span.b }", null],
    ["{ }", null],
    ["{ true }", null],
    ["", null],
    ["{ span.a = }", null],
    ["{ span.a = 1 } >> { span.b = 2 }", null],
    ["{ span.a = 1 } && { span.b = 2 }", null],
    ["count() > 1", null],
    ["garbage (", null],
    ['{ resource.service.name="x" && .', null],
    ['{ span.a = "x', null],
    ['{duration>"1s"}', null],
    ["{ parent.a = 1 && span.b = 2 }", null],
  ];
  for (const [query, expected] of cases) test(query, () => expect(groups(query)).toEqual(expected));

  test("refuses more groups than allowed", () => {
    const pairs = Array.from({ length: 7 }, (_, i) => `(span.a${i} = 1 || span.b${i} = 1)`).join(" && ");
    expect(() => groups(`{ ${pairs} }`)).toThrow(
      "maximum condition groups reached (limit: 100). Reduce the number of OR conditions in the query",
    );
    expect(groups(`{ ${pairs} }`, 128)?.length).toBe(128);
  });

  test("answers soon, whatever the query", () => {
    const started = performance.now();
    const repeated = Array.from(
      { length: 2500 },
      (_, i) => `(span.a = 1 || span.b = 2) && span.c${i} = ${i}`,
    );
    expect(groups(`{ ${repeated.join(" && ")} }`)?.length).toBe(2);
    expect(() => groups(`{ ${Array.from({ length: 9000 }, (_, i) => `span.a=${i}`).join("||")} }`)).toThrow(
      TraceQLError,
    );
    expect(groups(`{ span.a = 1 ${"&& ".repeat(30_000)}`)).toEqual(["span.a = 1"]);
    expect(groups(`{ span.a = 1 && ${"(".repeat(30_000)}${")".repeat(30_000)} }`)).toEqual(["span.a = 1"]);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe("parseLeniently()", () => {
  test("repairs the part before the first pipe and keeps the rest", () => {
    const query = parseLeniently('{ .foo = "bar" && .baz = } | rate() by (.qux)');
    expect(query && print(query)).toBe("{ (.foo = `bar`) && .baz } | rate() by (.qux)");
    expect(parseLeniently("{ .foo = } | select(.bar")).toBeNull();
  });

  test("lets a bare attribute pass every span only in a repaired query", () => {
    expect(print(parseLeniently("{ .a = }")!)).toBe("{ true }");
    expect(print(parseLeniently("{ .a }")!)).toBe("{ .a }");
  });
});
