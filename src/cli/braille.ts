// A canvas of dots, 2 by 4 in each character, by Unicode's Braille patterns.
import type { Paint } from "./colours.ts";

const emptyPattern = 0x2800;
/** A dot's bit in its pattern, by column and by row from the top. */
const bits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

export const dotsAcross = 2;
export const dotsUp = 4;

export class BrailleCanvas {
  readonly #patterns: Uint8Array;
  /** By character, of the last dot in it: a character has one colour only. */
  readonly #paints: Paint[] = [];

  /** In characters. */
  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.#patterns = new Uint8Array(width * height);
  }

  /**
   * A line from dot to dot, both included.
   *
   * @param from columns from the left and rows from the bottom, in dots
   */
  line(from: readonly [number, number], to: readonly [number, number], paint: Paint): void {
    const [right, up] = [to[0] - from[0], to[1] - from[1]];
    const steps = Math.max(Math.abs(right), Math.abs(up), 1);
    for (let step = 0; step <= steps; step++) {
      const share = step / steps;
      this.#dot(Math.round(from[0] + right * share), Math.round(from[1] + up * share), paint);
    }
  }

  #dot(x: number, y: number, paint: Paint): void {
    const row = this.height - 1 - Math.floor(y / dotsUp);
    const at = row * this.width + Math.floor(x / dotsAcross);
    this.#patterns[at]! |= bits[x % dotsAcross]![dotsUp - 1 - (y % dotsUp)]!;
    this.#paints[at] = paint;
  }

  /** From the top. A character without dots is a space. */
  *rows(): Generator<string> {
    for (let row = 0; row < this.height; row++) {
      let line = "";
      for (let at = row * this.width; at < (row + 1) * this.width; at++) {
        const pattern = this.#patterns[at]!;
        line += pattern === 0 ? " " : this.#paints[at]!(String.fromCharCode(emptyPattern + pattern));
      }
      yield line;
    }
  }
}
