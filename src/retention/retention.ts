// Lets stored blocks go: by age, as Tempo does, and by bytes.
//
// By age a block is first marked as compacted, and deleted some time later, so that processes that have listed it can finish what they
// do with it. By bytes it is deleted at once. Either way its meta goes first.
import type { BlockMeta } from "../block/meta.ts";
import { type BlockList, endMsOf } from "../store/block_list.ts";
import { markCompacted } from "../store/block_objects.ts";
import { deleteBlock } from "../store/delete_block.ts";
import { type Store, StoreNotFound } from "../store/store.ts";
import { log } from "../telemetry/log.ts";
import { type OldBlock, overLimit, type StoredTenant } from "./over_limit.ts";

/**
 * A folder without a meta is a block that is being written, or what a crash has left of one. Nothing of the former stays untouched for so
 * long once it is there.
 */
const leftoverMsMin = 12 * 3_600_000;
/**
 * It was seen for that long by this process, by a clock that stands still when the machine does: a process that was suspended while it
 * wrote a block goes on with it.
 */
const leftoverSeenMsMin = 600_000;
/** A merged block may take longer than the above before any of it is there. */
const emptyMsMin = 48 * 3_600_000;
/** Of a block, what is written at its end. */
const lastWritten = ["index", "bloom-0", "data.parquet"];

export interface RetentionLimits {
  /** From the last span of a block to its being marked. 0: for ever. */
  blockMs(tenant: string): number;
  /** From its being marked to its deletion. */
  compactedMs: number;
  /** Such a tenant's blocks have no age at which they go; limits of bytes hold for them too. */
  isKept(tenant: string): boolean;
  /** 0: no limit. */
  tenantBytesMax(tenant: string): number;
  /** Of all tenants. 0: no limit. */
  bytesMax: number;
  /** Blocks that are worked on at a time. */
  concurrency: number;
}

interface Seen {
  ms: number;
  steadyMs: number;
}

/** Why a block was deleted. */
export type DeletionReason = "age" | "bytes" | "disk";

export interface RetentionStats {
  marked: number;
  errors: number;
  deleted: Record<DeletionReason, { blocks: number; bytes: number }>;
  /** What crashes had left of blocks. */
  swept: number;
}

export class Retention {
  readonly stats: RetentionStats = {
    marked: 0,
    errors: 0,
    deleted: {
      age: { blocks: 0, bytes: 0 },
      bytes: { blocks: 0, bytes: 0 },
      disk: { blocks: 0, bytes: 0 },
    },
    swept: 0,
  };
  readonly #store: Store;
  readonly #list: BlockList;
  readonly #limits: RetentionLimits;
  readonly #now: () => number;
  readonly #steadyMs: () => number;
  /** When folders without a meta were first seen, by their paths, and by both clocks. */
  #unfinished = new Map<string, Seen>();

  /**
   * @param now ms since the epoch
   * @param steadyMs ms of a clock that nobody sets
   */
  constructor(
    store: Store,
    list: BlockList,
    limits: RetentionLimits,
    now: () => number = Date.now,
    steadyMs: () => number = () => performance.now(),
  ) {
    this.#store = store;
    this.#list = list;
    this.#limits = limits;
    this.#now = now;
    this.#steadyMs = steadyMs;
  }

  /**
   * Marks the live blocks that are past their time, deletes the compacted ones that are past theirs, and what crashes have left.
   *
   * @throws Error if something could not be marked or deleted, when all else is done
   */
  async byAge(signal?: AbortSignal): Promise<void> {
    const now = this.#now();
    const work: (() => Promise<void>)[] = [];
    for (const tenant of this.#list.tenants()) {
      if (this.#limits.isKept(tenant)) continue;
      const retentionMs = this.#limits.blockMs(tenant);
      for (const meta of retentionMs > 0 ? this.#list.live(tenant) : []) {
        if (endMsOf(meta) < now - retentionMs) work.push(() => this.#mark(meta));
      }
      for (const { meta, compactedMs } of this.#list.compacted(tenant)) {
        if (compactedMs < now - this.#limits.compactedMs) work.push(() => this.#delete(meta, "age"));
      }
    }
    work.push(...this.#leftovers(now));
    await this.#all(work, signal);
    await this.#store.removeLeftovers(now - leftoverMsMin);
  }

  /**
   * Deletes the oldest blocks while there are more bytes than the limits allow.
   *
   * @throws as byAge()
   */
  async byBytes(signal?: AbortSignal): Promise<void> {
    const { tenantBytesMax, bytesMax } = this.#limits;
    await this.delete(overLimit(this.stored(), tenantBytesMax, bytesMax), "bytes", signal);
  }

  /**
   * Deletes blocks at once, in their order.
   *
   * @throws as byAge()
   */
  async delete(blocks: readonly OldBlock[], reason: DeletionReason, signal?: AbortSignal): Promise<void> {
    await this.#all(
      blocks.map(
        ({ meta }) =>
          () =>
            this.#delete(meta, reason),
      ),
      signal,
    );
  }

  /** All blocks as they are listed. */
  stored(): StoredTenant[] {
    return this.#list.tenants().map((tenant) => ({
      tenant,
      live: this.#list.live(tenant),
      compacted: this.#list.compacted(tenant),
    }));
  }

  async #mark(meta: BlockMeta): Promise<void> {
    // One that is not live any more was marked or deleted by another process: the next poll tells.
    if (!(await markCompacted(this.#store, meta))) return;
    this.#list.markCompacted(meta);
    this.stats.marked++;
    log.info("block is past its retention and marked for deletion", fieldsOf(meta));
  }

  async #delete(meta: BlockMeta, reason: DeletionReason): Promise<void> {
    await deleteBlock(this.#store, meta, () => this.#list.remove(meta));
    const { [reason]: deleted } = this.stats.deleted;
    deleted.blocks++;
    deleted.bytes += meta.size;
    log.info("block deleted", { ...fieldsOf(meta), reason });
  }

  /** What there is to do about folders that have no meta. */
  #leftovers(now: number): (() => Promise<void>)[] {
    const seen = new Map<string, Seen>();
    const first = { ms: now, steadyMs: this.#steadyMs() };
    for (const { tenant, ids } of this.#list.unfinished()) {
      if (this.#limits.isKept(tenant)) continue;
      for (const id of ids) seen.set(`${tenant}/${id}`, this.#unfinished.get(`${tenant}/${id}`) ?? first);
    }
    this.#unfinished = seen;
    return [...seen].map(
      ([folder, since]) =>
        () =>
          this.#sweep(folder, since, now),
    );
  }

  async #sweep(folder: string, since: Seen, now: number): Promise<void> {
    if (this.#steadyMs() - since.steadyMs < leftoverSeenMsMin) return;
    for (const name of ["meta.json", "meta.compacted.json"]) {
      if ((await this.#modified(`${folder}/${name}`)) !== null) return; // it has become a block since
    }
    for (const name of lastWritten) {
      const modifiedMs = await this.#modified(`${folder}/${name}`);
      if (modifiedMs === null) continue;
      if (modifiedMs > now - leftoverMsMin) return;
      await this.#remove(folder);
      return;
    }
    if (since.ms <= now - emptyMsMin) await this.#remove(folder);
  }

  async #remove(folder: string): Promise<void> {
    await this.#store.deleteAll(folder);
    this.#unfinished.delete(folder);
    this.stats.swept++;
    log.info("removed what a crash had left of a block", { folder });
  }

  async #modified(path: string): Promise<number | null> {
    try {
      return await this.#store.modified(path);
    } catch (error) {
      if (error instanceof StoreNotFound) return null;
      throw error;
    }
  }

  async #all(work: readonly (() => Promise<void>)[], signal: AbortSignal | undefined): Promise<void> {
    const errors: Error[] = [];
    const next = work.values();
    const take = async (): Promise<void> => {
      for (const step of next) {
        if (signal?.aborted) return;
        try {
          await step();
        } catch (cause) {
          const error = cause instanceof Error ? cause : new Error(String(cause));
          errors.push(error);
          this.stats.errors++;
          log.error("retention: a block can't be marked or deleted", { error });
        }
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, this.#limits.concurrency) }, take));
    if (errors.length === 0) return;
    throw new Error(`${errors.length} of ${work.length} blocks failed; the first: ${errors[0]!.message}`, {
      cause: errors[0],
    });
  }
}

function fieldsOf({ tenantID, blockID, endTime, size }: BlockMeta) {
  return { tenant: tenantID, block: blockID, end: endTime, bytes: size };
}
