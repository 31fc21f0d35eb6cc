import { expect, test } from "bun:test";
import { type Column, layOut } from "./columns.ts";

interface Row {
  id: string;
  name: string;
  count: number;
}

const plain = (text: string) => text;
const columns: Column<Row>[] = [
  { title: "ID", text: ({ id }) => id, paint: () => plain },
  { title: "NAME", text: ({ name }) => name, paint: () => plain, cutTo: { good: 8, least: 4 } },
  { title: "N", align: "right", text: ({ count }) => String(count), paint: () => plain, optional: true },
];
const rows: Row[] = [
  { id: "a1", name: "checkout", count: 5 },
  { id: "b22", name: "日本語 recommendation", count: 1234 },
];

test("layOut() gives columns their width, and cuts nothing without a terminal", () => {
  expect(layOut(columns, rows, null, plain)).toEqual({
    header: "ID   NAME                      N",
    lines: ["a1   checkout                  5", "b22  日本語 recommendation  1234"],
  });
});

test("layOut() cuts, then leaves out, then cuts to the least", () => {
  expect(layOut(columns, rows, 20, plain)).toEqual({
    header: "ID   NAME          N",
    lines: ["a1   checkout      5", "b22  日本語 r…  1234"],
  });
  expect(layOut(columns, rows, 16, plain)).toEqual({
    header: "ID   NAME",
    lines: ["a1   checkout", "b22  日本語 rec…"],
  });
  expect(layOut(columns, rows, 5, plain)).toEqual({ header: "ID   NAME", lines: ["a1   che…", "b22  日…"] });
});

test("layOut() paints texts, not the spaces around them", () => {
  const painted = columns.map((column) => ({ ...column, paint: () => (text: string) => `<${text}>` }));
  const { header, lines } = layOut(painted, rows.slice(0, 1), null, (text) => text.toLowerCase());
  expect([header, ...lines]).toEqual(["id  name      n", "<a1>  <checkout>  <5>"]);
});
