// The golden tenants once more, as blocks that were merged by us within their version: Tempo's own blocks, and a block of each request that they were made from.
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpanBatch } from "../../src/batch/span_batch.ts";
import { defaultDedicatedColumns } from "../../src/block/dedicated.ts";
import { dedicatedOf, defaultOptions } from "../../src/block/encode_fixture.ts";
import { type BlockMeta, parseMeta } from "../../src/block/meta.ts";
import type { BlockVersion } from "../../src/block/schema.ts";
import { writeBlock, writeMeta } from "../../src/block/write.ts";
import { mergeBlocks } from "../../src/compact/merge_blocks.ts";
import { LocalStore } from "../../src/store/local_store.ts";
import { goldenFolder, inputsOf } from "./golden.ts";

const attributeBytesMax = 2048;
const mergeOptions = {
  rowGroupSpansMax: 1000,
  pageBytesMax: 65_536,
  zstdLevel: 3,
  bloomFalsePositive: 0.01,
  bloomShardBytes: 102_400,
};

export const mergedKinds = ["Tempo's blocks", "a block of each request"] as const;

/** A folder for a server that serves one block of each tenant. */
export async function homeWithMerged(
  kind: (typeof mergedKinds)[number],
  version: BlockVersion,
  tenants: readonly string[],
): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), "rubato-merged-"));
  const store = new LocalStore(join(home, "data", "blocks"));
  const golden = new LocalStore(join(goldenFolder, version));
  for (const tenant of tenants) {
    const metas =
      kind === "Tempo's blocks"
        ? await goldenInputs(golden, tenant)
        : await requestBlocks(store, version, tenant);
    const from = kind === "Tempo's blocks" ? golden : store;
    const options = { ...mergeOptions, blockId: crypto.randomUUID() };
    const { meta } = await mergeBlocks(readingFrom(from, store), metas, options, async () => {});
    if (from === store) for (const { blockID } of metas) await store.deleteAll(`${tenant}/${blockID}`);
    await writeMeta(store, meta);
  }
  return home;
}

/** A tenant's blocks; where Tempo has merged them itself, what it merged. */
async function goldenInputs(store: LocalStore, tenant: string): Promise<BlockMeta[]> {
  const live: BlockMeta[] = [];
  const compacted: BlockMeta[] = [];
  for (const id of await store.list(tenant)) {
    const names = readdirSync(join(store.root, tenant, id));
    const isLive = names.includes("meta.json");
    const text = await store.read(`${tenant}/${id}/${isLive ? "meta.json" : "meta.compacted.json"}`);
    (isLive ? live : compacted).push(parseMeta(new TextDecoder().decode(text)));
  }
  return compacted.length > 0 ? compacted : live;
}

async function requestBlocks(store: LocalStore, version: BlockVersion, tenant: string): Promise<BlockMeta[]> {
  const metas: BlockMeta[] = [];
  for (const request of inputsOf(tenant)) {
    const batch = SpanBatch.create();
    batch.decode(request, attributeBytesMax);
    const dedicatedColumns = tenant === "dedicated" ? dedicatedOf(tenant) : defaultDedicatedColumns;
    const options = { ...defaultOptions, version, tenant, blockId: crypto.randomUUID(), dedicatedColumns };
    metas.push(await writeBlock(batch, store, options, async () => {}));
  }
  return metas;
}

/** A store that reads from one and writes to another. */
function readingFrom(from: LocalStore, to: LocalStore): LocalStore {
  return new Proxy(from, {
    get(target, name) {
      const owner = name === "create" || name === "write" ? to : target;
      const value = Reflect.get(owner, name) as unknown;
      return typeof value === "function" ? value.bind(owner) : value;
    },
  });
}
