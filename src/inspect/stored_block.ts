// The blocks that lie in a store, whatever state they are in: what a reader passes over is here as well.

import { type BlockMeta, MetaError } from "../block/meta.ts";
import { listTenants } from "../store/block_list_scan.ts";
import { listBlockIds, readMeta } from "../store/block_objects.ts";
import { type Store, StoreError } from "../store/store.ts";

/** Metas that are read at a time. */
const readsMax = 20;

/** Unfinished: a folder without a meta, that is being written or was not written or deleted to its end. */
export type BlockState = "live" | "compacted" | "unfinished" | "broken";

export interface StoredBlock {
  tenant: string;
  id: string;
  state: BlockState;
  /** Null of unfinished and broken ones. */
  meta: BlockMeta | null;
  /** Why it is broken, else empty. */
  problem: string;
}

/**
 * All blocks of the tenants, by tenant and time of their end, the latest last; those without a meta come first.
 *
 * @param tenant only this one's; undefined: all
 * @throws StoreError if the store can't be read
 */
export async function storedBlocks(store: Store, tenant: string | undefined): Promise<StoredBlock[]> {
  const tenants = tenant === undefined ? (await listTenants(store)).sort() : [tenant];
  const blocks: StoredBlock[] = [];
  for (const name of tenants) blocks.push(...(await ofTenant(store, name)).sort(byEnd));
  return blocks;
}

async function ofTenant(store: Store, tenant: string): Promise<StoredBlock[]> {
  const next = (await listBlockIds(store, tenant)).values();
  const found: StoredBlock[] = [];
  const read = async () => {
    for (const id of next) found.push(await storedBlock(store, tenant, id));
  };
  await Promise.all(Array.from({ length: readsMax }, read));
  return found;
}

async function storedBlock(store: Store, tenant: string, id: string): Promise<StoredBlock> {
  const place = { tenant, id, problem: "" };
  try {
    for (const [name, state] of [
      ["meta.json", "live"],
      ["meta.compacted.json", "compacted"],
    ] as const) {
      const meta = await readMeta(store, { tenantID: tenant, blockID: id }, name);
      if (meta === null) continue;
      return { ...place, state, meta };
    }
    return { ...place, state: "unfinished", meta: null };
  } catch (error) {
    // Of one block; where the whole store can't be read, listing it has failed.
    if (!(error instanceof MetaError) && !(error instanceof StoreError)) throw error;
    return { ...place, state: "broken", meta: null, problem: error.message };
  }
}

/** By the end of their time; those without a meta come first. */
export function byEnd(a: StoredBlock, b: StoredBlock): number {
  return endOf(a) - endOf(b) || (a.id < b.id ? -1 : 1);
}

function endOf({ meta }: StoredBlock): number {
  return (meta && Date.parse(meta.endTime)) || 0;
}
