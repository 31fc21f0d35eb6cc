import { expect, test } from "bun:test";
import { cut, pad, sumOfGraphemes, textWidth } from "./text_width.ts";

test("textWidth() counts columns, by whichever measure", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["GET /", 5],
    ["naïve", 5],
    ["nai\u0308ve", 5],
    ["日本語", 6],
    ["한글", 4],
    ["ｗｉｄｅ", 8],
    ["🚀", 2],
    ["👨‍👩‍👧", 2],
    ["├─ │", 4],
  ];
  for (const [text, width] of cases) {
    expect([text, textWidth(text)]).toEqual([text, width]);
    expect([text, sumOfGraphemes(text)]).toEqual([text, width]);
  }
});

test("cut() keeps what fits with the mark", () => {
  const cases: [string, number, string][] = [
    ["checkout", 8, "checkout"],
    ["checkout", 7, "checko…"],
    ["checkout", 1, "…"],
    ["checkout", 0, ""],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["日本語", 2, "…"],
  ];
  for (const [text, width, kept] of cases) expect(cut(text, width)).toBe(kept);
  expect(cut("checkout", 7, "~")).toBe("checko~");
});

test("pad() fills up to the width and paints only the text", () => {
  expect(pad("日本", 6)).toBe("日本  ");
  expect(pad("12ms", 6, "right")).toBe("  12ms");
  expect(pad("12ms", 6, "right", (text) => `<${text}>`)).toBe("  <12ms>");
  expect(pad("longer", 3)).toBe("longer");
});
