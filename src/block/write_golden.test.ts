import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  batchOf,
  columnsOf,
  dedicatedOf,
  goldenBlocks,
  goldenMeta,
  haveFixtures,
  inputs,
  type Row,
  readRows,
  write,
} from "./encode_fixture.ts";
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
      for (const { Scope } of ss) Scope.Attrs.sort(byKey);
    }
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

/** @returns how many columns there are */
async function compare(ours: Uint8Array, golden: string): Promise<number> {
  const meta = goldenMeta(golden);
  const rows = await readRows(ours);
  const expected = await readRows(readFileSync(join(golden, "data.parquet")));
  sortAttributes(rows);
  sortAttributes(expected);
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

const versions = [
  { version: "vParquet4", columns: { rich: 103, dedicated: 103, edge: 103, load: 103 } },
  { version: "vParquet5", columns: { rich: 92, dedicated: 90, edge: 92, load: 92 } },
] as const;

for (const { version, columns } of versions) {
  for (const [tenant, count] of Object.entries(columns)) {
    test.skipIf(!haveFixtures)(
      `writeBlock() of the input "${tenant}" as ${version} equals Tempo's block in all ${count} columns`,
      async () => {
        const [golden] = goldenBlocks(tenant, version);
        const options = { version, dedicatedColumns: dedicatedOf(tenant) };
        const block = await write(batchOf(inputs(tenant)), options);
        expect(await compare(block.data, golden!)).toBe(count);
        const meta = goldenMeta(golden!);
        expect(block.meta.format).toBe(version);
        expect(block.meta.dedicatedColumns).toEqual(meta.dedicatedColumns);
        expect(block.meta.totalObjects).toBe(meta.totalObjects);
        expect(block.object("bloom-0")).toEqual(new Uint8Array(readFileSync(join(golden!, "bloom-0"))));
        expect(block.object("index")).toEqual(new Uint8Array(readFileSync(join(golden!, "index"))));
      },
    );
  }

  test.skipIf(!haveFixtures)(
    `writeBlock() of each request of "compact" equals the ${version} block that Tempo made of it`,
    async () => {
      const blocks = await Promise.all(
        goldenBlocks("compact", version).map(async (folder) => {
          const rows = await readRows(readFileSync(join(folder, "data.parquet")));
          return { folder, rows, key: rows.map((row) => `${row.TraceIDText} ${row.rs.length}`).join() };
        }),
      );
      for (const request of inputs("compact")) {
        const block = await write(batchOf([request]), { version });
        const rows = await readRows(block.data);
        const key = rows.map((row) => `${row.TraceIDText} ${row.rs.length}`).join();
        const golden = blocks.find((entry) => entry.key === key);
        expect(golden).toBeDefined();
        await compare(block.data, golden!.folder);
      }
    },
  );
}

test.skipIf(!haveFixtures).each(["vParquet4", "vParquet5"] as const)(
  "writeBlock() cuts several row groups and bloom shards as `smallrg` of %s has",
  async (version) => {
    const [golden] = goldenBlocks("smallrg", version);
    const block = await write(batchOf(inputs("rich")), {
      version,
      rowGroupBytesMax: 20_000,
      bloomFalsePositive: 0.05,
      bloomShardBytes: 64,
      pageBytesMax: 1024,
    });
    expect(block.meta.totalRecords).toBeGreaterThan(2);
    await compare(block.data, golden!);
    expect(block.meta.bloomShards).toBe(2);
    for (const name of ["bloom-0", "bloom-1"]) {
      expect(block.object(name)).toEqual(new Uint8Array(readFileSync(join(golden!, name))));
    }
    const { rowGroups } = JSON.parse(new TextDecoder().decode(block.object("index"))) as {
      rowGroups: string[];
    };
    expect(rowGroups.length).toBe(block.meta.totalRecords);
    expect(rowGroups.at(-1)).toBe("/////////////////////w==");
    const ids = rowGroups.map((id) => Buffer.from(id, "base64").toString("hex"));
    expect(ids).toEqual([...ids].sort());
  },
);
