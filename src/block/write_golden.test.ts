import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  batchOf,
  dedicatedOf,
  goldenBlocks,
  goldenMeta,
  haveFixtures,
  inputs,
  readRows,
  write,
} from "./encode_fixture.ts";
import { compareWithGolden } from "./golden_fixture.ts";

const versions = [
  // In `rich` links have flags, which vParquet3 keeps, but not a batch of what was received.
  { version: "vParquet3", columns: { dedicated: 76, edge: 76, load: 76 } },
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
        expect(await compareWithGolden(block.data, golden!)).toBe(count);
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
        await compareWithGolden(block.data, golden!.folder);
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
    await compareWithGolden(block.data, golden!);
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
