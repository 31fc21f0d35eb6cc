// Keeps the block list near what the store holds, where others write and delete blocks too: reads it again from time to time, from the
// tenants' indexes or from the metas, and writes the indexes for others.
import type { Config } from "../config/config.ts";
import { log } from "../telemetry/log.ts";
import type { BlockList, FoundBlocks } from "./block_list.ts";
import {
  deleteTenantIndex,
  readTenantIndex,
  type TenantIndex,
  writeTenantIndex,
} from "./block_list_index.ts";
import { listTenants, type ScanOptions, scanTenant } from "./block_list_scan.ts";
import type { Store } from "./store.ts";

/** An index is written after the blocks were listed: what was written so long before its time may be missing in it. */
const indexLagMsMax = 300_000;

export interface BlockListPollOptions extends ScanOptions {
  /** Reads the metas and writes the indexes; others read those. */
  buildsIndex: boolean;
  /** An index older than this is not used. 0: any is. */
  indexAgeMsMax: number;
  /** Reads the metas where there is no index that can be used. */
  fallback: boolean;
  /** A tenant that can't be read is tried so many times more. */
  retries: number;
  /** With more tenants than this that can't be read, a poll is given up. */
  failedTenantsMax: number;
  now?: () => number;
}

/** As the configuration has it. */
export function pollOptionsOf(config: Config): BlockListPollOptions {
  const { trace } = config.storage;
  return {
    readsMax: trace.blocklist_poll_concurrency,
    jitterMsMax: trace.blocklist_poll_jitter_ms,
    buildsIndex: trace.blocklist_poll_tenant_index_builders > 0,
    indexAgeMsMax: trace.blocklist_poll_stale_tenant_index,
    fallback: trace.blocklist_poll_fallback,
    retries: trace.blocklist_poll_tolerate_consecutive_errors,
    failedTenantsMax: trace.blocklist_poll_tolerate_tenant_failures,
  };
}

/** What became of polling a tenant. */
export interface TenantPolls {
  errors: number;
  indexErrors: number;
  /** Whether its metas were read, and its index written. */
  builtIndex: boolean;
  /** ms since the epoch: when the index was created that the list is from; of metas, when they were read. Null before the first time. */
  listedMs: number | null;
  /** Of the last poll; null if it went well. */
  lastError: string | null;
}

interface Reread {
  running: Promise<void>;
  /** Begins when the running one has ended. */
  next: Promise<void> | null;
}

export class BlockListPoll {
  readonly #store: Store;
  readonly #list: BlockList;
  readonly #options: BlockListPollOptions;
  readonly #now: () => number;
  readonly #tenants = new Map<string, TenantPolls>();
  readonly #rereads = new Map<string, Reread>();
  /** Polls that failed before it came to tenants. */
  #errors = 0;

  constructor(store: Store, list: BlockList, options: BlockListPollOptions) {
    this.#store = store;
    this.#list = list;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** For metrics: the age of an index counts only where the list is from one. */
  get stats(): {
    tenant: string;
    errors: number;
    indexErrors: number;
    builtIndex: boolean;
    indexAgeSeconds: number;
  }[] {
    const now = this.#now();
    return [...this.tenants].map(([tenant, { errors, indexErrors, builtIndex, listedMs }]) => {
      const ageMs = builtIndex || listedMs === null ? 0 : now - listedMs;
      return { tenant, errors, indexErrors, builtIndex, indexAgeSeconds: ageMs / 1000 };
    });
  }

  /** Of each tenant; that of the empty name counts polls that failed before it came to any. */
  get tenants(): ReadonlyMap<string, TenantPolls> {
    if (this.#errors > 0) this.#of("").errors = this.#errors;
    return this.#tenants;
  }

  /**
   * Reads all tenants. One that can't be read keeps its list.
   *
   * @throws Error if the tenants can't be listed, or too many of them not be read
   */
  async run(signal?: AbortSignal): Promise<void> {
    let listed: string[];
    try {
      listed = await listTenants(this.#store);
    } catch (error) {
      this.#errors++;
      throw error;
    }
    const failures: Error[] = [];
    for (const tenant of new Set([...listed, ...this.#list.tenants()])) {
      if (signal?.aborted) return;
      const failure = await this.#poll(tenant);
      if (failure) failures.push(failure);
      if (failures.length > this.#options.failedTenantsMax) {
        throw new Error(
          `block list: gave up after ${failures.length} tenants that can't be read; the last: ${failure?.message}`,
          { cause: failure },
        );
      }
    }
    // Other folders beside the tenants' are none of them.
    const kept = new Set(this.#list.tenants());
    for (const [tenant, { lastError }] of this.#tenants) {
      if (!kept.has(tenant) && lastError === null) this.#tenants.delete(tenant);
    }
  }

  /**
   * Reads the metas of a tenant now, since a block of its list turned out to be gone. Who asks while it is read is answered by a reading
   * that began later.
   *
   * @throws StoreError
   */
  reread(tenant: string): Promise<void> {
    const reread = this.#rereads.get(tenant);
    if (reread) {
      reread.next ??= reread.running.catch(() => {}).then(() => this.#reread(tenant));
      return reread.next;
    }
    return this.#reread(tenant);
  }

  #reread(tenant: string): Promise<void> {
    const running = this.#list.refresh(tenant, (known) => this.#scan(tenant, known));
    const reread: Reread = { running, next: null };
    this.#rereads.set(tenant, reread);
    const end = () => {
      if (this.#rereads.get(tenant) === reread && reread.next === null) this.#rereads.delete(tenant);
    };
    running.then(end, end);
    return running;
  }

  async #poll(tenant: string): Promise<Error | null> {
    const polls = this.#of(tenant);
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#list.refresh(tenant, (known) => this.#read(tenant, known, polls));
        polls.lastError = null;
        break;
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        polls.errors++;
        polls.lastError = error.message;
        log.error("block list: a tenant can't be read; its blocks as they were last known stay listed", {
          tenant,
          attempt: attempt + 1,
          error,
        });
        if (attempt >= this.#options.retries) return error;
      }
    }
    if (polls.builtIndex) await this.#writeIndex(tenant, polls);
    return null;
  }

  async #read(tenant: string, known: FoundBlocks, polls: TenantPolls): Promise<FoundBlocks> {
    polls.builtIndex = this.#options.buildsIndex;
    if (!this.#options.buildsIndex) {
      const index = await this.#readIndex(tenant, polls);
      if (index) {
        polls.listedMs = index.createdMs;
        return fromIndex(index, known);
      }
      if (!this.#options.fallback) throw new Error(`no usable index of tenant ${tenant}`);
      polls.builtIndex = true;
    }
    const startMs = this.#now();
    const found = await this.#scan(tenant, known);
    polls.listedMs = startMs;
    return found;
  }

  #scan(tenant: string, known: FoundBlocks): Promise<FoundBlocks> {
    return scanTenant(this.#store, tenant, known, this.#options);
  }

  async #readIndex(tenant: string, polls: TenantPolls): Promise<TenantIndex | null> {
    try {
      const index = await readTenantIndex(this.#store, tenant);
      if (index === null) throw new Error("there is none");
      const ageMs = this.#now() - index.createdMs;
      const { indexAgeMsMax } = this.#options;
      if (indexAgeMsMax > 0 && ageMs > indexAgeMsMax) {
        throw new Error(`it is ${Math.round(ageMs / 1000)} s old, at most ${indexAgeMsMax / 1000} it may be`);
      }
      return index;
    } catch (cause) {
      polls.indexErrors++;
      log.warn("block list: the index of a tenant can't be used", { tenant, error: cause as Error });
      return null;
    }
  }

  /** A failure leaves the old index, which others use until it is too old for them. */
  async #writeIndex(tenant: string, polls: TenantPolls): Promise<void> {
    const index: TenantIndex = {
      createdMs: this.#now(),
      live: this.#list.live(tenant).sort(byStart),
      compacted: this.#list.compacted(tenant).sort((a, b) => byStart(a.meta, b.meta)),
    };
    try {
      if (index.live.length + index.compacted.length > 0) await writeTenantIndex(this.#store, tenant, index);
      else await deleteTenantIndex(this.#store, tenant);
    } catch (cause) {
      polls.indexErrors++;
      log.error("block list: the index of a tenant can't be written", { tenant, error: cause as Error });
    }
  }

  #of(tenant: string): TenantPolls {
    let polls = this.#tenants.get(tenant);
    if (!polls) {
      polls = { errors: 0, indexErrors: 0, builtIndex: false, listedMs: null, lastError: null };
      this.#tenants.set(tenant, polls);
    }
    return polls;
  }
}

/** Metas that are known stay the same objects, by which others remember what they know of a block. */
function fromIndex(index: TenantIndex, known: FoundBlocks): FoundBlocks {
  return {
    live: new Map(index.live.map((meta) => [meta.blockID, known.live.get(meta.blockID) ?? meta])),
    compacted: new Map(index.compacted.map((block) => [block.meta.blockID, block])),
    unfinished: known.unfinished,
    indexedMs: index.createdMs - indexLagMsMax,
  };
}

function byStart(a: { startTime: string }, b: { startTime: string }): number {
  return Date.parse(a.startTime) - Date.parse(b.startTime);
}
