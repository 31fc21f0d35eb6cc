// Who compacts a tenant, and what is being put in the place of what: one small object per tenant that is written only on condition that
// nobody has written it since. So of several processes on one bucket one compacts a tenant, and what it began, its successor ends.
//
// No clock is compared with another one. A lease is over when its object has not changed for as long as it says, by the clock of whoever
// waits for it; its holder stops well before that, by his own.
import {
  discardedMax,
  type LeasedJob,
  type LeaseRecord,
  leasePath,
  parseRecord,
  printRecord,
  readLease,
} from "../store/compaction_lease.ts";
import { type Store, StoreError } from "../store/store.ts";

/** Of a lease, the part after which its holder no longer relies on it: clocks may run at different speeds, and writes take time. */
const heldShare = 2 / 3;

/** The lease went to somebody else, or may have. */
export class LeaseLost extends Error {
  override name = "LeaseLost";
}

export interface LeaseOptions {
  /** Different for every process and start. */
  holder: string;
  leaseMs: number;
  /** ms from any start, of a clock that nobody sets. */
  now: () => number;
}

/** The leases of all tenants, as one process sees them. */
export class Leases {
  readonly #store: Store;
  readonly #options: LeaseOptions;
  /** Leases of others: their tag, and when it was first seen. */
  readonly #seen = new Map<string, { tag: string; ms: number }>();

  constructor(store: Store, options: LeaseOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** What is being merged of a tenant, and what came to nothing, whoever holds its lease. */
  async read(tenant: string): Promise<Pick<LeaseRecord, "job" | "discarded">> {
    return (await readLease(this.#store, tenant)) ?? { job: null, discarded: [] };
  }

  /**
   * Takes the lease of a tenant, if it is free.
   *
   * @returns null if another process has it
   */
  async take(tenant: string): Promise<Lease | null> {
    const { holder, leaseMs, now } = this.#options;
    const path = leasePath(tenant);
    const startedMs = now();
    const found = await this.#store.readTagged(path);
    const record = found ? parseRecord(found.bytes) : null;
    if (found && record && record.holder !== null && record.holder !== holder) {
      const seen = this.#seen.get(tenant);
      if (seen?.tag !== found.tag) this.#seen.set(tenant, { tag: found.tag, ms: startedMs });
      if (seen?.tag !== found.tag || startedMs - seen.ms < record.leaseMs) return null;
    }
    this.#seen.delete(tenant);
    const { turn, job, discarded } = record ?? { turn: 0, job: null, discarded: [] };
    const taken: LeaseRecord = { holder, turn: turn + 1, leaseMs, job, discarded };
    const tag = await writeKnown(this.#store, path, printRecord(taken), found?.tag ?? null);
    return tag === null ? null : new Lease(this.#store, path, this.#options, taken, tag, startedMs);
  }
}

/** A lease that this process has taken. */
export class Lease {
  readonly #store: Store;
  readonly #path: string;
  readonly #now: () => number;
  #record: LeaseRecord;
  #tag: string;
  #confirmedMs: number;
  #lost = false;
  /** Writes go one after the other, as each needs the tag of the last. */
  #writing: Promise<void> = Promise.resolve();

  constructor(
    store: Store,
    path: string,
    options: LeaseOptions,
    record: LeaseRecord,
    tag: string,
    confirmedMs: number,
  ) {
    this.#store = store;
    this.#path = path;
    this.#now = options.now;
    this.#record = record;
    this.#tag = tag;
    this.#confirmedMs = confirmedMs;
  }

  /** What is being merged under the lease, also if a former holder began it. */
  get job(): LeasedJob | null {
    return this.#record.job;
  }

  /** Ids of outputs that came to nothing. */
  get discarded(): readonly string[] {
    return this.#record.discarded;
  }

  /** @throws LeaseLost unless the lease is surely still this process's */
  assertHeld(): void {
    if (this.#lost || this.#now() - this.#confirmedMs >= this.#record.leaseMs * heldShare) {
      throw new LeaseLost("compaction: the lease is lost");
    }
  }

  /** @throws (as rejection) LeaseLost; StoreError if the store does not answer */
  async renew(): Promise<void> {
    await this.#write((record) => record);
  }

  /** Says what is being merged from now on. @throws (as rejection) as renew() does; what is under way may then be either */
  async setJob(job: LeasedJob | null): Promise<void> {
    await this.#write((record) => ({ ...record, job }));
  }

  /** Says that the output of the job is none, now and for ever. @throws (as rejection) as renew() does */
  async discardJob(): Promise<void> {
    await this.#write(({ job, discarded, ...record }) => ({
      ...record,
      job: null,
      discarded: job ? [...discarded, job.output].slice(-discardedMax) : discarded,
    }));
  }

  /** Gives the lease back. */
  async release(): Promise<void> {
    await this.#write((record) => ({ ...record, holder: null }));
    this.#lost = true;
  }

  async #write(change: (record: LeaseRecord) => LeaseRecord): Promise<void> {
    const before = this.#writing;
    const done = Promise.withResolvers<void>();
    this.#writing = done.promise;
    await before;
    try {
      await this.#writeNow(change);
    } finally {
      done.resolve();
    }
  }

  async #writeNow(change: (record: LeaseRecord) => LeaseRecord): Promise<void> {
    if (this.#lost) throw new LeaseLost("compaction: the lease is lost");
    const startedMs = this.#now();
    const record = { ...change(this.#record), turn: this.#record.turn + 1 };
    const tag = await writeKnown(this.#store, this.#path, printRecord(record), this.#tag);
    if (tag === null) {
      this.#lost = true;
      throw new LeaseLost("compaction: another process has taken the lease");
    }
    this.#record = record;
    this.#tag = tag;
    this.#confirmedMs = startedMs;
  }
}

/**
 * Writes a lease on condition, as Store.writeIf() does. Unless that says that it is written, what is there now tells: an answer may have got
 * lost, and of a request that the runtime makes once more by itself, on a connection that broke, the second one fails since the first did not.
 */
async function writeKnown(
  store: Store,
  path: string,
  bytes: Uint8Array,
  tag: string | null,
): Promise<string | null> {
  let failure: StoreError | null = null;
  try {
    const written = await store.writeIf(path, bytes, tag);
    if (written !== null) return written;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    failure = error;
  }
  const found = await store.readTagged(path);
  if (found && Buffer.compare(found.bytes, bytes) === 0) return found.tag;
  if (failure !== null && (found?.tag ?? null) === tag) throw failure;
  return null;
}
