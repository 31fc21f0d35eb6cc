import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import type { ComparisonOp } from "../traceql/index.ts";
import { compileMatch, compileMatchAny, type StringMatch } from "./match.ts";
import type { Glob } from "./match_glob.ts";
import { encodeProgram } from "./match_program.ts";
import { loadProgram } from "./match_scratch.ts";

const encoder = new TextEncoder();

function bytesOf(text: string | number[]): Uint8Array {
  return typeof text === "string" ? encoder.encode(text) : Uint8Array.from(text);
}

/** Parquet's PLAIN. */
function plain(texts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(
    texts.flatMap((text) => [...new Uint8Array(Uint32Array.of(text.length).buffer), ...text]),
  );
}

/** One for all, since memory that was given up is not given back at once. */
const batch = SpanBatch.create();

/** Verdicts on each text in its own place, by all that a match offers. */
function verdicts(match: StringMatch, texts: Uint8Array[]): boolean[] {
  batch.reset();
  const ids = texts.map((text) => {
    batch.give(text);
    return batch.core.internInput!(text.length);
  });
  const idsAt = batch.reserveColumn(Column.QueryWork0, ids.length * 4 + 4);
  new Uint32Array(batch.core.memory.buffer, idsAt, ids.length).set(ids);
  const strings = batch.core.strings!();
  const tableAt = batch.reserveColumn(Column.QueryTable, strings);
  new Uint8Array(batch.core.memory.buffer, tableAt, strings).fill(9);
  match.testAll(batch, idsAt, ids.length, tableAt);
  const table = new Uint8Array(batch.core.memory.buffer, tableAt, strings);
  for (let id = 0; id < strings; id++) if (!ids.includes(id)) expect(table[id]).toBe(9);
  const all = ids.map((id) => table[id]);
  const one = texts.map((text) => (match.test(text) ? 1 : 0));
  expect(all).toEqual(one);
  const page = plain(texts);
  const alone = texts.map((text) => (match.anyInPlain(plain([text]), 1) ? 1 : 0));
  expect(alone).toEqual(one);
  expect(match.anyInPlain(page, texts.length)).toBe(one.includes(1));
  return one.map((verdict) => verdict === 1);
}

describe("compileMatch() compares by bytes", () => {
  const texts = ["", "a", "ab", "b", "aé", "a\u{10000}", "a\uffff", [0x61, 0xff], "abcdefghij", "abcdefghik"];
  const sorted = [...texts.map(bytesOf)].sort(Buffer.compare);
  const expected: Record<string, (order: number) => boolean> = {
    "=": (order) => order === 0,
    "!=": (order) => order !== 0,
    "<": (order) => order < 0,
    "<=": (order) => order <= 0,
    ">": (order) => order > 0,
    ">=": (order) => order >= 0,
  };
  for (const [op, holds] of Object.entries(expected)) {
    test(op, () => {
      for (const literal of ["", "a", "aé", "a\u{10000}", "abcdefghij", "zz"]) {
        const match = compileMatch(op as ComparisonOp, literal);
        expect(verdicts(match, sorted)).toEqual(
          sorted.map((text) => holds(Buffer.compare(text, bytesOf(literal)))),
        );
      }
    });
  }
});

describe("compileMatch() with a pattern", () => {
  const texts = ["", "GET", "get", "GET /a", "POST /b\n", "é", [0xff], "GET\u2028"].map(bytesOf);
  const cases: [ComparisonOp, string, StringMatch["strategy"], number[]][] = [
    ["=~", "GET", "literals", [1]],
    ["!~", "GET", "literals", [0, 2, 3, 4, 5, 6, 7]],
    ["=~", "GET|get|", "literals", [0, 1, 2]],
    ["=~", "GET.*", "globs", [1, 3, 7]],
    ["!~", "GET.+", "globs", [0, 1, 2, 4, 5, 6]],
    ["=~", "(?i)[a-z]+", "automaton", [1, 2]],
    ["=~", ".", "automaton", [5, 6]],
    ["!~", "[^é]", "automaton", [0, 1, 2, 3, 4, 5, 7]],
    ["=~", ".*\\b/.*", "engine", []],
    ["=~", ".*\\B/.*", "engine", [3, 4]],
    ["!~", ".*\\B/.*", "engine", [0, 1, 2, 5, 6, 7]],
    ["=~", "\\PL?", "engine", [0, 6]],
  ];
  for (const [op, pattern, strategy, fitting] of cases) {
    test(`${op} ${pattern}`, () => {
      const match = compileMatch(op, pattern);
      expect(match.strategy).toBe(strategy);
      expect(verdicts(match, texts)).toEqual(texts.map((_, i) => fitting.includes(i)));
    });
  }
});

describe("compileMatchAny()", () => {
  const texts = ["", "a", "b", "ab", "c1"].map(bytesOf);
  test("= and != of lists", () => {
    expect(verdicts(compileMatchAny("=", ["a", "c1", "x"]), texts)).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(verdicts(compileMatchAny("!=", ["a", "c1", ""]), texts)).toEqual([
      false,
      false,
      true,
      true,
      false,
    ]);
    expect(verdicts(compileMatchAny("=", []), texts)).toEqual(texts.map(() => false));
    expect(verdicts(compileMatchAny("!=", []), texts)).toEqual(texts.map(() => true));
  });

  test("=~ and !~ of lists", () => {
    expect(verdicts(compileMatchAny("=~", ["a.*", "c[0-9]"]), texts)).toEqual([
      false,
      true,
      false,
      true,
      true,
    ]);
    expect(verdicts(compileMatchAny("!~", ["a.*", "\\pL"]), texts)).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(verdicts(compileMatchAny("=~", []), texts)).toEqual(texts.map(() => false));
  });

  test("takes thousands of texts", () => {
    const match = compileMatchAny(
      "=",
      Array.from({ length: 5000 }, (_, i) => `v${i * 3}`),
    );
    const texts = Array.from({ length: 300 }, (_, i) => bytesOf(`v${i}`));
    expect(verdicts(match, texts)).toEqual(texts.map((_, i) => i % 3 === 0));
  });
});

describe("StringMatch.equals", () => {
  test("is what a string must equal", () => {
    expect(compileMatch("=", "aé").equals).toEqual(bytesOf("aé"));
    expect(compileMatch("=", "").equals).toEqual(bytesOf(""));
    expect(compileMatch("=~", "a\\.b").equals).toEqual(bytesOf("a.b"));
    expect(compileMatch("=~", "^(foo)$").equals).toEqual(bytesOf("foo"));
    expect(compileMatchAny("=", ["a"]).equals).toEqual(bytesOf("a"));
  });

  test("is null where it is more than that", () => {
    for (const op of ["!=", "!~", "<", ">="] as const) expect(compileMatch(op, "a").equals).toBeNull();
    expect(compileMatch("=~", "a.*").equals).toBeNull();
    expect(compileMatch("=~", "a|b").equals).toBeNull();
    expect(compileMatchAny("=", ["a", "b"]).equals).toBeNull();
  });
});

describe("a literal is found", () => {
  test("wherever it stands", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 70 });
    const literal = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(literal, fc.array(letters, { minLength: 1, maxLength: 10 }), (literal, texts) => {
        const match = compileMatch("=~", `.*${literal}.*`);
        expect(verdicts(match, texts.map(bytesOf))).toEqual(texts.map((text) => text.includes(literal)));
      }),
      { numRuns: 200 },
    );
  });

  test("at each place of texts of all lengths", () => {
    const match = compileMatch("=~", ".*xyz.*");
    for (let length = 3; length < 50; length++) {
      for (let at = 0; at <= length - 3; at++) {
        const text = `${"x".repeat(at)}xyz${"z".repeat(length - 3 - at)}`;
        expect(match.test(bytesOf(text))).toBe(true);
        expect(match.test(bytesOf(text.replace("xyz", "xxz")))).toBe(false);
      }
    }
  });

  test("where the memory ends", () => {
    const batch = SpanBatch.create();
    const glob: Glob = { literals: ["", "xyz", ""].map(bytesOf), gaps: [0, 0] };
    loadProgram(batch, encodeProgram({ literals: [], globs: [glob], verdict: "fits" }, false));
    const { buffer } = batch.core.memory;
    for (let length = 3; length < 40; length++) {
      const address = buffer.byteLength - length;
      const text = new Uint8Array(buffer, address, length);
      for (let at = 0; at <= length - 3; at++) {
        text.fill(0x78).set(bytesOf("xyz"), at);
        expect(batch.core.matchText!(address, length)).toBe(1);
        text[at + 1] = 0x7a;
        expect(batch.core.matchText!(address, length)).toBe(0);
      }
    }
  });
});

describe("anyInPlain()", () => {
  test("finds an entry in any part of a large page", () => {
    const texts = Array.from({ length: 20_000 }, (_, i) => bytesOf(`/items/${i}`));
    const page = plain(texts);
    for (const pattern of ["/items/0", "/items/19999", ".*19999", ".*\\b19999", "/items/[0-9]{4}[0-9]"]) {
      expect(compileMatch("=~", pattern).anyInPlain(page, texts.length)).toBe(true);
    }
    for (const pattern of ["/items/20000", ".*a", ".*s\\b[0-9]", "/items/\\d{6}"]) {
      expect(compileMatch("=~", pattern).anyInPlain(page, texts.length)).toBe(false);
    }
    expect(compileMatch("=~", ".*19999").anyInPlain(page, texts.length - 1)).toBe(false);
  });

  test("takes entries that are longer than what it looks at in one go", () => {
    const long = encoder.encode(`${"x".repeat(200_000)}end`);
    const page = plain([bytesOf("a"), long, bytesOf("b"), long]);
    for (const pattern of [".*end", "b", "x+end", ".*\\Bend"]) {
      expect(compileMatch("=~", pattern).anyInPlain(page, 4)).toBe(true);
    }
    for (const pattern of [".*end.", "c", "x+en", ".*\\bend"]) {
      expect(compileMatch("=~", pattern).anyInPlain(page, 4)).toBe(false);
    }
  });

  test("says that they may of bytes that are cut short", () => {
    const match = compileMatch("=", "b");
    const page = plain([bytesOf("a"), bytesOf("c")]);
    expect(match.anyInPlain(page, 2)).toBe(false);
    expect(match.anyInPlain(page, 3)).toBe(true);
    expect(match.anyInPlain(page.subarray(0, page.length - 1), 2)).toBe(true);
    expect(match.anyInPlain(page.subarray(0, 7), 2)).toBe(true);
  });
});
