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
  "mergeBlocks() leaves all columns of Tempo's %s block of `%s` as they are",
  async (version, tenant) => {
    const [folder] = goldenBlocks(tenant, version) as [string];
    const golden = new LocalStore(join(fixtures, version));
    const out = new MemoryStore();
    for (const name of ["data.parquet", "bloom-0"]) {
      const path = `${tenant}/${basename(folder)}/${name}`;
      await out.write(path, await golden.read(path));
    }
    const options = { ...mergeOptions, blockId: crypto.randomUUID(), rowGroupSpansMax: 100 };
    const { meta } = await mergeBlocks(out, [goldenMeta(folder)], options, async () => {});
    const { bytes } = out.objects.get(`${tenant}/${options.blockId}/data.parquet`)!;
    expect(await compareWithGolden(bytes, folder)).toBeGreaterThan(70);
    expect(meta).toMatchObject({ format: version, dedicatedColumns: goldenMeta(folder).dedicatedColumns });
  },
);
