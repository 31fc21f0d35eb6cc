import { describe, expect, test } from "bun:test";
import { parse, TraceQLError, validate } from "./index.ts";

function problem(text: string): string {
  const query = parse(text);
  try {
    validate(query);
  } catch (error) {
    if (error instanceof TraceQLError && error.code === "validate") return error.message;
    throw error;
  }
  return "no error";
}

describe("validate()", () => {
  const refusals: [string, string][] = [
    ["{ 1 }", "span filter field expressions must resolve to a boolean: { 1 } (line 1, col 1)"],
    ["{ .a + 1 }", "span filter field expressions must resolve to a boolean: { .a + 1 } (line 1, col 1)"],
    [
      '{ 1 = "a" }',
      "binary operations must operate on the same type: 1 = `a`: found int and string (line 1, col 3)",
    ],
    [
      "{ .x = 1 &&\n  status = 1 }",
      "binary operations must operate on the same type: status = 1: found status and int (line 2, col 3)",
    ],
    [
      '{ 1 + .a = "x" }',
      "binary operations must operate on the same type: (1 + .a) = `x`: found int and string (line 1, col 3)",
    ],
    [
      "{ true > false }",
      "illegal operation for the given types: true > false: > takes numbers or strings (line 1, col 3)",
    ],
    [
      "{ .a && 1 && .b }",
      "illegal operation for the given types: .a && 1: && takes booleans (line 1, col 3)",
    ],
    [
      "{ kind + kind }",
      "illegal operation for the given types: kind + kind: + takes numbers (line 1, col 3)",
    ],
    ["{ .a =~ 1 }", "illegal operation for the given types: .a =~ 1: =~ takes strings (line 1, col 3)"],
    ["{ !name }", "illegal operation for the given type: !name: ! takes booleans (line 1, col 3)"],
    ["{ -status = 1 }", "illegal operation for the given type: -status: - takes numbers (line 1, col 3)"],
    ["{ .a =~ .b }", "invalid type for =~ or !~: .b: the pattern is to be a string (line 1, col 9)"],
    ["{ .a =~ `(x` }", "invalid regex: error parsing regexp: missing closing ): `(x` (line 1, col 9)"],
    ["{ name = nil }", "name=nil is not valid because intrinsics cannot be nil (line 1, col 3)"],
    [
      "{ resource.service.name = nil }",
      "resource.service.name=nil is not valid because resource.service.name cannot be nil (line 1, col 3)",
    ],
    ["{ parent.a = 1 }", "parent not yet supported (line 1, col 3)"],
    ["{ parent = nil }", "intrinsic (parent) not yet supported (line 1, col 3)"],
    ["{} | by(1)", "grouping field expressions must reference the span: by(1) (line 1, col 6)"],
    ["max(name) > 1", "aggregate field expressions must resolve to a number type: max(name) (line 1, col 1)"],
    ["max(1) > 1", "aggregate field expressions must reference the span: max(1) (line 1, col 1)"],
    [
      "3 > count()",
      "scalar filter lhs of type (literal) not yet supported: 3, expecting one aggregate (line 1, col 1)",
    ],
    ["{} | rate() | topk(0)", "limit must be greater than 0: topk(0) (line 1, col 15)"],
    ["{} | quantile_over_time(duration, 2)", "quantile must be between 0 and 1: 2 (line 1, col 6)"],
    [
      "{} | rate() by (.a, .b, .c, .d, .e, .f)",
      "metrics group by 6 values not yet supported, at most 5 (line 1, col 37)",
    ],
    ["{} | compare({}) > 1", "compare() cannot be followed by a second stage (line 1, col 18)"],
    [
      "{} | compare({ 1 })",
      "span filter field expressions must resolve to a boolean: { 1 } (line 1, col 14)",
    ],
    [
      "{} | compare({}, 5, 2, 1)",
      "compare() end timestamp must be after the start timestamp (line 1, col 6)",
    ],
  ];
  for (const [query, message] of refusals) {
    test(`refuses ${query}`, () => expect(problem(query)).toBe(message));
  }

  const accepted = [
    "{ .a + .b }",
    "{ true = nil }",
    "{ instrumentation:name = 1 }",
    "{ .service.name = nil }",
    "{ name != nil }",
    "{} | rate() by (parent.a)",
    "{} | min_over_time(name)",
    "{ 5 / 0 = 1 }",
    "{ duration > 1.5 && nestedSetLeft = 1s }",
    "{ .a = .b = .c }",
  ];
  for (const query of accepted) test(`accepts ${query}`, () => expect(problem(query)).toBe("no error"));

  test("repeats no more of a query than a message bears", () => {
    const terms = Array.from({ length: 3000 }, (_, i) => `.a = ${i}`).join(" || ");
    expect(problem(`{ ${terms} || 1 }`).length).toBeLessThan(400);
  });
});
