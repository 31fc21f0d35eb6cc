// Takes a block out of the store, in an order in which no reader and no crash meets half of it: what makes a block one is its meta.
import type { BlockMeta } from "../block/meta.ts";
import { type Store, StoreNotFound } from "../store/store.ts";

/**
 * Marks a live block as compacted: its meta gets another name. A crash in between leaves a live block, which is marked again.
 *
 * @returns false if it is not live any more
 * @throws StoreError
 */
export async function markCompacted(store: Store, { tenantID, blockID }: BlockMeta): Promise<boolean> {
  const folder = `${tenantID}/${blockID}`;
  let meta: Uint8Array;
  try {
    meta = await store.read(`${folder}/meta.json`);
  } catch (error) {
    if (error instanceof StoreNotFound) return false;
    throw error;
  }
  await store.write(`${folder}/meta.compacted.json`, meta);
  await store.delete(`${folder}/meta.json`);
  return true;
}

/**
 * Deletes a block, live or compacted, meta first: from then on it is none, and what a crash leaves of it is swept up later.
 *
 * @param gone called when it is none any more
 * @throws StoreError
 */
export async function deleteBlock(store: Store, meta: BlockMeta, gone: () => void): Promise<void> {
  const { tenantID, blockID } = meta;
  const folder = `${tenantID}/${blockID}`;
  // Tempo takes a block with both metas for a live one.
  await store.delete(`${folder}/meta.compacted.json`);
  await store.delete(`${folder}/meta.json`);
  gone();
  await store.deleteAll(folder);
}
