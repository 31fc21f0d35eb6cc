// Reads the blocks of a tenant from their metas, one by one.
import { setTimeout as wait } from "node:timers/promises";
import { type BlockMeta, MetaError } from "../block/meta.ts";
import { log } from "../telemetry/log.ts";
import type { FoundBlocks } from "./block_list.ts";
import { listBlockIds, readMeta } from "./block_objects.ts";
import {
  type LeaseRecord,
  LeaseUnreadable,
  readLease,
  replacedBlocks,
  unmadeBlocks,
} from "./compaction_lease.ts";
import { type Store, StoreNotFound } from "./store.ts";

const readsMaxDefault = 50;
/** Others may merge blocks faster than they are read: what is found after so many passes stands until the next poll. */
const passesMax = 4;
/** What Tempo keeps beside the tenants, as far as it could be taken for one. */
const notTenants: ReadonlySet<string> = new Set(["", "tempo_cluster_seed.json", "work.json"]);
/** Metas that were complained about, so that not every poll does. */
const complaintsMax = 4096;
const complaints = new Set<string>();

export interface ScanOptions {
  /** Metas that are read at a time. */
  readsMax?: number;
  /** A new meta is read after a random wait of up to this many ms, so that processes that poll together do not ask together. */
  jitterMsMax?: number;
}

export async function listTenants(store: Store): Promise<string[]> {
  return (await store.list("")).filter((name) => !notTenants.has(name));
}

/**
 * Reads the metas of a tenant, but those that are known. What is no block is passed over, a meta that makes no sense is logged.
 *
 * Blocks are merged while this runs: the output is written before its inputs are marked, so when blocks turn out to have moved, the
 * tenant is gone through again until nothing does. Then every trace is in what was found, and in no more places than it was at that time.
 *
 * @throws StoreError if the store cannot be read
 */
export async function scanTenant(
  store: Store,
  tenant: string,
  known: FoundBlocks,
  options: ScanOptions = {},
): Promise<FoundBlocks> {
  let before = known;
  let leaseBefore = await leaseOf(store, tenant);
  for (let pass = 1; ; pass++) {
    const found = await new Scan(store, tenant, before, options).run();
    const lease = await leaseOf(store, tenant);
    const isSettled = !hasMoved(before, found) && !hasEnded(leaseBefore, lease);
    if (isSettled || pass === passesMax) return lease === null ? found : asLeased(lease, found);
    before = found;
    leaseBefore = lease;
  }
}

/** Whether a merge has come to its end: its output and inputs may have been read as they were in the midst of it. */
function hasEnded(before: LeaseRecord | null, lease: LeaseRecord | null): boolean {
  return before !== null && before.job !== null && before.job.output !== lease?.job?.output;
}

async function leaseOf(store: Store, tenant: string): Promise<LeaseRecord | null> {
  try {
    return await readLease(store, tenant);
  } catch (error) {
    if (!(error instanceof LeaseUnreadable)) throw error;
    log.warn("compaction lease can't be read", { tenant, error });
    return null;
  }
}

/** While a block is merged, which a crash may draw out, its inputs and it have metas: the lease says which of them are blocks. */
function asLeased(lease: LeaseRecord, found: FoundBlocks): FoundBlocks {
  for (const id of unmadeBlocks(lease)) if (found.live.delete(id)) found.unfinished.add(id);
  const replaced = replacedBlocks(lease);
  if (replaced === null || !found.live.has(replaced.output)) return found;
  for (const id of replaced.inputs) {
    const meta = found.live.get(id);
    if (meta === undefined) continue;
    found.live.delete(id);
    found.compacted.set(id, { meta, compactedMs: Date.now() });
  }
  return found;
}

function hasMoved(before: FoundBlocks, found: FoundBlocks): boolean {
  for (const id of found.compacted.keys()) if (!before.compacted.has(id)) return true;
  for (const id of before.live.keys()) if (!found.live.has(id) && !found.compacted.has(id)) return true;
  for (const [id, { compactionLevel }] of found.live) {
    if (compactionLevel > 0 && !before.live.has(id)) return true;
  }
  return false;
}

/** One pass. */
class Scan {
  readonly #found: FoundBlocks = { live: new Map(), compacted: new Map(), unfinished: new Set() };

  constructor(
    private readonly store: Store,
    private readonly tenant: string,
    private readonly known: FoundBlocks,
    private readonly options: ScanOptions,
  ) {}

  async run(): Promise<FoundBlocks> {
    const listed = new Set(await listBlockIds(this.store, this.tenant));
    // A listing may be behind: what was live is asked for by its name.
    const next = new Set([...listed, ...this.known.live.keys()]).values();
    const read = async (): Promise<void> => {
      for (const id of next) await this.#block(id, listed.has(id));
    };
    const { readsMax = readsMaxDefault } = this.options;
    await Promise.all(Array.from({ length: Math.max(1, readsMax) }, read));
    return this.#found;
  }

  async #block(id: string, isListed: boolean): Promise<void> {
    const { live, compacted, unfinished } = this.#found;
    try {
      const meta = await this.#live(id);
      if (meta) {
        live.set(id, meta);
        return;
      }
      const block = await this.#compacted(id);
      if (block) compacted.set(id, block);
      else if (isListed) unfinished.add(id);
    } catch (error) {
      if (!(error instanceof MetaError)) throw error;
      complain(this.tenant, id, error);
    }
  }

  async #live(id: string): Promise<BlockMeta | null> {
    const known = this.known.live.get(id);
    if (known) {
      return await unlessMissing(this.store.modified(`${this.tenant}/${id}/meta.json`).then(() => known));
    }
    if (this.known.compacted.has(id)) {
      // Rarely live again: when a log is read back after its block was merged.
      const again = await unlessMissing(this.store.modified(`${this.tenant}/${id}/meta.json`));
      if (again === null) return null;
    }
    const { jitterMsMax = 0 } = this.options;
    if (jitterMsMax > 0) await wait(Math.random() * jitterMsMax);
    return await readMeta(this.store, { tenantID: this.tenant, blockID: id }, "meta.json");
  }

  async #compacted(id: string): Promise<{ meta: BlockMeta; compactedMs: number } | null> {
    const compactedMs = await unlessMissing(this.store.modified(`${this.tenant}/${id}/meta.compacted.json`));
    if (compactedMs === null) return null;
    const meta =
      this.known.compacted.get(id)?.meta ??
      (await readMeta(this.store, { tenantID: this.tenant, blockID: id }, "meta.compacted.json"));
    return meta && { meta, compactedMs };
  }
}

function complain(tenant: string, block: string, error: Error): void {
  const name = `${tenant}/${block}`;
  if (complaints.has(name)) return;
  if (complaints.size === complaintsMax) complaints.clear();
  complaints.add(name);
  log.warn("block list: the meta of a block makes no sense; the block is left out", { tenant, block, error });
}

async function unlessMissing<Value>(value: Promise<Value>): Promise<Value | null> {
  try {
    return await value;
  } catch (error) {
    if (error instanceof StoreNotFound) return null;
    throw error;
  }
}
