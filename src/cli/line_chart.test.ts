import { expect, test } from "bun:test";
import { coloursFor } from "./colours.ts";
import { lineChart } from "./line_chart.ts";

test("lineChart() gives each line its colour, where lines meet the last one's", () => {
  const labels = (name: string) => [{ key: "name", value: name }];
  const chart = lineChart(
    [
      { labels: labels("a"), values: Float64Array.of(0, 0, 0) },
      { labels: labels("b"), values: Float64Array.of(Number.NaN, 1, 0) },
    ],
    {
      grid: { firstMs: 0, stepMs: 1000, count: 3 },
      units: { value: "count", attribute: "number" },
      columns: 13,
      colours: coloursFor(true),
    },
  );
  // 10 columns are 20 dots, from 0 to 19; the second interval is at dot 10, the third at 19. b falls by 40 dots over these
  // 9, and so reaches the lowest row, which is 4 dots high, in the last column only.
  const lowest = chart[10]!;
  expect(lowest).toStartWith("\x1b[2m0 ┤\x1b[0m\x1b[38;5;33m⣀\x1b[0m");
  expect(lowest).toContain("\x1b[38;5;33m⣀\x1b[0m\x1b[38;5;172m");
  expect(lowest.match(/38;5;172m/g)).toHaveLength(1);
  expect(chart[0]).toStartWith("\x1b[2m1 ┤\x1b[0m     \x1b[38;5;172m⡀\x1b[0m");
});
