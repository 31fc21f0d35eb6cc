// A shard: takes its part of every request into the WAL, holds the spans in one head per tenant, answers from them, and cuts
// heads into blocks. Runs in a worker; everything in it belongs to that one thread.

import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { WalSync as SyncPolicy } from "../config/config.ts";
import { type FirstTraces, joinArrays } from "../jobs/search_job.ts";
import type { CutDone, CutReason } from "../telemetry/ingest_metrics.ts";
import { log } from "../telemetry/log.ts";
import { collectGarbage } from "../threads/garbage.ts";
import { otherTenants, type ShardReport, type TenantReport } from "./api.ts";
import { BatchPool } from "./batch_pool.ts";
import { Cutter } from "./cutter.ts";
import { Head, type HeadSource } from "./head.ts";
import { HeadLimit } from "./head_limit.ts";
import type { WalDirectory } from "./wal_directory.ts";
import type { WalSegment } from "./wal_segment.ts";
import { WalSync } from "./wal_sync.ts";

/** Tenants with a head in one shard at a time; each has an open file. */
export const headsMax = 512;
/** More tenants than this are counted together, under otherTenants. */
const tenantsMax = 10_000;
/** How long a request waits for a full shard before its client is told to come back. */
export const appendWaitMsMax = 5000;
/** Requests are taken into the heads in groups of at most this share of what the heads may hold. */
const groupShare = 1 / 4;
/** Frozen heads may hold this times what growing heads may. */
const frozenShareMax = 2;
/** A shard is busy if its heads have come to this share of what they may hold while a block was written. */
const busyShareMin = 1 / 4;
/** Less memory is left to the collector's own time. */
const collectedBytesMin = 4 << 20;
/** Attempts to write a block that fails by the writer's own fault, before its segment is set aside. */
const writerFaultsMax = 3;

/** The heads are full, and no room comes free soon. */
export class ShardFull extends Error {
  override readonly name = "ShardFull";
  readonly code = "resource_exhausted";
}

export interface ShardSettings {
  /** For the heads, those that grow and those that become blocks. */
  memoryBytesMax: number;
  sync: SyncPolicy;
  syncIntervalMs: number;
  /** A head whose segment has grown to this is cut. OTLP bytes, of which its block takes a fifth or so. */
  blockBytesMax: number;
  attributeBytesMax: number;
}

export interface ShardStore {
  /** @param pause gives the thread to whatever waits */
  writeBlock(head: Head, pause: () => Promise<void>): Promise<BlockMeta>;
  /** The meta of a block that is there, whole; `compacted` if its spans are in another by now; null if it is not there. */
  findBlock(tenant: string, blockId: string): Promise<BlockMeta | "compacted" | null>;
  /** Removes what there is of a block that is not whole. */
  dropPartial(tenant: string, blockId: string): Promise<void>;
}

export interface ShardEvents {
  /** Resolves when queries find the block. */
  listBlock(meta: BlockMeta): Promise<void>;
  cutDone(cut: CutDone): void;
  cutFailed(tenant: string, error: Error): void;
  /** A head lacks what is in the log, and can't be made again: this shard must end, and the next one read the log back. */
  broke(error: Error): void;
}

interface WaitingAppend {
  tenant: string;
  request: Uint8Array;
  since: number;
  resolve(): void;
  reject(error: Error): void;
}

interface PendingDecode {
  head: Head;
  number: number;
  request: Uint8Array;
}

interface TenantTotals {
  attributesTruncated: TenantReport["attributesTruncated"];
  /** Traces of heads that are frozen or gone. */
  tracesCut: number;
  /** Bytes that the last head came to. */
  lastHeadBytes: number;
}

/** A collection takes a shard some milliseconds. */
const collectedMsMin = 1000;

export class Shard {
  readonly settings: ShardSettings;
  readonly directory: WalDirectory;
  readonly store: ShardStore;
  readonly cutter: Cutter;
  readonly #events: ShardEvents;
  readonly #limit: HeadLimit;
  readonly #pool: BatchPool;
  readonly #sync: WalSync;
  /** Heads that grow, by tenant. */
  readonly #growing = new Map<string, Head>();
  /** Heads that become blocks. */
  readonly #frozen = new Set<Head>();
  readonly #tenants = new Map<string, TenantTotals>();
  #waiting: WaitingAppend[] = [];
  #decodes: PendingDecode[] = [];
  #workScheduled = false;
  #appendsFail = false;
  /** When garbage was collected behind a block. */
  #collectedMs = 0;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;
  /** Counters of the report. */
  readonly counts = {
    walAppendedBytes: 0,
    walAppendedRecords: 0,
    walWrites: 0,
    walSyncs: 0,
    replayedRecords: 0,
    replayedSpans: 0,
    corruptRecords: 0,
    corruptSegments: 0,
  };

  constructor(settings: ShardSettings, directory: WalDirectory, store: ShardStore, events: ShardEvents) {
    this.settings = settings;
    this.directory = directory;
    this.store = store;
    this.#events = events;
    this.#limit = new HeadLimit(settings.memoryBytesMax);
    this.#pool = new BatchPool(this.#limit.headBytesMax);
    this.#sync = new WalSync(
      settings.syncIntervalMs,
      () => [...this.#growing.values(), ...this.#frozen].flatMap((head) => head.segment ?? []),
      (segment, error) => this.#segmentBroke(segment, error),
    );
    this.cutter = new Cutter({
      freeze: (head) => this.freeze(head),
      write: (head) => this.#writeBlock(head),
      list: (meta) => this.listBlock(meta),
      discard: (head) => this.#discard(head),
      done: (head, reason, meta, seconds) => this.#cutDone(head, reason, meta, seconds),
      failed: (head, error, failures) => this.#cutFailed(head, error, failures),
    });
  }

  /**
   * Logs a request and takes it into the tenant's head.
   *
   * @returns resolves when it is in the log; whoever asks for its traces after that finds them
   * @throws (as rejection) WalError or ShardFull: nothing of it may be counted on
   */
  append(tenant: string, request: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ tenant, request, since: performance.now(), resolve, reject });
      this.#scheduleWork();
    });
  }

  /** OTLP TracesData of a trace, one of each head that holds spans of it. */
  find(tenant: string, traceId: Uint8Array): Uint8Array[] {
    const found: Uint8Array[] = [];
    for (const head of this.headsOf(tenant)) {
      const trace = head.batch.findTrace(traceId);
      if (trace) found.push(trace);
    }
    return found;
  }

  /** The same of the first of several traces, ids of 16 bytes each: of as many as fit into so many bytes, and of one at least. */
  findAll(tenant: string, ids: Uint8Array, bytesMax: number): FirstTraces {
    const found: FirstTraces = { traces: [], places: [], count: 0 };
    let bytes = 0;
    while (found.count * traceIdBytes < ids.length && bytes < bytesMax) {
      for (const trace of this.find(tenant, traceIdAt(ids, found.count))) {
        found.traces.push(trace as Uint8Array<ArrayBuffer>);
        found.places.push(found.count);
        bytes += trace.length;
      }
      found.count++;
    }
    return found;
  }

  /** Ids, 16 bytes each, of all traces that have a span in a head; of one that is in two heads twice. */
  traceIds(tenant: string): Uint8Array<ArrayBuffer> {
    const ids = this.headsOf(tenant).map(({ batch }) =>
      batch.u8(Column.TraceId, batch.traces * traceIdBytes).slice(),
    );
    return joinArrays(ids, (length) => new Uint8Array(length));
  }

  /** The heads of a tenant, with all that is acknowledged in them. */
  headsOf(tenant: string): Head[] {
    this.#decodeAll();
    return [...this.#frozen, ...this.#growing.values()].filter((head) => head.tenant === tenant);
  }

  /** Cuts the heads of one tenant, or of all. Resolves when their blocks are listed. */
  async flush(tenant: string | null, reason: CutReason): Promise<BlockMeta[]> {
    this.#decodeAll();
    const heads = [...this.#frozen, ...this.#growing.values()].filter(
      (head) => tenant === null || head.tenant === tenant,
    );
    const attempts = heads.map((head) => this.cutter.cut(head, reason));
    this.cutter.retryNow();
    const metas = await Promise.all(attempts);
    return metas.filter((meta) => meta !== null);
  }

  /** Cuts the heads that were begun longer ago than that, or as far ahead: the clock has been set back. */
  cutAged(ageMsMax: number, now = Date.now()): void {
    for (const head of this.#growing.values()) {
      if (Math.abs(now - head.source.createdMs) >= ageMsMax) void this.cutter.cut(head, "age");
    }
    this.#pool.trim();
  }

  /** Has a block listed that was written before; one that is listed already stays. */
  listBlock(meta: BlockMeta): Promise<void> {
    return this.#events.listBlock(meta);
  }

  /** A head for records of a segment that is being read back; it is neither growing nor frozen yet. */
  headOf(source: HeadSource): Head {
    return this.#newHead(source, null);
  }

  /** Lets a head grow on with its segment. */
  grow(head: Head, segment: WalSegment): void {
    head.segment = segment;
    this.#growing.set(head.tenant, head);
  }

  /** What the growing heads may take together. */
  get headBytesMax(): number {
    return this.#limit.headBytesMax;
  }

  /** What the growing heads could still take. */
  get room(): number {
    return this.headBytesMax - this.#growingBytes();
  }

  /** Stops a head's growth. It is answered from until its block is. */
  freeze(head: Head): void {
    if (this.#frozen.has(head)) return;
    this.#decodeAll();
    if (this.#growing.get(head.tenant) === head) this.#growing.delete(head.tenant);
    this.#frozen.add(head);
    const totals = this.#totalsOf(head.tenant);
    totals.lastHeadBytes = head.bytes;
    totals.tracesCut += head.batch.traces;
  }

  /** Lets the thread do what waits: for work that takes long. */
  readonly pause = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#decodes.length > 0 || this.#waiting.length > 0) this.#work();
  };

  report(): { shard: ShardReport; tenants: TenantReport[] } {
    this.#decodeAll();
    const heads = [...this.#growing.values(), ...this.#frozen];
    const segments = heads.flatMap((head) => head.segment ?? []);
    const since = Math.min(...segments.map((segment) => segment.unsyncedSince || Number.POSITIVE_INFINITY));
    const shard: ShardReport = {
      ...this.counts,
      walSyncs: this.counts.walSyncs + this.#sync.syncs,
      headBytes: sum(heads, (head) => head.batch.memoryBytes) + this.#pool.memoryBytes,
      headSpans: sum(heads, (head) => head.batch.spans),
      walBytes: sum(segments, (segment) => segment.bytes),
      walUnsyncedBytes: sum(segments, (segment) => segment.unsyncedBytes),
      walUnsyncedMs: Number.isFinite(since) ? performance.now() - since : 0,
    };
    for (const head of heads) this.#addTruncated(head);
    const tenants = [...this.#tenants].map(([tenant, totals]): TenantReport => {
      const own = heads.filter((head) => head.tenant === tenant);
      const growing = this.#growing.get(tenant)?.batch.traces ?? 0;
      return {
        tenant,
        attributesTruncated: { ...totals.attributesTruncated },
        liveTraces: sum(own, (head) => head.batch.traces),
        tracesCreated: totals.tracesCut + growing,
      };
    });
    return { shard, tenants };
  }

  #scheduleWork(): void {
    if (this.#workScheduled) return;
    this.#workScheduled = true;
    // All messages that wait are delivered before this runs, so their requests become one group.
    setImmediate(() => {
      this.#workScheduled = false;
      this.#work();
    });
  }

  /** Decodes the last group, whose clients have their answer, and appends the next. */
  #work(): void {
    this.#decodeAll();
    this.#appendGroup();
    if (this.#decodes.length > 0) this.#scheduleWork();
  }

  #appendGroup(): void {
    if (this.#waiting.length === 0) return;
    if (this.#isFull()) {
      this.#stall();
      return;
    }
    const bytesMax = this.headBytesMax * groupShare;
    const groups = new Map<string, WaitingAppend[]>();
    let bytes = 0;
    let taken = 0;
    for (const append of this.#waiting) {
      if (bytes > 0 && bytes + append.request.length > bytesMax) break;
      bytes += append.request.length;
      taken++;
      const group = groups.get(append.tenant);
      if (group) group.push(append);
      else groups.set(append.tenant, [append]);
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    for (const [tenant, group] of groups) this.#appendTo(tenant, group);
    if (this.#waiting.length > 0) this.#scheduleWork();
  }

  #appendTo(tenant: string, group: WaitingAppend[]): void {
    let head: Head | undefined;
    try {
      head = this.#growing.get(tenant) ?? this.#startHead(tenant);
      const segment = head.segment!;
      const first = segment.records;
      const before = segment.bytes;
      segment.append(group.map((append) => append.request));
      if (this.settings.sync === "always") {
        segment.sync();
        this.counts.walSyncs++;
      } else if (this.settings.sync === "interval") {
        this.#sync.appended();
      }
      if (this.#appendsFail) log.info("the WAL can be written again", { tenant });
      this.#appendsFail = false;
      this.counts.walWrites++;
      this.counts.walAppendedRecords += group.length;
      this.counts.walAppendedBytes += segment.bytes - before;
      for (const [i, append] of group.entries()) {
        append.resolve();
        this.#decodes.push({ head, number: first + i, request: append.request });
      }
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      // Once, not for each of the requests that a full disk refuses.
      if (!this.#appendsFail) log.error("requests are refused, the WAL can't be written", { tenant, error });
      this.#appendsFail = true;
      if (head?.segment?.broken) this.#segmentBroke(head.segment, error);
      for (const append of group) append.reject(error);
    }
  }

  #startHead(tenant: string): Head {
    const segment = this.directory.create(tenant, Date.now());
    const { path, identity, createdMs } = segment;
    const head = this.#newHead({ path, identity, createdMs, firstRecord: 0 }, segment);
    this.#growing.set(tenant, head);
    return head;
  }

  #newHead(source: HeadSource, segment: WalSegment | null): Head {
    const batch = this.#pool.take(this.#totalsOf(source.identity.tenant).lastHeadBytes);
    return new Head(source, segment, batch, createBatch, this.settings.attributeBytesMax);
  }

  /** Takes what is logged into the heads. Cheap if there is nothing. */
  #decodeAll(): void {
    if (this.#decodes.length === 0) return;
    const decodes = this.#decodes;
    this.#decodes = [];
    const touched = new Set<Head>();
    for (const { head, number, request } of decodes) {
      try {
        head.decode(number, request);
      } catch (cause) {
        this.#events.broke(cause as Error);
        throw cause;
      }
      touched.add(head);
      // The request has done its service; its memory need not wait for the garbage collector.
      if (request.buffer instanceof ArrayBuffer && request.byteLength === request.buffer.byteLength) {
        request.buffer.transfer(0);
      }
    }
    for (const head of touched) {
      if (head.segment && head.segment.bytes >= this.settings.blockBytesMax)
        void this.cutter.cut(head, "bytes");
    }
    if (this.#isFull()) this.#cutFullest();
  }

  #growingBytes(): number {
    let bytes = 0;
    // A small head costs its batch's first pages, however few spans are in it.
    for (const head of this.#growing.values()) bytes += Math.max(head.bytes, this.#pool.emptyBytes);
    return bytes;
  }

  #isFull(): boolean {
    const { headBytesMax } = this;
    if (this.#growing.size >= headsMax || this.#growingBytes() >= headBytesMax) return true;
    // Usually one head is frozen at a time; while segments break there can be more.
    return sum(this.#frozen, (head) => head.bytes) >= headBytesMax * frozenShareMax;
  }

  #cutFullest(): void {
    let fullest: Head | undefined;
    for (const head of this.#growing.values()) {
      if (this.cutter.has(head)) return; // room comes when that is done
      if (!fullest || head.bytes > fullest.bytes) fullest = head;
    }
    if (fullest) void this.cutter.cut(fullest, "budget");
  }

  /** The heads are full: what waits goes on waiting for the cut that is under way, unless that can't be done. */
  #stall(): void {
    this.#cutFullest();
    if (this.cutter.failing) {
      this.#refuse(this.#waiting.splice(0));
      return;
    }
    this.#stallTimer ??= setTimeout(() => {
      this.#stallTimer = undefined;
      const latest = performance.now() - appendWaitMsMax;
      const late = this.#waiting.findIndex((append) => append.since > latest);
      this.#refuse(this.#waiting.splice(0, late < 0 ? this.#waiting.length : late));
      if (this.#waiting.length > 0) this.#scheduleWork();
    }, appendWaitMsMax);
  }

  #refuse(appends: WaitingAppend[]): void {
    for (const append of appends) {
      append.reject(
        new ShardFull("memory budget reached: live spans fill it, and their blocks are still being written"),
      );
    }
  }

  #segmentBroke(segment: WalSegment, error: Error): void {
    log.error("WAL segment failed, its head is cut", { segment: segment.path, error });
    for (const head of this.#growing.values()) {
      if (head.segment !== segment) continue;
      this.freeze(head);
      void this.cutter.cut(head, "flush");
    }
  }

  async #writeBlock(head: Head): Promise<BlockMeta | null> {
    if (head.segment && this.settings.sync !== "off" && !head.segment.broken) {
      await head.segment.syncLater().catch((error: Error) => this.#segmentBroke(head.segment!, error));
    }
    head.spansCut = head.batch.spans;
    if (head.spansCut === 0) return null;
    return this.store.writeBlock(head, this.pause);
  }

  async #discard(head: Head): Promise<void> {
    const { path } = head.source;
    try {
      if (head.recordsSetAside > 0) {
        this.directory.keepAside(path);
        this.counts.corruptRecords += head.recordsSetAside;
        this.counts.corruptSegments++;
      }
      await head.segment?.close();
      if (!head.keepsSegment) this.directory.remove(path);
    } catch (cause) {
      // Its block is found at the next start, and the segment then removed.
      log.error("WAL segment can't be removed", { segment: path, error: cause as Error });
    }
    this.#addTruncated(head);
    this.#frozen.delete(head);
    this.#reuse(head);
    if (this.#waiting.length > 0) this.#scheduleWork();
  }

  /** Keeps the memory of a head that is gone for one that will need it soon, and gives it back otherwise. */
  #reuse(head: Head): void {
    const { memoryBytes } = head.batch;
    this.#limit.observe(head.bytes, memoryBytes);
    const filled = this.#growingBytes() / this.headBytesMax;
    if (filled >= busyShareMin && memoryBytes <= this.#limit.batchMemoryBytesMax) {
      this.#pool.give(head.release());
      this.#collectPages();
    } else if (memoryBytes >= collectedBytesMin) {
      head.release();
      setImmediate(collectGarbage); // by then nothing on the stack looks like a reference to it
    }
  }

  /** Writing a block leaves its compressed pages behind, which the collector underrates: it sees small objects. */
  #collectPages(): void {
    const now = performance.now();
    if (now - this.#collectedMs < collectedMsMin) return;
    this.#collectedMs = now;
    setImmediate(collectGarbage);
  }

  #cutDone(head: Head, reason: CutReason, meta: BlockMeta | null, seconds: number): void {
    if (!meta) return;
    const { tenant } = head;
    log.info("block cut", {
      tenant,
      block: meta.blockID,
      reason,
      traces: meta.totalObjects,
      bytes: meta.size,
      seconds: Math.round(seconds * 1000) / 1000,
    });
    this.#events.cutDone({ tenant, reason, spans: head.spansCut, bytes: meta.size, seconds });
  }

  #cutFailed(head: Head, error: Error, failures: number): boolean {
    log.error("cut failed", { tenant: head.tenant, block: head.blockId, failures, error });
    this.#events.cutFailed(head.tenant, error);
    if (this.#waiting.length > 0) this.#scheduleWork();
    if (!isWriterFault(error)) return false;
    if (failures < writerFaultsMax) {
      head.rebuild();
      return false;
    }
    head.setAsideAll();
    return true;
  }

  #totalsOf(tenant: string): TenantTotals {
    let totals = this.#tenants.get(tenant);
    if (!totals && this.#tenants.size >= tenantsMax && tenant !== otherTenants)
      return this.#totalsOf(otherTenants);
    if (!totals) {
      totals = { attributesTruncated: {}, tracesCut: 0, lastHeadBytes: 0 };
      this.#tenants.set(tenant, totals);
    }
    return totals;
  }

  #addTruncated(head: Head): void {
    const { attributesTruncated } = this.#totalsOf(head.tenant);
    const taken = head.takeTruncated();
    for (const [scope, count] of Object.entries(taken) as [keyof typeof taken, number][]) {
      attributesTruncated[scope] = (attributesTruncated[scope] ?? 0) + count;
    }
  }
}

function createBatch(): SpanBatch {
  return SpanBatch.create();
}

/** An error that says that the program is wrong and not the disk: trying again changes nothing. */
function isWriterFault(error: Error): boolean {
  return !("code" in error); // the store's errors and the file system's have one
}

function sum<Item>(items: Iterable<Item>, of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
