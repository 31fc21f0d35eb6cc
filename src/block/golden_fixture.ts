// Compares a block with the one that Tempo made of the same input.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { columnsOf, goldenMeta, type Row, readRows } from "./encode_fixture.ts";
import { type BlockVersion, blockSchema, leaves } from "./schema.ts";

/** Traces in which we differ from Tempo on purpose. */
const deviations: Record<string, string> = {
  "2222000000000000000000000000000b": "a span sent twice: Tempo's live store keeps both, we store it once",
};

/** Tempo sorts the attributes of resources and scopes by key when it looks for equal ones; the order means nothing. */
function sortAttributes(rows: Row[]): void {
  const byKey = (a: Row, b: Row) => (a.Key < b.Key ? -1 : a.Key > b.Key ? 1 : 0);
  for (const row of rows) {
    for (const { Resource, ss } of row.rs) {
      Resource.Attrs.sort(byKey);
      for (const { Scope } of ss) Scope.Attrs?.sort(byKey);
    }
  }
}

/** Tempo joins equal resources and scopes from vParquet4 on; we do so always. */
function joinEqual(rows: Row[]): void {
  const text = (value: Row) =>
    JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? `${inner}` : inner));
  const joined = (list: Row[], head: string, below: string): Row[] => {
    const kept = new Map<string, Row>();
    for (const one of list) {
      const first = kept.get(text(one[head]));
      if (first) first[below].push(...one[below]);
      else kept.set(text(one[head]), one);
    }
    return [...kept.values()];
  };
  for (const row of rows) {
    row.rs = joined(row.rs, "Resource", "ss");
    for (const rs of row.rs) rs.ss = joined(rs.ss, "Scope", "Spans");
  }
}

const known = (row: Row) => !(row.TraceIDText in deviations);

/** Where no span is a root Tempo leaves ChildCount what it was for another trace. */
function dropRootless(rows: Row[]): void {
  const spansOf = (row: Row) => row.rs.flatMap(({ ss }: Row) => ss.flatMap(({ Spans }: Row) => Spans));
  for (const row of rows) {
    const spans: Row[] = spansOf(row);
    if (spans.some(({ ParentSpanID }) => ParentSpanID.length === 0)) continue;
    for (const span of spans) span.ChildCount = 0;
  }
}

/**
 * Expects what Tempo wrote, value by value in all columns, lengths of lists included.
 *
 * @param golden folder of a golden block
 * @returns how many columns there are
 */
export async function compareWithGolden(ours: Uint8Array, golden: string): Promise<number> {
  const meta = goldenMeta(golden);
  const rows = await readRows(ours);
  const expected = await readRows(readFileSync(join(golden, "data.parquet")));
  sortAttributes(rows);
  sortAttributes(expected);
  if (meta.format === "vParquet3") joinEqual(expected);
  if (meta.format === "vParquet5") dropRootless(expected);
  expect(rows.map((row) => row.TraceIDText)).toEqual(expected.map((row) => row.TraceIDText));
  const schema = blockSchema(meta.format as BlockVersion, meta.dedicatedColumns);
  const got = columnsOf(schema, rows.filter(known));
  const want = columnsOf(schema, expected.filter(known));
  for (const { path, index } of leaves(schema)) {
    expect({ path, entries: got[index]!.length }).toEqual({ path, entries: want[index]!.length });
    const at = got[index]!.findIndex((value, i) => !same(value, want[index]![i]));
    expect({ path, at, value: got[index]![at] }).toEqual({ path, at: -1, value: want[index]![at] });
  }
  return got.length;
}

function same(a: unknown, b: unknown): boolean {
  return (
    Object.is(a, b) ||
    // Tempo cuts long values between any two bytes, we between characters.
    (typeof a === "string" &&
      typeof b === "string" &&
      b.endsWith("\uFFFD") &&
      a === b.replace(/\uFFFD+$/, "")) ||
    (a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0)
  );
}
