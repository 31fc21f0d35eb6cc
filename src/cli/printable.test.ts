import { expect, test } from "bun:test";
import { printable, printableJson, printableLines } from "./printable.ts";

test("printable() escapes what a terminal acts on and keeps the rest", () => {
  const cases: [string, string][] = [
    ["GET /a?b=c", "GET /a?b=c"],
    ["ünï 日本 🚀", "ünï 日本 🚀"],
    ["\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"],
    ["\u009b31m\x7f", "\\x9b31m\\x7f"],
    ["a\r\nb\tc\0", "a\\r\\nb\\tc\\x00"],
    ["\u202egnp.exe", "\\u202egnp.exe"],
    ["\ufeffa\u2028b", "\\ufeffa\\u2028b"],
    ["half \ud83d end", "half \\ud83d end"],
  ];
  for (const [text, shown] of cases) expect(printable(text)).toBe(shown);
});

test("printableLines() keeps lines", () => {
  expect(printableLines("one\r\ntwo\t\x1b[31m\n")).toBe("one\ntwo \\x1b[31m\n");
});

test("printableJson() says the same", () => {
  const value = { "k\u009b": "v\x7f\u202e \x1b", n: 1 };
  const shown = printableJson(JSON.stringify(value, null, 2));
  expect(JSON.parse(shown)).toEqual(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(shown).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});
