import { expect, test } from "bun:test";
import type { Attribute, Value } from "./attribute.ts";
import { compareLabels, seriesText } from "./series_label.ts";

const labels = (pairs: Record<string, Value>): Attribute[] =>
  Object.entries(pairs).map(([key, value]) => ({ key, value }));

test("seriesText() is the name, or the labels as TraceQL would take them", () => {
  expect(seriesText(labels({ __name__: "rate" }))).toBe("rate");
  expect(seriesText(labels({ name: 'GET "/"', p: 0.9 }))).toBe('{name="GET \\"/\\"", p=0.9}');
  expect(seriesText(labels({ __name__: "rate", status: "error" }))).toBe('rate{status="error"}');
  expect(seriesText([])).toBe("{}");
});

test("compareLabels() puts fewer labels first, then keys, then values, numbers by their size", () => {
  const pairs: Record<string, Value>[] = [
    {},
    { a: 2n },
    { a: 10n },
    { a: 10.5 },
    { b: "10" },
    { b: "2" },
    { a: 1n, b: 1n },
  ];
  const sorted = pairs.map(labels);
  expect(sorted.toReversed().sort(compareLabels)).toEqual(sorted);
});
