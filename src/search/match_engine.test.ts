import { describe, expect, test } from "bun:test";
import { Engine } from "./match_engine.ts";
import { MatchTooComplex } from "./match_error.ts";

const encoder = new TextEncoder();

describe("Engine", () => {
  test("matches whole texts, over lines, case by case", () => {
    const engine = new Engine(["\\bfoo.bar", "(?i)É+"]);
    const fits = (text: string) => engine.fits(encoder.encode(text));
    expect(["foo\nbar", "foo bar ", "éÉ", "Foo bar", ""].map(fits)).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  test("gives up a run that takes too long, and begins the next one", () => {
    let nowMs = 0;
    const engine = new Engine(["\\ba"], () => {
      nowMs += 2_000;
      return nowMs;
    });
    const text = encoder.encode("a");
    expect([engine.fits(text), engine.fits(text), engine.fits(text)]).toEqual([true, true, true]);
    expect(() => engine.fits(text)).toThrow(MatchTooComplex);
    engine.begin();
    expect(engine.fits(text)).toBe(true);
  });

  test("refuses a text that would take too many steps", () => {
    const engine = new Engine(["\\pL{1000}"]);
    expect(engine.fits(encoder.encode("é".repeat(1000)))).toBe(true);
    expect(() => engine.fits(encoder.encode("é".repeat(100_000)))).toThrow(MatchTooComplex);
  });

  test("refuses patterns that come to too many instructions, alone or together", () => {
    expect(() => new Engine(["(?:\\pL{1000})".repeat(11)])).toThrow(
      "regular expression too complex: more than 10000 instructions",
    );
    expect(() => new Engine(new Array(11).fill("\\pL{1000}"))).toThrow(MatchTooComplex);
  });
});
