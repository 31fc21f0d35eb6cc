// A span's bar on the scale of its trace, in halves of a column.
import type { Drawing } from "./drawing.ts";

/** The time that a waterfall is drawn over. */
export interface Scale {
  start: bigint;
  /** Nanoseconds, at least 1. */
  length: bigint;
  /** Columns. */
  width: number;
}

/** As wide as the scale; at least half a column of it is filled. */
export function bar({ start, end }: { start: bigint; end: bigint }, scale: Scale, drawing: Drawing): string {
  const halves = scale.width * 2;
  const place = (time: bigint) => (Number(time - scale.start) / Number(scale.length)) * halves;
  const from = Math.min(Math.max(0, Math.floor(place(start))), halves - 1);
  const to = Math.min(Math.max(from + 1, Math.ceil(place(end))), halves);
  let text = "";
  for (let at = 0; at < halves; at += 2) {
    const left = at >= from && at < to;
    const right = at + 1 >= from && at + 1 < to;
    text += left && right ? drawing.full : left ? drawing.leftHalf : right ? drawing.rightHalf : " ";
  }
  return text;
}
