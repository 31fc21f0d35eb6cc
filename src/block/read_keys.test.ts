import { describe, expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import type { AttributeOwner } from "../search/projection.ts";
import { haveFixtures } from "./encode_fixture.ts";
import { attributesOf, columnOf, goldenTenants, openGolden, rowsOf } from "./read_fixture.ts";

const owners: AttributeOwner[] = ["resource", "instrumentation", "span", "event", "link"];

describe.skipIf(!haveFixtures)("keyNames() gives the names of all attributes", () => {
  for (const golden of goldenTenants()) {
    test(`${golden.root} ${golden.tenant}`, async () => {
      for (const reader of await openGolden(golden)) {
        const batch = SpanBatch.create();
        await reader.readRowGroup(batch, 0);
        for (const owner of owners) {
          const names = new Set<string>();
          for (let row = 0; row < rowsOf(batch, owner); row++) {
            for (const { key } of attributesOf(batch, owner, row)) names.add(key);
          }
          const found = await reader.keyNames(0, owner);
          expect(found.toSorted()).toEqual([...names].sort());
        }
      }
    });
  }
});

describe.skipIf(!haveFixtures)("columnDictionary()", () => {
  test("gives the values of a column", async () => {
    const [reader] = await openGolden({ root: "vParquet4", tenant: "rich" });
    const batch = SpanBatch.create();
    await reader!.readRowGroup(batch, 0);
    const names = new Set(columnOf(batch, Column.SpanName, batch.spans));
    const dictionary = (await reader!.columnDictionary(0, "rs.ss.Spans.Name"))!;
    const entries = Array.from({ length: dictionary.count }, (_, i) =>
      new TextDecoder().decode(dictionary.entry(i)),
    );
    expect(entries.sort()).toEqual([...(names as Set<string>)].sort());
  });

  test("gives nothing where values are outside of the dictionary, or there is none", async () => {
    for (const [tenant, path] of [
      ["dictionary-fallback", "rs.ss.Spans.Name"],
      ["v2-other-encodings", "rs.ss.Spans.Name"],
      ["v1-zstd", "rs.ss.Spans.SpanID"],
      ["v1-zstd", "no.such.leaf"],
    ] as const) {
      const [reader] = await openGolden({ root: "foreign-vParquet4", tenant });
      expect(await reader!.columnDictionary(0, path)).toBeNull();
    }
  });
});
