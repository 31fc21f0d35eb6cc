import { describe, expect, test } from "bun:test";
import { regexProblem } from "./regex.ts";

describe("regexProblem()", () => {
  // Verdicts of Go 1.26's regexp/syntax.
  const valid = [
    "",
    "a|b",
    "(?i)abc",
    "(?P<n>a)(?<m>b)",
    "(?s-i:a)",
    "[[:alpha:]\\d-]+",
    "[]a]",
    "[^]a-z]",
    "a{2,3}?",
    "a{,2}",
    "{",
    "{a}",
    "\\Qa+(\\E+",
    "\\pL\\p{Greek}\\P{^Lu}",
    "\\x41\\x{1F600}\\012\\0",
    "\\_\\.\\/",
    "(x{10}){100}",
    "()*",
    "a*(?i)*",
    "^*",
    "\\b\\B\\A\\z",
    "[a-]",
    "[:alpha:]",
    "é😀",
    "(?)",
    "a{1000}",
    "(?:a{02})",
  ];
  const invalid = [
    "*",
    "(",
    ")",
    "[a",
    "a**",
    "a{2}{3}",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "\\1",
    "\\q",
    "\\8",
    "a{1001}",
    "a{3,1}",
    "(x{20}){100}",
    "[z-a]",
    "[a-\\d]",
    "[[:foo:]]",
    "\\p{Foo}",
    "(?P<n>a)(?P<n>b)",
    "\\x{110000}",
    "\\xZ",
    "\\C",
    "\\Z",
    "a\\",
    "(?i)*",
    "a|*",
    "(?P<n",
    "(?-)",
    "[\\",
    "{2}",
  ];
  for (const pattern of valid) test(`takes ${pattern}`, () => expect(regexProblem(pattern)).toBeNull());
  for (const pattern of invalid) {
    test(`refuses ${pattern}`, () => expect(regexProblem(pattern)).toStartWith("error parsing regexp: "));
  }

  test("refuses what would become a huge machine, and answers soon", () => {
    expect(regexProblem("(x{1000})".repeat(10_000))).toContain("expression too large");
    expect(regexProblem("(".repeat(100_000))).toContain("nests too deeply");
    for (const piece of ["[", "[:", "a?", "\\pL", "(?P<", "a{", "|", "[[:", "\\Q", "()"]) {
      const started = performance.now();
      regexProblem(piece.repeat(100_000 / piece.length));
      regexProblem(`[${piece.repeat(100_000 / piece.length)}:]`);
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });
});
