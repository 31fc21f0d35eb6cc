import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MatchTooComplex, StringMatch } from "./match.ts";
import { toDfa } from "./match_dfa.ts";
// Verdicts of Go 1.26's regexp.MustCompile("^(?s:" + pattern + ")$").Match(text), by text. Texts that are no UTF-8 are given in hex.
import fixture from "./match_fixture.json" with { type: "json" };
import { toGlobs } from "./match_glob.ts";
import { toNfa } from "./match_nfa.ts";
import {
  compileAutomaton,
  compileEngine,
  compileGlobs,
  compilePatterns,
  type PatternStrategy,
} from "./match_pattern.ts";
import { parsePattern } from "./match_syntax.ts";

const encoder = new TextEncoder();

function fixtureBytes(text: string): Uint8Array {
  return text.startsWith("hex:") ? Uint8Array.fromHex(text.slice(4)) : encoder.encode(text);
}

/** A pattern in all ways that it can be matched, whatever would be chosen. */
function allWays(pattern: string): Record<string, StringMatch> {
  const tree = parsePattern(pattern);
  const globs = toGlobs(tree);
  const nfa = toNfa(tree);
  const dfa = nfa && toDfa(nfa);
  const ways: Record<string, StringMatch> = {
    chosen: StringMatch.pattern(compilePatterns([pattern]), false),
    engine: StringMatch.pattern(compileEngine([pattern], null), false),
  };
  if (globs?.exact) ways.globs = StringMatch.pattern(compileGlobs(globs), false);
  else if (globs) ways.filteredEngine = StringMatch.pattern(compileEngine([pattern], globs), false);
  if (dfa) ways.automaton = StringMatch.pattern(compileAutomaton(dfa, null), false);
  if (dfa && globs) ways.filteredAutomaton = StringMatch.pattern(compileAutomaton(dfa, globs), false);
  return ways;
}

function strategyOf(pattern: string): PatternStrategy {
  return compilePatterns([pattern]).strategy;
}

describe("a pattern fits as in Go, however it is matched", () => {
  const texts = fixture.texts.map(fixtureBytes);
  for (const [pattern, verdicts] of Object.entries(fixture.verdicts)) {
    test(JSON.stringify(pattern), () => {
      for (const [way, match] of Object.entries(allWays(pattern))) {
        const fits = texts.map((text) => (match.test(text) ? "1" : "0")).join("");
        expect({ way, fits }).toEqual({ way, fits: verdicts });
      }
    });
  }
});

describe("compilePatterns()", () => {
  const strategies: Record<PatternStrategy, string[]> = {
    literals: ["", "foo", "a|b|c", "(a|b)c?", "^foo$", "\\Qa+b\\E", "[ab]c", "(?i)go", "a$b", "$^", "a{1}"],
    globs: [".*foo.*", "foo.*", ".*", ".+", "https?://.*", "(a|b).*", "[\\s\\S]*x", "(.*)foo(.+?)", ".*^a.*"],
    automaton: [
      ".",
      "..*",
      "[0-9]+",
      "(?i)error.*",
      "(?i)strasse",
      "/api/v[0-9]+/.*",
      "(a+)+$",
      "(a|aa)+b",
      "((((a+)+)+)+)+b",
      "(a|b)*a(a|b){9}",
      ".{1000}",
      "(?-s).*",
      "\uFFFD",
      ".*(?:GET|HEAD|POST|PUT|PATCH|DELETE|TRACE|OPTIONS|CONNECT).*",
    ],
    engine: ["\\bfoo.*", "\\pL+", "(?m)^a$", "(?i)é", "(a|b)*a(a|b){20}", ".*é\\B"],
  };
  for (const [strategy, patterns] of Object.entries(strategies)) {
    test(`chooses ${strategy}`, () => {
      for (const pattern of patterns) expect([pattern, strategyOf(pattern)]).toEqual([pattern, strategy]);
    });
  }

  test("joins several patterns", () => {
    expect(compilePatterns(["a|b", "c"]).strategy).toBe("literals");
    expect(compilePatterns(["a.*", "c"]).strategy).toBe("globs");
    expect(compilePatterns(["(?i)a[0-9]", "b+"]).strategy).toBe("automaton");
    const match = StringMatch.pattern(compilePatterns(["(?i)\\ba", "b"]), false);
    expect(match.strategy).toBe("engine");
    expect(["A", "b", "B", "ab"].map((text) => match.test(encoder.encode(text)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("looks for literals before an engine is asked", () => {
    const { program } = compilePatterns([".*\\bfoo\\b.*[0-9]x"]);
    expect(program.globs).toEqual([
      { literals: ["", "foo", "x"].map((literal) => encoder.encode(literal)), gaps: [0, 1] },
    ]);
    expect(program.verdict).toBe("ask");
  });

  test("bounds the table of an automaton", () => {
    for (const pattern of [".{1000}", "(a|b)*a(a|b){9}", "[a-zé-€]{300}", "(a?){1000}"]) {
      const { program } = compilePatterns([pattern]);
      if (typeof program.verdict === "string") throw new Error(`${pattern} has no automaton`);
      expect(program.verdict.accepts.length).toBeLessThanOrEqual(10_000);
      expect(program.verdict.next.length).toBeLessThanOrEqual(510_000);
    }
  });

  const words = Array.from({ length: 12_000 }, (_, i) => (i * 7919).toString(36).padStart(7, "w"));

  test("takes long lists of literals", () => {
    const { program, strategy } = compilePatterns([words.join("|")]);
    expect(strategy).toBe("literals");
    expect(program.literals.length).toBe(words.length);
    const match = StringMatch.pattern(compilePatterns([words.join("|")]), false);
    expect(match.test(encoder.encode(words[11_999]))).toBe(true);
    expect(match.test(encoder.encode("wwwwww_"))).toBe(false);
    expect(strategyOf("a".repeat(100_000))).toBe("literals");
    expect(strategyOf(`(?:${"a".repeat(100_000)})b.*`)).toBe("globs");
  });

  test("refuses what would take too long", () => {
    const tooComplex = [
      `.*(?:${words.join("|")}).*`,
      "\\pL{1000}".repeat(190),
      "(x|y)".repeat(12_000),
      "(a*b?)*".repeat(5_000),
      `.*${"a".repeat(20_000)}.*`,
    ];
    for (const pattern of tooComplex) expect(() => compilePatterns([pattern])).toThrow(MatchTooComplex);
    expect(() => compilePatterns(words.slice(0, 200).map((word) => `\\b${word}\\pL{100}`))).toThrow(
      MatchTooComplex,
    );
  });
});

test("globs fit what the engine fits", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "ab",
    "é",
    ".*",
    ".+",
    ".*?",
    "(a|b)",
    "(?:ab|é.*)",
    "b?",
    "^",
    "$",
  );
  const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  const byte = fc.constantFrom(0x61, 0x62, 0x61, 0x62, 0xc3, 0xa9, 0xff, 0x0a);
  const text = fc.array(byte, { maxLength: 40 }).map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 20 }), (pattern, texts) => {
      const globs = toGlobs(parsePattern(pattern));
      if (globs === null) return;
      const way = globs.exact ? compileGlobs(globs) : compileEngine([pattern], globs);
      const match = StringMatch.pattern(way, false);
      const engine = StringMatch.pattern(compileEngine([pattern], null), false);
      for (const text of texts) expect(match.test(text)).toBe(engine.test(text));
    }),
    { numRuns: 500 },
  );
});

test("automata fit what the engine fits", () => {
  const atom = fc.constantFrom("a", "b", "é", "€", ".", "[^a]", "[a-b]", "[é-€]", "\\w", "(?i:k)", "^", "$");
  const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
    pattern: fc.array(tie("part"), { maxLength: 3 }).map((parts) => parts.join("")),
    part: fc.oneof(
      { maxDepth: 2 },
      fc.tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,3}")).map(([a, b]) => `(?:${a})${b}`),
      fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(${a}|${b})`),
      tie("pattern").map((inner) => `(${inner})*`),
    ),
  }));
  const character = fc.constantFrom("a", "b", "k", "\u212a", "é", "€", "😀", "\n", "\uFFFD");
  const piece = fc.oneof(
    character.map((text) => [...encoder.encode(text)]),
    fc.constantFrom([0xff], [0xc3], [0xe2, 0x82]),
  );
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => Uint8Array.from(pieces.flat()));
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 20 }), (pattern, texts) => {
      const nfa = toNfa(parsePattern(pattern));
      const dfa = nfa && toDfa(nfa);
      if (dfa === null) return;
      const automaton = StringMatch.pattern(compileAutomaton(dfa, null), false);
      const engine = StringMatch.pattern(compileEngine([pattern], null), false);
      for (const text of texts) expect(automaton.test(text)).toBe(engine.test(text));
    }),
    { numRuns: 200 },
  );
});
