// The object by which processes agree who compacts a tenant, and what is being put in the place of what: compaction writes it, and whoever
// lists blocks reads it.
import { type Store, StoreError } from "./store.ts";

/** Blocks that are being merged. */
export interface LeasedJob {
  /** Ids of blocks. */
  output: string;
  inputs: string[];
  /**
   * The text of the output's meta.json, once all else of it is written: from then on the output is in the place of the inputs, whoever
   * comes to finish it. Null: it may be incomplete.
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
}

/** The object is there, and is something else. */
export class LeaseUnreadable extends StoreError {}

export function leasePath(tenant: string): string {
  return `${tenant}/compaction_lease.json`;
}

/**
 * Blocks of a tenant that another one has replaced, though they may still be live: the other one is live, too, or about to be.
 *
 * @returns null if there are none
 */
export async function replacedBlocks(
  store: Store,
  tenant: string,
): Promise<{ output: string; inputs: readonly string[] } | null> {
  const found = await store.readTagged(leasePath(tenant));
  const job = found && parseRecord(found.bytes).job;
  return job && job.meta !== null ? job : null;
}

export function printRecord(record: LeaseRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** @throws StoreError for what is no record: to take it for a free lease would forget its job */
export function parseRecord(bytes: Uint8Array): LeaseRecord {
  const text = new TextDecoder().decode(bytes);
  try {
    const { holder, turn, leaseMs, job } = JSON.parse(text) as Partial<LeaseRecord>;
    const isJob =
      job === null ||
      (typeof job?.output === "string" && Array.isArray(job.inputs) && job.meta !== undefined);
    if (holder !== undefined && Number.isSafeInteger(turn) && Number.isFinite(leaseMs) && isJob) {
      return { holder, turn: turn!, leaseMs: leaseMs!, job: job! };
    }
  } catch {
    // said below
  }
  throw new LeaseUnreadable(`compaction: ${text.slice(0, 80)} is no lease`);
}
