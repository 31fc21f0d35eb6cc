import { expect, test } from "bun:test";
import { BrailleCanvas } from "./braille.ts";

const plain = (text: string) => text;

test("BrailleCanvas draws lines with both of their ends, from the lower left", () => {
  const cases: [from: [number, number], to: [number, number], rows: string[]][] = [
    [
      [0, 0],
      [0, 0],
      ["  ", "⡀ "],
    ],
    [
      [3, 7],
      [3, 7],
      [" ⠈", "  "],
    ],
    [
      [0, 0],
      [3, 0],
      ["  ", "⣀⣀"],
    ],
    [
      [0, 7],
      [0, 0],
      ["⡇ ", "⡇ "],
    ],
    // Up one dot each: 0,0 1,1 2,2 3,3.
    [
      [0, 0],
      [3, 3],
      ["  ", "⡠⠊"],
    ],
    // Down three over two columns: 1,3 1,2 0,1 0,0.
    [
      [1, 3],
      [0, 0],
      ["  ", "⡜ "],
    ],
  ];
  for (const [from, to, rows] of cases) {
    const canvas = new BrailleCanvas(2, 2);
    canvas.line(from, to, plain);
    expect([...canvas.rows()]).toEqual(rows);
  }
});
