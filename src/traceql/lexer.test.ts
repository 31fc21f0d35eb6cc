import { describe, expect, test } from "bun:test";
import { TraceQLError } from "./errors.ts";
import { lex } from "./lexer.ts";
import type { Token } from "./token.ts";

/** Without the end: what each token is, and what it stands for. */
function summary(text: string): unknown[] {
  return lex(text).slice(0, -1).map(summarise);
}

function summarise(token: Token): unknown {
  switch (token.type) {
    case "attribute":
      return `${token.parent ? "parent " : ""}${token.scope} ${token.name}`;
    case "colonScope":
      return `${token.scope}:`;
    case "string":
      return { string: token.value };
    case "int":
    case "float":
      return token.value;
    case "duration":
      return `${token.value}ns`;
    default:
      return token.text;
  }
}

function problem(text: string): string {
  try {
    lex(text);
  } catch (error) {
    if (error instanceof TraceQLError) return error.message;
    throw error;
  }
  return "no error";
}

describe("lex()", () => {
  test("tells positions in characters and lines", () => {
    const [, , , one] = lex("{ .😝\n  = 1 }");
    expect(one!.position).toEqual({ offset: 10, line: 2, column: 5 });
    expect(lex("{ .😝 = 1 }")[2]!.position).toEqual({ offset: 6, line: 1, column: 6 });
  });

  test("lets names run until white space or one of the terminators", () => {
    expect(summary("{ span.a*2 = 4 }")).toEqual(["{", "span a*2", "=", 4n, "}"]);
    expect(summary(".a/*x*/ .http/method span.a-span.b .foo:bar")).toEqual([
      "none a/*x*/",
      "none http/method",
      "span a-span.b",
      "none foo:bar",
    ]);
    expect(summary("{.a>2}")).toEqual(["{", "none a", ">", 2n, "}"]);
    expect(summary("span.1 span.héllo span.a[0]")).toEqual(["span 1", "span héllo", "span a[0]"]);
    expect(problem(".a\u00a0")).toContain("col 3: unexpected character");
    expect(summary("link.a, event.b,instrumentation.c")).toEqual([
      "link a",
      ",",
      "event b",
      ",",
      "instrumentation c",
    ]);
  });

  test("joins quoted parts of names", () => {
    expect(summary('span."foo bar" .foo."bar baz".qux span."a"b"c" ."" span."a\\"\\\\b"')).toEqual([
      "span foo bar",
      "none foo.bar baz.qux",
      "span abc",
      "none ",
      'span a"\\b',
    ]);
    expect(problem('span."a\\nb"')).toBe(
      'parse error at line 1, col 8: a quoted attribute name knows the escapes \\" and \\\\ only',
    );
    expect(problem('{ .a"b')).toBe('parse error at line 1, col 5: attribute name has no closing "');
    expect(problem("{ . }")).toBe("parse error at line 1, col 4: attribute name is missing");
    expect(problem("{ span. = 1 }")).toBe("parse error at line 1, col 8: attribute name is missing");
  });

  test("knows two scopes below parent", () => {
    expect(summary("parent.x parent.span.x parent.resource.x parent.event.x parent span.resource.x")).toEqual(
      [
        "parent none x",
        "parent span x",
        "parent resource x",
        "parent none event.x",
        "parent",
        "span resource.x",
      ],
    );
  });

  test("takes a colon scope as it stands and words as they are", () => {
    expect(summary("span:name trace: id resource spanname")).toEqual([
      "span:",
      "name",
      "trace:",
      "id",
      "resource",
      "spanname",
    ]);
    expect(problem("span :name")).toContain('col 6: unexpected character ":"');
  });

  test("reads numbers", () => {
    expect(summary("12 0 007 017 1.5 .5 5. 1e3 1.5e-3 9223372036854775807")).toEqual([
      12n,
      0n,
      7n,
      17n,
      1.5,
      0.5,
      5,
      1000,
      0.0015,
      9223372036854775807n,
    ]);
    for (const text of ["08", "09", "0x10", "0b1", "0o7", "1_000", "9223372036854775808", "1e999", "1e"]) {
      expect({ text, error: problem(text).slice(0, 29) }).toEqual({
        text,
        error: "parse error at line 1, col 1:",
      });
    }
  });

  test("reads durations in both notations", () => {
    const hour = 3600n * 10n ** 9n;
    expect(summary("1d 1w2d 1h30m 1m30s500ms 1y")).toEqual([
      `${24n * hour}ns`,
      `${9n * 24n * hour}ns`,
      `${(hour * 3n) / 2n}ns`,
      "90500000000ns",
      `${365n * 24n * hour}ns`,
    ]);
    expect(summary("1.5h .5s 1h1.5m 3s2m 1µs 5.s 10us 3ns")).toEqual([
      "5400000000000ns",
      "500000000ns",
      "3690000000000ns",
      "123000000000ns",
      "1000ns",
      "5000000000ns",
      "10000ns",
      "3ns",
    ]);
    // The number stands alone then, and letters follow it.
    for (const text of ["1d1.5h", "1.5d", "1h1d", "5M", "1μs", "1mo", "400y"]) {
      expect({ text, tokens: summary(text).length > 1 }).toEqual({ text, tokens: true });
    }
    expect(summary("1 s")).toEqual([1n, "s"]);
  });

  test("reads strings", () => {
    expect(summary('"a\\n\\t\\\\\\"\\x41\\u00e9\\101\\xc3\\xa9\\U0001F600"')).toEqual([
      { string: 'a\n\t\\"AéAé😀' },
    ]);
    expect(summary('`a\\n\n"`')).toEqual([{ string: 'a\\n\n"' }]);
    expect(problem('{ name = "a\\q" }')).toContain("line 1, col 12: unknown escape \\q");
    expect(problem('"\\ud800"')).toContain("unknown escape \\u");
    expect(problem('"a\nb"')).toContain('string has no closing "');
    expect(problem("`a")).toContain("string has no closing `");
    expect(problem("'a'")).toContain('unexpected character "\'"');
  });

  test("makes operators as long as it can", () => {
    expect(summary("{a}!~{b} >>> =-1 == <> &>> && !!~ |||")).toEqual(
      "{ a } !~ { b } >> > = - 1 = = < > &>> && ! !~ || |"
        .split(" ")
        .map((text) => (text === "1" ? 1n : text)),
    );
    expect(problem("{} &! {}")).toContain('col 4: unexpected character "&"');
  });

  test("skips comments", () => {
    expect(summary("{ // one\n/* two\n */ }")).toEqual(["{", "}"]);
    expect(problem("{ /* x")).toContain("col 3: comment has no closing */");
  });
});
