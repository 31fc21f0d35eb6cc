import { expect, test } from "bun:test";
import { basename, join } from "node:path";
import { fixtures, goldenBlocks, goldenMeta, haveFixtures } from "../block/encode_fixture.ts";
import { compareWithGolden } from "../block/golden_fixture.ts";
import { blockVersions } from "../block/meta.ts";
import { LocalStore } from "../store/local_store.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { mergeOptions } from "./compact_fixture.ts";
import { mergeBlocks } from "./merge_blocks.ts";

const cases = blockVersions.flatMap((version) =>
  ["rich", "dedicated"].map((tenant) => [version, tenant] as const),
);

test.skipIf(!haveFixtures).each(cases)(
  "mergeBlocks() combines Tempo's %s block of `%s` with a copy of it to all columns as they are",
  async (version, tenant) => {
    const [folder] = goldenBlocks(tenant, version) as [string];
    const golden = new LocalStore(join(fixtures, version));
    const out = new MemoryStore();
    const meta = goldenMeta(folder);
    const copy = { ...meta, blockID: crypto.randomUUID() };
    const data = await golden.read(`${tenant}/${basename(folder)}/data.parquet`);
    for (const { blockID } of [meta, copy]) await out.write(`${tenant}/${blockID}/data.parquet`, data);
    const options = { ...mergeOptions, blockId: crypto.randomUUID(), rowGroupSpansMax: 100 };
    const merged = await mergeBlocks(out, [meta, copy], options, async () => {});
    const { bytes } = out.objects.get(`${tenant}/${options.blockId}/data.parquet`)!;
    expect(await compareWithGolden(bytes, folder)).toBeGreaterThan(70);
    expect(merged.meta).toMatchObject({ format: version, dedicatedColumns: meta.dedicatedColumns });
  },
);
