// The objects by which a block is one: its meta, live or compacted, and the flag that forbids to merge it.
import { type BlockMeta, parseMeta } from "../block/meta.ts";
import { readIfThere } from "./read_if_there.ts";
import { type Store, StoreNotFound } from "./store.ts";

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

type Place = Pick<BlockMeta, "tenantID" | "blockID">;
type Sized = Pick<Store, "size">;

/** True if the block is live: it has a meta.json. */
export function isLive(store: Sized, place: Place): Promise<boolean> {
  return exists(store, `${folderOf(place)}/meta.json`);
}

export function isCompacted(store: Store, place: Place): Promise<boolean> {
  return exists(store, `${folderOf(place)}/meta.compacted.json`);
}

export function hasData(store: Sized, place: Place): Promise<boolean> {
  return exists(store, `${folderOf(place)}/data.parquet`);
}

/** True if whoever wrote the block does not want it merged yet. */
export function isKept(store: Store, place: Place): Promise<boolean> {
  return exists(store, `${folderOf(place)}/nocompact.flg`);
}

/**
 * Marks a live block as compacted: its meta gets another name. A crash in between leaves a live block, which is marked again.
 *
 * @returns false if it is not live any more
 * @throws StoreError
 */
export async function markCompacted(store: Store, place: Place): Promise<boolean> {
  const folder = folderOf(place);
  let meta: Uint8Array;
  try {
    meta = await store.read(`${folder}/meta.json`);
  } catch (error) {
    if (error instanceof StoreNotFound) return false;
    throw error;
  }
  await store.write(`${folder}/meta.compacted.json`, meta);
  if (!(await isLive(store, place))) {
    // Who was stopped after reading may find that others have marked it meanwhile, or even deleted it.
    if (!(await hasData(store, place))) await store.delete(`${folder}/meta.compacted.json`);
    return false;
  }
  await store.delete(`${folder}/meta.json`);
  return true;
}

/** Ids of the blocks of a tenant, whatever state they are in. @throws StoreError */
export async function listBlockIds(store: Store, tenant: string): Promise<string[]> {
  return (await store.list(tenant)).filter((name) => uuidPattern.test(name));
}

/**
 * Reads the meta of a block.
 *
 * @returns null if there is none of this name
 * @throws MetaError, StoreError
 */
export async function readMeta(
  store: Store,
  place: Place,
  name: "meta.json" | "meta.compacted.json",
): Promise<BlockMeta | null> {
  const bytes = await readIfThere(store, `${folderOf(place)}/${name}`);
  if (bytes === null) return null;
  // The folder says which tenant and block it is, as the bucket may have been copied under another name.
  const { tenantID, blockID } = place;
  return { ...parseMeta(new TextDecoder().decode(bytes)), tenantID, blockID };
}

export function folderOf({ tenantID, blockID }: Place): string {
  return `${tenantID}/${blockID}`;
}

async function exists(store: Sized, path: string): Promise<boolean> {
  try {
    await store.size(path);
    return true;
  } catch (error) {
    if (error instanceof StoreNotFound) return false;
    throw error;
  }
}
