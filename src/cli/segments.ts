// A line made of pieces with colours of their own.
import type { Paint } from "./colours.ts";
import { cut, textWidth } from "./text_width.ts";

/** Printable text, and its colour. */
export type Segment = [text: string, paint: Paint];

export function segmentsWidth(segments: readonly Segment[]): number {
  return segments.reduce((sum, [text]) => sum + textWidth(text), 0);
}

/** The pieces as one painted text, cut at its end to the width. */
export function joinSegments(segments: readonly Segment[], width: number | null, mark = "…"): string {
  if (width === null || segmentsWidth(segments) <= width) {
    return segments.map(([text, paint]) => paint(text)).join("");
  }
  let line = "";
  let room = width - mark.length;
  for (const [text, paint] of segments) {
    const size = textWidth(text);
    if (size <= room) {
      line += paint(text);
      room -= size;
    } else {
      return room < 0 ? line : line + paint(cut(text, room + mark.length, mark));
    }
  }
  return line;
}
