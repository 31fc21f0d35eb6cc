import { describe, expect, test } from "bun:test";
import {
  type FieldExpression,
  nestingDepthMax,
  parse,
  print,
  printAttribute,
  printKey,
  TraceQLError,
} from "./index.ts";
import { unplaced } from "./tree_fixture.ts";

function printed(text: string): string {
  return print(parse(text));
}

function problem(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof TraceQLError) return error.message;
    throw error;
  }
  return "no error";
}

function filterOf(text: string): FieldExpression {
  const [stage] = parse(text).stages;
  if (stage?.kind !== "filter") throw new Error("not a filter");
  return stage.expression;
}

describe("precedence", () => {
  // Left: as written. Right: as the language reads it.
  const meanings: [string, string][] = [
    [".a || .b && .c", "(.a || .b) && .c"],
    [".a && .b || .c", "(.a && .b) || .c"],
    ["1 < 2 = true", "(1 < 2) = true"],
    ["-.a * .b", "-(.a * .b)"],
    ["-2 ^ 2", "-(2 ^ 2)"],
    ["-.a + .b", "(-.a) + .b"],
    ["!.a = .b", "(!.a) = .b"],
    ["!.a && .b", "(!.a) && .b"],
    ["2 ^ 3 ^ 2", "2 ^ (3 ^ 2)"],
    ["1 + .a != nil", "(1 + .a) != nil"],
    ["1 * -1 = -1", "(1 * -1) = -1"],
    [".a - .b - .c", "(.a - .b) - .c"],
    ["(-1) * .a", "(-1) * .a"],
    ["!!.a", "!(!.a)"],
    ["nil != .a", ".a != nil"],
    ["nil = .a + 1 && .b", "((.a + 1) = nil) && .b"],
    ["nil = nil", "false"],
    ["!nil = .a", "!(.a = nil)"],
    [".a = .b = .c", "(.a = .b) = .c"],
  ];
  for (const [text, meaning] of meanings) {
    test(`{ ${text} }`, () => {
      expect(printed(`{ ${text} }`)).toBe(`{ ${meaning} }`);
      expect(unplaced(parse(`{ ${meaning} }`).stages)).toEqual(unplaced(parse(`{ ${text} }`).stages));
    });
  }

  test("of span set operators", () => {
    expect(printed("{.a} && {.b} > {.c}")).toBe("{ .a } && ({ .b } > { .c })");
    expect(printed("{.a} > {.b} >> {.c}")).toBe("({ .a } > { .b }) >> { .c }");
    expect(printed("{.a} || {.b} && {.c}")).toBe("({ .a } || { .b }) && { .c }");
  });
});

describe("parse()", () => {
  test("has chains of one connective as one node", () => {
    const tree = filterOf("{ (.a && .b) && .c && (.d && .e) }");
    expect(tree.kind === "logical" && tree.operands.map((operand) => operand.kind)).toEqual([
      "attribute",
      "attribute",
      "attribute",
      "logical",
    ]);
    expect(printKey(tree)).toBe("((.a && .b) && .c) && (.d && .e)");
  });

  test("knows intrinsics by both spellings and prints one", () => {
    const names =
      "span:duration trace:rootService trace:duration span:id event:name instrumentation:version nestedSetLeft";
    const query = parse(`{} | select(${names.split(" ").join(", ")})`);
    const select = query.stages[1]!;
    expect(select.kind === "select" && select.attributes.map(printAttribute)).toEqual([
      "duration",
      "rootServiceName",
      "traceDuration",
      "span:id",
      "event:name",
      "instrumentation:version",
      "nestedSetLeft",
    ]);
  });

  test("mixes plain and wrapped operands only where brackets make them alike", () => {
    expect(printed("({} | count() > 1) && ({})")).toBe("({ true } | count() > 1) && ({ true })");
    expect(printed("({} && {}) | count() > 1")).toBe("{ true } && { true } | count() > 1");
    expect(printed("(({.a} | {.b}))")).toBe("{ .a } | { .b }");
    expect(problem("{} && ({} | count() > 1)")).toBe(
      "parse error at line 1, col 7: syntax error: && between a span set and a pipeline in parentheses, expecting both in parentheses",
    );
    expect(problem("({} | {}) | {}")).toBe(
      "parse error at line 1, col 1: syntax error: a pipeline in parentheses is no stage of another pipeline",
    );
  });

  test("reads metrics queries", () => {
    const { metrics, hints } = parse(
      "{} | quantile_over_time(duration, 0, .5, 1) by (name, span.a) > 500ms | topk(3) with (a=1) with (b=true, c=1s)",
    );
    expect(unplaced(metrics)).toEqual({
      kind: "metrics",
      function: {
        kind: "quantileOverTime",
        attribute: { kind: "intrinsic", name: "duration" },
        quantiles: [0, 0.5, 1],
        by: [
          { kind: "intrinsic", name: "name" },
          { kind: "attribute", parent: false, scope: "span", name: "a" },
        ],
      },
      secondStages: [
        { kind: "threshold", op: ">", value: { kind: "literal", type: "duration", value: 500_000_000n } },
        { kind: "ranking", function: "topk", limit: 3n },
      ],
    });
    expect(hints.map((hint) => hint.name)).toEqual(["b", "c"]);
    const comparison = parse(
      "{} | compare({ status = error }, 5, 1700000000000000001, 1700000600000000000)",
    ).metrics;
    expect(unplaced(comparison?.function)).toMatchObject({
      topN: 5n,
      window: { start: 1700000000000000001n, end: 1700000600000000000n },
    });
    expect(unplaced(parse("{} | compare({ })").metrics?.function)).toMatchObject({ topN: 10n, window: null });
  });

  test("says where a query is wrong, what stands there and what could", () => {
    const operand = 'a value, an attribute, an intrinsic, "(", "-" or "!"';
    expect(problem("{ .a = }")).toBe(
      `parse error at line 1, col 8: syntax error: unexpected "}", expecting ${operand}`,
    );
    expect(problem("{ .a = 1\n")).toBe(
      'parse error at line 2, col 1: syntax error: unexpected end of query, expecting an operator or "}"',
    );
    expect(problem("{ foo = 1 }")).toBe(
      `parse error at line 1, col 3: unknown identifier: foo, expecting ${operand}`,
    );
    expect(problem("{} | rate() + 1")).toBe(
      'parse error at line 1, col 13: syntax error: unexpected "+", expecting a comparison, "|", with, or the end of the query',
    );
    expect(problem("{} | count()")).toBe(
      "parse error at line 1, col 13: syntax error: unexpected end of query, expecting a comparison such as > 2 after an aggregate",
    );
    expect(problem("{ event:id = 1 }")).toBe(
      'parse error at line 1, col 9: syntax error: unexpected "id", expecting one of name, timeSinceStart after event:',
    );
  });
});

describe("hostile queries", () => {
  const bytes = 100_000;
  const refused = `nested more than ${nestingDepthMax} levels deep`;

  for (const piece of [
    "(",
    "{ (",
    "{ !",
    "{ -",
    "{ -(",
    "({} | ",
    "{} | max(-",
    "{ nil = ",
    "{ .a ^ ",
    "{ .a = ",
  ]) {
    test(`${JSON.stringify(piece)} many times is refused`, () => {
      const [opening, again] = piece.startsWith("{") ? [piece, piece.slice(2)] : [piece, piece];
      const query = opening + (again.trim() === "" ? "!" : again).repeat(bytes / again.length);
      expect(problem(query)).toStartWith("parse error at line 1, col ");
    });
  }

  test("brackets, prefixes and chains are refused for their depth, alternations too", () => {
    expect(problem(`{ ${"(".repeat(bytes)}`)).toContain(refused);
    expect(problem(`{ ${"-".repeat(bytes)}1 = 1 }`)).toContain(refused);
    expect(problem("(".repeat(bytes))).toContain(refused);
    expect(problem(`{ .a${" + 1".repeat(bytes / 4)} = 1 }`)).toContain(refused);
    expect(problem(`{}${">{}".repeat(bytes / 3)}`)).toContain(refused);
    expect(problem(`{ .a${" && 1 || 2".repeat(bytes / 10)} }`)).toContain(refused);
    expect(problem(`{ .a${" = 1".repeat(bytes / 4)} }`)).toContain(refused);
  });

  test("a long chain of one connective is a query", () => {
    const terms = Array.from({ length: 5000 }, (_, i) => `.a = ${i}`);
    const tree = parse(`{ ${terms.join(" || ")} }`);
    expect(unplaced(parse(print(tree)))).toEqual(unplaced(tree));
  });

  test("depth to the limit is a query", () => {
    const depth = nestingDepthMax - 2;
    expect(printed(`{ ${"(".repeat(depth)}.a${")".repeat(depth)} }`)).toBe("{ .a }");
  });
});
