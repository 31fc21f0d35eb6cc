// The blocks that this process knows of: per tenant the live ones, and those that compaction has replaced not long ago. Read from
// the store's metas, and kept up to date by whoever writes a block.
import { type BlockMeta, parseMeta } from "../block/meta.ts";
import { log } from "../telemetry/log.ts";
import { type Store, StoreNotFound } from "./store.ts";

/** Metas that are read at a time. */
const readsMax = 32;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What Tempo keeps beside the tenants, as far as it could be taken for one. */
const notTenants: ReadonlySet<string> = new Set(["", "tempo_cluster_seed.json", "work.json"]);

/** A block that was merged into another one and will be deleted. */
export interface CompactedBlock {
  meta: BlockMeta;
  /** ms since the epoch. The local disk knows when the meta was written, not when it was renamed. */
  compactedMs: number;
}

export interface BlockRange {
  /** Unix seconds, both inclusive. */
  start?: number;
  end?: number;
  /** Block ids in lower case, both inclusive. */
  blockStart?: string;
  blockEnd?: string;
}

interface TenantBlocks {
  live: Map<string, ListedBlock>;
  compacted: Map<string, CompactedBlock>;
}

interface ListedBlock {
  meta: BlockMeta;
  /** Unix seconds; the clamped metas of Tempo's live store may start after their end. */
  start: number;
  end: number;
}

export interface BlockListOptions {
  /** Blocks compacted longer ago than this are no candidates. Tempo: twice its blocklist_poll. */
  compactedMsMax: number;
  now?: () => number;
}

export class BlockList {
  readonly #store: Store;
  readonly #options: BlockListOptions;
  #tenants = new Map<string, TenantBlocks>();
  /** Blocks that were added while a scan runs, which may have passed their place. */
  #added: Set<string> | null = null;

  constructor(store: Store, options: BlockListOptions) {
    this.#store = store;
    this.#options = options;
  }

  /**
   * Reads the store: all tenants, live and compacted metas. Metas that are known are not read again. What is no block is passed over,
   * a meta that cannot be read is logged.
   *
   * @throws StoreError if the store cannot be listed; the list is then as it was
   */
  async load(): Promise<void> {
    const added = new Set<string>();
    this.#added = added;
    try {
      const scanned = new Map<string, TenantBlocks>();
      for (const tenant of await this.#store.list("")) {
        if (!notTenants.has(tenant)) scanned.set(tenant, await this.#scan(tenant));
      }
      for (const key of added) {
        const [tenant = "", id = ""] = key.split("\n");
        const block = this.#tenants.get(tenant)?.live.get(id);
        if (block) tenantOf(scanned, tenant).live.set(id, block);
      }
      this.#tenants = scanned;
    } finally {
      if (this.#added === added) this.#added = null;
    }
  }

  async #scan(tenant: string): Promise<TenantBlocks> {
    const ids = (await this.#store.list(tenant)).filter((name) => uuidPattern.test(name));
    const found: TenantBlocks = { live: new Map(), compacted: new Map() };
    const next = ids.values();
    const read = async (): Promise<void> => {
      for (const id of next) await this.#scanBlock(tenant, id, found);
    };
    await Promise.all(Array.from({ length: readsMax }, read));
    return found;
  }

  async #scanBlock(tenant: string, id: string, found: TenantBlocks): Promise<void> {
    const folder = `${tenant}/${id}`;
    try {
      const known = this.#tenants.get(tenant)?.live.get(id);
      const live = known
        ? await unlessMissing(this.#store.modified(`${folder}/meta.json`).then(() => known))
        : await unlessMissing(this.#readMeta(tenant, id, "meta.json").then(listed));
      if (live) {
        found.live.set(id, live);
        return;
      }
      const path = `${folder}/meta.compacted.json`;
      const compactedMs = await unlessMissing(this.#store.modified(path));
      if (compactedMs === null) return; // still being written, or deleted meanwhile
      const before = this.#tenants.get(tenant)?.compacted.get(id)?.meta;
      const meta = before ?? (await unlessMissing(this.#readMeta(tenant, id, "meta.compacted.json")));
      if (meta) found.compacted.set(id, { meta, compactedMs });
    } catch (error) {
      log.warn("block list: cannot read the meta of a block", {
        tenant,
        block: id,
        error: error instanceof Error ? error : new Error(String(error)),
      });
    }
  }

  /** The folder says which tenant and block it is, as the bucket may have been copied under another name. */
  async #readMeta(tenant: string, id: string, name: string): Promise<BlockMeta> {
    const bytes = await this.#store.read(`${tenant}/${id}/${name}`);
    return { ...parseMeta(new TextDecoder().decode(bytes)), tenantID: tenant, blockID: id };
  }

  /** Makes a block known that was just written. */
  add(meta: BlockMeta): void {
    this.#added?.add(`${meta.tenantID}\n${meta.blockID}`);
    tenantOf(this.#tenants, meta.tenantID).live.set(meta.blockID, listed(meta));
  }

  /** Tenants that have blocks, in alphabetical order. */
  tenants(): string[] {
    return [...this.#tenants]
      .filter(([, { live, compacted }]) => live.size + compacted.size > 0)
      .map(([tenant]) => tenant)
      .sort();
  }

  live(tenant: string): BlockMeta[] {
    return [...(this.#tenants.get(tenant)?.live.values() ?? [])].map(({ meta }) => meta);
  }

  compacted(tenant: string): CompactedBlock[] {
    return [...(this.#tenants.get(tenant)?.compacted.values() ?? [])];
  }

  /**
   * Blocks that may hold a trace: the live ones, and those compacted so lately that another process may not know their replacement.
   */
  candidates(tenant: string, range: BlockRange = {}): BlockMeta[] {
    const blocks = this.#tenants.get(tenant);
    if (!blocks) return [];
    const found: BlockMeta[] = [];
    for (const block of blocks.live.values()) if (within(block, range)) found.push(block.meta);
    const oldest = (this.#options.now?.() ?? Date.now()) - this.#options.compactedMsMax;
    for (const { meta, compactedMs } of blocks.compacted.values()) {
      if (compactedMs >= oldest && within(listed(meta), range)) found.push(meta);
    }
    return found;
  }
}

/** Whether a block may hold a trace of a time. */
export function isWithin(meta: BlockMeta, range: BlockRange): boolean {
  return within(listed(meta), range);
}

function tenantOf(tenants: Map<string, TenantBlocks>, tenant: string): TenantBlocks {
  let blocks = tenants.get(tenant);
  if (!blocks) {
    blocks = { live: new Map(), compacted: new Map() };
    tenants.set(tenant, blocks);
  }
  return blocks;
}

function listed(meta: BlockMeta): ListedBlock {
  const start = Math.floor(Date.parse(meta.startTime) / 1000);
  const end = Math.floor(Date.parse(meta.endTime) / 1000);
  // A time that cannot be read must not hide the block.
  if (!Number.isFinite(start) || !Number.isFinite(end)) {
    return { meta, start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };
  }
  return { meta, start: Math.min(start, end), end: Math.max(start, end) };
}

function within({ meta, start, end }: ListedBlock, range: BlockRange): boolean {
  // Metas hold whole seconds, so a block that ends in the very second asked for stays.
  if (range.end !== undefined && start > range.end) return false;
  if (range.start !== undefined && end < range.start) return false;
  if (range.blockStart !== undefined && meta.blockID < range.blockStart) return false;
  return range.blockEnd === undefined || meta.blockID <= range.blockEnd;
}

async function unlessMissing<Value>(value: Promise<Value>): Promise<Value | null> {
  try {
    return await value;
  } catch (error) {
    if (error instanceof StoreNotFound) return null;
    throw error;
  }
}
