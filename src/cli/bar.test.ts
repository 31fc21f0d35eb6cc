import { expect, test } from "bun:test";
import { bar } from "./bar.ts";
import { asciiOnly, boxes } from "./drawing.ts";

test("bar() fills halves of columns, at least one, and never beyond the scale", () => {
  const scale = { start: 1000n, length: 100n, width: 10 };
  const cases: [bigint, bigint, string][] = [
    [1000n, 1100n, "━━━━━━━━━━"],
    [1020n, 1050n, "  ━━━     "],
    [1025n, 1055n, "  ╺━━╸    "],
    [1000n, 1001n, "╸         "],
    [1050n, 1050n, "     ╸    "],
    [1100n, 1100n, "         ╺"],
    [1050n, 1020n, "     ╸    "],
    [900n, 2000n, "━━━━━━━━━━"],
  ];
  for (const [start, end, drawn] of cases) expect(bar({ start, end }, scale, boxes)).toBe(drawn);
  expect(bar({ start: 1025n, end: 1055n }, scale, asciiOnly)).toBe("  ====    ");
  const thousandYears = { start: 0n, length: 2n ** 64n - 1n, width: 4 };
  expect(bar({ start: 2n ** 63n, end: 2n ** 64n - 1n }, thousandYears, boxes)).toBe("  ━━");
});
