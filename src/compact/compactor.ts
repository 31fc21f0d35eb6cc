// Compaction of stored blocks: for each tenant with work, select, lease, merge, publish. A merge has come to pass once the lease says that
// its output is complete, its meta.json included: what follows, the marking of its inputs, is done by whoever holds the lease next, if it
// was cut short. Before that, the output is no block for whoever reads the lease, and the next holder removes it.
//
// A holder may be stopped anywhere, and go on when others have done the rest long ago. All that he may write then is an output that was
// discarded, which the lease remembers, or the mark of a block that is compacted anyway.
import { type BlockMeta, parseMeta, printMeta } from "../block/meta.ts";
import type { BlockList } from "../store/block_list.ts";
import { folderOf, isCompacted, isKept, isLive, markCompacted } from "../store/block_objects.ts";
import type { Clock } from "../store/clock.ts";
import type { LeasedJob, LeaseRecord } from "../store/compaction_lease.ts";
import { deleteBlock } from "../store/delete_block.ts";
import type { Store } from "../store/store.ts";
import { log } from "../telemetry/log.ts";
import type { CompactParams, MergeFailure } from "./compact_job.ts";
import { FailedBlocks } from "./failed_blocks.ts";
import { type Lease, LeaseLost, Leases } from "./lease.ts";
import { compactedLevel, type Merged } from "./merge_blocks.ts";
import { MergeError } from "./merge_error.ts";
import { ripeLists, selectBlocks } from "./select_blocks.ts";
import type { CompactionSettings } from "./settings.ts";

/** A process that ends without a word is followed by another after that long. */
const leaseMs = 60_000;
const renewMs = leaseMs / 6;
/** How often a merge is told whether others want the processor. */
const busyMs = 100;

export interface CompactorDeps {
  store: Store;
  blocks: Pick<BlockList, "tenants" | "live" | "unfinished" | "replace" | "markCompacted" | "remove">;
  settings: CompactionSettings;
  /** Has a worker merge blocks: compactJob(). */
  merge(params: CompactParams, signal: AbortSignal): Promise<Merged | MergeFailure>;
  /** True while queries or ingest want the processor. */
  isBusy(): boolean;
  clock: Clock;
  /** ms of a clock that nobody sets. */
  now(): number;
  /** Unix ms. */
  unixMs(): number;
}

/** What one run did. */
export interface CompactionReport {
  jobs: number;
  inputBlocks: number;
  spans: number;
  failures: number;
}

export interface TenantCompaction {
  tenant: string;
  /** Lists of blocks that wait to be merged. */
  outstanding: number;
  /** Blocks that are left as they are, by reason. */
  left: Record<string, number>;
  /** Null if the last run went well. */
  lastError: string | null;
  /** True if another process compacts the tenant. */
  isElsewhere: boolean;
}

export interface CompactionStatus {
  total: CompactionReport;
  /** What is being merged. */
  running: { tenant: string; inputs: string[]; output: string } | null;
  tenants: TenantCompaction[];
}

export class Compactor {
  readonly #deps: CompactorDeps;
  readonly #leases: Leases;
  readonly #failed: FailedBlocks;
  readonly #tenants = new Map<string, TenantCompaction>();
  readonly #total: CompactionReport = { jobs: 0, inputBlocks: 0, spans: 0, failures: 0 };
  #running: CompactionStatus["running"] = null;

  constructor(deps: CompactorDeps) {
    this.#deps = deps;
    const { store, now } = deps;
    this.#leases = new Leases(store, { holder: crypto.randomUUID(), leaseMs, now });
    this.#failed = new FailedBlocks(now);
  }

  /**
   * Merges what there is to merge, one job after the other.
   *
   * @param signal ends it: a merge that is under way is given up
   * @returns what was done; of a tenant that fails, its status tells
   */
  async run(signal: AbortSignal): Promise<CompactionReport> {
    const before = { ...this.#total };
    const tenants = this.#deps.settings.disabled ? [] : this.#deps.blocks.tenants();
    for (const tenant of this.#tenants.keys()) if (!tenants.includes(tenant)) this.#tenants.delete(tenant);
    for (const tenant of tenants) {
      if (signal.aborted) break;
      await this.#runTenant(tenant, signal);
    }
    return {
      jobs: this.#total.jobs - before.jobs,
      inputBlocks: this.#total.inputBlocks - before.inputBlocks,
      spans: this.#total.spans - before.spans,
      failures: this.#total.failures - before.failures,
    };
  }

  status(): CompactionStatus {
    return {
      total: { ...this.#total },
      running: this.#running,
      tenants: [...this.#tenants.values()].map((status) => ({ ...status, left: { ...status.left } })),
    };
  }

  async #runTenant(tenant: string, signal: AbortSignal): Promise<void> {
    const status: TenantCompaction = {
      tenant,
      outstanding: 0,
      left: {},
      lastError: null,
      isElsewhere: false,
    };
    this.#tenants.set(tenant, status);
    let lease: Lease | null = null;
    try {
      // A lease costs two writes: it is taken where there is work, or somebody left some.
      if (!this.#select(tenant, status, new Set()) && !(await this.#isLeft(tenant))) return;
      lease = await this.#leases.take(tenant);
      status.isElsewhere = lease === null;
      if (!lease) return;
      await this.#finish(tenant, lease);
      await this.#sweep(tenant, lease);
      await this.#merges(tenant, lease, status, signal);
    } catch (error) {
      if (!signal.aborted) this.#fail(status, error);
    }
    // A job that could not be finished stays in the lease, for the next holder.
    if (lease) await lease.release().catch((error) => this.#fail(status, error));
  }

  #fail(status: TenantCompaction, cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (error instanceof LeaseLost) log.warn("compaction stopped", { tenant: status.tenant, error });
    else log.error("compaction failed", { tenant: status.tenant, error });
    status.lastError = error.message;
    this.#total.failures++;
  }

  async #merges(tenant: string, lease: Lease, status: TenantCompaction, signal: AbortSignal): Promise<void> {
    const { settings, now } = this.#deps;
    const until = now() + settings.tenantMsMax;
    /** Blocks that are not looked at again in this run. */
    const passed = new Set<string>();
    for (let jobs = 0; jobs < settings.tenantJobsMax && now() < until; ) {
      signal.throwIfAborted();
      const inputs = this.#select(tenant, status, passed);
      if (!inputs) return;
      if (!(await this.#areReady(inputs, passed))) continue;
      jobs++;
      try {
        await this.#merge(tenant, lease, inputs, signal);
      } catch (error) {
        if (!(error instanceof MergeError)) throw error;
        // One damaged block must not keep the others from being merged.
        this.#fail(status, error);
        const blamed = error.blockId === null ? inputs.map(({ blockID }) => blockID) : [error.blockId];
        for (const blockId of blamed) this.#failed.add(blockId);
        await this.#discard(tenant, lease);
      }
    }
  }

  /** The inputs of the next job. */
  #select(tenant: string, status: TenantCompaction, passed: ReadonlySet<string>): BlockMeta[] | null {
    const { blocks, settings, unixMs } = this.#deps;
    const left: Record<string, number> = {};
    const leave = (reason: string) => {
      left[reason] = (left[reason] ?? 0) + 1;
    };
    const live = blocks.live(tenant).filter(({ format, blockID }) => {
      if (!settings.select.versions.has(format)) leave(`${format} can't be merged`);
      else if (this.#failed.has(blockID)) leave("merging it failed; it is tried again later");
      else return !passed.has(blockID);
      return false;
    });
    if (passed.size > 0) left["nocompact.flg, or gone meanwhile"] = passed.size;
    const nowMs = unixMs();
    const selected = ripeLists(selectBlocks(live, settings.select, nowMs), settings.select, nowMs);
    status.left = left;
    status.outstanding = selected.length;
    return selected[0] ?? null;
  }

  /** Another process may have changed what the list says. */
  async #areReady(inputs: readonly BlockMeta[], passed: Set<string>): Promise<boolean> {
    const { store } = this.#deps;
    let ready = true;
    for (const meta of inputs) {
      if ((await isLive(store, meta)) && !(await isKept(store, meta))) continue;
      passed.add(meta.blockID);
      ready = false;
    }
    return ready;
  }

  async #merge(
    tenant: string,
    lease: Lease,
    inputs: readonly BlockMeta[],
    signal: AbortSignal,
  ): Promise<void> {
    const { merge, settings } = this.#deps;
    const job: LeasedJob = {
      output: crypto.randomUUID(),
      inputs: inputs.map(({ blockID }) => blockID),
      meta: null,
    };
    // Named before the first byte of it is written, so that it is found if this process ends.
    await lease.setJob(job);
    this.#running = { tenant, inputs: job.inputs, output: job.output };
    const held = new AbortController();
    const all = AbortSignal.any([signal, held.signal]);
    const endWatch = this.#watch(lease, held);
    let merged: Merged | MergeFailure;
    try {
      const busy = new SharedArrayBuffer(4);
      const endTelling = this.#tellBusy(new Int32Array(busy));
      try {
        const options = settings.merge(compactedLevel(inputs));
        const params = { ...options, metas: [...inputs], blockId: job.output, busy };
        merged = await merge(params, all);
      } finally {
        endTelling();
      }
      all.throwIfAborted();
      if ("failure" in merged) throw new MergeError(merged.failure, merged.blockId);
      await this.#complete(lease, job, merged.meta);
    } catch (error) {
      if (held.signal.aborted || error instanceof LeaseLost) await this.#disown(tenant, job);
      if (held.signal.aborted) throw held.signal.reason;
      throw error;
    } finally {
      endWatch();
      this.#running = null;
    }
    await this.#finish(tenant, lease);
    this.#total.jobs++;
    this.#total.inputBlocks += inputs.length;
    this.#total.spans += merged.spans;
  }

  /** Has the output take the place of the inputs. In this order: a meta.json that is written later would be written by whoever lost the lease. */
  async #complete(lease: Lease, job: LeasedJob, output: BlockMeta): Promise<void> {
    lease.assertHeld();
    const meta = printMeta(output);
    await this.#deps.store.write(`${folderOf(output)}/meta.json`, new TextEncoder().encode(meta));
    await lease.setJob({ ...job, meta });
  }

  /** Renews the lease now and then, and ends the merge when it is lost. Returns what ends this. */
  #watch(lease: Lease, held: AbortController): () => void {
    let cancel = () => {};
    const later = () => {
      cancel = this.#deps.clock.after(renewMs, async () => {
        try {
          await lease.renew();
        } catch (error) {
          // A store that does not answer is asked again, for as long as the lease lasts.
          try {
            if (error instanceof LeaseLost) throw error;
            lease.assertHeld();
          } catch (lost) {
            held.abort(lost);
            return;
          }
        }
        if (!ended) later();
      });
    };
    let ended = false;
    later();
    return () => {
      ended = true;
      cancel();
    };
  }

  #tellBusy(busy: Int32Array): () => void {
    let cancel = () => {};
    const tell = () => {
      Atomics.store(busy, 0, this.#deps.isBusy() ? 1 : 0);
      cancel = this.#deps.clock.after(busyMs, tell);
    };
    tell();
    return () => cancel();
  }

  /** Brings what the lease says is under way to its end: a complete output is published, one that is not is removed. */
  async #finish(tenant: string, lease: Lease): Promise<void> {
    const { job } = lease;
    if (!job) return;
    if (job.meta === null) {
      await this.#discard(tenant, lease);
      return;
    }
    const output = parseMeta(job.meta);
    await this.#publish(tenant, job, output, lease);
    await lease.setJob(null);
  }

  /** Each step may have been done before. */
  async #publish(tenant: string, job: LeasedJob, output: BlockMeta, lease: Lease): Promise<void> {
    const { store, blocks } = this.#deps;
    lease.assertHeld();
    const inputs = blocks.live(tenant).filter(({ blockID }) => job.inputs.includes(blockID));
    if (await isLive(store, output)) {
      blocks.replace(inputs, output);
    } else if (await isCompacted(store, output)) {
      // Its retention is over, where its holder ended before the marking.
      for (const input of inputs) blocks.markCompacted(input);
    } else {
      // Retention has deleted it. Its inputs are left as they are.
      log.warn("compaction: the output of a merge is gone", { tenant, block: output.blockID });
      return;
    }
    for (const blockID of job.inputs) {
      lease.assertHeld();
      await markCompacted(store, { tenantID: tenant, blockID });
    }
  }

  /** Removes an output that is not complete. */
  async #discard(tenant: string, lease: Lease): Promise<void> {
    const { job } = lease;
    if (!job) return;
    lease.assertHeld();
    await this.#delete({ tenantID: tenant, blockID: job.output });
    await lease.discardJob();
  }

  /** Whether a former holder has left something to do. */
  async #isLeft(tenant: string): Promise<boolean> {
    const lease = await this.#leases.read(tenant);
    return lease.job !== null || this.#leftovers(tenant, lease).length > 0;
  }

  /** Ids of discarded outputs that were written, or written on, after that. */
  #leftovers(tenant: string, { discarded }: Pick<LeaseRecord, "discarded">): string[] {
    const unfinished = this.#deps.blocks.unfinished().find((each) => each.tenant === tenant)?.ids ?? [];
    return unfinished.filter((id) => discarded.includes(id));
  }

  async #sweep(tenant: string, lease: Lease): Promise<void> {
    for (const blockID of this.#leftovers(tenant, lease)) await this.#delete({ tenantID: tenant, blockID });
  }

  /**
   * Removes what was written of an output after others had discarded it. Where they have not, they will; or it was complete after all, as
   * the write that made it so may have arrived without our hearing of it.
   */
  async #disown(tenant: string, { output }: LeasedJob): Promise<void> {
    const { discarded } = await this.#leases.read(tenant);
    if (discarded.includes(output)) await this.#delete({ tenantID: tenant, blockID: output });
  }

  #delete(place: Pick<BlockMeta, "tenantID" | "blockID">): Promise<void> {
    return deleteBlock(this.#deps.store, place, () => this.#deps.blocks.remove(place));
  }
}
