// The filters of all blocks that are listed, within a limit of bytes: a lookup by id then asks the one or two blocks that have the trace.
// Each round of building covers the blocks that have come since, and forgets those that are gone.
//
// Where not all fit, the largest go without: any block that has none costs each lookup a bloom filter to read, however many traces it has.
import { traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { RowRange } from "../block/read_plan.ts";
import { endMsOf } from "../store/block_list.ts";
import { type Clock, sleep } from "../store/clock.ts";
import type { FilterStats } from "../telemetry/filter_metrics.ts";
import { log } from "../telemetry/log.ts";
import { BlockRetries, RoundOutcome } from "./block_retries.ts";
import { FilterError } from "./filter_error.ts";
import { FilterSet, filterBytesOf, TraceFilter } from "./trace_filter.ts";

/** A block that may hold a trace. */
export interface LookupBlock {
  meta: BlockMeta;
  /** Rows between which the trace is, if it is there. Null: it is not known, nor whether it may be there. */
  rows: RowRange | null;
}

/** What a worker made of a block's ids, or why the block can have no filter. */
export type BuiltFilter = { bytes: Uint8Array<ArrayBuffer> } | { damage: string };

/** Filters that outlive the process. */
export interface StoredFilters {
  /** Those that were kept, of the blocks that are listed. */
  load(metas: readonly BlockMeta[]): Map<BlockMeta, Uint8Array<ArrayBuffer>>;
  add(meta: BlockMeta, bytes: Uint8Array): void;
  /** Lets go of all but these. */
  retain(metas: Iterable<BlockMeta>): void;
}

export interface BlockFiltersOptions {
  /** All blocks that lookups may ask. */
  listed(): BlockMeta[];
  /** @throws CallError, StoreError if it may go better another time */
  build(meta: BlockMeta, signal: AbortSignal): Promise<BuiltFilter>;
  /** Bytes of all filters. */
  bytesMax: number;
  /** Filters that are made at a time; a quarter of them while queries are answered. */
  buildsMax: number;
  isBusy(): boolean;
  /** Whether lookups wait for filters that are being made rather than ask many bloom filters. */
  waits: boolean;
  stored: StoredFilters | null;
  clock: Clock;
}

export class BlockFilters {
  readonly #options: BlockFiltersOptions;
  /** By tenant and block. */
  readonly #filters = new Map<string, TraceFilter>();
  #bytes = 0;
  /** Blocks whose ids can't be read as they should be; they stay as they are. */
  #damaged = new Set<string>();
  readonly #retries = new BlockRetries();
  /** Blocks whose filters the round still makes. */
  readonly #pending = new Set<string>();
  #isLoaded = false;
  /** The one that is under way. */
  #round: Promise<void> | null = null;
  #listed = 0;
  #built = 0;
  #loaded = 0;

  constructor(options: BlockFiltersOptions) {
    this.#options = options;
  }

  get stats(): FilterStats {
    return {
      blocks: this.#listed,
      coveredBlocks: this.#filters.size,
      bytes: this.#bytes,
      bytesMax: this.#options.bytesMax,
      built: this.#built,
      loaded: this.#loaded,
      damagedBlocks: this.#damaged.size,
    };
  }

  /**
   * Of blocks, those that may hold a trace. Where a bloom filter costs a request over a network, a lookup of many blocks without a filter
   * waits a while for those that are being made: that takes less than to ask so many bloom filters, which are forty times as large.
   *
   * @param signal ends the waiting
   */
  async mayHold(
    metas: readonly BlockMeta[],
    traceId: Uint8Array,
    signal: AbortSignal,
  ): Promise<LookupBlock[]> {
    await this.#awaitRound(metas, signal);
    return this.narrow(metas, traceId);
  }

  /**
   * The same of many traces, one after the other. A thousand blocks take some tenths of a millisecond for each, so that all else of the
   * thread has its turn now and then.
   *
   * @param ids 16 bytes each
   */
  async *mayHoldEach(
    metas: readonly BlockMeta[],
    ids: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<LookupBlock[]> {
    await this.#awaitRound(metas, signal);
    let turnMs = performance.now();
    const narrower = this.#narrower(metas);
    for (let i = 0; i < ids.length / traceIdBytes; i++) {
      if (performance.now() - turnMs >= turnMsMax) {
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        turnMs = performance.now();
      }
      yield narrower(traceIdAt(ids, i));
    }
  }

  async #awaitRound(metas: readonly BlockMeta[], signal: AbortSignal): Promise<void> {
    const { waits, clock } = this.#options;
    if (!waits) return;
    for (let waited = 0; waited < waitMsMax; waited += pollMs) {
      if (!this.#round || signal.aborted || this.#countPending(metas) <= uncoveredMax) return;
      await Promise.race([this.#round, sleep(clock, pollMs, signal).catch(() => {})]);
    }
  }

  /** Others without a filter will have none however long it is waited for. */
  #countPending(metas: readonly BlockMeta[]): number {
    if (this.#pending.size <= uncoveredMax) return this.#pending.size;
    return metas.reduce((count, meta) => count + (this.#pending.has(keyOf(meta)) ? 1 : 0), 0);
  }

  /** Of blocks, those that may hold a trace, as far as it is known now. */
  narrow(metas: readonly BlockMeta[], traceId: Uint8Array): LookupBlock[] {
    return this.#narrower(metas)(traceId);
  }

  #narrower(metas: readonly BlockMeta[]): (traceId: Uint8Array) => LookupBlock[] {
    const filters = metas.map((meta) => this.#of(meta));
    const set = new FilterSet(filters);
    return (traceId) => {
      const rows = set.findRows(traceId);
      const found: LookupBlock[] = [];
      for (let i = 0; i < metas.length; i++) {
        if (filters[i] === null || rows[i] !== null) found.push({ meta: metas[i]!, rows: rows[i]! });
      }
      return found;
    };
  }

  /** One that was made of other rows tells nothing of the block. */
  #of(meta: BlockMeta): TraceFilter | null {
    const filter = this.#filters.get(keyOf(meta));
    return filter?.rows === meta.totalObjects ? filter : null;
  }

  /**
   * Covers the blocks that are listed now.
   *
   * @throws Error if none could be read, as when the store is away, so that it is tried again later and later
   */
  async run(signal: AbortSignal): Promise<void> {
    const running = this.#run(signal);
    this.#round = running.catch(() => {});
    try {
      await running;
    } finally {
      this.#round = null;
      this.#pending.clear();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const listed = this.#options.listed();
    this.#listed = listed.length;
    const wanted = this.#wanted(listed);
    const keys = new Set(wanted.map(keyOf));
    const gone = [...this.#filters.keys()].filter((key) => !keys.has(key));
    for (const key of gone) this.#drop(key);
    const all = new Set(listed.map(keyOf));
    this.#damaged = new Set([...this.#damaged].filter((key) => all.has(key)));
    if (!this.#isLoaded) {
      this.#isLoaded = true;
      this.#load(wanted);
    }
    const missing = wanted.filter((meta) => this.#of(meta) === null);
    // The newest are asked for most, and wait for nothing.
    missing.sort((a, b) => endMsOf(b) - endMsOf(a));
    this.#retries.startRound(all);
    await this.#buildAll(this.#retries.due(missing, keyOf), signal);
    if (gone.length > 0 || missing.length > 0) this.#options.stored?.retain(wanted);
  }

  /** As many of the blocks as fit, the smallest filters first. */
  #wanted(listed: readonly BlockMeta[]): BlockMeta[] {
    const sized = listed
      .filter((meta) => meta.totalObjects > 0 && !this.#damaged.has(keyOf(meta)))
      .map((meta) => ({ meta, bytes: filterBytesOf(meta.totalObjects) }));
    sized.sort((a, b) => a.bytes - b.bytes || endMsOf(b.meta) - endMsOf(a.meta));
    const wanted: BlockMeta[] = [];
    let room = this.#options.bytesMax;
    for (const { meta, bytes } of sized) {
      room -= bytes;
      if (room < 0) break;
      wanted.push(meta);
    }
    return wanted;
  }

  #load(wanted: readonly BlockMeta[]): void {
    for (const [meta, bytes] of this.#options.stored?.load(wanted) ?? []) {
      if (this.#take(meta, bytes)) this.#loaded++;
    }
  }

  async #buildAll(due: readonly BlockMeta[], signal: AbortSignal): Promise<void> {
    const { buildsMax, isBusy } = this.#options;
    const whileBusy = Math.max(1, Math.floor(buildsMax * busyShare));
    const round = new RoundOutcome();
    const running = new Set<Promise<void>>();
    for (const meta of due) this.#pending.add(keyOf(meta));
    for (const meta of due) {
      while (running.size >= (isBusy() ? whileBusy : buildsMax)) await Promise.race(running);
      if (signal.aborted || round.failuresInARow >= failuresMax) break;
      const building: Promise<void> = this.#tryBuild(meta, round, signal).finally(() => {
        running.delete(building);
        this.#pending.delete(keyOf(meta));
      });
      running.add(building);
    }
    await Promise.all(running);
    if (!signal.aborted) round.report();
  }

  async #tryBuild(meta: BlockMeta, round: RoundOutcome, signal: AbortSignal): Promise<void> {
    try {
      await this.#build(meta, signal);
    } catch (error) {
      if (!signal.aborted) round.failed(error as Error, this.#retries.failed(keyOf(meta)));
      return;
    }
    this.#retries.succeeded(keyOf(meta));
    round.succeeded();
  }

  async #build(meta: BlockMeta, signal: AbortSignal): Promise<void> {
    const built = await this.#options.build(meta, signal);
    if ("damage" in built) {
      this.#setDamaged(meta, built.damage);
      return;
    }
    if (!this.#take(meta, built.bytes)) return;
    this.#built++;
    this.#options.stored?.add(meta, built.bytes);
  }

  /** False if the bytes are no filter of the block. */
  #take(meta: BlockMeta, bytes: Uint8Array<ArrayBuffer>): boolean {
    let filter: TraceFilter;
    try {
      filter = new TraceFilter(bytes);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      return false;
    }
    if (filter.rows !== meta.totalObjects) return false;
    this.#drop(keyOf(meta));
    this.#filters.set(keyOf(meta), filter);
    this.#bytes += filter.bytes.length;
    return true;
  }

  #drop(key: string): void {
    this.#bytes -= this.#filters.get(key)?.bytes.length ?? 0;
    this.#filters.delete(key);
  }

  #setDamaged(meta: BlockMeta, damage: string): void {
    this.#damaged.add(keyOf(meta));
    const { tenantID: tenant, blockID: block } = meta;
    log.warn("a block's trace ids are not as its meta says; lookups ask its bloom filters", {
      tenant,
      block,
      damage,
    });
  }
}

const busyShare = 1 / 4;
/** Bloom filters that a lookup asks without waiting. */
const uncoveredMax = 16;
const pollMs = 50;
/** A first round over many blocks takes minutes; bloom filters are asked within a second or two. */
const waitMsMax = 1500;
/** For so long filters are asked before others have their turn. */
const turnMsMax = 4;
/** Blocks in a row that can't be read before a round is given up: the store is away. */
const failuresMax = 16;

function keyOf({ tenantID, blockID }: BlockMeta): string {
  return `${tenantID}/${blockID}`;
}
