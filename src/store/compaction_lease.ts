// The object by which processes agree who compacts a tenant, and what is being put in the place of what: compaction writes it, and whoever
// lists blocks reads it.
import { type Store, StoreError } from "./store.ts";

/** Blocks that are being merged. */
export interface LeasedJob {
  /** Ids of blocks. */
  output: string;
  inputs: string[];
  /**
   * The text of the output's meta.json, once it is written, and all else of it: from then on the output is in the place of the inputs,
   * whoever comes to finish it. Null: the output may be incomplete, and is no block, whatever lies in its folder.
   */
  meta: string | null;
}

export interface LeaseRecord {
  /** Of the process; null: the lease is free. */
  holder: string | null;
  /** Counts the writes, so that no two have equal bytes. */
  turn: number;
  /** Without a write for so long it is free. */
  leaseMs: number;
  job: LeasedJob | null;
  /**
   * Ids of outputs that came to nothing, the latest last. Whoever was stopped while he wrote one may go on later: what he writes, a
   * meta.json perhaps, makes no block.
   */
  discarded: readonly string[];
}

/** Of outputs that came to nothing, so many are remembered: each of them is a process that ended or was stopped in a merge. */
export const discardedMax = 256;

/** The object is there, and is something else. */
export class LeaseUnreadable extends StoreError {}

export function leasePath(tenant: string): string {
  return `${tenant}/compaction_lease.json`;
}

/** What the lease of a tenant says; null if there is none. @throws LeaseUnreadable; StoreError */
export async function readLease(store: Store, tenant: string): Promise<LeaseRecord | null> {
  const found = await store.readTagged(leasePath(tenant));
  return found && parseRecord(found.bytes);
}

/** Blocks that another one has replaced, though they may still be live: the other one is live, too. */
export function replacedBlocks({ job }: LeaseRecord): LeasedJob | null {
  return job && job.meta !== null ? job : null;
}

/** Outputs of merges that have not come to pass: no blocks, though they may have a meta.json. */
export function unmadeBlocks({ job, discarded }: LeaseRecord): readonly string[] {
  return job && job.meta === null ? [...discarded, job.output] : discarded;
}

export function printRecord(record: LeaseRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** @throws StoreError for what is no record: to take it for a free lease would forget its job */
export function parseRecord(bytes: Uint8Array): LeaseRecord {
  const text = new TextDecoder().decode(bytes);
  try {
    // Leases of old have nothing discarded.
    const { holder, turn, leaseMs, job, discarded = [] } = JSON.parse(text) as Partial<LeaseRecord>;
    const isJob =
      job === null ||
      (typeof job?.output === "string" && Array.isArray(job.inputs) && job.meta !== undefined);
    const isRest = Number.isSafeInteger(turn) && Number.isFinite(leaseMs) && Array.isArray(discarded);
    if (holder !== undefined && isJob && isRest) {
      return { holder, turn: turn!, leaseMs: leaseMs!, job: job!, discarded };
    }
  } catch {
    // said below
  }
  throw new LeaseUnreadable(`compaction: ${text.slice(0, 80)} is no lease`);
}
