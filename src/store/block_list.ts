// The blocks that this process knows of: per tenant the live ones, and those that were replaced or retired and wait for their deletion.
// Read from the store now and then, and kept up to date by whoever writes, merges or deletes a block.
import type { BlockMeta } from "../block/meta.ts";
import { Replacements } from "./block_list_replacements.ts";
import { listTenants, scanTenant } from "./block_list_scan.ts";
import { type BlockRange, type ListedBlock, listed, within } from "./block_list_times.ts";
import type { Store } from "./store.ts";

export { type BlockRange, endMsOf, isWithin } from "./block_list_times.ts";

/** A block that was merged into another one, or is past its time, and will be deleted. */
export interface CompactedBlock {
  meta: BlockMeta;
  /** ms since the epoch. A local disk that Tempo writes knows when the meta was written, not when it was renamed. */
  compactedMs: number;
}

/** The blocks of a tenant as they were found, by their ids. */
export interface FoundBlocks {
  live: Map<string, BlockMeta>;
  compacted: Map<string, CompactedBlock>;
  /** Folders without a meta: blocks that are being written, or whose writing or deletion was cut short. */
  unfinished: Set<string>;
  /**
   * ms since the epoch: what happened later may not be in it. Absent if the store itself was read, which tells what had happened when
   * the reading began.
   */
  indexedMs?: number;
}

/** The blocks that a query reads, from its beginning to its end. */
export interface BlockView {
  /** Live blocks that may hold a trace of the range. */
  candidates(tenant: string, range?: BlockRange): BlockMeta[];
}

/** An index that is older than this by the clock does not tell of newer changes; one that is newer is not expected to. */
const changesMsMax = 3_600_000;
/** Who says that a block is compacted has the store say so within this time, or it has failed. */
const aheadMsMax = 60_000;

interface TenantBlocks {
  live: Map<string, ListedBlock>;
  compacted: Map<string, CompactedBlock>;
  unfinished: Set<string>;
}

type Change = (blocks: TenantBlocks) => void;

interface PastChange {
  /** When it was made, in ms since the epoch. */
  ms: number;
  /** Makes it again. */
  again: Change;
  /** Whether the list may say so before the store does. */
  isAhead: boolean;
}

export interface BlockListOptions {
  /** Lookups by id look into blocks compacted not longer ago than this. Tempo: twice its blocklist_poll. */
  compactedMsMax: number;
  now?: () => number;
}

export class BlockList {
  readonly #store: Store;
  readonly #compactedMsMax: number;
  readonly #now: () => number;
  readonly #tenants = new Map<string, TenantBlocks>();
  /** Reads under way, one at a time for each tenant. */
  readonly #reads = new Map<string, Promise<void>>();
  /** What this process has changed in each tenant of late: what is read may be older. */
  readonly #changes = new Map<string, PastChange[]>();
  readonly #replacements = new Replacements();
  /** Of each tenant, ids of the blocks that the last replacement added which was read from the store. */
  readonly #lastAdded = new Map<string, Set<string>>();

  constructor(store: Store, { compactedMsMax, now = Date.now }: BlockListOptions) {
    this.#store = store;
    this.#compactedMsMax = compactedMsMax;
    this.#now = now;
  }

  /**
   * Reads all tenants from the store.
   *
   * @throws StoreError if the store cannot be read; the tenant's list is then as it was
   */
  async load(): Promise<void> {
    for (const tenant of new Set([...(await listTenants(this.#store)), ...this.tenants()])) {
      await this.refresh(tenant, (known) => scanTenant(this.#store, tenant, known));
    }
  }

  /**
   * Replaces the list of a tenant by one that is read now. What this process has changed since holds.
   *
   * @param read given the blocks as they are known
   * @throws (as rejection) what `read` throws; the list is then as it was
   */
  async refresh(tenant: string, read: (known: FoundBlocks) => Promise<FoundBlocks>): Promise<void> {
    const before = this.#reads.get(tenant) ?? Promise.resolve();
    const reading = before.catch(() => {}).then(() => this.#refresh(tenant, read));
    this.#reads.set(tenant, reading);
    try {
      await reading;
    } finally {
      if (this.#reads.get(tenant) === reading) this.#reads.delete(tenant);
    }
  }

  async #refresh(tenant: string, read: (known: FoundBlocks) => Promise<FoundBlocks>): Promise<void> {
    const known = this.#changesOf(tenant).length;
    const before = this.#tenants.get(tenant) ?? noBlocks();
    const found = await read({
      live: new Map([...before.live].map(([id, { meta }]) => [id, meta])),
      compacted: new Map(before.compacted),
      unfinished: new Set(before.unfinished),
    });
    const { indexedMs } = found;
    const changes = this.#changesOf(tenant);
    const aheadMs = this.#now() - aheadMsMax;
    const later = changes.filter(({ ms, isAhead }, i) =>
      indexedMs === undefined ? i >= known || (isAhead && ms >= aheadMs) : ms >= indexedMs,
    );
    const next: TenantBlocks = {
      live: new Map([...found.live].map(([id, meta]) => [id, relisted(before.live.get(id), meta)])),
      compacted: found.compacted,
      unfinished: found.unfinished,
    };
    for (const { again } of later) again(next);
    const oldest = indexedMs ?? this.#now() - changesMsMax;
    this.#changes.set(
      tenant,
      changes.filter(({ ms }) => ms >= oldest),
    );
    this.#swap(tenant, next);
  }

  #changesOf(tenant: string): PastChange[] {
    const changes = this.#changes.get(tenant) ?? [];
    this.#changes.set(tenant, changes);
    return changes;
  }

  #swap(tenant: string, next: TenantBlocks): void {
    const before = this.#tenants.get(tenant) ?? noBlocks();
    const removed = [...before.live].filter(([id]) => !next.live.has(id)).map(([, block]) => block);
    const added = new Set([...next.live.keys()].filter((id) => !before.live.has(id)));
    if (next.live.size + next.compacted.size + next.unfinished.size > 0) this.#tenants.set(tenant, next);
    else this.#tenants.delete(tenant);
    // What only appeared is new data.
    if (removed.length === 0 || added.size === 0) return;
    this.#replacements.add(tenant, removed, added);
    this.#lastAdded.set(tenant, added);
  }

  /** Makes a block known that was just written. */
  add(meta: BlockMeta): void {
    const { tenantID, blockID } = meta;
    const block = listed(meta);
    // Written here, so it holds what leaves a head: queries under way may see it.
    this.#lastAdded.get(tenantID)?.delete(blockID);
    this.#change(
      tenantID,
      (blocks) => {
        blocks.compacted.delete(blockID);
        blocks.live.set(blockID, block);
      },
      // It may have been merged again since.
      (blocks) => {
        if (!blocks.compacted.has(blockID)) blocks.live.set(blockID, block);
      },
    );
  }

  /**
   * Puts one block in the place of those that it was made of, at one instant for queries: they see either all inputs or the output, and
   * a query under way goes on with what it saw first. The inputs are compacted from now on.
   */
  replace(inputs: readonly BlockMeta[], output: BlockMeta): void {
    const { tenantID, blockID } = output;
    const live = this.#tenants.get(tenantID)?.live;
    const removed = inputs.flatMap((input) => live?.get(input.blockID) ?? []);
    this.add(output);
    for (const input of inputs) this.markCompacted(input);
    this.#replacements.add(tenantID, removed, new Set([blockID]));
  }

  /** The block is no longer live: another one holds what it holds, or its time is over. */
  markCompacted({ tenantID, blockID }: BlockMeta): void {
    const compactedMs = this.#now();
    const mark: Change = (blocks) => {
      const block = blocks.live.get(blockID);
      if (!block) return;
      blocks.live.delete(blockID);
      blocks.compacted.set(blockID, { meta: block.meta, compactedMs });
    };
    const again: Change = (blocks) => {
      // Unless it was written once more since.
      if (!this.#tenants.get(tenantID)?.live.has(blockID)) mark(blocks);
    };
    this.#change(tenantID, mark, again, true);
  }

  /** The block is gone from the store, or about to be. */
  remove({ tenantID, blockID }: Pick<BlockMeta, "tenantID" | "blockID">): void {
    this.#change(tenantID, (blocks) => {
      blocks.live.delete(blockID);
      blocks.compacted.delete(blockID);
      blocks.unfinished.delete(blockID);
    });
  }

  #change(tenant: string, change: Change, again: Change = change, isAhead = false): void {
    let blocks = this.#tenants.get(tenant);
    if (!blocks) {
      blocks = noBlocks();
      this.#tenants.set(tenant, blocks);
    }
    change(blocks);
    this.#changesOf(tenant).push({ ms: this.#now(), again, isAhead });
  }

  #sizeOf(tenant: string): number {
    const blocks = this.#tenants.get(tenant);
    return blocks ? blocks.live.size + blocks.compacted.size : 0;
  }

  /** Tenants that have blocks, in alphabetical order. */
  tenants(): string[] {
    return [...this.#tenants.keys()].filter((tenant) => this.#sizeOf(tenant) > 0).sort();
  }

  live(tenant: string): BlockMeta[] {
    return [...(this.#tenants.get(tenant)?.live.values() ?? [])].map(({ meta }) => meta);
  }

  compacted(tenant: string): CompactedBlock[] {
    return [...(this.#tenants.get(tenant)?.compacted.values() ?? [])];
  }

  /** Of each tenant, ids of the folders that had no meta when they were read. */
  unfinished(): { tenant: string; ids: string[] }[] {
    return [...this.#tenants]
      .filter(([, { unfinished }]) => unfinished.size > 0)
      .map(([tenant, { unfinished }]) => ({ tenant, ids: [...unfinished] }));
  }

  /**
   * Blocks that may hold a trace: the live ones, and those compacted so lately that another process may not have listed their
   * replacement. Who counts what it finds asks a view, which gives nothing twice.
   */
  candidates(tenant: string, range: BlockRange = {}): BlockMeta[] {
    const blocks = this.#tenants.get(tenant);
    if (!blocks) return [];
    const found: BlockMeta[] = [];
    for (const block of blocks.live.values()) if (within(block, range)) found.push(block.meta);
    const oldest = this.#now() - this.#compactedMsMax;
    for (const { meta, compactedMs } of blocks.compacted.values()) {
      if (compactedMs >= oldest && within(listed(meta), range)) found.push(meta);
    }
    return found;
  }

  /** The same of all tenants. */
  all(): BlockMeta[] {
    return this.tenants().flatMap((tenant) => this.candidates(tenant));
  }

  /**
   * The live blocks for one query. Blocks that are added later are in it, or what leaves a head under way would be missing; blocks that
   * others replace later are still in it, and their replacements not, or spans would count twice.
   */
  view(): BlockView {
    const before = this.#replacements.mark();
    return {
      candidates: (tenant, range = {}) => {
        const live = before(tenant, this.#tenants.get(tenant)?.live ?? new Map());
        return [...live.values()].filter((block) => within(block, range)).map(({ meta }) => meta);
      },
    };
  }
}

function noBlocks(): TenantBlocks & FoundBlocks {
  return { live: new Map(), compacted: new Map(), unfinished: new Set() };
}

function relisted(before: ListedBlock | undefined, meta: BlockMeta): ListedBlock {
  return before?.meta === meta ? before : listed(meta);
}
