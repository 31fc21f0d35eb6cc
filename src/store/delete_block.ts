// Takes a block out of the store, in an order in which no reader and no crash meets half of it: what makes a block one is its meta.
import type { BlockMeta } from "../block/meta.ts";
import type { Store } from "./store.ts";

/**
 * Deletes a block, live or compacted, meta first: from then on it is none, and what a crash leaves of it is swept up later.
 *
 * @param gone called when it is none any more
 * @throws StoreError
 */
export async function deleteBlock(
  store: Store,
  { tenantID, blockID }: Pick<BlockMeta, "tenantID" | "blockID">,
  gone: () => void = () => {},
): Promise<void> {
  const folder = `${tenantID}/${blockID}`;
  // Tempo takes a block with both metas for a live one.
  await store.delete(`${folder}/meta.compacted.json`);
  await store.delete(`${folder}/meta.json`);
  gone();
  await store.deleteAll(folder);
}
