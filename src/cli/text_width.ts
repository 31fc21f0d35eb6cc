// How many columns of a terminal a text takes, and cutting it to so many. Texts are printable ones.
import type { Paint } from "./colours.ts";

const ascii = /^[ -~]*$/;
const graphemes = new Intl.Segmenter();

/** Two columns wide by Unicode's East Asian Width, or as a picture. */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Yi}\p{Emoji_Presentation}\u3001-\u303e\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u;
const noWidth = /^[\p{Mark}\p{Format}]*$/u;

const measure: (text: string) => number = typeof Bun === "undefined" ? sumOfGraphemes : Bun.stringWidth;

/** Columns that the text takes. */
export function textWidth(text: string): number {
  return ascii.test(text) ? text.length : measure(text);
}

/** For runtimes without a measure of their own. */
export function sumOfGraphemes(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += wide.test(segment) ? 2 : noWidth.test(segment) ? 0 : 1;
  }
  return width;
}

/** The text, or as much of its beginning as fits with the mark behind it. */
export function cut(text: string, width: number, mark = "…"): string {
  if (textWidth(text) <= width) return text;
  const room = width - mark.length;
  if (room < 0) return "";
  if (ascii.test(text)) return text.slice(0, room) + mark;
  let kept = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += textWidth(segment);
    if (used > room) break;
    kept += segment;
  }
  return kept + mark;
}

/** The text with spaces behind it (or before it, for numbers) up to the width. Only the text is painted. */
export function pad(
  text: string,
  width: number,
  align: "left" | "right" = "left",
  paint: Paint = (unpainted) => unpainted,
): string {
  const spaces = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "left" ? paint(text) + spaces : spaces + paint(text);
}
